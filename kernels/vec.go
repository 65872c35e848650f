package kernels

type vecState struct{}

func (*vecState) init(c *CPU) {}
