package kernels

import "math"

// reduceRow is a row of the table "reduce": sums and maxima along a row and
// down columns.
type reduceRow struct {
	Kernel

	// Sum is the sum of x: element i goes to lane i mod 16, which starts at
	// +0; lanes fold 8-4-2-1.
	Sum func(n int, x *float32) float32

	// Dot is the sum of x*y, lanes as in Sum, each step a fused multiply-add.
	Dot func(n int, x, y *float32) float32

	// Max is the maximum of fma(x, scale, -u) - v[i]; v nil subtracts
	// nothing; a NaN wins. Max of nothing is -Inf.
	Max func(n int, x *float32, scale, u float32, v *float32) float32

	// MaxCols is m[i] = max(m[i], fma(x[i], scale, -u) - v[i]), NaN wins.
	MaxCols func(n int, m, x *float32, scale, u float32, v *float32)

	// Find is the first i with x[i] == v, or n.
	Find func(n int, x *float32, v float32) int

	// SumCols is out[j] (+)= sum of x[r*ld+j] over rows, in row order from +0.
	SumCols func(rows, n, ld int, x, out *float32, load bool)
}

type reduceState struct {
	reduce  *reduceRow
	reduces freelist[reduceJob]
}

func (s *reduceState) init(c *CPU) { s.reduce = usable(c.pins, reduceRows)[0] }

// Work of a Reduce with Inner > 1 is cut into strips of columns. Where these
// are too few to feed threads, blocks of chunks sum at once into part and a
// second sweep folds them: the chunks, and so the bits, are the same.
const (
	reduceStrip  = 512 // columns of a tile
	reduceTiles  = 32  // strips that are enough
	reduceBlocks = 64  // most blocks that the chunks of one outer index make
)

type reduceJob struct {
	ReduceArgs
	row     *reduceRow
	x       []float32
	y       []float32
	ix      []int32 // Y of ReduceArgMax
	per     int     // rows of a tile when Inner is 1
	strips  int
	chunks  int       // chunks of StatsChunk along the axis
	block   int       // chunks of a block; 0: a tile runs down the whole axis
	blocks  int       // blocks per outer index
	part    []float32 // [Outer, chunks, Inner]
	folding bool
}

// Reduce reduces the middle axis.
func (c *CPU) Reduce(a *ReduceArgs) {
	n := a.Outer * a.Inner
	if n == 0 {
		return
	}
	j := c.reduces.get()
	j.ReduceArgs, j.row, j.folding, j.block = *a, c.reduce, false, 0
	j.x = a.X.At(0, n*a.Axis).F32()
	if a.Op == ReduceArgMax {
		j.ix = a.Y.At(0, n).I32()
	} else {
		j.y = a.Y.At(0, n).F32()
	}
	cost := n*a.Axis/8 + n
	if a.Inner == 1 {
		j.per = rowsPerTile(a.Axis)
		c.team.Do(tiles(a.Outer, j.per), cost, j)
	} else {
		j.strips = tiles(a.Inner, reduceStrip)
		j.chunks = tiles(a.Axis, StatsChunk)
		if (a.Op == ReduceSum || a.Op == ReduceMean) && a.Outer*j.strips < reduceTiles && j.chunks > 1 {
			j.sumBlocks(c, cost)
		}
		c.team.Do(a.Outer*j.strips, cost, j)
	}
	c.reduces.put(j)
}

// sumBlocks fills part with the sum of every chunk.
func (j *reduceJob) sumBlocks(c *CPU, cost int) {
	j.block = tiles(j.chunks, reduceBlocks)
	j.blocks = tiles(j.chunks, j.block)
	j.part = sized(j.part, j.Outer*j.chunks*j.Inner)
	c.team.Do(j.Outer*j.blocks*j.strips, cost, j)
	j.folding = true
}

