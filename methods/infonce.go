package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// InfoNCE are the logits of "which of these is my key?": queries q [N, D], keys
// k [N, D] and a queue of negatives [L, D] give [N, 1+L],
//
//	logits_i = [q_i·k_i, q_i·n_1, ..., q_i·n_L] / tau
//
// whose cross-entropy against class 0 is InfoNCE (van den Oord, Li, Vinyals,
// arXiv 1807.03748, equation 4; MoCo, arXiv 1911.05722, equation 1 and
// algorithm 1). Only q gets a gradient: k and queue are constants.
func InfoNCE(q, k, queue *autograd.Var, tau float64) *autograd.Var {
	return autograd.Apply[*infoNCE](q.Tape(), struct{}{}, autograd.Scale(q, float32(1/tau)), k, queue)
}

// infoNCE is the product with the queue, and beside it the row-wise product
// with the keys in column 0. dq = dy_0 k + dy_1.. queue.
type infoNCE struct {
	cfg        struct{}
	n, d, l    int
	work, back autograd.Buf
	prod, dots autograd.Buf
	fwd, dq    kernels.GemmArgs
	mul        kernels.BroadcastArgs
	sum        kernels.ReduceArgs
	column     kernels.CopyRowsArgs
}

func (o *infoNCE) Config() *struct{} { return &o.cfg }
func (o *infoNCE) Name() string      { return fmt.Sprintf("InfoNCE %dx%d", o.n, 1+o.l) }

func (o *infoNCE) Plan(p *autograd.Plan) {
	q, k, queue := p.In(0), p.In(1), p.In(2)
	if q.Rank != 2 || q != k || queue.Rank != 2 || queue.Dim[1] != q.Dim[1] || p.Wants(1) || p.Wants(2) {
		panic(tensor.Misuse("InfoNCE", "queries [N,D], keys [N,D] and a queue [L,D] without gradient (Detach)", q.Slice(), k.Slice(), queue.Slice()))
	}
	o.n, o.d, o.l = q.Dim[0], q.Dim[1], queue.Dim[0]
	p.Out(autograd.Dims(o.n, 1+o.l))
	o.fwd = kernels.GemmArgs{M: o.n, N: o.l, K: o.d, TransB: true, A: kernels.Mat{Ld: o.d}, B: kernels.Mat{Ld: o.d}, C: kernels.Mat{Ld: 1 + o.l}}
	o.work = p.WorkFor(&o.fwd)
	o.prod, o.dots = p.Scratch(kernels.Float32, o.n*o.d), p.Scratch(kernels.Float32, o.n)
	if p.Wants(0) {
		p.SaveIn(1)
		p.SaveIn(2)
		o.dq = kernels.GemmArgs{M: o.n, N: o.d, K: o.l, A: kernels.Mat{Ld: 1 + o.l}, B: kernels.Mat{Ld: o.d}, C: kernels.Mat{Ld: o.d}, Accumulate: true}
		o.back = p.BackWorkFor(&o.dq)
	}
}

// negatives are the columns of y [N, 1+L] behind the first.
func (o *infoNCE) negatives(y kernels.Mem) kernels.Mem { return y.At(1, y.Len-1) }

func (o *infoNCE) Forward(c *autograd.Ctx) {
	b, q, k, y := c.Backend(), c.In(0), c.In(1), c.Out(0)
	o.fwd.A.Mem, o.fwd.B.Mem, o.fwd.C.Mem, o.fwd.Work = q, c.In(2), o.negatives(y), c.Buf(o.work)
	b.Gemm(&o.fwd)

	prod, dots := c.Buf(o.prod), c.Buf(o.dots)
	dense := [4]int{0, 0, o.d, 1}
	o.mul = kernels.BroadcastArgs{Op: kernels.MapMul, Dims: [4]int{1, 1, o.n, o.d}, SA: dense, SB: dense, Dst: prod, A: q, B: k}
	b.Broadcast(&o.mul)
	o.sum = kernels.ReduceArgs{Op: kernels.ReduceSum, Outer: o.n, Axis: o.d, Inner: 1, X: prod, Y: dots}
	b.Reduce(&o.sum)
	o.column = kernels.CopyRowsArgs{Rows: o.n, C: 1, Dst: kernels.Mat{Mem: y, Ld: 1 + o.l}, Src: kernels.Mat{Mem: dots, Ld: 1}}
	b.CopyRows(&o.column)
}

func (o *infoNCE) Backward(c *autograd.Ctx) {
	g, acc, ok := c.GradIn(0)
	if !ok {
		return
	}
	b, dy := c.Backend(), c.GradOut(0)
	o.dq.A.Mem, o.dq.B.Mem, o.dq.C.Mem, o.dq.Work, o.dq.Accumulate = o.negatives(dy), c.In(2), g, c.Buf(o.back), acc
	b.Gemm(&o.dq)
	o.mul = kernels.BroadcastArgs{Op: kernels.MapMul, Dims: [4]int{1, 1, o.n, o.d}, SA: [4]int{0, 0, 1 + o.l, 0}, SB: [4]int{0, 0, o.d, 1},
		Dst: g, A: dy, B: c.In(1), Accumulate: true}
	b.Broadcast(&o.mul)
}

// Cost counts the product with the queue.
func (o *infoNCE) Cost(backward bool) (flop, bytes float64) {
	return 2 * float64(o.n) * float64(o.l) * float64(o.d), 4 * (float64(o.n)*float64(o.l+o.d) + float64(o.l)*float64(o.d))
}
