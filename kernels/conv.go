package kernels

import "unsafe"

// Convolutions as indirect products (XNNPACK's term): no patch matrix is ever
// made. A row of the product is an output pixel, and the micro-kernel reads
// its patch through a list of addresses, one per tap; taps in the padding lead
// to zeros. The input gradient is the same product with the roles of input
// and output exchanged, cut into parity classes when the stride is not 1.
// Groups of few channels have kernels of their own (conv_grouped.go).

// convState is what convolutions keep between calls.
type convState struct {
	convJobs     freelist[convJob]
	weightJobs   freelist[weightJob]
	winogradJobs freelist[winogradJob]

	winogradWeightJobs freelist[winogradWeightJob]
	groupedJobs        freelist[groupedJob]
	groupedWeightJobs  freelist[groupedWeightJob]

	depthwise     *depthwiseRow // nil: shapes with few channels a group are direct
	grouped       *groupedRow
	transforms    *winogradRow // nil: every shape is direct
	winogradNames [2]string    // the rows of prepared weights: F(4x4,3x3), F(2x2,3x3)
	winogradPin   int          // the tile of a pinned algorithm, 0: by shape

	polyphaseState
}

func (s *convState) init(c *CPU) {
	s.polyphaseState.init(c)
	rows := usable(c.pins, convTable)
	if rows[0].Name != "direct" {
		s.depthwise, s.grouped = usable(c.pins, depthwiseTable)[0], usable(c.pins, groupedTable)[0]
	}
	switch {
	case rows[0].Name == "direct" || rows[0].Name == "polyphase_f4x4":
		return
	case len(rows) < len(convTable):
		s.winogradPin = map[string]int{"winograd_f4x4": winogradTile, "winograd_f2x2": winogradSmall}[rows[0].Name]
	}
	for _, r := range usable(c.pins, winogradTable) {
		if r.Lanes <= c.kernel.NR { // a panel is whole steps of the transform
			s.transforms = r
			s.winogradNames = [2]string{"winograd_f4x4 " + c.kernel.Name, "winograd_f2x2 " + c.kernel.Name}
			return
		}
	}
}

// fast reports whether the forward pass and the input gradient of a shape run
// by Winograd's algorithm.
func (s *convState) fast(shape *ConvShape) bool { return s.transforms != nil && winogradFits(shape) }

// fastWeight reports whether its weight gradient does.
func (s *convState) fastWeight(shape *ConvShape) bool { return s.weightTile(shape) > 0 }

// convJob is one forward or input-gradient call.
type convJob struct {
	convPlan
	loader     convLoader
	src, dst   []float32
	srcC, dstC int // channels of a source and a destination pixel
	weights    []float32
	epi        *Epilogue // nil in an input gradient
	accumulate bool
	past       bool // the destination is stored past the caches
	pack       convPackJob
}

// Conv2D is Y (+)= X * Wt with the prologue on X and the epilogue on Y.
func (c *CPU) Conv2D(a *ConvArgs) { c.convolve(a, PassForward) }

// Conv2DGradInput is X (+)= the gradient of the input, with the prologue on Y.
func (c *CPU) Conv2DGradInput(a *ConvArgs) { c.convolve(a, PassGradInput) }

func (c *CPU) convolve(a *ConvArgs, pass Pass) {
	if c.polyphased(&a.ConvShape, pass) {
		c.polyphase(a, pass)
		return
	}
	if c.fast(&a.ConvShape) {
		c.winograd(a, pass)
		return
	}
	if c.fewFits(&a.ConvShape) {
		c.few(a, pass)
		return
	}
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
	j.past = j.RowPast != nil && !j.accumulate && (j.epi == nil || j.epi.empty()) &&
		4*len(j.dst) >= pastBytes && j.dstC%16 == 0 && j.dc%16 == 0 && uintptr(unsafe.Pointer(&j.dst[0]))%64 == 0
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
	p0, p1 int       // panels
	b0, b1 int       // rows of the grid,
	m0, m1 int       // those of the piece under way
	lists  []uintptr // one for each group of a batch
	list   convList
	sums   []float32 // [rows, columns of the item]
	edge   []float32
	copied []float32
	window convWindow
	next   streams // what tiles fetch
	first  int     // group of the item
}

