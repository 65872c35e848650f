package kernels

import "unsafe"

// Convolutions as indirect products (XNNPACK's term): no patch matrix is ever
// made. A row of the product is an output pixel, and the micro-kernel reads
// its patch through a list of addresses, one per tap; taps in the padding lead
// to zeros. The input gradient is the same product with the roles of input
// and output exchanged, cut into parity classes when the stride is not 1.

// convRows is the rows of a row block: one statistics chunk, so that a
// block's strip can be summed while it is hot.
const convRows = StatsChunk

// convState is what convolutions keep between calls.
type convState struct {
	convJobs   freelist[convJob]
	weightJobs freelist[weightJob]
}

func (*convState) init(c *CPU) {}

// convPlan is how a forward or input-gradient pass of one shape is cut.
type convPlan struct {
	*GemmKernel
	grids  []convGrid
	groups int
	sc, dc int // channels of a group in the source and the destination
	tc     int // channels of a tap: sc, or a whole kernel row when taps merge
	depth  int // k of all grids together
	panels int // of a group: ceil(dc/NR)

	statRows int // rows of a statistics group, 0: one group
	perItem  int // panels of a work item
	colItems int
	items    int

	mode   convMode
	list   int // scratch: entries of the indirection list,
	copied int // floats of the region or of the gathered taps
}

// convMode says where row pointers lead: to the source itself, to a copy of
// the source rows that a block reads, or to a copy of every tap of a chunk.
type convMode uint8

const (
	convDirect convMode = iota
	convCopyRegion
	convGather
)

// plan cuts the pass. It depends on the shape, on whether the source has a
// prologue and on the row's tile.
func (p *convPlan) plan(c *CPU, s *ConvShape, pass Pass, pro ProKind, statGroup int) {
	*p = convPlan{grids: p.grids[:0], groups: s.Groups, statRows: statGroup}
	p.sc, p.dc = s.C/s.Groups, s.OC/s.Groups
	if pass == PassForward {
		p.forward(s, pro)
	} else {
		p.sc, p.dc = p.dc, p.sc
		p.tc = p.sc
		for ry := range s.StrideH {
			for rx := range s.StrideW {
				p.grid(s.N, inputAxis(s.H, s.OH(), s.KH, s.StrideH, s.PadH, s.DilH, ry),
					inputAxis(s.W, s.OW(), s.KW, s.StrideW, s.PadW, s.DilW, rx))
			}
		}
	}
	p.GemmKernel = c.kernel
	p.panels = ceilDiv(p.dc, p.NR)
	p.cutItems()
	p.cutScratch(pro, s.N)
}

// forward adds the one grid of a forward pass.
func (p *convPlan) forward(s *ConvShape, pro ProKind) {
	y := forwardAxis(s.H, s.OH(), s.KH, s.StrideH, s.PadH, s.DilH)
	x := forwardAxis(s.W, s.OW(), s.KW, s.StrideW, s.PadW, s.DilW)
	p.tc = p.sc
	if s.KH*s.KW == 1 && s.StrideH*s.StrideW == 1 && s.PadH+s.PadW == 0 {
		// A pixel is a row: one long line of them.
		x.n, y.n = s.N*s.H*s.W, 1
		x.src, y.src = x.n, 1
		x.size, y.size = x.n, 1
		p.grid(1, y, x)
		return
	}
	p.grid(s.N, y, x)
	p.merge(s)
}

// mergeChannels is the most channels of a tap for which copying lines pays:
// a tap of a stem is so short that the tile spends its time between taps.
const mergeChannels = 15

// merge makes one tap of each kernel row: in a copied region, with its padding
// in place, the pixels of a kernel row follow each other, and k = (kw, c) is
// one run. The order of k stays what it was.
func (p *convPlan) merge(s *ConvShape) {
	g := &p.grids[0]
	if p.sc > mergeChannels || s.KW == 1 || s.DilW != 1 || g.chunks != 1 {
		return
	}
	run := s.KW * p.sc
	if g.regionBound(s.N, convRows)*p.sc > regionFloats || run > len(zeroTap) {
		return
	}
	p.tc = run
	g.merged, g.x.taps, g.perChunk, g.kc = s.KW-1, 1, s.KH, run
	p.mode = convCopyRegion
}

