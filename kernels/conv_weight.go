package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The weight gradient: dw[oc, tap, c] is the sum over output pixels of
// dy[pixel, oc] * x[pixel moved by tap, c]. Both operands have k, the pixels,
// as their slow axis already, so OuterTile reads them where they lie, a
// segment for each run of pixels whose tap lies inside of the image. A work
// item owns a block of output channels by input channels, all taps of it, and
// one lane of pixels; chunk by chunk its operands stay in L2 while all tiles
// of the block pass over them. An operand is copied, through its prologue,
// when it has one, when its channels do not fill tiles, or when its pixels
// lie so far apart that their lines would fall into few sets of L1.

// weightStride is the largest distance of pixels, in floats, that is read in
// place: a single tap passes over its operands once and may go further.
func weightStride(taps int) int {
	if taps == 1 {
		return 512
	}
	return 256
}

// weightPlan is how one weight gradient is cut.
type weightPlan struct {
	*GemmKernel
	s             ConvShape
	grid          convGrid // of the forward pass
	oh, ow        int
	cg, og        int
	taps, columns int  // cg columns at each tap, or all taps as columns of one
	wide          bool // the latter
	lines, pixels int  // of a chunk, see weightPixels
	chunks, lanes int
	oBlock        int // output channels of an item
	cBlock        int // columns of an item
	oItems        int
	cItems        int
	together      int  // groups of an item
	batch         int  // groups whose operands are copied together
	panel         int  // columns of a copied panel of x
	region        bool // x is copied by regions, else tap by tap
	inPlaceY      bool // dy is read in place
	inPlaceX      bool // x is read in place
	copyY, copyX  int  // scratch: floats of the copies
	segs          int  // segments of a chunk
	pack          int  // floats of the region that wide columns are made from

	stemTile  stemTile // of wide columns, nil: none
	stemLines int
}

func (p *weightPlan) plan(c *CPU, s *ConvShape, proX, proY ProKind) {
	*p = weightPlan{GemmKernel: c.kernel}
	perPixel := p.sums(s)
	if p.wide {
		p.columns, p.taps = p.taps*p.cg, 1
		p.pack = perPixel * p.cg
	}
	p.blocks()

	p.region = !p.wide && p.taps > 1 && perPixel*ceilDiv(p.cBlock, p.NR)*p.NR <= 2*regionFloats
	p.panel = p.NR
	if p.region {
		p.panel = p.width(min(p.cBlock, p.NR))
	}
	px, cols := p.lines*p.pixels, ceilDiv(p.cBlock, p.panel)*p.panel
	p.inPlaceY = proY == ProNone && s.OC <= weightStride(p.taps) && p.og%p.OuterMR == 0
	p.inPlaceX = !p.wide && proX == ProNone && s.C*s.StrideW <= weightStride(p.taps) && p.paddedCols(p.cg) == p.cg
	if !p.inPlaceY {
		p.copyY = px * p.oBlock
	}
	switch {
	case p.inPlaceX:
	case p.region:
		p.copyX = perPixel * cols
	default:
		p.copyX = px * cols
	}
	p.segs = p.lines
	if p.wide {
		if p.stemTile, p.stemLines = p.Stems.tile(s); p.stemTile != nil {
			zeros, acc, sums := p.stemFloats()
			p.copyX = zeros + acc + sums
		}
	}
	p.unite(perPixel)
}

// unite makes items of several groups that are one block each: at every chunk
// they take neighbouring pieces of the same pixels, which alone are too short to
// come from memory in time. Their part of dw stays in L2 from chunk to chunk.
func (p *weightPlan) unite(perPixel int) {
	const wanted, floats = 48, 1 << 15
	p.together, p.batch = 1, 1
	if p.oItems*p.cItems > 1 || p.stemTile != nil {
		return
	}
	parts := min(ceilDiv(wanted, p.lanes), p.s.Groups)
	p.together = min(ceilDiv(p.s.Groups, parts), max(1, floats*p.s.Groups/p.outputs()))
	whole := p.og%p.OuterMR == 0 && p.width(p.cg) == p.cg // nothing beside a group is read
	if n := min(p.together, batchChannels/max(p.og, p.cg)); n > 1 && whole && p.region && n*perPixel*p.cg <= regionFloats {
		p.batch = n
		p.together = ceilDiv(p.together, n) * n
		p.copyX *= n
		p.copyY *= n
	}
}