// Tile computes a row block of some groups, by some of the column panels where
// it is one group, of every grid: the parity classes of an input gradient read
// the same pixels and write every other pixel of the same lines.
func (j *convJob) Tile(w *Worker, item int) {
	b := convBlock{convJob: j}
	cols := item % j.colItems
	parts := ceilDiv(j.groups, j.together)
	b.first = item / j.colItems % parts * j.together
	b.block = item / j.colItems / parts

	list, strip, edge := (2*j.list*j.batch+15)&^15, convRows*j.perItem*j.NR, j.edgeFloats()
	scratch := w.Scratch(list + strip + edge + j.copied)
	b.list.mr = j.MR
	b.lists = unsafe.Slice((*uintptr)(unsafe.Pointer(unsafe.SliceData(scratch))), j.list*j.batch)
	scratch = scratch[list:]
	b.sums, b.edge, b.copied = scratch[:strip], scratch[strip:][:edge], scratch[strip+edge:]

	b.p0 = cols * j.perItem
	b.p1 = min(j.panels, b.p0+j.perItem)
	b.next = j.linesAhead(b.block + j.threads)
	for i := range j.grids {
		if b.g = &j.grids[i]; b.block < b.g.blocks {
			b.b0, b.b1 = j.chunkRows(b.g, b.block)
			b.grid()
		}
	}
}

// grid computes the block's rows of one grid.
func (b *convBlock) grid() {
	end := min(b.groups, b.first+b.together)
	for b.group = b.first; b.group < end; b.group++ {
		b.m0, b.m1 = b.b0, b.b1
		if b.g.chunks == 0 {
			if !b.accumulate {
				b.zeros(b.p0*b.NR, min(b.p1*b.NR, b.dc)-b.p0*b.NR)
			}
			continue
		}
		b.open(end)
		for ; b.m0 < b.b1; b.m0 = b.m1 {
			b.m1 = min(b.m0+b.piece, b.b1)
			for q := range b.g.chunks {
				b.chunk(q)
			}
		}
	}
}

// open makes the window that row pointers lead into. Where lines are copied it
// is the same for every batch of the item's groups, and so are the pointers. The
// tiles fetch the lines of the next batch, of groups before end: of each pixel
// they are a piece too short for the prefetchers of the core.
func (b *convBlock) open(end int) {
	c0 := b.group * b.sc
	if b.mode == convCopyRegion {
		if (b.group-b.first)%b.batch > 0 {
			b.window.base += uintptr(4 * b.sc)
			return
		}
		n, stride := min(b.batch, end-b.group)*b.sc, b.batch*b.sc
		r := b.g.region(b.m0, b.m1)
		b.window = r.load(b.copied[:r.height()*(r.x1-r.x0)*stride], &b.loader, b.g, c0, n, stride)
		if b.groups > 1 {
			b.next = streams{}
		}
		if c0 += n; c0 < end*b.sc {
			lines := b.g.y.src
			b.next[0] = lineStream(b.src, b.srcC, b.g.x.src, r.n0*lines+r.y0, r.n1*lines+r.y1, c0, min(stride, end*b.sc-c0))
		}
		return
	}
	b.window = b.g.window(b.src, b.srcC, c0)
}

// chunk adds chunk q of k to the panels. The last one finishes them.
func (b *convBlock) chunk(q int) {
	t0, t1, c0, c1 := b.g.chunk(q, b.tc)
	stem := b.isGrey && !b.accumulate
	if !stem {
		at := (b.group - b.first) % b.batch * len(b.lists) / b.batch
		b.list.at = b.lists[at:][:len(b.lists)/b.batch]
		if b.group-b.first < b.batch || b.mode != convCopyRegion || b.g.chunks > 1 {
			b.list.fill(b.g, &b.window, b.m0, b.m1, t0, t1, 4*c0)
		}
	}
	segs, kc, rows := t1-t0, c1-c0, b.m1-b.m0
	if b.mode == convGather {
		b.gather(ceilDiv(rows, b.MR)*segs*b.MR, kc)
	}
	last := q == b.g.chunks-1
	direct := b.direct()
	fresh := b.rowsAhead()
	if fresh {
		b.next = streams{1: b.ahead(q)}
	}
	for p := b.p0; p < b.p1; p++ {
		n := b.columns(p)
		panel := b.panel(b.weights, b.group, b.g, p)[(t0*b.tc+c0)*b.width(n):]
		if fresh || b.next[0].left() == 0 {
			b.next[0] = b.nextPanel(p, t0*b.tc+c0, segs*kc)
		}
		c, ld, load := b.sums[(p-b.p0)*b.NR:], b.perItem*b.NR, q > 0
		if direct {
			c, ld = b.dst[b.m0*b.dstC+b.group*b.dc+p*b.NR:], b.dstC
			load = load || b.accumulate
		}
		row := b.Row
		if b.past && direct && b.g.chunks == 1 && segs*kc <= pastDepth {
			row = b.RowPast
		}
		if stem {
			b.stem(p, n, c, ld)
		} else {
			b.strip(row, rows, n, segs, kc, b.list.at, &panel[0], b.width(n), &c[0], ld, load, b.edge, &b.next)
		}
		if last {
			b.finish(p, n, c, ld, direct)
		}
	}
}

