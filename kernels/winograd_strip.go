package kernels

import "unsafe"

// The schedule of narrow layers: with 16 to 64 channels the products of a tile
// take as long as its transforms, and what is between them decides. A work item
// takes strips, whole lines of tiles: it copies their pixels, padding in place,
// to a patch (through the prologue, if there is one), so that every pixel has a
// constant stride and is fetched in the order of memory, once. Then it takes
// twelve tiles at a time from pixels to pixels: their V, of 16 channels 28 KB,
// becomes M in place while it is in the first cache, and U comes from the
// second. Meanwhile the products fetch the lines that the block writes and those
// that the thread's next patch copies: 16 channels at 28x28, batch 128, forward 1.76
// -> 1.16 ms on two threads of Zen 4, 64 at 32x32 17.4 -> 15.7.

// winogradStripTiles is the tiles that a strip's product takes at once.
const winogradStripTiles = 12

// winogradStrip is a winogradJob cut into strips.
type winogradStrip winogradJob

// cutStrips cuts a narrow pass and reports whether it is one: a block is as many
// lines of tiles as fill whole products best, as few as do.
func (p *winogradPlan) cutStrips(n int) bool {
	p.lines = 0
	if p.rows.Product == nil || p.gemm.NR != 32 || p.gemm.Narrow != 16 || p.sc > 64 || p.dc > 64 {
		return false
	}
	lines := n * p.to.th
	best := 0.0
	for k := 1; k <= min(winogradStripTiles, max(1, lines/16)); k++ {
		tiles := k * p.to.tw
		if full := float64(tiles) / float64(ceilDiv(tiles, winogradStripTiles)*winogradStripTiles); full > best {
			best, p.lines = full, k
		}
	}
	if p.patchFloats() > ScratchFloats/4 {
		p.lines = 0
		return false
	}
	p.blocks, p.perItem, p.colItems = ceilDiv(lines, p.lines), p.dc, 1
	return true
}

// patchLine is the floats of a line of the patch.
func (p *winogradPlan) patchLine() int { return (winogradTile*p.to.tw + 2) * p.sc }

// patchFloats bounds the patch: each line of tiles may be of another image.
func (p *winogradPlan) patchFloats() int {
	return p.lines * (winogradTile + 2) * p.patchLine()
}

// stripTile is a tile on the way through a block: tile tx of line ty of an
// image, whose patch begins at at.
type stripTile struct{ img, ty, tx, at int }

// next moves on by one tile.
func (t *stripTile) next(p *winogradPlan) {
	t.at += winogradTile * p.sc
	if t.tx++; t.tx == p.to.tw {
		// The next line begins four lines further on, where there are two more
		// of the overlap between images.
		t.at += winogradTile*p.patchLine() - winogradTile*p.sc*p.to.tw
		t.tx = 0
		if t.ty++; t.ty == p.to.th {
			t.at += 2 * p.patchLine()
			t.ty = 0
			t.img++
		}
	}
}

// Tile computes a block of lines.
func (s *winogradStrip) Tile(w *Worker, item int) {
	j := (*winogradJob)(s)
	th, tw := s.to.th, s.to.tw
	l0 := item * s.lines
	l1 := min(l0+s.lines, s.all/tw)
	scratch := winogradScratch(w.Scratch(ScratchFloats))
	patch := scratch.take(s.patchFloats())
	freqV, freqM := winogradStripTiles*s.sc+winogradSkew, winogradStripTiles*winogradCols+winogradSkew
	v := scratch.take(36 * freqV)
	m, ldm := v, s.sc
	if s.panels > 1 || s.gemm.width(s.dc) > s.sc {
		m, ldm = scratch.take(36*freqM), winogradCols
	} else {
		freqM = freqV
	}
	s.fill(patch, l0, l1)
	fetches := 36 * perTile(s.sc)
	all := ceilDiv((l1-l0)*tw, winogradStripTiles) * s.panels * fetches
	read, write := streams{s.ahead(item+s.threads, all)}, streams{pixelStream(s.dst, &s.to, s.dc, l0, l1, all)}
	at := stripTile{img: l0 / th, ty: l0 % th}
	for left := (l1 - l0) * tw; left > 0; {
		n := min(left, winogradStripTiles)
		left -= n
		t := at
		for i := range n {
			s.rows.PatchInput(s.sc, &patch[t.at], s.patchLine(), s.sc, &v[i*s.sc], freqV)
			t.next(&s.winogradPlan)
		}
		for q := range s.panels {
			cols := min(winogradCols, s.dc-q*winogradCols)
			width, product := winogradCols, s.rows.Product
			if cols <= s.gemm.Narrow {
				width, product = s.gemm.Narrow, s.rows.ProductNarrow
			}
			u := s.panel(s.weights, 0, q)
			r, rs := read.take(fetches, &v[0])
			wr, ws := write.take(fetches, &v[0])
			product(36, s.sc, &v[0], s.sc, freqV, &u[0], s.freqU(width), &m[0], ldm, freqM, r, rs, wr, ws)
			t = at
			for i := range n {
				s.put(&t, cols, &m[i*ldm], freqM, q*winogradCols)
				t.next(&s.winogradPlan)
			}
		}
		at = t
	}
	if s.epi != nil {
		j.finish(l0*tw, l1*tw, 0, 0, s.dc)
	}
}

// put transforms the frequencies of a tile to the pixels of it that exist, cols
// channels from c on.
func (s *winogradStrip) put(t *stripTile, cols int, m *float32, freqM, c int) {
	y, x := t.ty*winogradTile, t.tx*winogradTile
	at := ((t.img*s.to.h+y)*s.to.w+x)*s.dc + c
	s.rows.PatchOutput(cols, m, freqM, &s.dst[at], s.to.w*s.dc, s.dc, min(winogradTile, s.to.h-y), min(winogradTile, s.to.w-x), s.accumulate)
}

// fill copies what lines [l0, l1) of tiles read to the patch: of each image
// four lines of pixels a line of tiles and two more.
func (s *winogradStrip) fill(patch []float32, l0, l1 int) {
	for l := l0; l < l1; {
		img, ty := l/s.to.th, l%s.to.th
		n := min(s.to.th-ty, l1-l)
		l += n
		lines := n*winogradTile + 2
		s.from.patch(patch, &s.loader, img, ty*winogradTile, lines, winogradTile*s.to.tw+2, 0, s.sc)
		patch = patch[lines*s.patchLine():]
	}
}

// ahead is what the patch of a block will copy, n pairs of lines at a time.
func (s *winogradStrip) ahead(item, n int) stream {
	if item >= s.blocks {
		return stream{}
	}
	l0 := item * s.lines
	return pixelStream(s.src, &s.from, s.sc, l0, min(l0+s.lines, s.all/s.to.tw), n)
}

// pixelStream is the pixels of lines [l0, l1) of tiles in n pairs of lines, which
// may overlap: one beyond the end would take a line from the thread that writes it.
func pixelStream(v []float32, m *winogradImages, c, l0, l1, n int) stream {
	first, end := m.line(l0)*m.w*c, m.line(l1)*m.w*c
	if first >= end { // padding
		return stream{}
	}
	return stream{at: uintptr(unsafe.Pointer(&v[first])), step: min(4*pairFloats, ceilDiv(4*(end-first), n)), rows: n, cols: 1}
}
