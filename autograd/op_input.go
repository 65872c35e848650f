package autograd

import (
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// inputConfig is the shape of an input slot.
type inputConfig struct {
	Shape Shape
	Int   bool
}

// input is a slot of the plan that Run fills from host memory.
type input struct{ inputConfig }

func (o *input) Config() *inputConfig { return &o.inputConfig }
func (o *input) Name() string         { return "Input" }
func (o *input) Plan(p *Plan) {
	if o.Int {
		p.OutFixed(kernels.Int32, o.Shape)
		return
	}
	p.OutFixed(kernels.Float32, o.Shape)
}
func (o *input) Forward(c *Ctx)  {}
func (o *input) Backward(c *Ctx) {}

// Input is a Float32 input of the step; data is copied into the plan's slot
// when Run starts, so it may be reused after Run. It has shape.Len() elements.
//
//go:noinline
func (t *Tape) Input(shape Shape, data []float32) *Var {
	if len(data) != shape.Len() {
		panic(&tensor.ShapeError{Op: "Input", Operands: [][]int{shape.Slice(), {len(data)}}, Rule: "one value for each element"})
	}
	v := Apply[*input](t, inputConfig{Shape: shape})
	v.src = data
	return v
}

// Ints is an Int32 input: labels, cluster ids, row numbers.
//
//go:noinline
func (t *Tape) Ints(data []int32) *Var {
	v := Apply[*input](t, inputConfig{Shape: Dims(len(data)), Int: true})
	v.srcInt = data
	return v
}

// WithGrad makes an input take part in differentiation; its gradient can be
// read after Run if it is also kept.
func (v *Var) WithGrad() *Var {
	if v.t.g.grads && !v.wants {
		v.wants = true
		v.t.g.planned = false
	}
	return v
}

// CopyGrad copies the gradient of v after Run into dst; ok is false when the
// step wrote none.
func (v *Var) CopyGrad(dst []float32) (ok bool, err error) {
	m := v.gradMem()
	if m.IsNil() {
		return false, nil
	}
	return true, v.t.b.Download(dst, m)
}
