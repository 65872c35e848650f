package kernels

type gemmState struct{}

func (*gemmState) init(c *CPU) {}
