package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The elementwise passes. A tile is a run of whole rows of one group, about
// spanFloats long, read front to back: memory sees one stream per tensor. Rows
// shorter than spanWide would make short loops and ragged vectors, so a few of
// them are taken as one long row whose coefficients repeat.

const (
	spanFloats = 16 << 10
	spanWide   = 128
)

// spanJob is BNApply or BNBackward.
type spanJob struct {
	c                *CPU
	kernel           func(*asm.NormSpan)
	ch, size         int // channels, rows of a group
	fold             int // rows taken as one
	tileRows, tiles  int // rows of a tile, tiles of a group
	span             asm.NormSpan
	coef             [5]Mem // A, B, C; the gate's scale and shift
	x, dy, mask, res Mem
	y                Mem
}

// foldRows is the number of rows of ch floats that make a long row of whole
// vectors.
func foldRows(ch int) int {
	if ch >= spanWide {
		return 1
	}
	n := 1
	for n*ch%16 != 0 {
		n *= 2
	}
	for n*ch < spanWide {
		n *= 2
	}
	return n
}

func (j *spanJob) run(rows, group, streams int) {
	if rows*j.ch == 0 {
		return
	}
	n, size := groups(rows, group)
	j.size = size
	j.fold = foldRows(j.ch)
	j.tileRows = max(spanFloats/(j.ch*j.fold), 1) * j.fold
	j.tiles = (size + j.tileRows - 1) / j.tileRows
	j.c.team.Do(n*j.tiles, streamCost(4*rows*j.ch*streams), j)
}

// Tile runs the rows of one tile.
func (j *spanJob) Tile(w *Worker, i int) {
	g, in := i/j.tiles, i%j.tiles
	r0 := in * j.tileRows
	rows := min(j.tileRows, j.size-r0)
	n := j.fold * j.ch
	var coef [5]unsafe.Pointer
	for k, m := range j.coef {
		if m.IsNil() {
			continue
		}
		coef[k] = memAt(m, g*j.ch)
		if j.fold > 1 {
			// 2048 floats hold the longest folded row.
			long := w.Scratch((k + 1) * 2048)[k*2048:][:n]
			copy(long, m.F32()[g*j.ch:][:j.ch])
			for have := j.ch; have < n; have *= 2 {
				copy(long[have:], long[:have])
			}
			coef[k] = unsafe.Pointer(unsafe.SliceData(long))
		}
	}
	off := (g*j.size + r0) * j.ch
	a := j.c.normSpans.get()
	*a = asm.NormSpan{
		Rows: rows / j.fold, N: n,
		X: memAt(j.x, off), DY: memAt(j.dy, off), Mask: memAt(j.mask, off), Resid: memAt(j.res, off),
		A: coef[0], B: coef[1], C: coef[2], Scale: coef[3], Shift: coef[4], Y: memAt(j.y, off),
		ReLU: j.span.ReLU, Acc: j.span.Acc,
	}
	if a.Rows > 0 {
		j.kernel(a)
	}
	if rest := rows % j.fold; rest > 0 {
		off += a.Rows * n
		a.Rows, a.N = 1, rest*j.ch
		a.X, a.DY, a.Mask, a.Resid, a.Y = memAt(j.x, off), memAt(j.dy, off), memAt(j.mask, off), memAt(j.res, off), memAt(j.y, off)
		j.kernel(a)
	}
	*a = asm.NormSpan{}
	j.c.normSpans.put(a)
}

// BNApply applies the affine form, a residual and ReLU in one pass.
func (c *CPU) BNApply(a *BNApplyArgs) {
	const op = "BNApply"
	n, _ := groups(a.Rows, a.Group)
	needMem(op, "X", a.X, Float32, a.Rows*a.C)
	needMem(op, "Y", a.Y, Float32, a.Rows*a.C)
	needMem(op, "Scale", a.Scale, Float32, n*a.C)
	needMem(op, "Shift", a.Shift, Float32, n*a.C)
	streams := 2
	if !a.Residual.IsNil() {
		needMem(op, "Residual", a.Residual, Float32, a.Rows*a.C)
		streams++
	}
	j := c.spanJobs.get()
	*j = spanJob{c: c, kernel: c.normRow.Apply, ch: a.C, x: a.X, res: a.Residual, y: a.Y,
		coef: [5]Mem{a.Scale, {}, a.Shift}, span: asm.NormSpan{ReLU: a.ReLU}}
	j.run(a.Rows, a.Group, streams)
	*j = spanJob{}
	c.spanJobs.put(j)
}

// BNBackward computes the input gradient in one pass.
func (c *CPU) BNBackward(a *BNBackwardArgs) {
	const op = "BNBackward"
	n, _ := groups(a.Rows, a.Group)
	needMem(op, "DY", a.DY, Float32, a.Rows*a.C)
	needMem(op, "X", a.X, Float32, a.Rows*a.C)
	needMem(op, "DX", a.DX, Float32, a.Rows*a.C)
	needMem(op, "CoefA", a.CoefA, Float32, n*a.C)
	needMem(op, "CoefB", a.CoefB, Float32, n*a.C)
	needMem(op, "CoefC", a.CoefC, Float32, n*a.C)
	streams := 3
	if !a.Mask.IsNil() {
		needMem(op, "Mask", a.Mask, Float32, a.Rows*a.C)
		streams++
	} else if !a.Scale.IsNil() {
		needMem(op, "Scale", a.Scale, Float32, n*a.C)
		needMem(op, "Shift", a.Shift, Float32, n*a.C)
	}
	j := c.spanJobs.get()
	*j = spanJob{c: c, kernel: c.normRow.Backward, ch: a.C, x: a.X, dy: a.DY, mask: a.Mask, y: a.DX,
		coef: [5]Mem{a.CoefA, a.CoefB, a.CoefC}, span: asm.NormSpan{Acc: a.Accumulate}}
	if a.Mask.IsNil() {
		j.coef[3], j.coef[4] = a.Scale, a.Shift
	}
	j.run(a.Rows, a.Group, streams)
	*j = spanJob{}
	c.spanJobs.put(j)
}
