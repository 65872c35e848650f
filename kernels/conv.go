package kernels

type convState struct{}

func (*convState) init(c *CPU) {}