// grid adds a grid of n images; it may be empty, but its weights are laid out
// all the same: prepared weights serve every image size.
func (p *convPlan) grid(n int, y, x convAxis) {
	g := convGrid{y: y, x: x, rows: n * y.n * x.n, weights: p.depth}
	p.depth += y.taps * x.taps * p.sc
	g.cut(p.sc)
	p.grids = append(p.grids, g)
}

// cutItems makes work items of a row block and some column panels each: all
// panels up to 512 columns, fewer where the rows alone would not occupy many
// threads.
func (p *convPlan) cutItems() {
	const wanted, columns = 128, 512
	blocks := 0
	for i := range p.grids {
		g := &p.grids[i]
		g.blocks = StatsChunks(g.rows, p.statRows)
		blocks += g.blocks
	}
	cols := min(ceilDiv(wanted, max(1, blocks*p.groups)), p.panels)
	p.perItem = max(1, min(ceilDiv(p.panels, max(1, cols)), columns/p.NR))
	p.colItems = ceilDiv(p.panels, p.perItem)
	for i := range p.grids {
		g := &p.grids[i]
		g.item = p.items
		p.items += g.blocks * p.groups * p.colItems
	}
}

// regionFloats bounds a copied region: an eighth of a worker's scratch.
const regionFloats = ScratchFloats / 8

// regionBound is a bound on the pixels that any rows rows of the grid, which
// has n images, read.
func (g *convGrid) regionBound(n, rows int) int {
	if g.rows == 0 || g.y.taps == 0 {
		return 0
	}
	lines := min((rows-2+g.x.n)/g.x.n+1, g.y.n*n)
	images := (lines+g.y.n-2)/g.y.n + 1
	_, full := g.y.reach(0, g.y.n)
	span := max(g.y.tapStep, -g.y.tapStep)*(g.y.taps-1) + 1
	x0, x1 := g.columns()
	return min(min(images, n)*full, lines*g.y.step+images*span) * max(0, x1-x0)
}

// cutScratch chooses the mode and sizes a worker's scratch.
func (p *convPlan) cutScratch(pro ProKind, n int) {
	rows := ceilDiv(convRows, p.MR) * p.MR
	region, gather, taps := 0, 0, 1
	for i := range p.grids {
		g := &p.grids[i]
		p.list = max(p.list, rows*g.perChunk)
		region = max(region, g.regionBound(n, convRows)*p.sc)
		gather = max(gather, rows*g.perChunk*g.kc)
		taps = max(taps, g.y.taps*g.x.taps)
	}
	switch {
	case p.mode == convCopyRegion || pro != ProNone && taps > 1 && region <= regionFloats:
		p.mode, p.copied = convCopyRegion, region
	case pro != ProNone:
		p.mode, p.copied = convGather, gather
	}
}

// preparedFloats is the size of the panels of all groups and grids.
func (p *convPlan) preparedFloats() int { return p.groups * p.depth * p.paddedCols(p.dc) }

// panel is panel i of a grid in a group's weights: depth-major, NR wide.
func (p *convPlan) panel(w []float32, group int, g *convGrid, i int) []float32 {
	depth := g.y.taps * g.x.taps * p.tc
	at := (group*p.depth+g.weights)*p.paddedCols(p.dc) + i*depth*p.NR
	return w[at:][:depth*p.width(min(p.NR, p.dc-i*p.NR))]
}

// convJob is one forward or input-gradient call.
type convJob struct {
	convPlan
	loader     convLoader
	src, dst   []float32
	srcC, dstC int // channels of a source and a destination pixel
	weights    []float32
	epi        *Epilogue // nil in an input gradient
	accumulate bool
	pack       convPackJob
}

// Conv2D is Y (+)= X * Wt with the prologue on X and the epilogue on Y.
func (c *CPU) Conv2D(a *ConvArgs) { c.convolve(a, PassForward) }

// Conv2DGradInput is X (+)= the gradient of the input, with the prologue on Y.
func (c *CPU) Conv2DGradInput(a *ConvArgs) { c.convolve(a, PassGradInput) }

