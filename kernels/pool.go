package kernels

type poolState struct{}

func (*poolState) init(c *CPU) {}
