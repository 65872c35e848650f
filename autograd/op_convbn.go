package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// ConvBNConfig is the geometry of the convolution and the normalisation of its
// result.
type ConvBNConfig struct {
	ConvConfig
	Norm NormConfig
	// Deferred leaves scale, shift and ReLU to the ConvBN that reads the
	// result, which applies them as it loads: the normalised values are never
	// in memory. Only another ConvBN (as its x) may read such a result, and it
	// has no residual.
	Deferred bool
}

type convBNConfig struct {
	ConvBNConfig
	Residual bool
	// X is deferred, ReLU whether with one.
	FromDeferred, FromReLU bool
}

// convBN is y = relu?(bn(conv(x, w)) + residual), the unit that ResNets are
// made of, with few passes over memory. Per tensor element, z = conv(x, w):
//
//	forward   z written once, its sums taken in the epilogue; y: z read, y
//	          written, or nothing when deferred
//	backward  sums: dy and z read; dz = A dy' + B z + C overwrites dy
//
// dy' is dy where the ReLU let y through: where scale z + shift > 0 (fma, the
// bits of forward) or, with a residual, where y > 0. So y itself is needed
// only by who reads it.
type convBN struct {
	convBNConfig
	norm
	keptLayout
	shape          kernels.ConvShape
	part, raw      Buf // chunk sums; z unless deferred
	coef           Buf // scale and shift unless deferred
	work, dxw, dww Buf
	fwd, dx, dw    kernels.ConvArgs
	apply          kernels.BNApplyArgs
}

// The inputs: x, w, gamma, beta, then residual or, of a deferred x, its
// convolution's result and its scale and shift [2, groups, C].
const (
	unitWeight = 1
	unitGamma  = 2
	unitExtra  = 4
)

// ConvBN convolves x [N,H,W,C] with w [OC,KH,KW,C/groups], normalises every
// channel of the result with gamma [OC] and beta [OC], adds residual
// [N,OH,OW,OC] (or nil) and applies the ReLU.
//
//go:noinline
func ConvBN(x, w, gamma, beta, residual *Var, cfg ConvBNConfig) *Var {
	c := convBNConfig{ConvBNConfig: cfg, Residual: residual != nil}
	var from *convBN
	if x.deferred {
		from = x.node.op.(*convBN)
		c.FromDeferred, c.FromReLU = true, from.Norm.ReLU
	}
	switch {
	case from != nil && residual != nil:
		return Apply[*convBN](x.t, c, x, w, gamma, beta, x.Output(1), x.Output(2), residual)
	case from != nil:
		return Apply[*convBN](x.t, c, x, w, gamma, beta, x.Output(1), x.Output(2))
	case residual != nil:
		return Apply[*convBN](x.t, c, x, w, gamma, beta, residual)
	}
	return Apply[*convBN](x.t, c, x, w, gamma, beta)
}

func (o *convBN) Config() *convBNConfig { return &o.convBNConfig }

// takes says that only x may be deferred.
func (o *convBN) takes(input int) bool { return input == 0 }

func (o *convBN) Name() string {
	s := &o.shape
	return fmt.Sprintf("ConvBN %dx%dx%d %d-%d %dx%d/%d", s.N, s.H, s.W, s.C, s.OC, s.KH, s.KW, s.StrideH)
}

// residual is the number of the residual among the inputs, -1 without.
func (o *convBN) residual() int {
	switch {
	case !o.Residual:
		return -1
	case o.FromDeferred:
		return unitExtra + 2
	}
	return unitExtra
}

func (o *convBN) Plan(p *Plan) {
	s := o.geometry(p, "ConvBN")
	o.shape = s
	y := Dims(s.N, s.OH(), s.OW(), s.OC)
	if r := o.residual(); r >= 0 && (p.In(r) != y || o.Deferred) {
		panic(&tensor.ShapeError{Op: "ConvBN", Operands: [][]int{y.Slice(), p.In(r).Slice()}, Rule: "the residual has the result's shape, which is not deferred"})
	}
	o.norm.plan(p, "ConvBN", &o.Norm, y, unitGamma)
	f, gc := kernels.Float32, o.groups*o.c
	if o.Deferred {
		p.OutDeferred(y)
		p.OutFixed(f, y)
		p.OutFixed(f, Dims(2, o.groups, o.c))
	} else {
		p.Out(y)
		o.raw, o.coef = p.Keep(f, y.Len()), p.Keep(f, 2*gc)
	}
	o.fwd = kernels.ConvArgs{ConvShape: s, Pass: kernels.PassForward}
	if o.Norm.Train {
		o.part = p.Scratch(f, o.chunks())
		o.fwd.Epi.Stats.Group = o.count
	}
	if o.FromDeferred {
		groups := p.In(unitExtra + 1).Dim[1]
		o.fwd.ProX = kernels.Prologue{Kind: kernels.ProAffine, ReLU: o.FromReLU, Group: s.N / groups * s.H * s.W}
	}
	o.keep(p, unitWeight, &o.fwd)
	o.work = p.WorkFor(&o.fwd)
	if !p.Differentiates() {
		return
	}
	if o.Deferred {
		p.SaveOut(1)
		p.SaveOut(2)
	} else if o.Norm.ReLU && o.Residual {
		p.SaveOut(0)
	}
	o.dx, o.dw = o.fwd, o.fwd
	o.dx.Prepared, o.dw.Prepared = nil, nil
	o.dx.Epi, o.dw.Epi = kernels.Epilogue{}, kernels.Epilogue{}
	o.dx.ProX = kernels.Prologue{}
	o.dx.Pass, o.dw.Pass = kernels.PassGradInput, kernels.PassGradWeight
	o.dx.Accumulate, o.dw.Accumulate = true, true // the larger workspace: another op may have written first
	if p.Wants(0) {
		p.SaveIn(unitWeight)
		o.dxw = p.BackWorkFor(&o.dx)
	}
	if p.Wants(unitWeight) {
		if o.FromDeferred {
			p.SaveIn(unitExtra)
			p.SaveIn(unitExtra + 1)
		} else {
			p.SaveIn(0)
		}
		o.dww = p.BackWorkFor(&o.dw)
	}
}

