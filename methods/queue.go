package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Enqueue puts rows [from, from+n) of z [M, D] in front of queue [L, D], whose
// rows move back by n; the last n are forgotten. L is a multiple of n.
//
// It is a late op: it happens after the backward pass, so that everything else
// in the step sees the queue as it was (SwAV, arXiv 2006.09882, section 3.1
// "working with small batches"; the authors' order: scores first, then the
// shift).
func Enqueue(z *autograd.Var, queue *autograd.Param, from, n int) {
	autograd.Apply[*enqueue](z.Tape(), enqueueConfig{queue, from, n}, z)
}

type enqueueConfig struct {
	Queue   *autograd.Param
	From, N int
}

type enqueue struct {
	enqueueConfig
	autograd.LateOp
}

func (o *enqueue) Config() *enqueueConfig { return &o.enqueueConfig }
func (o *enqueue) Name() string           { return "Enqueue " + o.Queue.Name }

func (o *enqueue) Plan(p *autograd.Plan) {
	z, q := p.In(0), o.Queue.Value.Shape()
	if z.Rank != 2 || len(q) != 2 || z.Dim[1] != q[1] || o.From < 0 || o.N < 1 || o.From+o.N > z.Dim[0] || q[0]%o.N != 0 {
		panic(tensor.Misuse("Enqueue", fmt.Sprintf("rows [%d,%d) of [M,D] into [L,D], L a multiple of %d", o.From, o.From+o.N, o.N), z.Slice(), q))
	}
	p.OutFixed(kernels.Int32, autograd.Dims(1)) // the tape knows an op by an output
}

func (o *enqueue) Forward(c *autograd.Ctx) {
	q, d := c.State(o.Queue), o.Queue.Value.Dim(1)
	size := o.N * d
	for at := q.Len - size; at > 0; at -= size {
		c.Backend().Copy(q.At(at, size), q.At(at-size, size))
	}
	c.Backend().Copy(q.At(0, size), c.In(0).At(o.From*d, size))
}

// Backward is never called: late ops have none.
func (o *enqueue) Backward(c *autograd.Ctx) {}
