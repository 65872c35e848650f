package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// segmentRows is the least rows of a segment that a block of columns walks
// down: two steps of its 8 warps.
const segmentRows = 64

// segments cuts n rows into segments so that blocks blocks of each fill the
// device: the rows of one and their number. size is a multiple of 4.
func (d *Device) segments(n, blocks int) (size, count int) {
	want := max(1, d.fill(ceil(n, segmentRows)*blocks)/blocks)
	size = ceil(ceil(n, want), 4) * 4
	return size, ceil(n, size)
}

// LSE computes log-sum-exps along rows or down columns, or one of their phases.
func (d *Device) LSE(a *kernels.LSEArgs) {
	const op = "LSE"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	lines := a.Rows
	if a.ByCol {
		lines = a.C
	}
	matrix(op, a.Rows, a.C, a.X)
	floats(op, lines, a.Out)
	optional(op, a.Rows, a.U)
	optional(op, a.C, a.V)
	if a.Phase == 2 {
		floats(op, lines, a.Max)
	}
	if a.ByCol {
		d.lseCols(a)
		return
	}
	l := d.op(ptx.LSERows)
	l.lse(a, a.Out)
	l.i32(a.X.Ld)
	l.i32(a.Rows)
	l.i32(a.C)
	l.f32(a.Scale)
	l.i32(a.Phase)
	l.rows(a.Rows, a.C, vectors(a.C, []int{a.X.Ld}, a.X.Mem, a.V))
}

func (l *launch) lse(a *kernels.LSEArgs, out kernels.Mem) {
	l.mem(a.X.Mem)
	l.mem(a.U)
	l.mem(a.V)
	l.mem(a.Max)
	l.mem(out)
}

func (d *Device) lseCols(a *kernels.LSEArgs) {
	strips := ceil(a.C, statsColumns)
	size, count := d.segments(a.Rows, strips)
	pair := d.scratch(4 * 2 * count * a.C)
	l := d.op(ptx.LSECols)
	l.lse(a, pair)
	l.i32(a.X.Ld)
	l.i32(a.Rows)
	l.i32(a.C)
	l.i32(size)
	l.f32(a.Scale)
	l.i32(a.Phase)
	l.run(count, strips, 1, 0)

	l = d.op(ptx.LSEColsFold)
	l.mem(pair)
	l.mem(a.V)
	l.mem(a.Out)
	l.i32(a.C)
	l.i32(count)
	l.i32(a.Phase)
	l.run(ceil(a.C, ptx.LSEColsFold.Block), 1, 1, 0)
}

// SinkhornCodes computes Q = exp(X*Scale - U[row] - V[col]).
func (d *Device) SinkhornCodes(a *kernels.SinkhornCodesArgs) {
	const op = "SinkhornCodes"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	matrix(op, a.Rows, a.C, a.X, a.Q)
	optional(op, a.Rows, a.U)
	optional(op, a.C, a.V)
	t := d.tile(a.Rows, a.C, 1)
	l := d.op(ptx.SinkhornCodes)
	l.mem(a.X.Mem)
	l.mem(a.U)
	l.mem(a.V)
	l.mem(a.Q.Mem)
	l.i32(a.X.Ld)
	l.i32(a.Q.Ld)
	l.i32(a.Rows)
	l.i32(a.C)
	l.f32(a.Scale)
	l.i32(t.lg)
	l.i32(vectors(a.C, []int{a.X.Ld, a.Q.Ld}, a.X.Mem, a.V, a.Q.Mem))
	l.run(t.x, t.y, 1, 0)
}
