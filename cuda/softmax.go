package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// rows ends the arguments of a kernel that gives a row of c columns to a team
// of threads, and runs it.
func (l *launch) rows(rows, c, vec int, more ...int) {
	lg, blocks := team(rows, c)
	l.i32(lg)
	l.i32(vec)
	for _, v := range more {
		l.i32(v)
	}
	l.run(blocks, 1, 1, 0)
}

// RowNormalize computes y = x / max(|x|, 1e-12).
func (d *Device) RowNormalize(a *kernels.RowNormalizeArgs) {
	const op = "RowNormalize"
	floats(op, a.Rows*a.C, a.X, a.Y)
	optional(op, a.Rows, a.Norm)
	l := d.op(ptx.RowNormalize)
	l.mem(a.X)
	l.mem(a.Y)
	l.mem(a.Norm)
	l.i32(a.Rows)
	l.i32(a.C)
	l.rows(a.Rows, a.C, vectors(a.C, nil, a.X, a.Y))
}

// RowNormalizeGrad computes dx (+)= (dy - y (y.dy)) / norm.
func (d *Device) RowNormalizeGrad(a *kernels.RowNormalizeArgs) {
	const op = "RowNormalizeGrad"
	floats(op, a.Rows*a.C, a.Y, a.DY, a.DX)
	floats(op, a.Rows, a.Norm)
	l := d.op(ptx.RowNormalizeGrad)
	l.mem(a.Y)
	l.mem(a.Norm)
	l.mem(a.DY)
	l.mem(a.DX)
	l.i32(a.Rows)
	l.i32(a.C)
	l.rows(a.Rows, a.C, vectors(a.C, nil, a.Y, a.DY, a.DX), flag(a.Accumulate))
}

// LogSoftmax computes y = x - lse(x).
func (d *Device) LogSoftmax(a *kernels.LogSoftmaxArgs) {
	floats("LogSoftmax", a.Rows*a.C, a.X, a.Y)
	l := d.op(ptx.LogSoftmax)
	l.mem(a.X)
	l.mem(a.Y)
	l.i32(a.Rows)
	l.i32(a.C)
	l.rows(a.Rows, a.C, vectors(a.C, nil, a.X, a.Y))
}

// LogSoftmaxGrad computes dx (+)= dy - exp(y) sum(dy).
func (d *Device) LogSoftmaxGrad(a *kernels.LogSoftmaxArgs) {
	floats("LogSoftmaxGrad", a.Rows*a.C, a.Y, a.DY, a.DX)
	l := d.op(ptx.LogSoftmaxGrad)
	l.mem(a.Y)
	l.mem(a.DY)
	l.mem(a.DX)
	l.i32(a.Rows)
	l.i32(a.C)
	l.rows(a.Rows, a.C, vectors(a.C, nil, a.Y, a.DY, a.DX), flag(a.Accumulate))
}

// CrossEntropy writes Loss and LSE: losses of rows, then their mean. A label
// that is no class makes the loss NaN: the device cannot stop for it.
func (d *Device) CrossEntropy(a *kernels.CrossEntropyArgs) {
	const op = "CrossEntropy"
	floats(op, a.Rows*a.C, a.X)
	floats(op, a.Rows, a.LSE)
	floats(op, 1, a.Loss)
	need(op, "Labels", a.Labels, kernels.Int32, a.Rows)
	loss := d.rowLosses(a.Rows)
	l := d.op(ptx.CrossEntropy)
	l.mem(a.X)
	l.mem(a.Labels)
	l.mem(a.LSE)
	l.mem(loss)
	l.i32(a.Rows)
	l.i32(a.C)
	l.rows(a.Rows, a.C, vectors(a.C, nil, a.X))
	d.lossFold(loss, a.Labels, kernels.Mem{}, a.Loss, a.Rows, 1, false)
}