func (c *CPU) convolve(a *ConvArgs, pass Pass) {
	j := c.convJobs.get()
	s := &a.ConvShape
	j.accumulate = a.Accumulate
	if pass == PassForward {
		j.plan(c, s, pass, a.ProX.Kind, a.Epi.Stats.group())
		j.loader = convLoader{j.Rows, &a.ProX, a.X.F32(), s.C}
		j.src, j.srcC, j.dst, j.dstC = a.X.F32(), s.C, a.Y.F32(), s.OC
		j.epi = &a.Epi
	} else {
		j.plan(c, s, pass, a.ProY.Kind, 0)
		j.loader = convLoader{j.Rows, &a.ProY, a.Y.F32(), s.OC}
		j.src, j.srcC, j.dst, j.dstC = a.Y.F32(), s.OC, a.X.F32(), s.C
		j.epi = nil
	}
	if a.Prepared != nil {
		j.checkPrepared(a.Prepared)
		j.weights = a.Prepared.As(Float32).F32()
	} else {
		j.weights = a.Work.As(Float32).F32()[:j.preparedFloats()]
		j.pack.run(c, &j.convPlan, s, pass, a.Wt.F32(), j.weights)
	}
	c.team.Do(j.items, j.cost(), j)
	j.release()
	c.convJobs.put(j)
}

// release drops the references to the caller's memory.
func (j *convJob) release() {
	j.loader = convLoader{}
	j.src, j.dst, j.weights, j.epi = nil, nil, nil, nil
}

// cost is the time of the products in nanoseconds on one thread.
func (p *convPlan) cost() int {
	n := 0
	for i := range p.grids {
		g := &p.grids[i]
		n += g.rows * (g.y.taps*g.x.taps*p.tc + 16)
	}
	return n * p.dc * p.groups / 64
}

// group is the rows of a statistics group when statistics are asked for.
func (s *Stats) group() int {
	if s.Part.IsNil() {
		return 0
	}
	return s.Group
}

// convBlock is a work item being computed.
type convBlock struct {
	*convJob
	g      *convGrid
	group  int
	block  int
	m0, m1 int // rows of the grid
	list   convList
	strip  []float32 // [rows, columns of the item]
	edge   []float32
	copied []float32
	window convWindow
}

// Tile computes a row block of one group by some of its column panels.
func (j *convJob) Tile(w *Worker, item int) {
	b := convBlock{convJob: j}
	i := len(j.grids) - 1
	for item < j.grids[i].item {
		i--
	}
	b.g = &j.grids[i]
	item -= b.g.item
	cols := item % j.colItems
	b.group = item / j.colItems % j.groups
	b.block = item / j.colItems / j.groups
	b.rows()

	list, strip, edge := (2*j.list+15)&^15, convRows*j.perItem*j.NR, j.edgeFloats()
	scratch := w.Scratch(list + strip + edge + j.copied)
	b.list.mr = j.MR
	b.list.at = unsafe.Slice((*uintptr)(unsafe.Pointer(unsafe.SliceData(scratch))), j.list)
	scratch = scratch[list:]
	b.strip, b.edge, b.copied = scratch[:strip], scratch[strip:][:edge], scratch[strip+edge:]

	p0 := cols * j.perItem
	p1 := min(j.panels, p0+j.perItem)
	b.open()
	for q := range b.g.chunks {
		b.chunk(q, p0, p1)
	}
	if b.g.chunks == 0 && !j.accumulate {
		clear(b.strip)
		n := min(p1*j.NR, j.dc) - p0*j.NR
		b.scatter(b.strip, n, p0*j.NR, n)
	}
}

// rows finds the block's rows: blocks restart at each statistics group.
func (b *convBlock) rows() {
	_, size := groups(b.g.rows, b.statRows)
	per := ceilDiv(size, convRows)
	first := b.block / per * size
	b.m0 = first + b.block%per*convRows
	b.m1 = min(b.m0+convRows, first+size)
}

