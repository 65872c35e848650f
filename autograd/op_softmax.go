package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// logSoftmax is y = x - lse(x) for every row; dx = dy - exp(y) sum(dy).
type logSoftmax struct {
	cfg       struct{}
	fwd, grad kernels.LogSoftmaxArgs
}

// LogSoftmax is the logarithm of the softmax of every row of x.
//
//go:noinline
func LogSoftmax(x *Var) *Var { return Apply[*logSoftmax](x.t, struct{}{}, x) }

func (o *logSoftmax) Config() *struct{} { return &o.cfg }
func (o *logSoftmax) Name() string      { return "LogSoftmax" }

func (o *logSoftmax) Plan(p *Plan) {
	s := p.In(0)
	p.Out(s)
	o.fwd = kernels.LogSoftmaxArgs{Rows: s.Rows(), C: s.Cols()}
	if p.Differentiates() {
		p.SaveOut(0)
	}
}

func (o *logSoftmax) Forward(c *Ctx) {
	o.fwd.X, o.fwd.Y = c.In(0), c.Out(0)
	c.Backend().LogSoftmax(&o.fwd)
}

func (o *logSoftmax) Backward(c *Ctx) {
	if g, acc, ok := c.GradIn(0); ok {
		o.grad = kernels.LogSoftmaxArgs{Rows: o.fwd.Rows, C: o.fwd.C, Y: c.Out(0), DY: c.GradOut(0), DX: g, Accumulate: acc}
		c.Backend().LogSoftmaxGrad(&o.grad)
	}
}

// crossEntropy is the mean of lse(x) - x[label] over labelled rows;
// dx = (softmax(x) - onehot) / count.
type crossEntropy struct {
	cfg       struct{}
	lse       Buf
	fwd, grad kernels.CrossEntropyArgs
}

// CrossEntropy is the mean cross-entropy of logits x [N,C] against labels [N]
// (Int32; negative labels are ignored), a scalar.
//
//go:noinline
func CrossEntropy(x, labels *Var) *Var { return Apply[*crossEntropy](x.t, struct{}{}, x, labels) }

func (o *crossEntropy) Config() *struct{} { return &o.cfg }
func (o *crossEntropy) Name() string      { return "CrossEntropy" }

func (o *crossEntropy) Plan(p *Plan) {
	s, l := p.In(0), p.In(1)
	if s.Rank != 2 || l.Len() != s.Dim[0] {
		panic(&tensor.ShapeError{Op: "CrossEntropy", Operands: [][]int{s.Slice(), l.Slice()}, Rule: "logits [N,C], labels [N]"})
	}
	p.Out(Dims(1))
	o.lse = p.Keep(kernels.Float32, s.Dim[0])
	o.fwd = kernels.CrossEntropyArgs{Rows: s.Dim[0], C: s.Dim[1]}
	if p.Differentiates() {
		p.SaveIn(0)
		p.SaveIn(1)
	}
}

func (o *crossEntropy) Forward(c *Ctx) {
	o.fwd.X, o.fwd.Labels, o.fwd.Loss, o.fwd.LSE = c.In(0), c.In(1), c.Out(0), c.Buf(o.lse)
	c.Backend().CrossEntropy(&o.fwd)
}

func (o *crossEntropy) Backward(c *Ctx) {
	if g, acc, ok := c.GradIn(0); ok {
		o.grad = o.fwd
		o.grad.X, o.grad.Labels, o.grad.LSE = c.In(0), c.In(1), c.Buf(o.lse)
		o.grad.DLoss, o.grad.DX, o.grad.Accumulate = c.GradOut(0), g, acc
		c.Backend().CrossEntropyGrad(&o.grad)
	}
}

// SoftPair is one term of SoftCrossEntropy: the rows of X that begin at X are
// judged against the rows of Q that begin at Q.
type SoftPair struct{ X, Q int }

