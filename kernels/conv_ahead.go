package kernels

// rowsAhead reports whether a row of the grid is a pixel of the source, whose
// channels the tiles fetch ahead chunk by chunk.
func (b *convBlock) rowsAhead() bool { return b.mode != convCopyRegion && b.g.dense() }

// nextPanel is what the tiles of panel p fetch of the weights: depth rows from k0
// on of the panel that follows, unless the second cache still has them from the
// rows before. The first tile of a panel would wait for the third cache: 512 to
// 2048 channels at 7x7 run at 96 % of the peak of Zen 4 and not at 94.
func (b *convBlock) nextPanel(p, k0, depth int) stream {
	if p++; p == b.p1 || (b.p1-b.p0)*depth*b.NR <= l2Floats/4 {
		return stream{}
	}
	w := b.width(b.columns(p))
	return rowStream(&b.panel(b.weights, b.group, b.g, p)[k0*w], 1, depth*w, depth*w)
}

// ahead is what the tiles of chunk q fetch meanwhile where a row of the grid is
// a pixel of the source: the piece's next chunk or, after the last, the next piece
// or the rows of the block that this thread will probably take next. A block of two
// panels of 256 channels runs at 93 % of the peak of Zen 4 and not at 73 %, one of
// eight at 94 and not at 86.
func (b *convBlock) ahead(q int) stream {
	m, end := b.m0, b.m1
	if q++; q == b.g.chunks {
		q, m, end = 0, b.m1, b.b1
		if m == end {
			m, end = b.b0+(b.p0/b.perItem+b.threads)/b.colItems*convRows, b.g.rows
		}
		end = min(end, m+b.piece)
	}
	_, _, c0, c1 := b.g.chunk(q, b.tc)
	// Beside this chunk's rows no more than three quarters of the second cache.
	if m >= end || (end-m)*(c1-c0) > l2Floats*3/8 {
		return stream{}
	}
	return rowStream(&b.src[m*b.srcC+b.group*b.sc+c0], end-m, c1-c0, b.srcC)
}

// linesAhead is what an item's tiles fetch for block block of taps: the lines of
// the source and those of the destination, as far as they are fetched in time.
// Tiles of few channels read and write as much as they multiply, and lines
// beyond those that a block has begun are not foreseen by the core. A step of
// small8, whose operands are in memory, takes 2 to 4 % less; a layer of 16 to 32
// channels alone, in the caches, 2 to 5 %.
func (j *convJob) linesAhead(block int) streams {
	g := &j.grids[len(j.grids)-1]
	if j.groups*j.colItems > 1 || block >= g.blocks || g.chunks != 1 || g.dense() {
		return streams{}
	}
	m0, m1 := j.chunkRows(g, block)
	r := g.region(m0, m1)
	read := lineStream(j.src, j.srcC, g.x.src, r.n0*g.y.src+r.y0, r.n1*g.y.src+r.y1, 0, j.srcC)
	line := func(m int) int { // of the destination
		y := m / g.x.n
		return y/g.y.n*g.y.size + y%g.y.n*g.y.dstStep
	}
	write := lineStream(j.dst, j.dstC, g.x.size, line(m0), line(m1-1)+g.y.dstStep, 0, j.dstC)
	pairs := 0
	for i := range j.grids {
		g := &j.grids[i]
		pairs += convRows / j.MR * g.y.taps * g.x.taps * perTile(g.kc) * j.panels
	}
	switch {
	case read.rows > pairs:
		return streams{}
	case j.past || read.rows+write.rows > pairs:
		return streams{read}
	}
	return streams{read, write}
}

// lineStream is channels [c0, c0+n) of lines [l0, l1) of pixels, each of c
// channels. Of padding there are no lines, and no address to take.
func lineStream(v []float32, c, pixels, l0, l1, c0, n int) stream {
	if l0 >= l1 {
		return stream{}
	}
	return rowStream(&v[l0*pixels*c+c0], (l1-l0)*pixels, n, c)
}
