package cuda

import (
	"math/bits"

	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// The bits of a tile kernel's flags.
const (
	flagVecA = 1 << iota
	flagVecB
	flagVecC
	flagAccumulate
	flagReLU
	flagReLUA
	flagReLUB
)

// step is the depth of k that a block takes at a time.
const step = 16

// tileArgs are the arguments of a tile kernel, as cuda/ptx/build lists them:
// one product C[m,n] (+)= A[m,k] B[k,n] per convolution group.
type tileArgs struct {
	kernels      *ptx.Product
	m, n, k      int
	a, b, c      kernels.Mem
	lda, ldb     int
	ldc          int
	za, zb, zc   int  // elements from one convolution group to the next
	groups       int  // of the convolution
	stacked      bool // their parts of C lie below each other
	vecA, vecB   bool
	accumulate   bool
	epi          kernels.Epilogue
	channels     int // columns of C over all groups
	p, q         kernels.Prologue
	pRows, qRows int // pixels of the operands with prologues
	pWidth       int
	qWidth       int
	conv         *gather
	work         kernels.Mem
}

// gather is what the convolution kernels know of pixels and taps.
type gather struct {
	srcH, srcW, srcC       int
	strideH, strideW       int
	offH, offW, dilH, dilW int
	area, rowW             int // pixels of the rows (n, i, j), and of one i
	ck, tw                 int // k = (th*tw + tw')*ck + c
	wOC, wTH, wTW, wBase   int
	outArea, outW          int
	outSH, outSW           int
	outH0, outW0           int
}

// cut says how a product becomes blocks. It depends on the shape alone, never
// on the card, so that every card gives the same bits.
type cut struct {
	kernel *ptx.Kernel
	edge   int // rows and columns of a tile
	splits int
	depth  int // k of a split
	slots  int // pieces a statistics chunk may touch
}

// slotsPerCard is how many tiles should be in flight: about one on each
// multiprocessor of the cards that this is meant for (108 to 148).
const slotsPerCard = 128

// plan chooses tile and splits: of the tiles, the one that takes the least time
// if a wave of slotsPerCard tiles costs their area, divided by the share of
// the peak that such a tile can reach; a k that is long while tiles are few is
// split, in pieces of at least 256, until a wave is full.
func (d *Device) plan(a *tileArgs) cut {
	list, share := a.kernels.F32, []float64{0.4, 0.75, 1}
	if d.options.TF32 && len(a.kernels.TF32) > 0 {
		list, share = a.kernels.TF32, []float64{0.6, 1}
	}
	var best cut
	least := 0.0
	for i, k := range list {
		edge := a.kernels.Edge(k)
		tiles := ceil(a.m, edge) * ceil(a.n, edge) * a.groups
		splits := 1
		for splits < 64 && tiles*splits*2 <= 2*slotsPerCard && a.k/(splits*2) >= 256 && a.conv.splittable() {
			splits *= 2
		}
		depth := (ceil(a.k, splits) + step - 1) / step * step
		cost := float64(ceil(tiles*splits, slotsPerCard)*edge*edge) * float64(depth+64) / share[i]
		if best.kernel == nil || cost < least {
			best, least = cut{kernel: k, edge: edge, splits: max(1, ceil(a.k, max(depth, 1))), depth: depth}, cost
		}
	}
	piece := best.piece()
	best.slots = (kernels.StatsChunk-2)/piece + 2
	return best
}

// splittable reports whether the rows of C are its own: a parity class of an
// input gradient scatters them.
func (g *gather) splittable() bool { return g == nil || g.outSH*g.outSW <= 1 }

// piece is the rows of C that pass through shared memory at a time.
func (c *cut) piece() int { return max(32, c.edge/2) }

// bytes is the workspace: the partial products of a split. What is asked
// before memory is given cannot tell whether there will be statistics: their
// slots are the device's scratch.
func (a *tileArgs) bytes(c *cut) int {
	if c.splits > 1 {
		return 4 * c.splits * a.rowsOut() * a.channels
	}
	return 0
}

// slots is the memory in which pieces leave their sums.
func (d *Device) slots(a *tileArgs, c *cut) kernels.Mem {
	return d.scratch(4 * kernels.StatsChunks(a.m, a.epi.Stats.Group) * c.slots * 2 * a.channels)
}

// rowsOut are the rows of C over all convolution groups: a weight gradient's
// groups lie below each other, others side by side.
func (a *tileArgs) rowsOut() int {
	if a.stacked {
		return a.m * a.groups
	}
	return a.m
}

// product launches the kernels of one product.
func (d *Device) product(op string, a *tileArgs) {
	c := d.plan(a)
	if a.m == 0 || a.n == 0 {
		return
	}
	need := a.bytes(&c)
	if a.work.Bytes() < need {
		panic(&kernels.ArgError{Op: op, Rule: "Work is smaller than Workspace"})
	}
	out, ldc, epi, accumulate := a.c, a.ldc, a.epi, a.accumulate
	stride := 0
	if c.splits > 1 {
		out, ldc, epi, accumulate = a.work, a.channels, kernels.Epilogue{}, false
		stride = 4 * a.rowsOut() * a.channels
	}
	stats := !epi.Stats.Part.IsNil()
	part := epi.Stats.Part
	group, perGroup := a.m, 1
	if stats {
		if epi.Stats.Group > 0 {
			group = epi.Stats.Group
		}
		perGroup = ceil(group, kernels.StatsChunk)
		part = d.slots(a, &c)
	}
	flags := 0
	for i, on := range []bool{a.vecA, a.vecB, vectors(a.n|a.zc, []int{ldc, epi.Residual.Ld}, out, epi.Residual.Mem) == 1,
		accumulate, epi.ReLU, a.p.ReLU, a.q.ReLU} {
		flags |= flag(on) << i
	}
	tilesM, tilesN := ceil(a.m, c.edge), ceil(a.n, c.edge)
	l := d.op(c.kernel)
	for _, m := range []kernels.Mem{out, a.a, a.b, epi.Bias, epi.Residual.Mem, part, epi.Stats.Shift} {
		l.mem(m)
	}
	pa, pb := a.p.Scale, a.p.Shift
	var scale, shift kernels.Mem // of a ReLU's gate
	if a.p.Kind == kernels.ProBNBackward {
		pa, pb = a.p.A, a.p.B
		if a.p.Mask.IsNil() {
			scale, shift = a.p.Scale, a.p.Shift
		}
	}
	for _, m := range []kernels.Mem{pa, pb, a.p.C, a.p.X, a.p.Mask, scale, shift, a.q.Scale, a.q.Shift} {
		l.mem(m)
	}
	l.u64(stride)
	for _, v := range []int{a.m, a.n, a.k, c.depth, tilesM, tilesN, a.lda, a.ldb, ldc, epi.Residual.Ld, flags,
		group, perGroup, c.slots, a.channels, a.za, a.zb, a.zc} {
		l.i32(v)
	}
	l.i32(a.pWidth)
	l.divisor(groupRows(a.p.Group, a.pRows))
	l.i32(a.qWidth)
	l.divisor(groupRows(a.q.Group, a.qRows))
	if a.conv != nil {
		a.conv.put(&l)
	}
	l.run(tilesM*tilesN, c.splits, a.groups, 0)
	switch {
	case c.splits > 1:
		d.reduceSplits(a, &c)
	case stats:
		d.joinStats(a, &c, part, group, perGroup)
	}
}

func groupRows(group, rows int) int {
	if group == 0 {
		return max(1, rows)
	}
	return group
}

// divisor passes what divides by d: q = (n*mul) >> shift for 0 <= n < 2^31,
// with shift = 31 + ceil(log2 d) and mul = ceil(2^shift / d) (Granlund and
// Montgomery, "Division by invariant integers using multiplication", 1994).
func (l *launch) divisor(d int) {
	mul, shift := fastDivide(d)
	l.i32(int(int32(mul)))
	l.i32(shift)
}

func fastDivide(d int) (mul uint32, shift int) {
	shift = 31 + bits.Len(uint(d-1))
	return uint32((uint64(1)<<shift + uint64(d) - 1) / uint64(d)), shift
}

// put passes the convolution's part of the arguments.
func (g *gather) put(l *launch) {
	for _, v := range []int{g.srcH, g.srcW, g.srcC, g.strideH, g.strideW, g.offH, g.offW, g.dilH, g.dilW} {
		l.i32(v)
	}
	for _, v := range []int{g.area, g.rowW, g.ck, g.tw} {
		l.i32(v)
		l.divisor(v)
	}
	for _, v := range []int{g.wOC, g.wTH, g.wTW, g.wBase, g.outArea, g.outW, g.outSH, g.outSW, g.outH0, g.outW0} {
		l.i32(v)
	}
}

// reduceSplits adds the partial products and does the epilogue.
func (d *Device) reduceSplits(a *tileArgs, c *cut) {
	rows, stats := a.rowsOut(), !a.epi.Stats.Part.IsNil()
	group, chunk := rows, 8
	if stats {
		chunk = kernels.StatsChunk
		if a.epi.Stats.Group > 0 {
			group = a.epi.Stats.Group
		}
	}
	perGroup := ceil(group, chunk)
	l := d.op(ptx.GemmReduce)
	l.mem(a.work)
	l.u64(4 * rows * a.channels)
	for _, m := range []kernels.Mem{a.c, a.epi.Bias, a.epi.Residual.Mem, a.epi.Stats.Part, a.epi.Stats.Shift} {
		l.mem(m)
	}
	flags := flagAccumulate*flag(a.accumulate) | flagReLU*flag(a.epi.ReLU)
	for _, v := range []int{c.splits, rows, a.channels, a.ldc, a.epi.Residual.Ld, flags, group, perGroup, chunk} {
		l.i32(v)
	}
	l.run(rows/group*perGroup, ceil(a.channels, 32), 1, 0)
}

// joinStats adds the slots of the statistics chunks.
func (d *Device) joinStats(a *tileArgs, c *cut, slots kernels.Mem, group, perGroup int) {
	l := d.op(ptx.GemmStats)
	l.mem(slots)
	l.mem(a.epi.Stats.Part)
	for _, v := range []int{a.channels, group, perGroup, c.slots, c.piece()} {
		l.i32(v)
	}
	l.run(a.m/group*perGroup, ceil(2*a.channels, ptx.GemmStats.Block), 1, 0)
}
