package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// PoolConfig is a pooling window; KH 0 is the whole image.
type PoolConfig struct {
	Kind             kernels.PoolKind
	KH, KW           int
	StrideH, StrideW int
	PadH, PadW       int
}

// pool is the maximum or mean of each window. The maximum's gradient goes to
// the first maximum in row-major window order, the mean's evenly to its taps.
type pool struct {
	PoolConfig
	fwd, bwd kernels.PoolArgs
}

// MaxPool takes the maximum of k×k windows of x [N,H,W,C].
func MaxPool(x *Var, k, stride, pad int) *Var {
	return Pool(x, PoolConfig{kernels.PoolMax, k, k, stride, stride, pad, pad})
}

// AvgPool takes the mean of k×k windows; padding counts as zeros unless the
// kind PoolAvgValid is given to Pool.
func AvgPool(x *Var, k, stride, pad int) *Var {
	return Pool(x, PoolConfig{kernels.PoolAvg, k, k, stride, stride, pad, pad})
}

// GlobalAvgPool is the mean over the image: [N,H,W,C] to [N,C].
func GlobalAvgPool(x *Var) *Var {
	s := x.shape
	return Pool(x, PoolConfig{Kind: kernels.PoolAvg}).Reshape(s.Dim[0], s.Dim[3])
}

// Pool is the general form: [N,H,W,C] to [N,OH,OW,C].
//
//go:noinline
func Pool(x *Var, cfg PoolConfig) *Var { return Apply[*pool](x.t, cfg, x) }

func (o *pool) Config() *PoolConfig { return &o.PoolConfig }
func (o *pool) Name() string        { return "Pool" }

func (o *pool) Plan(p *Plan) {
	x := p.In(0)
	if x.Rank != 4 {
		panic(&tensor.ShapeError{Op: "Pool", Operands: [][]int{x.Slice()}, Rule: "x is [N,H,W,C]"})
	}
	a := kernels.PoolArgs{Kind: o.Kind, N: x.Dim[0], H: x.Dim[1], W: x.Dim[2], C: x.Dim[3], KH: o.KH, KW: o.KW,
		StrideH: max(1, o.StrideH), StrideW: max(1, o.StrideW), PadH: o.PadH, PadW: o.PadW}
	if a.KH == 0 {
		a.KH, a.KW = a.H, a.W
	}
	if a.KH > a.H+2*a.PadH || a.KW > a.W+2*a.PadW || 2*a.PadH > a.KH || 2*a.PadW > a.KW {
		panic(&tensor.ShapeError{Op: "Pool", Operands: [][]int{x.Slice()}, Rule: fmt.Sprintf("window %dx%d with padding %d,%d fits the image and padding is at most half of it", a.KH, a.KW, a.PadH, a.PadW)})
	}
	y := Dims(a.N, a.OH(), a.OW(), a.C)
	p.Out(y)
	o.fwd = a
	if o.Kind == kernels.PoolMax {
		p.OutFixed(kernels.Int32, y)
		if p.Differentiates() {
			p.SaveOut(1)
		}
	}
	o.bwd = a
}

func (o *pool) Forward(c *Ctx) {
	o.fwd.X, o.fwd.Y = c.In(0), c.Out(0)
	if o.Kind == kernels.PoolMax {
		o.fwd.Index = c.Out(1)
	}
	c.Backend().Pool(&o.fwd)
}

func (o *pool) Backward(c *Ctx) {
	g, acc, ok := c.GradIn(0)
	if !ok {
		return
	}
	o.bwd.X, o.bwd.Y, o.bwd.Accumulate = g, c.GradOut(0), acc
	if o.Kind == kernels.PoolMax {
		o.bwd.Index = c.Out(1)
	}
	c.Backend().PoolGrad(&o.bwd)
}
