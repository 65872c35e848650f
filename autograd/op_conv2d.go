package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// ConvConfig is the geometry of a convolution; zero strides, dilations and
// groups mean 1.
type ConvConfig struct {
	StrideH, StrideW int
	PadH, PadW       int
	DilH, DilW       int
	Groups           int
}

// Square is the usual geometry: one stride and one padding for both axes.
func Square(stride, pad int) ConvConfig {
	return ConvConfig{StrideH: stride, StrideW: stride, PadH: pad, PadW: pad}
}

type convConfig struct {
	ConvConfig
	Bias bool
}

// conv2D is y[n,i,j,o] = b[o] + sum_{kh,kw,c} x[n, i*s+kh*d-p, j*s+kw*d-p, c] w[o,kh,kw,c].
// Backward: dx and dw are the two gradient passes, db the sum of dy.
type conv2D struct {
	convConfig
	keptLayout
	shape          kernels.ConvShape
	work, dxw, dww Buf
	fwd, dx, dw    kernels.ConvArgs
	db             kernels.ReduceArgs
}

// keptLayout is the layout of a convolution's weight for forward. One that does
// not learn in this step is laid out once and kept with the parameter. One that
// does will have changed before it serves again: its layout is made in the
// step's workspace, as that for dx is, and a network's memory is not doubled
// (in Winograd's domain a weight is four times as large).
type keptLayout struct {
	kept bool
	prep kernels.PrepareArgs
}

// keep decides, and sets a.Prepared for WorkFor.
func (k *keptLayout) keep(p *Plan, weight int, a *kernels.ConvArgs) {
	k.kept = p.Param(weight) != nil && !p.Wants(weight)
	k.prep = kernels.PrepareArgs{Pass: kernels.PassForward, Conv: a.ConvShape}
	if k.kept {
		a.Prepared = new(kernels.Prepared)
	}
}

// layout is the weight's layout, nil where it is made in the workspace.
func (k *keptLayout) layout(c *Ctx, weight int) *kernels.Prepared {
	if !k.kept {
		return nil
	}
	k.prep.Wt = c.In(weight)
	return c.Prepared(weight, &k.prep)
}

// Conv2D is the cross-correlation of x [N,H,W,C] with w [OC,KH,KW,C/groups],
// giving [N,OH,OW,OC].
//
//go:noinline
func Conv2D(x, w *Var, cfg ConvConfig) *Var {
	return Apply[*conv2D](x.t, convConfig{ConvConfig: cfg}, x, w)
}

// Conv2DBias is Conv2D plus b [OC].
//
//go:noinline
func Conv2DBias(x, w, b *Var, cfg ConvConfig) *Var {
	return Apply[*conv2D](x.t, convConfig{ConvConfig: cfg, Bias: true}, x, w, b)
}

func (o *conv2D) Config() *convConfig { return &o.convConfig }

func (o *conv2D) Name() string {
	s := &o.shape
	return fmt.Sprintf("Conv2D %dx%dx%d %d-%d %dx%d/%d", s.N, s.H, s.W, s.C, s.OC, s.KH, s.KW, s.StrideH)
}