// maxPairs bounds the pairs of one SoftCrossEntropy: 8 crops, 3 of them
// assigning.
const maxPairs = 24

// SoftConfig is a weighted sum of cross-entropies against soft targets.
type SoftConfig struct {
	Rows   int     // rows of each pair
	T      float32 // temperature
	Weight float32 // of every row of every pair
	Pairs  [maxPairs]SoftPair
	N      int // pairs used
}

// softCrossEntropy is Weight sum over pairs and rows of
// - sum_k q_k log softmax(x/T)_k; dx = Weight/T (softmax(x/T) sum(q) - q).
// q carries no gradient.
type softCrossEntropy struct {
	SoftConfig
	c         int
	lse       Buf
	fwd, grad kernels.SoftCrossEntropyArgs
	zero      kernels.MapArgs
}

// SoftCrossEntropy judges scores x [M,K] against distributions q [L,K], a
// scalar. Pairs name the rows that belong together.
//
//go:noinline
func SoftCrossEntropy(x, q *Var, cfg SoftConfig) *Var {
	return Apply[*softCrossEntropy](x.t, cfg, x, q)
}

func (o *softCrossEntropy) Config() *SoftConfig { return &o.SoftConfig }
func (o *softCrossEntropy) Name() string        { return "SoftCrossEntropy" }

func (o *softCrossEntropy) Plan(p *Plan) {
	x, q := p.In(0), p.In(1)
	bad := func(rule string) {
		panic(&tensor.ShapeError{Op: "SoftCrossEntropy", Operands: [][]int{x.Slice(), q.Slice()}, Rule: rule})
	}
	if x.Rank != 2 || q.Rank != 2 || x.Dim[1] != q.Dim[1] {
		bad("scores [M,K], targets [L,K]")
	}
	for _, pr := range o.Pairs[:o.N] {
		if pr.X < 0 || pr.Q < 0 || pr.X+o.Rows > x.Dim[0] || pr.Q+o.Rows > q.Dim[0] {
			bad(fmt.Sprintf("pair %v of %d rows lies inside both", pr, o.Rows))
		}
	}
	o.c = x.Dim[1]
	p.Out(Dims(1))
	o.lse = p.Keep(kernels.Float32, o.N*o.Rows)
	if p.Differentiates() {
		p.SaveIn(0)
		p.SaveIn(1)
	}
}

func (o *softCrossEntropy) args(c *Ctx, i int) kernels.SoftCrossEntropyArgs {
	n := o.Rows * o.c
	return kernels.SoftCrossEntropyArgs{Rows: o.Rows, C: o.c, InvT: 1 / o.T, Weight: o.Weight,
		X:   kernels.Mat{Mem: c.In(0).At(o.Pairs[i].X*o.c, n), Ld: o.c},
		Q:   kernels.Mat{Mem: c.In(1).At(o.Pairs[i].Q*o.c, n), Ld: o.c},
		LSE: c.Buf(o.lse).At(i*o.Rows, o.Rows)}
}

func (o *softCrossEntropy) Forward(c *Ctx) {
	for i := range o.N {
		o.fwd = o.args(c, i)
		o.fwd.Loss, o.fwd.AccLoss = c.Out(0), i > 0
		c.Backend().SoftCrossEntropy(&o.fwd)
	}
}

func (o *softCrossEntropy) Backward(c *Ctx) {
	g, acc, ok := c.GradIn(0)
	if !ok {
		return
	}
	if !acc {
		o.zero = kernels.MapArgs{Op: kernels.MapFill, N: g.Len, Dst: g}
		c.Backend().Map(&o.zero)
	}
	for i := range o.N {
		o.grad = o.args(c, i)
		o.grad.DLoss = c.GradOut(0)
		o.grad.DX = kernels.Mat{Mem: g.At(o.Pairs[i].X*o.c, o.Rows*o.c), Ld: o.c}
		o.grad.Accumulate = true
		c.Backend().SoftCrossEntropyGrad(&o.grad)
	}
}