// finish stores n finished columns of panel p and, after the last piece, takes the
// whole block through the epilogue: its statistics are those of one chunk.
func (b *convBlock) finish(p, n int, c []float32, ld int, direct bool) {
	if !direct {
		b.scatter(c, ld, p*b.NR, n)
	}
	if b.epi != nil && b.m1 == b.b1 {
		c0 := b.group*b.dc + p*b.NR
		b.Rows.epilogueBlock(b.epi, b.b0, c0, b.b1-b.b0, n, b.block, b.dstC, &b.dst[b.b0*b.dstC+c0], b.dstC)
	}
}

// columns is the destination channels of panel p.
func (b *convBlock) columns(p int) int { return min(b.NR, b.dc-p*b.NR) }

// direct reports whether tiles may be stored to the destination at once: its
// rows are those of the grid, and an existing value is not added before the
// last chunk.
func (b *convBlock) direct() bool {
	dense := b.g.x.dstStep == 1 && b.g.y.dstStep == 1
	return dense && !(b.accumulate && b.g.chunks > 1)
}

// gather replaces the first n addresses of the list by copies of their kc
// channels, taken through the prologue and spread over the sets of a cache.
func (b *convBlock) gather(n, kc int) {
	zero := uintptr(unsafe.Pointer(&zeroTap))
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.src)))
	to := uintptr(unsafe.Pointer(unsafe.SliceData(b.copied)))
	list, pixel := b.list.at[:n], uintptr(4*b.srcC)
	for i := 0; i < n; {
		p := list[i]
		if p == zero {
			i++
			continue
		}
		run := 1 // pixels side by side
		for i+run < n && list[i+run] == p+uintptr(run)*pixel {
			run++
		}
		at := int(p-base) / 4
		b.loader.load(b.copied[i*(kc+gatherSkew):], at/b.srcC, run, at%b.srcC, kc, kc+gatherSkew)
		for range run {
			list[i] = to + uintptr(4*i*(kc+gatherSkew))
			i++
		}
	}
}

// scatter writes n finished columns of the strip from column c0 of the group
// on to the destination, or adds them.
func (b *convBlock) scatter(strip []float32, ld, c0, n int) {
	g := b.g
	c0 += b.group * b.dc
	img, y, x := b.m0/(g.y.n*g.x.n), b.m0/g.x.n%g.y.n, b.m0%g.x.n
	for i := 0; i < b.m1-b.m0; {
		run := min(g.x.n-x, b.m1-b.m0-i)
		at := ((img*g.y.size+y*g.y.dstStep+g.y.dst)*g.x.size + x*g.x.dstStep + g.x.dst) * b.dstC
		switch {
		case b.past:
			b.Rows.past(run, n, &b.dst[at+c0], g.x.dstStep*b.dstC, &strip[i*ld], ld)
		case b.accumulate:
			b.Rows.add(run, n, &b.dst[at+c0], g.x.dstStep*b.dstC, &strip[i*ld], ld)
		default:
			b.Rows.copy(run, n, &b.dst[at+c0], g.x.dstStep*b.dstC, &strip[i*ld], ld)
		}
		i += run
		x = 0
		if y++; y == g.y.n {
			y = 0
			img++
		}
	}
}

// zeros writes the zeros of n columns of a grid without taps, from column c0 of
// the group on.
func (b *convBlock) zeros(c0, n int) {
	g := b.g
	c0 += b.group * b.dc
	img, y, x := b.m0/(g.y.n*g.x.n), b.m0/g.x.n%g.y.n, b.m0%g.x.n
	for i := 0; i < b.m1-b.m0; {
		run := min(g.x.n-x, b.m1-b.m0-i)
		at := ((img*g.y.size+y*g.y.dstStep+g.y.dst)*g.x.size + x*g.x.dstStep + g.x.dst) * b.dstC
		if g.x.dstStep == 1 && n == b.dstC {
			clear(b.dst[at:][:run*n])
		} else {
			for p := range run {
				clear(b.dst[at+p*g.x.dstStep*b.dstC+c0:][:n])
			}
		}
		i += run
		x = 0
		if y++; y == g.y.n {
			y = 0
			img++
		}
	}
}
