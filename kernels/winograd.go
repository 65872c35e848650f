package kernels

import (
	"sync/atomic"
	"unsafe"
)

// Winograd's minimal filtering F(4x4,3x3) (Lavin and Gray 2015): 36 products
// stand for the 144 of a 3x3 kernel over 4x4 outputs. A 6x6 tile of the input,
// the kernel and their product live in the space of 36 frequencies, and there
// a convolution is 36 matrix products over channels:
//
//	V = in(X)   [36, tiles, C]      per tile of 6x6 pixels, 4 apart
//	M = V * U   [36, tiles, OC]     U = kern(Wt), prepared
//	Y = out(M)                      4x4 pixels a tile
//
// A work item does all three for a block of tiles and some destination
// channels in its worker's scratch: V and the M of winogradCols channels stay
// in the second cache while U streams, and nothing but X and Y crosses memory.
// The input gradient is the same over dY with rotated, transposed kernels.

const (
	winogradTile = 4       // outputs of a tile's side
	winogradTmp  = 36 * 16 // floats of scratch that a transform needs
	winogradCols = 32      // columns of M at once
	winogradSkew = 16      // floats between rows and frequencies: not in one set of a cache
)

// winogradPlan is how a pass of one shape is cut.
type winogradPlan struct {
	gemm   *GemmKernel
	rows   *winogradRow
	from   winogradImages // the source
	to     winogradImages // the destination
	all    int            // tiles
	sc, dc int
	panels int

	tiles    int // of a block
	perItem  int // columns of a work item
	colItems int
	items    int

	ldv, freqV, freqM int
	statRows, chunks  int // rows of a statistics group, chunks of all groups
	lines             int // of tiles in a block of strips
}

func (p *winogradPlan) plan(c *CPU, s *ConvShape, pass Pass, statGroup int) {
	*p = winogradPlan{gemm: c.kernel, rows: c.transforms}
	p.sc, p.dc = s.C, s.OC
	p.from = winogradImages{h: s.H, w: s.W, padH: s.PadH, padW: s.PadW}
	p.to = winogradImages{h: s.OH(), w: s.OW()}
	if pass == PassGradInput {
		p.sc, p.dc = p.dc, p.sc
		p.from.h, p.from.w, p.to.h, p.to.w = p.to.h, p.to.w, p.from.h, p.from.w
		p.from.padH, p.from.padW = 2-s.PadH, 2-s.PadW
	}
	p.all = s.N * p.to.cut(&p.from)
	p.panels = ceilDiv(p.dc, p.gemm.NR)
	p.ldv = p.sc + winogradSkew
	p.cut()
	if statGroup == 0 {
		statGroup = s.N * p.to.h * p.to.w
	}
	p.statRows, p.chunks = statGroup, StatsChunks(s.N*p.to.h*p.to.w, statGroup)
}

// cut chooses the blocks. U is read once a block: 48 tiles are 24 FLOP a byte
// of it, and between 12 and 144 tiles up to 256 channels differ by 5 % (two
// threads on Zen 5). At 512, where U is 38 MB and comes from memory, 96 are 4 %
// faster than 48 and 20 % faster than 24, though V leaves the second cache. Few
// blocks are cut by columns, 64 at least: each item
// transforms the input for itself, 9 % of the work at 64 columns.
func (p *winogradPlan) cut() {
	const block, deep, wanted, columns = 48, 257, 16, 64
	p.tiles = block
	if p.sc >= deep {
		p.tiles = 2 * block
	}
	p.freqV = p.tiles*p.ldv + winogradSkew
	p.freqM = p.tiles*winogradCols + winogradSkew
	blocks := ceilDiv(p.all, p.tiles)
	cols := max(1, min(ceilDiv(wanted, max(1, blocks)), p.dc/columns))
	p.perItem = ceilDiv(ceilDiv(p.dc, cols), winogradCols) * winogradCols
	p.colItems = ceilDiv(p.dc, p.perItem)
	p.items = blocks * p.colItems
}

// freqU is the floats from one frequency of a panel of U to the next.
func (p *winogradPlan) freqU(width int) int { return p.sc*width + winogradSkew }

func (p *winogradPlan) preparedFloats() int {
	whole, rest := p.dc/p.gemm.NR, p.dc%p.gemm.NR
	n := 36 * whole * p.freqU(p.gemm.NR)
	if rest > 0 {
		n += 36 * p.freqU(p.gemm.width(rest))
	}
	return n
}