// CrossEntropyGrad computes dx (+)= DLoss/count (exp(x-LSE) - onehot).
func (d *Device) CrossEntropyGrad(a *kernels.CrossEntropyArgs) {
	const op = "CrossEntropyGrad"
	floats(op, a.Rows*a.C, a.X, a.DX)
	floats(op, a.Rows, a.LSE)
	floats(op, 1, a.DLoss)
	need(op, "Labels", a.Labels, kernels.Int32, a.Rows)
	g := d.scratch(4)
	d.lossFold(kernels.Mem{}, a.Labels, a.DLoss, g, a.Rows, 1, false)
	l := d.op(ptx.CrossEntropyGrad)
	l.mem(a.X)
	l.mem(a.Labels)
	l.mem(a.LSE)
	l.mem(g)
	l.mem(a.DX)
	l.i32(a.Rows)
	l.i32(a.C)
	l.rows(a.Rows, a.C, vectors(a.C, nil, a.X, a.DX), flag(a.Accumulate))
}

// SoftCrossEntropy writes Loss and LSE of x*InvT.
func (d *Device) SoftCrossEntropy(a *kernels.SoftCrossEntropyArgs) {
	const op = "SoftCrossEntropy"
	matrix(op, a.Rows, a.C, a.X, a.Q)
	floats(op, a.Rows, a.LSE)
	floats(op, 1, a.Loss)
	loss := d.rowLosses(a.Rows)
	l := d.op(ptx.SoftCrossEntropy)
	l.mem(a.X.Mem)
	l.mem(a.Q.Mem)
	l.mem(a.LSE)
	l.mem(loss)
	l.i32(a.X.Ld)
	l.i32(a.Q.Ld)
	l.i32(a.Rows)
	l.i32(a.C)
	l.f32(a.InvT)
	l.rows(a.Rows, a.C, vectors(a.C, []int{a.X.Ld, a.Q.Ld}, a.X.Mem, a.Q.Mem))
	d.lossFold(loss, kernels.Mem{}, kernels.Mem{}, a.Loss, a.Rows, a.Weight, a.AccLoss)
}

// SoftCrossEntropyGrad computes
// dx (+)= DLoss*Weight/T (exp(x/T-LSE) sum(q) - q).
func (d *Device) SoftCrossEntropyGrad(a *kernels.SoftCrossEntropyArgs) {
	const op = "SoftCrossEntropyGrad"
	matrix(op, a.Rows, a.C, a.X, a.Q, a.DX)
	floats(op, a.Rows, a.LSE)
	floats(op, 1, a.DLoss)
	l := d.op(ptx.SoftCrossEntropyGrad)
	l.mem(a.X.Mem)
	l.mem(a.Q.Mem)
	l.mem(a.LSE)
	l.mem(a.DLoss)
	l.mem(a.DX.Mem)
	l.i32(a.X.Ld)
	l.i32(a.Q.Ld)
	l.i32(a.DX.Ld)
	l.i32(a.Rows)
	l.i32(a.C)
	l.f32(a.InvT)
	l.f32(a.Weight)
	l.rows(a.Rows, a.C, vectors(a.C, []int{a.X.Ld, a.Q.Ld, a.DX.Ld}, a.X.Mem, a.Q.Mem, a.DX.Mem), flag(a.Accumulate))
}

// rowLosses is scratch for the loss of each row.
func (d *Device) rowLosses(rows int) kernels.Mem { return d.scratch(8 * rows).As(kernels.Float64) }

// lossFold makes a loss of the rows' losses, or the factor of its gradient.
func (d *Device) lossFold(loss, labels, dloss, out kernels.Mem, rows int, weight float32, acc bool) {
	l := d.op(ptx.LossFold)
	l.mem(loss)
	l.mem(labels)
	l.mem(dloss)
	l.mem(out)
	l.i32(rows)
	l.f32(weight)
	l.i32(flag(acc))
	l.run(1, 1, 1, 0)
}
