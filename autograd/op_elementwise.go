package autograd

import (
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// unaryConfig is y = f(x), with s and t where f has scalars.
type unaryConfig struct {
	Op   kernels.MapOp
	S, T float32
}

// unary is y = f(x): s x, s x + t, relu, exp, log, sqrt. Each derivative is
// written from y or x: s, s, y > 0, y, 1/x, 1/(2y).
type unary struct {
	unaryConfig
	n    int
	args kernels.MapArgs
	tmp  Buf
}

// Scale is s x.
func Scale(x *Var, s float32) *Var { return x.unary(unaryConfig{Op: kernels.MapScale, S: s}) }

// Affine is s x + t.
func Affine(x *Var, s, t float32) *Var {
	return x.unary(unaryConfig{Op: kernels.MapAffine, S: s, T: t})
}

// ReLU is x where x > 0, else 0; NaN stays.
func ReLU(x *Var) *Var { return x.unary(unaryConfig{Op: kernels.MapReLU}) }

// Exp is e^x.
func Exp(x *Var) *Var { return x.unary(unaryConfig{Op: kernels.MapExp}) }

// Log is the natural logarithm of x.
func Log(x *Var) *Var { return x.unary(unaryConfig{Op: kernels.MapLog}) }

// Sqrt is the square root of x.
func Sqrt(x *Var) *Var { return x.unary(unaryConfig{Op: kernels.MapSqrt}) }

//
//go:noinline
func (v *Var) unary(cfg unaryConfig) *Var { return Apply[*unary](v.t, cfg, v) }

func (o *unary) Config() *unaryConfig { return &o.unaryConfig }
func (o *unary) Name() string         { return "Unary" }

func (o *unary) Plan(p *Plan) {
	o.n = p.In(0).Len()
	p.Out(p.In(0))
	if !p.Differentiates() {
		return
	}
	switch o.Op {
	case kernels.MapReLU, kernels.MapExp:
		p.SaveOut(0)
	case kernels.MapLog:
		p.SaveIn(0)
	case kernels.MapSqrt:
		p.SaveOut(0)
		o.tmp = p.BackScratch(kernels.Float32, o.n)
	}
}

func (o *unary) Forward(c *Ctx) {
	o.args = kernels.MapArgs{Op: o.Op, N: o.n, Dst: c.Out(0), A: c.In(0), S: o.S, T: o.T}
	c.Backend().Map(&o.args)
}

func (o *unary) Backward(c *Ctx) {
	g, acc, ok := c.GradIn(0)
	if !ok {
		return
	}
	a := &o.args
	*a = kernels.MapArgs{N: o.n, Dst: g, A: c.GradOut(0), S: o.S, Accumulate: acc}
	switch o.Op {
	case kernels.MapReLU:
		a.Op, a.B = kernels.MapReLUGrad, c.Out(0)
	case kernels.MapExp:
		a.Op, a.B = kernels.MapMul, c.Out(0)
	case kernels.MapLog:
		a.Op, a.B = kernels.MapDiv, c.In(0)
	case kernels.MapSqrt:
		*a = kernels.MapArgs{Op: kernels.MapScale, N: o.n, Dst: c.Buf(o.tmp), A: c.Out(0), S: 2}
		c.Backend().Map(a)
		*a = kernels.MapArgs{Op: kernels.MapDiv, N: o.n, Dst: g, A: c.GradOut(0), B: c.Buf(o.tmp), Accumulate: acc}
	default:
		a.Op = kernels.MapScale
	}
	c.Backend().Map(a)
}

type binaryConfig struct{ Op kernels.MapOp }

// binary is y = a + b, a - b or a * b for equal shapes.
type binary struct {
	binaryConfig
	n    int
	args kernels.MapArgs
}

// Add is a + b.
//
//go:noinline
func Add(a, b *Var) *Var { return Apply[*binary](a.t, binaryConfig{kernels.MapAdd}, a, b) }

// Sub is a - b.
//
//go:noinline
func Sub(a, b *Var) *Var { return Apply[*binary](a.t, binaryConfig{kernels.MapSub}, a, b) }

// Mul is the elementwise product a b.
//
//go:noinline
func Mul(a, b *Var) *Var { return Apply[*binary](a.t, binaryConfig{kernels.MapMul}, a, b) }

func (o *binary) Config() *binaryConfig { return &o.binaryConfig }
func (o *binary) Name() string          { return "Binary" }

func (o *binary) Plan(p *Plan) {
	if p.In(0) != p.In(1) {
		panic(&tensor.ShapeError{Op: "Binary", Operands: [][]int{p.In(0).Slice(), p.In(1).Slice()}, Rule: "equal shapes"})
	}
	o.n = p.In(0).Len()
	p.Out(p.In(0))
	if o.Op == kernels.MapMul {
		if p.Wants(0) {
			p.SaveIn(1)
		}
		if p.Wants(1) {
			p.SaveIn(0)
		}
	}
}

func (o *binary) Forward(c *Ctx) {
	o.args = kernels.MapArgs{Op: o.Op, N: o.n, Dst: c.Out(0), A: c.In(0), B: c.In(1)}
	c.Backend().Map(&o.args)
}

func (o *binary) Backward(c *Ctx) {
	for i := range 2 {
		g, acc, ok := c.GradIn(i)
		if !ok {
			continue
		}
		o.args = kernels.MapArgs{Op: kernels.MapCopy, N: o.n, Dst: g, A: c.GradOut(0), Accumulate: acc}
		switch {
		case o.Op == kernels.MapMul:
			o.args.Op, o.args.B = kernels.MapMul, c.In(1-i)
		case o.Op == kernels.MapSub && i == 1:
			o.args.Op, o.args.S = kernels.MapScale, -1
		}
		c.Backend().Map(&o.args)
	}
}