// operand sets what a reads as x: the input, or the convolution behind a
// deferred one with its scale and shift in the loader.
func (o *convBN) operand(c *Ctx, a *kernels.ConvArgs) {
	if !o.FromDeferred {
		a.X = c.In(0)
		return
	}
	a.X = c.In(unitExtra)
	coef := c.In(unitExtra + 1)
	a.ProX.Scale, a.ProX.Shift = coef.At(0, coef.Len/2), coef.At(coef.Len/2, coef.Len/2)
}

// result is z, scale and shift.
func (o *convBN) result(c *Ctx) (z, scale, shift kernels.Mem) {
	z, coef := c.Buf(o.raw), c.Buf(o.coef)
	if o.Deferred {
		z, coef = c.Out(1), c.Out(2)
	}
	return z, coef.At(0, coef.Len/2), coef.At(coef.Len/2, coef.Len/2)
}

func (o *convBN) Forward(c *Ctx) {
	z, scale, shift := o.result(c)
	st := o.stats(&o.Norm, c.Buf(o.part))
	a := &o.fwd
	o.operand(c, a)
	a.Wt, a.Y, a.Work = c.In(unitWeight), z, c.Buf(o.work)
	if o.Norm.Train {
		a.Epi.Stats = st
	}
	a.Prepared = o.layout(c, unitWeight)
	c.Backend().Conv2D(a)
	if !o.finalize(c, &o.Norm, st, unitGamma, scale, shift) || o.Deferred {
		return
	}
	o.apply = kernels.BNApplyArgs{Rows: o.rows, C: o.c, Group: o.count, X: z, Scale: scale, Shift: shift, ReLU: o.Norm.ReLU, Y: c.Out(0)}
	if r := o.residual(); r >= 0 {
		o.apply.Residual = c.In(r)
	}
	c.Backend().BNApply(&o.apply)
}

func (o *convBN) Backward(c *Ctx) {
	dy := c.GradOut(0)
	z, scale, shift := o.result(c)
	var open gate
	if o.Norm.ReLU {
		if o.Residual {
			open.mask = c.Out(0)
		} else {
			open.scale, open.shift = scale, shift
		}
	}
	if !o.gradients(c, &o.Norm, dy, z, open, unitGamma, o.residual()) {
		return
	}
	o.input(c, dy, z, open, dy, false)
	if g, acc, ok := c.GradIn(unitWeight); ok {
		a := &o.dw
		o.operand(c, a)
		a.Wt, a.Y, a.Work, a.Accumulate = g, dy, c.Buf(o.dww), acc
		c.Backend().Conv2DGradWeight(a)
	}
	if g, acc, ok := c.GradIn(0); ok {
		a := &o.dx
		a.X, a.Wt, a.Y, a.Work, a.Accumulate = g, c.In(unitWeight), dy, c.Buf(o.dxw), acc
		c.Backend().Conv2DGradInput(a)
	}
}

// Cost counts the multiply-adds, each operand of a product once, and the
// passes of the normalisation.
func (o *convBN) Cost(backward bool) (flop, bytes float64) {
	s := &o.shape
	x, y, w := s.N*s.H*s.W*s.C, s.N*s.OH()*s.OW()*s.OC, s.OC*s.KH*s.KW*s.C/s.Groups
	f, b, n := float64(s.FLOP()), float64(4*(x+y+w)), float64(y)
	if backward {
		return 2*f + 12*n, 2*b + 4*5*n
	}
	if o.Deferred {
		return f, b
	}
	return f + 4*n, b + 4*2*n
}