// Tile serves a block of rows, a strip of columns, or a block of chunks of one.
func (j *reduceJob) Tile(w *Worker, i int) {
	if j.Inner == 1 {
		for r := i * j.per; r < min((i+1)*j.per, j.Outer); r++ {
			j.alongRow(r)
		}
		return
	}
	strip := i % j.strips
	lo := strip * reduceStrip
	n := min(reduceStrip, j.Inner-lo)
	o := i / j.strips
	if j.block > 0 && !j.folding {
		b := o % j.blocks
		j.chunkSums(o/j.blocks, b*j.block, min((b+1)*j.block, j.chunks), lo, n)
		return
	}
	x, at := j.x[o*j.Axis*j.Inner+lo:], o*j.Inner+lo
	switch {
	case j.Op == ReduceArgMax:
		argMaxCols(j.ix[at:at+n], x, j.Axis, j.Inner)
	case j.Op == ReduceMax:
		j.finish(at, j.columnMax(w, x, n))
	case j.folding:
		j.finish(at, j.fold(w, o, lo, n))
	default:
		s := w.Scratch(n)
		clear(s)
		for k := range j.chunks {
			rows := min(StatsChunk, j.Axis-k*StatsChunk)
			j.row.SumCols(rows, n, j.Inner, first(x[k*StatsChunk*j.Inner:]), first(s), k > 0)
		}
		j.finish(at, s)
	}
}

func (j *reduceJob) alongRow(r int) {
	n := j.Axis
	row := j.x[r*n : r*n+n]
	x := first(row)
	switch j.Op {
	case ReduceSum:
		store(j.y, r, j.row.Sum(n, x), j.Accumulate)
	case ReduceMean:
		store(j.y, r, j.row.Sum(n, x)/float32(n), j.Accumulate)
	case ReduceMax:
		store(j.y, r, j.row.Max(n, x, 1, 0, nil), j.Accumulate)
	case ReduceArgMax:
		m := j.row.Max(n, x, 1, 0, nil)
		if m != m {
			j.ix[r] = int32(firstNaN(row))
		} else {
			j.ix[r] = int32(j.row.Find(n, x, m))
		}
	}
}

func firstNaN(x []float32) int {
	for i, v := range x {
		if v != v {
			return i
		}
	}
	return len(x)
}

// chunkSums sums chunks [from, to) of columns [lo, lo+n) into part.
func (j *reduceJob) chunkSums(o, from, to, lo, n int) {
	for k := from; k < to; k++ {
		rows := min(StatsChunk, j.Axis-k*StatsChunk)
		x := j.x[(o*j.Axis+k*StatsChunk)*j.Inner+lo:]
		j.row.SumCols(rows, n, j.Inner, first(x), first(j.part[(o*j.chunks+k)*j.Inner+lo:]), false)
	}
}

// fold adds the chunks of part left to right: the first is kept as it is.
func (j *reduceJob) fold(w *Worker, o, lo, n int) []float32 {
	s := w.Scratch(n)
	part := j.part[o*j.chunks*j.Inner+lo:]
	copy(s, part[:n])
	for k := 1; k < j.chunks; k++ {
		j.row.SumCols(1, n, j.Inner, first(part[k*j.Inner:]), first(s), true)
	}
	return s
}

func (j *reduceJob) columnMax(w *Worker, x []float32, n int) []float32 {
	m := w.Scratch(n)
	for k := range m {
		m[k] = float32(math.Inf(-1))
	}
	for r := range j.Axis {
		j.row.MaxCols(n, first(m), first(x[r*j.Inner:]), 1, 0, nil)
	}
	return m
}

// finish stores sums or maxima s of the outputs from at on.
func (j *reduceJob) finish(at int, s []float32) {
	y := j.y[at : at+len(s)]
	if j.Op == ReduceMean {
		for k := range s {
			s[k] /= float32(j.Axis)
		}
	}
	if !j.Accumulate {
		copy(y, s)
		return
	}
	j.row.SumCols(1, len(s), len(s), first(s), first(y), true)
}

// argMaxCols is the first maximum of each column of x, NaN wins.
func argMaxCols[F Float](ix []int32, x []F, rows, ld int) {
	for k := range ix {
		best := 0
		for r := 1; r < rows; r++ {
			b, v := x[best*ld+k], x[r*ld+k]
			if b == b && (v > b || v != v) {
				best = r
			}
		}
		ix[k] = int32(best)
	}
}