// sums says how the sum over pixels is cut and returns a bound on the pixels of
// x that a chunk reads.
func (p *weightPlan) sums(s *ConvShape) (perPixel int) {
	p.s, p.oh, p.ow, p.taps = *s, s.OH(), s.OW(), s.KH*s.KW
	p.cg, p.og = s.C/s.Groups, s.OC/s.Groups
	p.columns = p.cg
	p.grid = convGrid{
		y:    forwardAxis(s.H, p.oh, s.KH, s.StrideH, s.PadH, s.DilH),
		x:    forwardAxis(s.W, p.ow, s.KW, s.StrideW, s.PadW, s.DilW),
		rows: s.N * p.oh * p.ow,
	}
	p.lines, p.pixels = weightPixels(p.ow)
	p.chunks = ceilDiv(s.N*p.oh, p.lines) * ceilDiv(p.ow, p.pixels)
	p.lanes = weightLanes(s.OC*p.taps*p.cg, p.chunks)
	perPixel = p.grid.regionBound(s.N, p.lines*p.ow)
	p.wide = weightWide(p.taps, p.cg) && perPixel*p.cg <= regionFloats
	return perPixel
}

// blocks chooses the block of an item: its operands and its part of dw stay
// in L2, and the wider it is the fewer times an operand is read. A single tap
// does little with what it reads: there the side with fewer channels is whole,
// so that the larger operand is read once.
func (p *weightPlan) blocks() {
	o, c := 128, 64
	switch {
	case p.wide:
		o, c = 64, 320
	case p.taps == 1 && p.og < p.cg:
		o, c = 512, 128
	case p.taps == 1:
		o, c = 128, 512
	}
	p.oBlock = min(ceilDiv(p.og, p.OuterMR)*p.OuterMR, o)
	p.cBlock = min(p.columns, c)
	p.oItems, p.cItems = ceilDiv(p.og, p.oBlock), ceilDiv(p.columns, p.cBlock)
}

// weightJob is one call.
type weightJob struct {
	weightPlan
	x, y       convLoader
	out        []float32 // dw, or the lanes in Work
	dw         []float32
	accumulate bool
	join       joinJob
}

// weightWorkspace is the bytes of the lanes.
func (c *CPU) weightWorkspace(a *ConvArgs) int {
	if c.fastWeight(&a.ConvShape) {
		return c.winogradWeightWorkspace(a)
	}
	if c.polyphased(&a.ConvShape, PassGradWeight) {
		return c.polyphaseWeightWorkspace(a)
	}
	if c.fewWeightFits(&a.ConvShape) {
		return c.fewWeightWorkspace(a)
	}
	j := c.weightJobs.get()
	defer c.weightJobs.put(j)
	j.plan(c, &a.ConvShape, a.ProX.Kind, a.ProY.Kind)
	if j.lanes == 1 && !a.Accumulate {
		return 0
	}
	return 4 * j.lanes * j.outputs()
}

func (p *weightPlan) outputs() int { return p.s.OC * p.s.KH * p.s.KW * p.cg }