// panel is panel i of all frequencies.
func (p *winogradPlan) panel(u []float32, i int) []float32 {
	width := p.gemm.width(min(p.gemm.NR, p.dc-i*p.gemm.NR))
	return u[36*i*p.freqU(p.gemm.NR):][:36*p.freqU(width)]
}

// winogradJob is one forward or input-gradient call.
type winogradJob struct {
	winogradPlan
	loader     convLoader
	src, dst   []float32
	weights    []float32
	epi        *Epilogue // nil when there is nothing to do
	accumulate bool
	left       []atomic.Int32 // pixels missing from each statistics chunk, by column item
	pack       winogradPackJob
}

// winograd runs a pass whose shape the contract gives to this algorithm.
func (c *CPU) winograd(a *ConvArgs, pass Pass) {
	j := c.winogradJobs.get()
	s := &a.ConvShape
	j.accumulate, j.epi = a.Accumulate, nil
	var strips bool
	if pass == PassForward {
		j.plan(c, s, pass, a.Epi.Stats.group())
		strips = j.strips(s.N)
		j.loader = convLoader{c.kernel.Rows, &a.ProX, a.X.F32(), s.C}
		j.src, j.dst = a.X.F32(), a.Y.F32()
		if !a.Epi.Stats.Part.IsNil() || !a.Epi.Bias.IsNil() || !a.Epi.Residual.IsNil() || a.Epi.ReLU {
			j.epi = &a.Epi
			j.count()
		}
	} else {
		j.plan(c, s, pass, 0)
		strips = j.strips(s.N)
		j.loader = convLoader{c.kernel.Rows, &a.ProY, a.Y.F32(), s.OC}
		j.src, j.dst = a.Y.F32(), a.X.F32()
	}
	if a.Prepared != nil {
		if a.Prepared.Row != c.winogradName || a.Prepared.Bytes() < 4*j.preparedFloats() {
			panic(&ArgError{"Conv2D", "weights prepared for row " + a.Prepared.Row + ", not for " + c.winogradName + " and this shape"})
		}
		j.weights = a.Prepared.As(Float32).F32()
	} else {
		j.weights = a.Work.As(Float32).F32()[:j.preparedFloats()]
		j.pack.run(c, &j.winogradPlan, pass, a.Wt.F32(), j.weights)
	}
	j.from.open(j.src, j.sc)
	j.to.open(j.dst, j.dc)
	if cost := j.all * 36 * j.sc * j.dc / 64; strips {
		c.team.Do(j.items, cost, (*winogradStrip)(j))
	} else {
		c.team.Do(j.items, cost, j)
	}
	j.loader = convLoader{}
	j.src, j.dst, j.weights, j.epi = nil, nil, nil, nil
	c.winogradJobs.put(j)
}

// count sets the counters of an epilogue. Tiles do not follow the order of
// pixels that statistics have, so a chunk of pixels is finished, whole and in
// order, by the item that writes the last of them.
func (j *winogradJob) count() {
	n := j.chunks * j.colItems
	if cap(j.left) < n {
		j.left = make([]atomic.Int32, n)
	}
	j.left = j.left[:n]
	for i := range j.left {
		_, m := j.chunk(i / j.colItems)
		j.left[i].Store(int32(m))
	}
}

// chunk is the pixels of statistics chunk q.
func (p *winogradPlan) chunk(q int) (first, n int) {
	per := ceilDiv(p.statRows, StatsChunk)
	at := q % per * StatsChunk
	return q/per*p.statRows + at, min(StatsChunk, p.statRows-at)
}

// chunkOf is the chunk that a pixel belongs to and the first pixel after it.
func (p *winogradPlan) chunkOf(pixel int) (q, end int) {
	group := pixel / p.statRows
	q = group*ceilDiv(p.statRows, StatsChunk) + pixel%p.statRows/StatsChunk
	first, n := p.chunk(q)
	return q, first + n
}

