package autograd

import "github.com/sectile-ml/sectile/tensor"

// aliasConfig is another view of a value's memory.
type aliasConfig struct {
	Shape Shape
	Stop  bool
}

// alias is the same memory under another shape, or without gradient. It costs
// nothing: the tape resolves it to the value behind it.
type alias struct{ aliasConfig }

func (o *alias) Config() *aliasConfig { return &o.aliasConfig }
func (o *alias) Name() string         { return "Alias" }
func (o *alias) Plan(p *Plan)         {}
func (o *alias) Forward(c *Ctx)       {}
func (o *alias) Backward(c *Ctx)      {}

// Reshape is v with another shape of the same number of elements.
//
//go:noinline
func (v *Var) Reshape(d ...int) *Var {
	s := Dims(d...)
	if s.Len() != v.shape.Len() {
		panic(&tensor.ShapeError{Op: "Reshape", Operands: [][]int{v.shape.Slice(), s.Slice()}, Rule: "the number of elements stays"})
	}
	return Apply[*alias](v.t, aliasConfig{Shape: s}, v)
}

// Detach is v as a constant: no gradient passes.
//
//go:noinline
func (v *Var) Detach() *Var {
	return Apply[*alias](v.t, aliasConfig{Shape: v.shape, Stop: true}, v)
}
