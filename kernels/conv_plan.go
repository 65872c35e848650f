package kernels

import "github.com/sectile-ml/sectile/asm"

// convRows is the rows of a row block: one statistics chunk, so that a
// block's strip can be summed while it is hot.
const convRows = StatsChunk

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
	threads  int // of the team
	perItem  int // panels of a work item
	colItems int
	together int // groups of a work item
	batch    int // groups that are copied together
	items    int

	isGrey bool // a grey stem with a kernel
	mode   convMode
	piece  int // rows that pass all chunks and panels of an item before the next ones
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
	*p = convPlan{grids: p.grids[:0], groups: s.Groups, statRows: statGroup, threads: c.team.Size()}
	p.sc, p.dc = s.C/s.Groups, s.OC/s.Groups
	if pass == PassForward {
		p.image(s)
		p.tc = p.sc
		p.merge(s)
	} else {
		p.sc, p.dc = p.dc, p.sc
		p.tc = p.sc
		p.parity(s)
	}
	p.GemmKernel = c.kernel
	p.panels = ceilDiv(p.dc, p.NR)
	p.cutItems()
	p.cutScratch(pro, s.N)
	p.isGrey = pass == PassForward && p.grey(s)
}

// image adds the one grid of a forward pass.
func (p *convPlan) image(s *ConvShape) {
	y := forwardAxis(s.H, s.OH(), s.KH, s.StrideH, s.PadH, s.DilH)
	x := forwardAxis(s.W, s.OW(), s.KW, s.StrideW, s.PadW, s.DilW)
	if s.KH*s.KW == 1 && s.StrideH*s.StrideW == 1 && s.PadH+s.PadW == 0 {
		// A pixel is a row: one long line of them.
		x.n, y.n = s.N*s.H*s.W, 1
		x.src, y.src = x.n, 1
		x.size, y.size = x.n, 1
		p.grid(1, y, x)
		return
	}
	p.grid(s.N, y, x)
}

// parity adds the grids of an input gradient.
func (p *convPlan) parity(s *ConvShape) {
	for ry := range s.StrideH {
		y := inputAxis(s.H, s.OH(), s.KH, s.StrideH, s.PadH, s.DilH, ry)
		if y.taps == 0 { // whole lines of zeros
			p.grid(s.N, y, convAxis{n: s.W, src: s.OW(), step: 1, dstStep: 1, size: s.W})
			continue
		}
		for rx := range s.StrideW {
			p.grid(s.N, y, inputAxis(s.W, s.OW(), s.KW, s.StrideW, s.PadW, s.DilW, rx))
		}
	}
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

// batchChannels is the most channels of groups that are copied together: a line
// of a pixel at a time comes from memory at a third of its rate.
const batchChannels = 64

// cutItems makes work items of a row block of all grids and some column panels
// each: all panels up to 512 columns, fewer where the rows alone would not occupy
// the threads: each item copies its rows anew where they are copied, which is 2 % of
// the time for 256 columns and 5 to 9 % for 128. Of groups that are one panel each
// an item takes several, so that they share lists of addresses: to write one costs
// as much as a third of a panel.
func (p *convPlan) cutItems() {
	const most, perThread, columns = 48, 8, 512
	wanted := min(most, perThread*p.threads)
	blocks, busy := 0, 1 // busy: not only with zeros
	for i := range p.grids {
		g := &p.grids[i]
		g.blocks = StatsChunks(g.rows, p.statRows)
		blocks = max(blocks, g.blocks)
		if g.chunks > 0 {
			busy = max(busy, g.blocks)
		}
	}
	cols := min(ceilDiv(wanted, busy*p.groups), p.panels)
	p.perItem = max(1, min(ceilDiv(p.panels, max(1, cols)), columns/p.NR))
	p.colItems = ceilDiv(p.panels, p.perItem)
	p.together, p.batch = 1, 1
	if p.panels == 1 {
		parts := min(ceilDiv(wanted, busy), p.groups)
		p.together = min(ceilDiv(p.groups, parts), max(1, columns/p.dc))
		if p.tc == p.sc {
			p.batch = max(1, min(batchChannels/p.sc, p.together))
			p.together = ceilDiv(p.together, p.batch) * p.batch
		}
	}
	p.items = blocks * ceilDiv(p.groups, p.together) * p.colItems
}

// gatherSkew is what keeps copied taps of 512 or 1024 channels out of one set of
// the first cache: an odd number of lines.
const gatherSkew = 16

// crowdedL1 reports whether the rows of a tile, step floats apart, fall into so
// few sets of the first cache that they evict one another between two steps of
// k. Pixels of 1024 channels (or of 512 at stride 2) are 4096 bytes apart, in one
// set: twelve rows fill the 12 ways that 48 KB have, where they run at full
// speed, and pass the 8 ways of 32 KB.
func crowdedL1(mr, step int) bool {
	l1, _, _ := asm.Caches()
	const sets, line = 64, 16
	if step%line != 0 {
		return false
	}
	starts := sets
	for gap := step / line; gap%2 == 0 && starts > 1; gap /= 2 {
		starts /= 2
	}
	return ceilDiv(mr, starts) > max(l1, 32<<10)/(sets*line*4)
}

// chunkRows is the rows of a row block of g: blocks restart at each statistics
// group.
func (p *convPlan) chunkRows(g *convGrid, block int) (m0, m1 int) {
	_, size := groups(g.rows, p.statRows)
	per := ceilDiv(size, convRows)
	first := block / per * size
	m0 = first + block%per*convRows
	return m0, min(m0+convRows, first+size)
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

// cutScratch chooses the mode and sizes a worker's scratch. Groups that share a
// list read copied lines: every group's copy lies where the first one's did.
func (p *convPlan) cutScratch(pro ProKind, n int) {
	rows := ceilDiv(convRows, p.MR) * p.MR
	region, deepest, taps, crowd := 0, 0, 1, false
	for i := range p.grids {
		g := &p.grids[i]
		p.list = max(p.list, rows*g.perChunk)
		region = max(region, g.regionBound(n, convRows)*p.sc)
		deepest = max(deepest, g.perChunk*(g.kc+gatherSkew))
		crowd = crowd || crowdedL1(p.MR, g.x.step*p.groups*p.sc)
		taps = max(taps, g.y.taps*g.x.taps)
	}
	if taps == 1 || region*p.batch > regionFloats {
		p.batch = 1
	}
	p.piece = rows
	switch {
	case p.mode == convCopyRegion || (pro != ProNone || p.together > 1) && taps > 1 && region <= regionFloats:
		p.mode, p.copied = convCopyRegion, region*p.batch
	case pro != ProNone || crowd:
		p.mode = convGather
		if rows*deepest > l2Floats/4 {
			p.piece = ceilDiv(rows/2, p.MR) * p.MR
		}
		p.copied = p.piece * deepest
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

// cost is the time of the products in nanoseconds on one thread.
func (p *convPlan) cost() int {
	n := 0
	for i := range p.grids {
		g := &p.grids[i]
		n += g.rows * (g.y.taps*g.x.taps*p.tc + 16)
	}
	return n * p.dc * p.groups / 64
}
