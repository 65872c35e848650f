package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// QueueArgs is the cross-entropy of a positive against a queue of negatives
// (InfoNCE): with l0 = Pos[b] InvT and l_k = Q[b].Queue[k] InvT
//
//	Loss[0] = mean over b of log(exp(l0) + sum_k exp(l_k)) - l0
//
// The logits [Rows, Keys] are never stored. Forward writes Loss and LSE; the
// gradient reads LSE and DLoss and writes DPos and DQ (+= when Accumulate),
// the part of dq that comes through the negatives. The queue has no gradient.
type QueueArgs struct {
	Rows, Keys, D int
	Q             kernels.Mem // [Rows, D]
	Queue         kernels.Mem // [Keys, D]
	Pos           kernels.Mem // [Rows]
	InvT          float32
	Loss          kernels.Mem // [1]
	LSE           kernels.Mem // [Rows]
	DLoss         kernels.Mem // [1]
	DQ            kernels.Mem // [Rows, D]
	DPos          kernels.Mem // [Rows]
	Accumulate    bool
}

// queueSegments is the most segments of a queue: their sums are folded in one
// launch.
const queueSegments = 64

// keys cuts the queue into segments of whole tiles, one block each.
func (d *Device) keys(a *QueueArgs, columns int) (size, count int) {
	want := min(queueSegments, max(1, 2*d.info.SMs/(ceil(a.Rows, dotTile)*columns)))
	size = ceil(ceil(a.Keys, want), dotTile) * dotTile
	return size, ceil(a.Keys, size)
}

func (a *QueueArgs) check(op string) {
	floats(op, a.Rows*a.D, a.Q)
	floats(op, a.Keys*a.D, a.Queue)
	floats(op, a.Rows, a.Pos, a.LSE)
}

// QueueCrossEntropy writes Loss and LSE. No op of kernels.Backend calls it yet.
func (d *Device) QueueCrossEntropy(a *QueueArgs) {
	const op = "QueueCrossEntropy"
	a.check(op)
	floats(op, 1, a.Loss)
	size, count := d.keys(a, 1)
	scratch := d.scratch(4*2*a.Rows + 4*2*count*a.Rows)
	loss, pair := scratch.At(0, 2*a.Rows).As(kernels.Float64), scratch.At(2*a.Rows, 2*count*a.Rows)
	l := d.op(ptx.QueueLSE)
	l.mem(a.Q)
	l.mem(a.Queue)
	l.mem(pair)
	l.i32(a.Rows)
	l.i32(a.Keys)
	l.i32(a.D)
	l.i32(size)
	l.f32(a.InvT)
	l.run(count, ceil(a.Rows, dotTile), 1, 0)

	l = d.op(ptx.LSEColsFold)
	l.mem(pair)
	l.mem(kernels.Mem{})
	l.mem(a.LSE)
	l.i32(a.Rows)
	l.i32(count)
	l.i32(0)
	l.run(ceil(a.Rows, ptx.LSEColsFold.Block), 1, 1, 0)

	l = d.op(ptx.QueueRows)
	l.mem(a.Pos)
	l.mem(a.LSE)
	l.mem(loss)
	l.i32(a.Rows)
	l.f32(a.InvT)
	l.run(ceil(a.Rows, ptx.QueueRows.Block), 1, 1, 0)
	d.lossFold(loss, kernels.Mem{}, kernels.Mem{}, a.Loss, a.Rows, float32(1/float64(a.Rows)), false)
}

// QueueCrossEntropyGrad writes DPos and DQ. No op of kernels.Backend calls it
// yet.
func (d *Device) QueueCrossEntropyGrad(a *QueueArgs) {
	const op = "QueueCrossEntropyGrad"
	a.check(op)
	floats(op, 1, a.DLoss)
	floats(op, a.Rows, a.DPos)
	floats(op, a.Rows*a.D, a.DQ)
	columns := ceil(a.D, dotTile)
	size, count := d.keys(a, columns)
	part := d.scratch(4 * count * a.Rows * a.D)
	l := d.op(ptx.QueueGrad)
	for _, m := range []kernels.Mem{a.Q, a.Queue, a.Pos, a.LSE, a.DLoss, part, a.DPos} {
		l.mem(m)
	}
	l.i32(a.Rows)
	l.i32(a.Keys)
	l.i32(a.D)
	l.i32(size)
	l.f32(a.InvT)
	l.run(count, ceil(a.Rows, dotTile), columns, 0)
	// Few segments need no scratch of their own: part stays whole.
	d.Reduce(&kernels.ReduceArgs{Op: kernels.ReduceSum, Outer: 1, Axis: count, Inner: a.Rows * a.D, X: part, Y: a.DQ, Accumulate: a.Accumulate})
}
