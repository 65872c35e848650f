package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// longSegment is the elements of a row that a block takes before another
// joins it.
const longSegment = 16384

// Reduce reduces the middle axis. The axis is cut into segments where one
// block for each output would not fill the device; a second launch folds them.
func (d *Device) Reduce(a *kernels.ReduceArgs) {
	const op = "Reduce"
	n := a.Outer * a.Inner
	if n == 0 || a.Axis == 0 {
		return
	}
	floats(op, n*a.Axis, a.X)
	if a.Op == kernels.ReduceArgMax {
		need(op, "Y", a.Y, kernels.Int32, n)
	} else {
		floats(op, n, a.Y)
	}
	size, count := a.Axis, 1
	strips := ceil(a.Inner, statsColumns)
	if a.Inner > 1 {
		size, count = d.segments(a.Axis, a.Outer*strips)
	} else if want := d.fill(a.Outer*ceil(a.Axis, longSegment)) / a.Outer; want > 1 {
		size = ceil(ceil(a.Axis, want), 4) * 4
		count = ceil(a.Axis, size)
	}
	var values, indices kernels.Mem
	if count > 1 {
		s := d.scratch(8 * n * count)
		values, indices = s.At(0, n*count), s.At(n*count, n*count)
	}
	if a.Inner == 1 {
		l := d.op(ptx.ReduceRows)
		l.reduce(a, values, indices)
		l.i32(a.Outer * count)
		l.i32(a.Axis)
		l.i32(size)
		l.i32(count)
		l.i32(int(a.Op))
		l.i32(flag(a.Accumulate))
		l.rows(a.Outer*count, size, vectors(a.Axis, nil, a.X))
	} else {
		l := d.op(ptx.ReduceCols)
		l.reduce(a, values, indices)
		l.i32(a.Axis)
		l.i32(a.Inner)
		l.i32(size)
		l.i32(count)
		l.i32(int(a.Op))
		l.i32(flag(a.Accumulate))
		l.run(a.Outer*count*strips, 1, 1, 0)
	}
	if count == 1 {
		return
	}
	l := d.op(ptx.ReduceFold)
	l.mem(a.Y)
	l.mem(values)
	l.mem(indices)
	l.i32(n)
	l.i32(a.Axis)
	l.i32(a.Inner)
	l.i32(count)
	l.i32(int(a.Op))
	l.i32(flag(a.Accumulate))
	l.run(ceil(n, ptx.ReduceFold.Block), 1, 1, 0)
}

func (l *launch) reduce(a *kernels.ReduceArgs, values, indices kernels.Mem) {
	l.mem(a.X)
	l.mem(a.Y)
	l.mem(values)
	l.mem(indices)
}
