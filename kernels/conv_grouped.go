package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// Convolutions with few channels a group have no product to hand to a tile: its
// columns would be one group's. Their lanes are channels of many groups side by
// side. Each channel is a chain over the taps of its pixel, and over the
// channels of its group, that is as long as in the direct path and runs in the
// same order, so that the bits are the direct path's.
//
// A kernel takes a run of pixels of one image line: those whose taps lie inside
// of the image together. Taps in the padding lead to zeros.

// fewChannels is the most channels of a group whose lanes are many groups.
const fewChannels = 8

// depthwiseFits reports whether a shape has one channel a group, groupedFits
// whether it has at most fewChannels, and more than one. The chain of an output
// is one chunk of k in all passes (convTaps). Bits are those of the direct path,
// so that rows and machines are free to differ.
func depthwiseFits(s *ConvShape) bool {
	return s.Groups > 1 && s.C == s.Groups && s.OC == s.Groups && s.KH*s.KW <= len(zeroTap)
}

func groupedFits(s *ConvShape) bool {
	widest := max(s.C, s.OC) / s.Groups
	return s.Groups > 1 && widest > 1 && widest <= fewChannels && s.KH*s.KW*widest <= len(zeroTap)
}

// fewFits reports whether a kernel over channels serves the forward pass and
// the input gradient of a shape.
func (s *convState) fewFits(shape *ConvShape) bool {
	if s.depthwise == nil {
		return false
	}
	return depthwiseFits(shape) && shape.C%s.depthwise.Multiple == 0 || groupedFits(shape) && s.grouped.fits(shape)
}

// groupedPlan is how a forward or input-gradient pass of one shape is cut.
// Here perItem counts groups.
type groupedPlan struct {
	convPlan
	name     string        // of prepared weights
	row      *depthwiseRow // nil: many has more channels a group
	many     *groupedRow
	lanes    asm.GroupLanes
	past     bool // its row stores past the caches
	chunks   int  // statistics chunks of every grid that an item takes
	channels int  // of a call
	runFloat int  // gathered: floats of a pixel's taps
}

func (p *groupedPlan) plan(c *CPU, s *ConvShape, pass Pass, pro ProKind, statGroup int) {
	p.convPlan = convPlan{GemmKernel: c.kernel, grids: p.grids[:0], groups: s.Groups, statRows: statGroup}
	p.runFloat = 0
	p.sc, p.dc = s.C/s.Groups, s.OC/s.Groups
	if pass == PassForward {
		p.image(s)
	} else {
		p.sc, p.dc = p.dc, p.sc
		p.parity(s)
	}
	if s.C == s.Groups && s.OC == s.Groups {
		p.name, p.row, p.many, p.past = "depthwise", c.depthwise, nil, c.depthwise.Past
	} else {
		p.name, p.row, p.many = "grouped", nil, c.grouped
		p.many.groupLanes(&p.lanes, p.sc, p.dc)
		p.past = p.many.Past && p.lanes.Out == p.many.Lanes
	}
	p.cut()
	if pro != ProNone {
		p.copies(s.N, s.KH*s.KW)
	}
}

// cut makes work items: some chunks of pixels, of all grids, so that lines that
// several of them read come from memory once, by all channels up to 512. Fewer
// than 64 items would leave threads waiting.
func (p *groupedPlan) cut() {
	const columns, floats, wanted, deep = 512, 1 << 17, 64, 25
	cols := ceilDiv(p.groups*max(p.sc, p.dc), columns)
	p.perItem = ceilDiv(ceilDiv(p.groups, cols), 16) * 16
	p.colItems = ceilDiv(p.groups, p.perItem)
	blocks := 0
	for i := range p.grids {
		g := &p.grids[i]
		g.blocks = StatsChunks(g.rows, p.statRows)
		blocks = max(blocks, g.blocks)
	}
	p.chunks = max(1, min(floats/(StatsChunk*p.perItem*p.dc), blocks*p.colItems/wanted))
	p.items = ceilDiv(blocks, p.chunks) * p.colItems
	p.channels = p.perItem * p.dc
	if p.depth >= deep {
		p.channels = min(p.channels, 64)
		if p.many != nil {
			p.channels = 4 * p.lanes.Out
		}
	}
}

// copies chooses how a source with a prologue is read: by a copy of the lines
// of an item, or of every tap where these are too long.
func (p *groupedPlan) copies(n, taps int) {
	channels := p.perItem * p.sc
	for {
		p.copied = 0
		for i := range p.grids {
			p.copied = max(p.copied, p.grids[i].regionBound(n, p.chunks*StatsChunk)*channels)
		}
		if p.copied <= regionFloats {
			p.mode = convCopyRegion
			return
		}
		if p.chunks == 1 {
			break
		}
		p.chunks = ceilDiv(p.chunks, 2)
	}
	p.mode, p.runFloat = convGather, taps*channels
	p.copied = max(p.runFloat, regionFloats)
}

func (p *groupedPlan) preparedFloats() int { return p.depth * p.groups * p.dc }