// Tile computes a block of tiles by some destination channels.
func (j *winogradJob) Tile(w *Worker, item int) {
	m0 := item / j.colItems * j.tiles
	m1 := min(m0+j.tiles, j.all)
	n := m1 - m0
	scratch := w.Scratch(ScratchFloats)
	take := func(n int) []float32 {
		n = (n + 15) &^ 15
		t := scratch[:n:n]
		scratch = scratch[n:]
		return t
	}
	tmp := take(winogradTmp)
	from, to := rowAddresses(take(2*36*(n+1)), 36*(n+1)), rowAddresses(take(2*16*n), 16*n)
	whole := ceilDiv(n, j.gemm.MR) * j.gemm.MR
	at := rowAddresses(take(2*36*whole), 36*whole)
	edge, dump := take(j.gemm.edgeFloats()), take(j.dc)
	v, m := take(36*j.freqV), take(36*j.freqM)

	j.from.list(from, m0, n, winogradTile+2, uintptr(unsafe.Pointer(&zeroTap)))
	var pixels []float32
	if j.loader.pro.Kind != ProNone {
		pixels = take(36 * j.sc)
	}
	for t := range n {
		src := from[36*t:][:36]
		if pixels != nil {
			j.load(src, pixels)
		}
		j.rows.Input(j.sc, address(src), 0, &v[t*j.ldv], j.freqV, &tmp[0])
	}
	for i := range at {
		at[i] = uintptr(unsafe.Pointer(&v[i/whole*j.freqV+min(i%whole, n-1)*j.ldv]))
	}
	j.to.list(to, m0, n, winogradTile, uintptr(unsafe.Pointer(&dump[0])))
	c0 := item % j.colItems * j.perItem
	c1 := min(j.dc, c0+j.perItem)
	for c := c0; c < c1; c += winogradCols {
		cols := min(winogradCols, c1-c)
		for q := c; q < c+cols; q += j.gemm.NR {
			nr := min(j.gemm.NR, c+cols-q)
			u, size := j.panel(j.weights, q/j.gemm.NR), j.freqU(j.gemm.width(nr))
			for f := range 36 {
				j.gemm.rowStrip(n, nr, 1, j.sc, at[f*whole:], &u[f*size], &m[f*j.freqM+q-c], winogradCols, false, edge)
			}
		}
		for t := range n {
			j.rows.Output(cols, &m[t*winogradCols], j.freqM, address(to[16*t:]), c, &tmp[0], j.accumulate)
		}
	}
	if j.epi != nil {
		j.finish(m0, m1, item%j.colItems, c0, c1-c0)
	}
}

// address sees a list of addresses as the assembly does.
func address(l []uintptr) *unsafe.Pointer { return (*unsafe.Pointer)(unsafe.Pointer(&l[0])) }

// load replaces a tile's pixels by copies taken through the prologue.
func (j *winogradJob) load(src []uintptr, pixels []float32) {
	zero := uintptr(unsafe.Pointer(&zeroTap))
	base := uintptr(unsafe.Pointer(unsafe.SliceData(j.src)))
	step := uintptr(4 * j.sc)
	for i := 0; i < len(src); {
		p := src[i]
		if p == zero {
			i++
			continue
		}
		run := 1 // pixels side by side
		for i+run < len(src) && src[i+run] == p+uintptr(run)*step {
			run++
		}
		to := pixels[i*j.sc:]
		j.loader.load(to, int((p-base)/step), run, 0, j.sc, j.sc)
		for range run {
			src[i] = uintptr(unsafe.Pointer(&pixels[i*j.sc]))
			i++
		}
	}
}

// finish counts the pixels of tiles [m0, m1) as written, in n channels from c0
// on, and runs the epilogue over the chunks that are complete with them.
func (j *winogradJob) finish(m0, m1, col, c0, n int) {
	tw, th := j.to.tw, j.to.th
	current, count := 0, 0
	for t := m0; t < m1; {
		img, ty, tx := t/(tw*th), t/tw%th, t%tw
		run := min(tw-tx, m1-t)
		x0, x1 := tx*winogradTile, min(j.to.w, (tx+run)*winogradTile)
		for y := ty * winogradTile; y < min(j.to.h, (ty+1)*winogradTile); y++ {
			pixel := (img*j.to.h + y) * j.to.w
			for p := pixel + x0; p < pixel+x1; {
				q, end := j.chunkOf(p)
				if q != current {
					j.done(current, col, count, c0, n)
					current, count = q, 0
				}
				end = min(end, pixel+x1)
				count += end - p
				p = end
			}
		}
		t += run
	}
	j.done(current, col, count, c0, n)
}

// done takes count pixels off chunk q and finishes it after the last.
func (j *winogradJob) done(q, col, count, c0, n int) {
	if count == 0 || j.left[q*j.colItems+col].Add(int32(-count)) > 0 {
		return
	}
	first, m := j.chunk(q)
	j.gemm.Rows.epilogueBlock(j.epi, first, c0, m, n, q, j.dc, &j.dst[first*j.dc+c0], j.dc)
}