// geometry is the shape of a convolution of input 0 with input 1.
func (cfg *ConvConfig) geometry(p *Plan, op string) kernels.ConvShape {
	x, w := p.In(0), p.In(1)
	one := func(n int) int { return max(n, 1) }
	s := kernels.ConvShape{N: x.Dim[0], H: x.Dim[1], W: x.Dim[2], C: x.Dim[3], OC: w.Dim[0], KH: w.Dim[1], KW: w.Dim[2],
		StrideH: one(cfg.StrideH), StrideW: one(cfg.StrideW), PadH: cfg.PadH, PadW: cfg.PadW, DilH: one(cfg.DilH), DilW: one(cfg.DilW), Groups: one(cfg.Groups)}
	bad := func(format string, a ...any) {
		panic(&tensor.ShapeError{Op: op, Operands: [][]int{x.Slice(), w.Slice()}, Rule: fmt.Sprintf(format, a...)})
	}
	switch {
	case x.Rank != 4 || w.Rank != 4:
		bad("x is [N,H,W,C], w [OC,KH,KW,C/groups]")
	case s.C%s.Groups != 0 || s.OC%s.Groups != 0:
		bad("groups %d divides neither or only one of the channel counts", s.Groups)
	case w.Dim[3] != s.C/s.Groups:
		bad("channels %d != %d", w.Dim[3], s.C/s.Groups)
	case s.H+2*s.PadH < s.DilH*(s.KH-1)+1 || s.W+2*s.PadW < s.DilW*(s.KW-1)+1:
		bad("the kernel does not fit into the padded image")
	}
	return s
}

func (o *conv2D) Plan(p *Plan) {
	s := o.geometry(p, "Conv2D")
	o.shape = s
	p.Out(Dims(s.N, s.OH(), s.OW(), s.OC))
	o.fwd = kernels.ConvArgs{ConvShape: s, Pass: kernels.PassForward}
	o.keep(p, 1, &o.fwd)
	o.work = p.WorkFor(&o.fwd)
	if !p.Differentiates() {
		return
	}
	o.dx, o.dw = o.fwd, o.fwd
	o.dx.Prepared, o.dw.Prepared = nil, nil
	o.dx.Epi, o.dw.Epi = kernels.Epilogue{}, kernels.Epilogue{}
	o.dx.Pass, o.dw.Pass = kernels.PassGradInput, kernels.PassGradWeight
	o.dx.Accumulate, o.dw.Accumulate = true, true // the larger workspace: another op may have written first
	if p.Wants(0) {
		p.SaveIn(1)
		o.dxw = p.BackWorkFor(&o.dx)
	}
	if p.Wants(1) {
		p.SaveIn(0)
		o.dww = p.BackWorkFor(&o.dw)
	}
}

func (o *conv2D) Forward(c *Ctx) {
	a := &o.fwd
	a.X, a.Wt, a.Y, a.Work = c.In(0), c.In(1), c.Out(0), c.Buf(o.work)
	if o.Bias {
		a.Epi.Bias = c.In(2)
	}
	a.Prepared = o.layout(c, 1)
	c.Backend().Conv2D(a)
}

func (o *conv2D) Backward(c *Ctx) {
	dy := c.GradOut(0)
	if g, acc, ok := c.GradIn(1); ok {
		a := &o.dw
		a.X, a.Wt, a.Y, a.Work, a.Accumulate = c.In(0), g, dy, c.Buf(o.dww), acc
		c.Backend().Conv2DGradWeight(a)
	}
	if o.Bias {
		if g, acc, ok := c.GradIn(2); ok {
			s := &o.shape
			o.db = kernels.ReduceArgs{Op: kernels.ReduceSum, Outer: 1, Axis: s.N * s.OH() * s.OW(), Inner: s.OC, X: dy, Y: g, Accumulate: acc}
			c.Backend().Reduce(&o.db)
		}
	}
	if g, acc, ok := c.GradIn(0); ok {
		a := &o.dx
		a.X, a.Wt, a.Y, a.Work, a.Accumulate = g, c.In(1), dy, c.Buf(o.dxw), acc
		c.Backend().Conv2DGradInput(a)
	}
}

// Cost counts the multiply-adds and each operand once.
func (o *conv2D) Cost(backward bool) (flop, bytes float64) {
	s := &o.shape
	x, y, w := s.N*s.H*s.W*s.C, s.N*s.OH()*s.OW()*s.OC, s.OC*s.KH*s.KW*s.C/s.Groups
	f, b := float64(s.FLOP()), float64(4*(x+y+w))
	if backward {
		return 2 * f, 2 * b
	}
	return f, b
}
