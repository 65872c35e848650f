package kernels

import "math"

// Log-sum-exps of L = X*Scale - U[row] - V[col], computed as
// fma(x, Scale, -U) - V. By column the maximum over rows comes first, then the
// sum of exp(L - max) in chunks of StatsChunk rows, left to right.

// Strips of columns are narrow enough for one to stay in L2 between the two
// passes, in steps of a cache line.
const (
	lseStripBytes = 512 << 10
	lseStripMin   = 64
	lseStripMax   = 1024
)

type lseJob struct {
	LSEArgs
	rowKernels
	per   int // rows of a tile, by row
	strip int // columns of a tile, by column
}

// LSE computes log-sum-exps along rows or columns, or one of their two phases.
func (c *CPU) LSE(a *LSEArgs) {
	if a.Rows == 0 || a.C == 0 {
		return
	}
	j := c.lses.get()
	j.LSEArgs, j.rowKernels = *a, c.rowKernels()
	j.per = rowsPerTile(a.C)
	j.strip = min(max(lseStripBytes/4/a.Rows&^15, lseStripMin), lseStripMax)
	n := tiles(a.Rows, j.per)
	if a.ByCol {
		n = tiles(a.C, j.strip)
	}
	c.team.Do(n, expCost(a.Rows*a.C), j)
	c.lses.put(j)
}

// Tile serves a block of rows or a strip of columns.
func (j *lseJob) Tile(w *Worker, i int) {
	if j.ByCol {
		lo := i * j.strip
		j.columns(w, lo, min(j.strip, j.C-lo))
		return
	}
	lo := i * j.per
	j.alongRows(w, lo, min(j.per, j.Rows-lo))
}

// part is elements [lo, lo+n) of an optional vector.
func part(m Mem, lo, n int) *float32 {
	if m.IsNil() {
		return nil
	}
	return first(m.At(lo, n).F32())
}

// entry is element i of an optional vector, 0 when it is not given.
func entry(m Mem, i int) float32 {
	if m.IsNil() {
		return 0
	}
	return m.F32()[i]
}

func (j *lseJob) alongRows(w *Worker, lo, n int) {
	s := w.Scratch(2 * n)
	peak, sum := s[:n], s[n:]
	out := j.Out.At(lo, n).F32()
	v := part(j.V, 0, j.C)
	for r := range n {
		x, u := matRow(j.X, lo+r, j.C), entry(j.U, lo+r)
		if j.Phase == 2 {
			peak[r] = j.Max.F32()[lo+r]
		} else {
			peak[r] = j.reduce.Max(j.C, x, j.Scale, u, v)
		}
		if j.Phase == 1 {
			out[r] = peak[r]
			continue
		}
		peak[r] = shift(peak[r])
		sum[r] = j.softmax.ExpSum(j.C, x, j.Scale, u, v, peak[r])
	}
	j.store(out, peak, sum, part(j.U, lo, n))
}

func (j *lseJob) columns(w *Worker, lo, n int) {
	s := w.Scratch(3 * n)
	peak, sum, chunk := s[:n], s[n:2*n], s[2*n:]
	out := j.Out.At(lo, n).F32()
	v := part(j.V, lo, n)
	if j.Phase == 2 {
		copy(peak, j.Max.At(lo, n).F32())
	} else {
		for k := range peak {
			peak[k] = float32(math.Inf(-1))
		}
		for r := range j.Rows {
			j.reduce.MaxCols(n, first(peak), j.at(r, lo, n), j.Scale, entry(j.U, r), v)
		}
	}
	if j.Phase == 1 {
		copy(out, peak)
		return
	}
	for k := range peak {
		peak[k] = shift(peak[k])
	}
	clear(sum)
	for r := 0; r < j.Rows; r += StatsChunk {
		clear(chunk)
		for q := r; q < min(r+StatsChunk, j.Rows); q++ {
			j.softmax.ExpCols(n, first(chunk), j.at(q, lo, n), j.Scale, entry(j.U, q), v, first(peak))
		}
		j.vec.add(n, first(sum), first(chunk))
	}
	j.store(out, peak, sum, v)
}

// at is the address of n elements of row r from column lo on.
func (j *lseJob) at(r, lo, n int) *float32 { return first(j.X.At(r*j.X.Ld+lo, n).F32()) }

// store writes what the phase asks for: the sums, or base + (peak + log sum).
func (j *lseJob) store(out, peak, sum []float32, base *float32) {
	n := len(out)
	switch j.Phase {
	case 1:
	case 2:
		copy(out, sum)
	default:
		j.vec.Map[MapLog](n, first(sum), first(sum), first(sum), 0, 0)
		j.vec.Map[MapAdd](n, first(out), first(peak), first(sum), 0, 0)
		if base != nil {
			j.vec.add(n, first(out), base)
		}
	}
}

type sinkhornJob struct {
	SinkhornCodesArgs
	rowKernels
	per int
}

// SinkhornCodes computes Q = exp(fma(x, Scale, -U) - V).
func (c *CPU) SinkhornCodes(a *SinkhornCodesArgs) {
	j := c.sinkhorns.get()
	j.SinkhornCodesArgs, j.rowKernels, j.per = *a, c.rowKernels(), rowsPerTile(a.C)
	c.team.Do(tiles(a.Rows, j.per), expCost(a.Rows*a.C), j)
	c.sinkhorns.put(j)
}

// Tile serves rows [i*per, (i+1)*per).
func (j *sinkhornJob) Tile(w *Worker, i int) {
	v := part(j.V, 0, j.C)
	for r := i * j.per; r < min((i+1)*j.per, j.Rows); r++ {
		j.softmax.Exp(j.C, matRow(j.Q, r, j.C), matRow(j.X, r, j.C), j.Scale, entry(j.U, r), v, 1, nil, 1)
	}
}
