package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

type rowsConfig struct{ From, To int }

// rows is the part [From, To) of the first axis. The gradient fills those rows
// of dx; the others get 0.
type rows struct {
	rowsConfig
	width int
	copy  kernels.MapArgs
	zero  kernels.MapArgs
}

// Rows is rows [from, to) of x's first axis.
//
//go:noinline
func Rows(x *Var, from, to int) *Var { return Apply[*rows](x.t, rowsConfig{from, to}, x) }

func (o *rows) Config() *rowsConfig { return &o.rowsConfig }
func (o *rows) Name() string        { return "Rows" }

func (o *rows) Plan(p *Plan) {
	s := p.In(0)
	if o.From < 0 || o.To > s.Dim[0] || o.From >= o.To || s.Rank == 0 {
		panic(&tensor.ShapeError{Op: "Rows", Operands: [][]int{s.Slice()}, Rule: fmt.Sprintf("0 <= %d < %d <= rows", o.From, o.To)})
	}
	o.width = s.Len() / s.Dim[0]
	s.Dim[0] = o.To - o.From
	p.Out(s)
}

func (o *rows) Forward(c *Ctx) {
	y := c.Out(0)
	o.copy = kernels.MapArgs{Op: kernels.MapCopy, N: y.Len, Dst: y, A: c.In(0).At(o.From*o.width, y.Len)}
	c.Backend().Map(&o.copy)
}

func (o *rows) Backward(c *Ctx) {
	g, acc, ok := c.GradIn(0)
	if !ok {
		return
	}
	if !acc {
		o.zero = kernels.MapArgs{Op: kernels.MapFill, N: g.Len, Dst: g}
		c.Backend().Map(&o.zero)
	}
	dy := c.GradOut(0)
	o.copy = kernels.MapArgs{Op: kernels.MapCopy, N: dy.Len, Dst: g.At(o.From*o.width, dy.Len), A: dy, Accumulate: acc}
	c.Backend().Map(&o.copy)
}

type concatConfig struct{ N int }

// concat joins values along their first axis; the gradient is cut the same way.
type concat struct {
	concatConfig
	args kernels.MapArgs
}

// Concat joins xs along the first axis; the other axes are equal.
//
//go:noinline
func Concat(xs ...*Var) *Var { return Apply[*concat](xs[0].t, concatConfig{len(xs)}, xs...) }

func (o *concat) Config() *concatConfig { return &o.concatConfig }
func (o *concat) Name() string          { return "Concat" }

func (o *concat) Plan(p *Plan) {
	s := p.In(0)
	for i := 1; i < o.N; i++ {
		q := p.In(i)
		if q.Dim[0] = s.Dim[0]; q != s {
			panic(&tensor.ShapeError{Op: "Concat", Operands: [][]int{p.In(0).Slice(), p.In(i).Slice()}, Rule: "all axes but the first are equal"})
		}
	}
	for i := 1; i < o.N; i++ {
		s.Dim[0] += p.In(i).Dim[0]
	}
	p.Out(s)
}

func (o *concat) Forward(c *Ctx) {
	at := 0
	for i := range o.N {
		x := c.In(i)
		o.args = kernels.MapArgs{Op: kernels.MapCopy, N: x.Len, Dst: c.Out(0).At(at, x.Len), A: x}
		c.Backend().Map(&o.args)
		at += x.Len
	}
}

func (o *concat) Backward(c *Ctx) {
	at := 0
	dy := c.GradOut(0)
	for i := range o.N {
		n := c.n.ins[i].shape.Len()
		if g, acc, ok := c.GradIn(i); ok {
			o.args = kernels.MapArgs{Op: kernels.MapCopy, N: n, Dst: g, A: dy.At(at, n), Accumulate: acc}
			c.Backend().Map(&o.args)
		}
		at += n
	}
}