// Conv2DGradWeight is Wt (+)= the gradient of the weights, with prologues on
// both operands.
func (c *CPU) Conv2DGradWeight(a *ConvArgs) {
	if c.fastWeight(&a.ConvShape) {
		c.winogradWeight(a)
		return
	}
	if c.polyphased(&a.ConvShape, PassGradWeight) {
		c.polyphaseWeight(a)
		return
	}
	if c.fewWeightFits(&a.ConvShape) {
		c.fewWeight(a)
		return
	}
	j := c.weightJobs.get()
	s := &a.ConvShape
	j.plan(c, s, a.ProX.Kind, a.ProY.Kind)
	j.x = convLoader{j.Rows, &a.ProX, a.X.F32(), s.C}
	j.y = convLoader{j.Rows, &a.ProY, a.Y.F32(), s.OC}
	j.dw, j.accumulate = a.Wt.F32(), a.Accumulate
	n := j.outputs()
	j.out = j.dw
	split := j.lanes > 1 || a.Accumulate
	if split {
		j.out = a.Work.As(Float32).F32()[:j.lanes*n]
	}
	c.team.Do(j.lanes*ceilDiv(s.Groups, j.together)*j.oItems*j.cItems, s.FLOP()/128, j)
	if split {
		j.join = joinJob{rows: j.Rows, dst: j.dw, lanes: j.out, n: n, accumulate: a.Accumulate}
		c.team.Do(ceilDiv(n, joinBlock), j.lanes*n/4, &j.join)
	}
	j.x, j.y, j.join, j.out, j.dw = convLoader{}, convLoader{}, joinJob{}, nil, nil
	c.weightJobs.put(j)
}

// seg is asm.Seg with its addresses as numbers: scratch is no place for
// pointers that the collector knows.
type seg struct {
	a, b uintptr
	k    int
}

// weightBlock is a work item being computed.
type weightBlock struct {
	*weightJob
	group, o0, c0 int // first output channel and column within the group
	on, cn        int
	out           []float32
	segs          []seg
	edge          []float32
	copyY, copyX  []float32
	pack          []float32
	aStep, bStep  int // bytes from a tile of dy, a panel of x, to the next
	lda, ldb      int
	line0, line1  int // the chunk: lines of output, pixels [x0, x1) of each
	x0, x1        int
	window        convWindow
	yBase         uintptr // the chunk's first pixel of dy
	next          streams // the operands of the lane's next chunk
	chunkEnd      int     // of the lane
	nextGroup     int     // whose
	line, end     int     // lines of x still to be fetched when they lie apart
}

// Tile sums one lane of one block.
func (j *weightJob) Tile(w *Worker, item int) {
	b := weightBlock{weightJob: j}
	ci := item % j.cItems
	oi := item / j.cItems % j.oItems
	parts := ceilDiv(j.s.Groups, j.together)
	group := item / j.cItems / j.oItems % parts * j.together
	groups := min(j.s.Groups, group+j.together)
	lane := item / j.cItems / j.oItems / parts
	b.o0, b.c0 = oi*j.oBlock, ci*j.cBlock
	b.on, b.cn = min(j.oBlock, j.og-b.o0), min(j.cBlock, j.columns-b.c0)
	b.out = j.out[lane*j.outputs():]

	segs, edge := (6*j.segs+15)&^15, j.edgeFloats()
	scratch := w.Scratch(segs + edge + j.copyY + j.copyX + j.pack)
	b.segs = unsafe.Slice((*seg)(unsafe.Pointer(unsafe.SliceData(scratch))), j.segs)
	scratch = scratch[segs:]
	b.edge, scratch = scratch[:edge], scratch[edge:]
	b.copyY, scratch = scratch[:j.copyY], scratch[j.copyY:]
	b.copyX, b.pack = scratch[:j.copyX], scratch[j.copyX:]

	per := ceilDiv(j.chunks, j.lanes)
	first, end := lane*per, min(j.chunks, (lane+1)*per)
	b.chunkEnd = end
	for b.group = group; first >= end && b.group < groups; b.group++ {
		b.zero()
	}
	for q := first; q < end; q++ {
		for b.group = group; b.group < groups; {
			batch := min(j.batch, groups-b.group)
			b.open(q, batch)
			if next := b.group + batch; next < groups {
				b.fetch(q, next, min(j.batch, groups-next))
			} else {
				b.fetch(q+1, group, min(j.batch, groups-group))
			}
			for range batch {
				b.add(q > first)
				b.group++
				b.yBase += uintptr(4 * b.og)
				b.window.base += uintptr(4 * b.cg)
			}
		}
	}
	if b.stemTile != nil && first < end {
		b.storeStem()
	}
}

