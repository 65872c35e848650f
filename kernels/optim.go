package kernels

type optimState struct{}

func (*optimState) init(c *CPU) {}
