package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// NTXent is SimCLR's loss, "normalised temperature-scaled cross-entropy" (Chen,
// Kornblith, Norouzi, Hinton; arXiv 2002.05709, equation 1 and algorithm 1).
// Rows z [2N, D] are two views of N images, unit length, view A first; row i's
// other view is p(i) = i±N:
//
//	loss = 1/2N sum_i -log exp(z_i·z_p(i)/tau) / sum_{k != i} exp(z_i·z_k/tau)
//
// k runs over the rows of all ranks, i over this one's: the mean of the ranks'
// losses is the loss of the whole batch, and since the gather lets gradients
// pass, so is the mean of their gradients.
type NTXent struct {
	Temperature float64
	// SumOfHalves doubles the loss: the authors' code adds the means over the
	// two views.
	SumOfHalves bool

	gather *Gather
	labels []int32 // the column of each row's other view
}

// NewNTXent is the loss of one rank of g (nil: the only one) with n images.
func NewNTXent(n int, tau float64, sumOfHalves bool, g dist.Group) *NTXent {
	l := &NTXent{Temperature: tau, SumOfHalves: sumOfHalves, gather: NewGather(g), labels: make([]int32, 2*n)}
	for i := range l.labels {
		l.labels[i] = int32(l.gather.First(2*n) + (i+n)%(2*n))
	}
	return l
}

// Loss records the loss of rows z.
func (l *NTXent) Loss(z *autograd.Var) *autograd.Var {
	rows := len(l.labels)
	s := autograd.MatMulT(autograd.Scale(z, float32(1/l.Temperature)), l.gather.Rows(z))
	loss := autograd.CrossEntropy(withoutSelf(s, l.gather.First(rows)), z.Tape().Ints(l.labels))
	if l.SumOfHalves {
		loss = autograd.Scale(loss, 2)
	}
	return loss
}

// excluded is a logit whose probability and gradient are exactly 0.
const excluded = -1e30

// withoutSelf is similarities s [R, C] with those of rows to themselves, at
// columns first, first+1, ..., excluded.
func withoutSelf(s *autograd.Var, first int) *autograd.Var {
	return autograd.Apply[*selfless](s.Tape(), selflessConfig{first}, s)
}

type selflessConfig struct{ First int }

// selfless is y = s off the diagonal; ds = dy, for dy is 0 on it.
type selfless struct {
	selflessConfig
	r, c     int
	fill     autograd.Buf
	copy     kernels.MapArgs
	diagonal kernels.CopyRowsArgs
}

func (o *selfless) Config() *selflessConfig { return &o.selflessConfig }
func (o *selfless) Name() string            { return fmt.Sprintf("WithoutSelf %dx%d", o.r, o.c) }

func (o *selfless) Plan(p *autograd.Plan) {
	s := p.In(0)
	if s.Rank != 2 || o.First < 0 || o.First+s.Dim[0] > s.Dim[1] {
		panic(tensor.Misuse("WithoutSelf", fmt.Sprintf("[R,C] with R columns from %d on", o.First), s.Slice()))
	}
	o.r, o.c = s.Dim[0], s.Dim[1]
	o.fill = p.Scratch(kernels.Float32, o.r)
	p.Out(s)
}

func (o *selfless) Forward(c *autograd.Ctx) {
	b, y, fill := c.Backend(), c.Out(0), c.Buf(o.fill)
	o.copy = kernels.MapArgs{Op: kernels.MapCopy, N: y.Len, Dst: y, A: c.In(0)}
	b.Map(&o.copy)
	o.copy = kernels.MapArgs{Op: kernels.MapFill, N: o.r, Dst: fill, S: excluded}
	b.Map(&o.copy)
	// A diagonal is a column of a matrix whose rows are one longer.
	o.diagonal = kernels.CopyRowsArgs{Rows: o.r, C: 1, Dst: kernels.Mat{Mem: y.At(o.First, y.Len-o.First), Ld: o.c + 1}, Src: kernels.Mat{Mem: fill, Ld: 1}}
	b.CopyRows(&o.diagonal)
}

func (o *selfless) Backward(c *autograd.Ctx) {
	if g, acc, ok := c.GradIn(0); ok {
		o.copy = kernels.MapArgs{Op: kernels.MapCopy, N: g.Len, Dst: g, A: c.GradOut(0), Accumulate: acc}
		c.Backend().Map(&o.copy)
	}
}