// zero clears the block of a lane without chunks.
func (b *weightBlock) zero() {
	k := b.s.KH * b.s.KW * b.cg
	for o := range b.on {
		row := b.out[(b.group*b.og+b.o0+o)*k:]
		for t := range b.taps {
			clear(row[t*b.cg+b.c0:][:b.cn])
		}
	}
}

// chunk is the lines and pixels of chunk q.
func (p *weightPlan) chunk(q int) (line0, line1, x0, x1 int) {
	pieces := ceilDiv(p.ow, p.pixels)
	line0, x0 = q/pieces*p.lines, q%pieces*p.pixels
	return line0, min(p.s.N*p.oh, line0+p.lines), x0, min(p.ow, x0+p.pixels)
}

// open finds or copies the operands of chunk q of batch groups.
func (b *weightBlock) open(q, batch int) {
	b.line0, b.line1, b.x0, b.x1 = b.chunk(q)
	b.openY(batch)
	switch {
	case b.stemTile != nil:
	case b.wide:
		b.wideColumns()
	case b.inPlaceX:
		b.openX()
	case b.region:
		b.copyRegion(batch)
	}
}

// add adds the open chunk to the block.
func (b *weightBlock) add(load bool) {
	if b.stemTile != nil {
		b.stem(load)
		return
	}
	for t := range b.taps {
		segs := b.segs[:1]
		if b.wide {
			segs[0] = seg{b.yBase, uintptr(unsafe.Pointer(unsafe.SliceData(b.copyX))), (b.line1 - b.line0) * (b.x1 - b.x0)}
		} else {
			segs = b.runs(t)
		}
		b.tiles(t, segs, load)
	}
}

// tiles runs all tiles of tap t over its segments.
func (b *weightBlock) tiles(t int, segs []seg, load bool) {
	k := b.s.KH * b.s.KW * b.cg
	out := b.out[(b.group*b.og+b.o0)*k+t*b.cg+b.c0:]
	for c := 0; c < b.cn; c += b.NR {
		n := min(b.NR, b.cn-c)
		for o := 0; o < b.on; o += b.OuterMR {
			m := min(b.OuterMR, b.on-o)
			b.fetchLine()
			b.outerOn(m, n, unsafe.Slice((*asm.Seg)(unsafe.Pointer(unsafe.SliceData(segs))), len(segs)),
				b.lda, b.ldb, &out[o*k+c], k, load, false, b.edge, &b.next)
			for i := range segs {
				segs[i].a += uintptr(b.aStep)
			}
		}
		back := uintptr(ceilDiv(b.on, b.OuterMR) * b.aStep)
		for i := range segs {
			segs[i].a -= back
			segs[i].b += uintptr(b.bStep)
		}
	}
}

// joinBlock is the elements of dw that one tile of a join takes.
const joinBlock = 2048

// joinJob adds the lanes in a balanced tree: dst (+)= tree(lanes).
type joinJob struct {
	rows       *rowHelpers
	dst, lanes []float32
	n          int
	accumulate bool
}

// Tile joins one block of elements, in place in the lanes.
func (j *joinJob) Tile(_ *Worker, i int) {
	from, to := i*joinBlock, min(j.n, (i+1)*joinBlock)
	lanes := len(j.lanes) / j.n
	for step := 1; step < lanes; step *= 2 {
		for l := 0; l+step < lanes; l += 2 * step {
			j.rows.add(1, to-from, &j.lanes[l*j.n+from], j.n, &j.lanes[(l+step)*j.n+from], j.n)
		}
	}
	if j.accumulate {
		j.rows.add(1, to-from, &j.dst[from], j.n, &j.lanes[from], j.n)
		return
	}
	copy(j.dst[from:to], j.lanes[from:to])
}
