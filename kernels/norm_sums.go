package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The two sums per channel of the statistics and of the backward pass. The
// piece of work is a unit: one vector of channels over one chunk of rows. A
// call holds eight units side by side, because the chain of one channel must
// stay in row order and eight chains hide its latency: with 128 channels these
// are one chunk's vectors, with 16 channels eight chunks.

// sumsClass is a set of units of equal size: full or last chunks of the
// groups, full vectors or the last few channels.
type sumsClass struct {
	rows, chunks int  // rows of a chunk, chunks in the class
	last         bool // last chunks of the groups
	col, cols    int  // first vector, number of vectors
	lanes        int
	tiles        int
}

// sumsJob is ChannelStats or BNReduce.
type sumsJob struct {
	c                  *CPU
	kernel             func(*asm.NormSums)
	width, ch          int
	full, chunks, size int // full chunks and chunks of a group, its rows
	class              [4]sumsClass
	x, dy, mask, resid Mem
	coef, part         Mem
	scale, shift       Mem  // of the gate
	perGroup           bool // coef has a row for each group
	acc                bool
}

// sumsTile is the channels of a tile, a multiple of any row's eight units.
const sumsTile = 128

// zeroShift stands for a Shift not given.
var zeroShift [16]float32

func (j *sumsJob) run(rows, group, streams int) {
	n, size := groups(rows, group)
	j.size = size
	j.full = size / StatsChunk
	j.chunks = (size + StatsChunk - 1) / StatsChunk
	tiles, k := 0, 0
	add := func(chunkRows, chunks int, last bool) {
		for _, v := range [2][3]int{{0, j.ch / j.width, j.width}, {j.ch / j.width, 1, j.ch % j.width}} {
			c := sumsClass{rows: chunkRows, chunks: chunks, last: last, col: v[0], cols: v[1], lanes: v[2]}
			if chunkRows > 0 && v[2] > 0 {
				c.tiles = (chunks*c.cols*j.width + sumsTile - 1) / sumsTile
			}
			j.class[k] = c
			tiles += c.tiles
			k++
		}
	}
	add(StatsChunk, n*j.full, false)
	add(size%StatsChunk, n, true)
	j.c.team.Do(tiles, streamCost(4*rows*j.ch*streams), j)
}

// Tile runs the units of one tile.
func (j *sumsJob) Tile(w *Worker, i int) {
	k := 0
	for i >= j.class[k].tiles {
		i -= j.class[k].tiles
		k++
	}
	c := &j.class[k]
	a := j.c.normSums.get()
	*a = asm.NormSums{
		Rows: c.rows, Ld: 4 * j.ch, Lanes: c.lanes,
		X: memAt(j.x, 0), DY: memAt(j.dy, 0), Mask: memAt(j.mask, 0), Resid: memAt(j.resid, 0),
		Coef: memAt(j.coef, 0), Part: memAt(j.part, 0), Second: 4 * j.ch, Acc: j.acc,
	}
	shared := j.coef.IsNil()
	if shared {
		a.Coef = unsafe.Pointer(&zeroShift)
	}
	gated := !j.scale.IsNil()
	if gated {
		a.Gate = j.c.normGates.get()
		clear(a.Gate[:])
	}
	per := sumsTile / j.width
	for u, end := i*per, min((i+1)*per, c.chunks*c.cols); u < end; {
		a.N = min(len(a.Unit), end-u)
		for l := range a.Unit[:a.N] {
			chunk, col := u/c.cols, (c.col+u%c.cols)*j.width
			g, in := chunk, j.full
			if !c.last {
				g, in = chunk/j.full, chunk%j.full
			}
			coef := col
			if shared {
				coef = 0
			} else if j.perGroup {
				coef += g * j.ch
			}
			a.Unit[l] = asm.NormUnit{
				X:    4 * ((g*j.size+in*StatsChunk)*j.ch + col),
				Coef: 4 * coef,
				Part: 4 * (2*(g*j.chunks+in)*j.ch + col),
			}
			if gated {
				copy(a.Gate[l][0][:c.lanes], j.scale.F32()[coef:])
				copy(a.Gate[l][1][:c.lanes], j.shift.F32()[coef:])
			}
			u++
		}
		j.kernel(a)
	}
	if gated {
		j.c.normGates.put(a.Gate)
	}
	*a = asm.NormSums{}
	j.c.normSums.put(a)
}

// ChannelStats computes the chunk sums of a.X that BNMoments merges.
func (c *CPU) ChannelStats(a *ChannelStatsArgs) {
	const op = "ChannelStats"
	needMem(op, "X", a.X, Float32, a.Rows*a.C)
	needMem(op, "Part", a.Stats.Part, Float32, 2*StatsChunks(a.Rows, a.Stats.Group)*a.C)
	if !a.Stats.Shift.IsNil() {
		needMem(op, "Shift", a.Stats.Shift, Float32, a.C)
	}
	j := c.sumsJobs.get()
	*j = sumsJob{c: c, kernel: c.normRow.Stats, width: c.normRow.Width, ch: a.C,
		x: a.X, coef: a.Stats.Shift, part: a.Stats.Part}
	j.run(a.Rows, a.Stats.Group, 1)
	*j = sumsJob{}
	c.sumsJobs.put(j)
}

// BNReduce computes the sums of batch norm's backward pass.
func (c *CPU) BNReduce(a *BNReduceArgs) {
	const op = "BNReduce"
	n, _ := groups(a.Rows, a.Group)
	needMem(op, "DY", a.DY, Float32, a.Rows*a.C)
	needMem(op, "X", a.X, Float32, a.Rows*a.C)
	needMem(op, "Mean", a.Mean, Float32, n*a.C)
	needMem(op, "Sums", a.Sums, Float64, 2*n*a.C)
	needMem(op, "Work", a.Work, Float32, 2*StatsChunks(a.Rows, a.Group)*a.C)
	streams := 2
	if !a.Mask.IsNil() {
		needMem(op, "Mask", a.Mask, Float32, a.Rows*a.C)
		streams++
	} else if !a.Scale.IsNil() {
		needMem(op, "Scale", a.Scale, Float32, n*a.C)
		needMem(op, "Shift", a.Shift, Float32, n*a.C)
	}
	if !a.DResid.IsNil() {
		needMem(op, "DResid", a.DResid, Float32, a.Rows*a.C)
		streams += 2
	}
	j := c.sumsJobs.get()
	*j = sumsJob{c: c, kernel: c.normRow.Reduce, width: c.normRow.Width, ch: a.C,
		x: a.X, dy: a.DY, mask: a.Mask, resid: a.DResid, coef: a.Mean, part: a.Work,
		perGroup: true, acc: a.AccResid}
	if a.Mask.IsNil() {
		j.scale, j.shift = a.Scale, a.Shift
	}
	j.run(a.Rows, a.Group, streams)
	*j = sumsJob{}
	c.sumsJobs.put(j)
	c.merge(mergeSums, a.Rows, a.C, a.Group, a.Work, Mem{}, a.Sums)
}