// open makes the window that row pointers lead into.
func (b *convBlock) open() {
	c0 := b.group * b.sc
	if b.mode == convCopyRegion && b.g.chunks > 0 {
		r := b.g.region(b.m0, b.m1)
		b.window = r.load(b.copied[:r.height()*(r.x1-r.x0)*b.sc], &b.loader, b.g, c0, b.sc, b.sc)
		return
	}
	pixel := uintptr(4 * b.srcC)
	b.window = convWindow{
		base: uintptr(unsafe.Pointer(unsafe.SliceData(b.src))) + uintptr(4*c0), pixel: pixel,
		row: uintptr(b.g.x.src) * pixel, image: uintptr(b.g.y.src*b.g.x.src) * pixel, x1: b.g.x.src,
	}
}

// chunk adds chunk q of k to the panels [p0, p1). The last one finishes them.
func (b *convBlock) chunk(q, p0, p1 int) {
	t0, t1, c0, c1 := b.g.chunk(q, b.tc)
	b.list.fill(b.g, &b.window, b.m0, b.m1, t0, t1, 4*c0)
	segs, kc, rows := t1-t0, c1-c0, b.m1-b.m0
	if b.mode == convGather {
		b.gather(ceilDiv(rows, b.MR)*segs*b.MR, kc)
	}
	last := q == b.g.chunks-1
	direct := b.direct()
	for p := p0; p < p1; p++ {
		n := min(b.NR, b.dc-p*b.NR)
		panel := b.panel(b.weights, b.group, b.g, p)[(t0*b.tc+c0)*b.width(n):]
		c, ld, load := b.strip[(p-p0)*b.NR:], b.perItem*b.NR, q > 0
		if direct {
			c, ld = b.dst[b.m0*b.dstC+b.group*b.dc+p*b.NR:], b.dstC
			load = load || b.accumulate
		}
		b.rowStrip(rows, n, segs, kc, b.list.at, &panel[0], &c[0], ld, load, b.edge)
		if !last {
			continue
		}
		if !direct {
			b.scatter(c, ld, p*b.NR, n)
		}
		if b.epi != nil {
			c0 := b.group*b.dc + p*b.NR
			b.Rows.epilogueBlock(b.epi, b.m0, c0, rows, n, b.block, b.dstC, &b.dst[b.m0*b.dstC+c0], b.dstC)
		}
	}
}

// direct reports whether tiles may be stored to the destination at once: its
// rows are those of the grid, and an existing value is not added before the
// last chunk.
func (b *convBlock) direct() bool {
	dense := b.g.x.dstStep == 1 && b.g.y.dstStep == 1
	return dense && !(b.accumulate && b.g.chunks > 1)
}

// gather replaces the first n addresses of the list by copies of their kc
// channels, taken through the prologue.
func (b *convBlock) gather(n, kc int) {
	zero := uintptr(unsafe.Pointer(&zeroTap))
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.src)))
	to := uintptr(unsafe.Pointer(unsafe.SliceData(b.copied)))
	for i, p := range b.list.at[:n] {
		if p == zero {
			continue
		}
		at := int(p-base) / 4
		b.loader.load(b.copied[i*kc:], at/b.srcC, 1, at%b.srcC, kc, kc)
		b.list.at[i] = to + uintptr(4*i*kc)
	}
}

// scatter writes n finished columns of the strip from column c0 of the group
// on to the destination, or adds them.
func (b *convBlock) scatter(strip []float32, ld, c0, n int) {
	g := b.g
	c0 += b.group * b.dc
	img, y, x := b.m0/(g.y.n*g.x.n), b.m0/g.x.n%g.y.n, b.m0%g.x.n
	for i := range b.m1 - b.m0 {
		at := ((img*g.y.size+y*g.y.dstStep+g.y.dst)*g.x.size + x*g.x.dstStep + g.x.dst) * b.dstC
		row, from := b.dst[at+c0:][:n], strip[i*ld:]
		if b.accumulate {
			b.Rows.add(1, n, &row[0], n, &from[0], n)
		} else {
			copy(row, from)
		}
		if x++; x == g.x.n {
			x = 0
			if y++; y == g.y.n {
				y = 0
				img++
			}
		}
	}
}