// groupedJob is one call.
type groupedJob struct {
	groupedPlan
	loader     convLoader
	src, dst   []float32
	srcC, dstC int
	weights    []float32
	epi        *Epilogue // nil in an input gradient
	accumulate bool
	store      int // the kernels' mode
	pack       groupedPackJob
}

// The modes of a kernel's stores.
const (
	storePlain = iota
	storeAdd
	storePast
)

// few runs a pass of a shape with few channels a group.
func (c *CPU) few(a *ConvArgs, pass Pass) {
	j := c.groupedJobs.get()
	s := &a.ConvShape
	j.accumulate = a.Accumulate
	if pass == PassForward {
		j.plan(c, s, pass, a.ProX.Kind, a.Epi.Stats.group())
		j.loader = convLoader{j.Rows, &a.ProX, a.X.F32(), s.C}
		j.src, j.srcC, j.dst, j.dstC, j.epi = a.X.F32(), s.C, a.Y.F32(), s.OC, &a.Epi
	} else {
		j.plan(c, s, pass, a.ProY.Kind, 0)
		j.loader = convLoader{j.Rows, &a.ProY, a.Y.F32(), s.OC}
		j.src, j.srcC, j.dst, j.dstC, j.epi = a.Y.F32(), s.OC, a.X.F32(), s.C, nil
	}
	j.store = storePlain
	switch {
	case a.Accumulate:
		j.store = storeAdd
	case j.past && (j.epi == nil || *j.epi == Epilogue{}) && 4*len(j.dst) >= pastBytes &&
		j.dstC%16 == 0 && uintptr(unsafe.Pointer(&j.dst[0]))%64 == 0:
		j.store = storePast
	}
	if a.Prepared != nil {
		if a.Prepared.Row != j.name || a.Prepared.Bytes() < 4*j.preparedFloats() {
			panic(&ArgError{"Conv2D", "weights prepared for row " + a.Prepared.Row + ", not for " + j.name + " and this shape"})
		}
		j.weights = a.Prepared.As(Float32).F32()
	} else {
		j.weights = a.Work.As(Float32).F32()[:j.preparedFloats()]
		j.pack.run(c, &j.groupedPlan, s, pass, a.Wt.F32(), j.weights)
	}
	c.team.Do(j.items, s.FLOP()/64, j)
	j.loader = convLoader{}
	j.src, j.dst, j.weights, j.epi = nil, nil, nil, nil
	c.groupedJobs.put(j)
}

// groupedBlock is a work item being computed, one grid after the other.
type groupedBlock struct {
	*groupedJob
	g      *convGrid
	s0, sn int       // its channels in the source
	d0, dn int       // and in the destination
	taps   int       // of the grid
	words  []uintptr // the runs that are listed
	used   int
	bounds []int // of the pixels whose tap lies inside, for the taps of a row
	inX0   int   // pixels [inX0, inX1) of lines [inY0, inY1) have all taps inside
	inX1   int
	inY0   int
	inY1   int
	region []float32
	window convWindow
}

// Tile computes some chunks of pixels by some channels.
func (j *groupedJob) Tile(w *Worker, item int) {
	b := groupedBlock{groupedJob: j}
	group := item % j.colItems * j.perItem
	n := min(j.perItem, j.groups-group)
	b.s0, b.sn, b.d0, b.dn = group*j.sc, n*j.sc, group*j.dc, n*j.dc
	taps := j.depth / j.sc
	words := max(runWords, taps+16) &^ 7
	scratch := w.Scratch(2*words + 4*(taps+4) + j.copied)
	b.words = rowAddresses(scratch, words)
	b.bounds = unsafe.Slice((*int)(unsafe.Pointer(&scratch[2*words])), 2*taps)
	b.region = scratch[2*words+4*(taps+4):]
	first := item / j.colItems * j.chunks
	for i := range j.grids {
		b.g = &j.grids[i]
		if end := min(b.g.blocks, first+j.chunks); first < end && (b.g.chunks > 0 || !j.accumulate) {
			b.grid(first, end)
		}
	}
}

// grid computes chunks [first, end) of the grid.
func (b *groupedBlock) grid(first, end int) {
	m0, _ := b.chunkRows(b.g, first)
	_, m1 := b.chunkRows(b.g, end-1)
	if b.mode == convCopyRegion && b.g.chunks > 0 {
		r := b.g.region(m0, m1)
		b.window = r.load(b.region[:r.height()*(r.x1-r.x0)*b.sn], &b.loader, b.g, b.s0, b.sn, b.sn)
	} else {
		b.window = b.g.window(b.src, b.srcC, b.s0)
	}
	b.bound()
	for q := first; q < end; q++ {
		m0, m1 = b.chunkRows(b.g, q)
		b.lines(m0, m1)
		if b.epi != nil {
			b.Rows.epilogueBlock(b.epi, m0, b.d0, m1-m0, b.dn, q, b.dstC, &b.dst[m0*b.dstC+b.d0], b.dstC)
		}
	}
}
