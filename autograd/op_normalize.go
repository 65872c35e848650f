package autograd

import "github.com/sectile-ml/sectile/kernels"

// normalize is y = x / max(|x|, 1e-12) for every row;
// dx = (dy - y (y·dy)) / |x|.
type normalize struct {
	cfg       struct{}
	norm      Buf
	fwd, grad kernels.RowNormalizeArgs
}

// Normalize scales every row of x to unit Euclidean length.
//
//go:noinline
func Normalize(x *Var) *Var { return Apply[*normalize](x.t, struct{}{}, x) }

func (o *normalize) Config() *struct{} { return &o.cfg }
func (o *normalize) Name() string      { return "Normalize" }

func (o *normalize) Plan(p *Plan) {
	s := p.In(0)
	p.Out(s)
	o.norm = p.Keep(kernels.Float32, s.Rows())
	o.fwd = kernels.RowNormalizeArgs{Rows: s.Rows(), C: s.Cols()}
	if p.Differentiates() {
		p.SaveOut(0)
	}
}

func (o *normalize) Forward(c *Ctx) {
	o.fwd.X, o.fwd.Y, o.fwd.Norm = c.In(0), c.Out(0), c.Buf(o.norm)
	c.Backend().RowNormalize(&o.fwd)
}

func (o *normalize) Backward(c *Ctx) {
	if g, acc, ok := c.GradIn(0); ok {
		o.grad = kernels.RowNormalizeArgs{Rows: o.fwd.Rows, C: o.fwd.C, Y: c.Out(0), Norm: c.Buf(o.norm), DY: c.GradOut(0), DX: g, Accumulate: acc}
		c.Backend().RowNormalizeGrad(&o.grad)
	}
}
