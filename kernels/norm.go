package kernels

type normState struct{}

func (*normState) init(c *CPU) {}
