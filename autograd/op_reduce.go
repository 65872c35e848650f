package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

type reduceConfig struct {
	Op   kernels.ReduceOp
	Axis int // -1: everything, to a scalar
}

// reduce is the sum or mean along an axis, which keeps size 1; the gradient
// spreads evenly.
type reduce struct {
	reduceConfig
	in                 Shape
	outer, axis, inner int
	args               kernels.ReduceArgs
	spread             kernels.BroadcastArgs
}

// Sum adds along axis (-1: all axes, giving a scalar [1]).
//
//go:noinline
func Sum(x *Var, axis int) *Var { return Apply[*reduce](x.t, reduceConfig{kernels.ReduceSum, axis}, x) }

// Mean averages along axis (-1: all axes, giving a scalar [1]).
//
//go:noinline
func Mean(x *Var, axis int) *Var {
	return Apply[*reduce](x.t, reduceConfig{kernels.ReduceMean, axis}, x)
}

func (o *reduce) Config() *reduceConfig { return &o.reduceConfig }
func (o *reduce) Name() string          { return "Reduce" }

func (o *reduce) Plan(p *Plan) {
	s := p.In(0)
	o.in = s
	if o.Axis >= s.Rank || o.Axis < -1 {
		panic(&tensor.ShapeError{Op: "Reduce", Operands: [][]int{s.Slice()}, Rule: fmt.Sprintf("axis %d is one of them", o.Axis)})
	}
	if o.Axis == -1 {
		o.outer, o.axis, o.inner = 1, s.Len(), 1
		p.Out(Dims(1))
		return
	}
	o.outer, o.inner = 1, 1
	for i, d := range s.Dim[:s.Rank] {
		switch {
		case i < o.Axis:
			o.outer *= d
		case i > o.Axis:
			o.inner *= d
		}
	}
	o.axis = s.Dim[o.Axis]
	s.Dim[o.Axis] = 1
	p.Out(s)
}

func (o *reduce) Forward(c *Ctx) {
	o.args = kernels.ReduceArgs{Op: o.Op, Outer: o.outer, Axis: o.axis, Inner: o.inner, X: c.In(0), Y: c.Out(0)}
	c.Backend().Reduce(&o.args)
}

func (o *reduce) Backward(c *Ctx) {
	g, acc, ok := c.GradIn(0)
	if !ok {
		return
	}
	s := float32(1)
	if o.Op == kernels.ReduceMean {
		s = 1 / float32(o.axis)
	}
	dy := c.GradOut(0)
	o.spread = kernels.BroadcastArgs{Op: kernels.MapAXPBY, Dims: [4]int{1, o.outer, o.axis, o.inner}, SA: [4]int{0, o.inner, 0, 1}, SB: [4]int{0, o.inner, 0, 1},
		Dst: g, A: dy, B: dy, S: s, T: 0, Accumulate: acc}
	c.Backend().Broadcast(&o.spread)
}
