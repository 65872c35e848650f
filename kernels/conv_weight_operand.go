package kernels

import "unsafe"

// openY finds the chunk of dy, or copies it.
func (b *weightBlock) openY(batch int) {
	pixel, c0 := b.line0*b.ow+b.x0, b.group*b.og+b.o0
	b.aStep = 4 * b.OuterMR
	if b.inPlaceY {
		b.lda = b.s.OC
		b.yBase = uintptr(unsafe.Pointer(&b.y.val[pixel*b.s.OC+c0]))
		return
	}
	b.lda = b.batch * b.oBlock
	b.yBase = uintptr(unsafe.Pointer(unsafe.SliceData(b.copyY)))
	px := (b.line1 - b.line0) * (b.x1 - b.x0)
	if b.on%b.OuterMR != 0 {
		clear(b.copyY[:px*b.lda])
	}
	b.y.load(b.copyY, pixel, px, c0, batch*b.on, b.lda)
}

// fetch lets the tiles of these groups fetch the operands of chunk q of the next
// ones, batch groups from group on: packing would wait for memory.
func (b *weightBlock) fetch(q, group, batch int) {
	b.next, b.line, b.end = streams{}, 0, 0
	b.nextGroup = group
	if q >= b.chunkEnd {
		return
	}
	line0, line1, x0, x1 := b.weightPlan.chunk(q)
	pixel := line0*b.ow + x0
	b.next[0] = rowStream(&b.y.val[pixel*b.s.OC+group*b.og+b.o0], (line1-line0)*(x1-x0), batch*b.on, b.s.OC)
	if b.s.StrideH > b.s.KH && b.s.H > 1 {
		b.line, b.end = line0, line1
		return
	}
	c0, cn := 0, b.s.C
	if !b.wide {
		c0, cn = group*b.cg+b.c0, batch*b.cn
	}
	y0, y1 := b.sourceLine(line0, 0), b.sourceLine(line1-1, (b.s.KH-1)*b.s.DilH)+1
	b.next[1] = rowStream(&b.x.val[y0*b.s.W*b.s.C+c0], (y1-y0)*b.s.W, cn, b.s.C)
}

// fetchLine goes on with the next line of x when lines are skipped between
// those that taps read.
func (b *weightBlock) fetchLine() {
	if b.line < b.end && b.next.current() == nil {
		at := (b.sourceLine(b.line, 0)*b.s.W*b.s.C + b.nextGroup*b.cg + b.c0)
		b.next[0] = rowStream(&b.x.val[at], b.ow, b.cn, b.s.StrideW*b.s.C)
		b.line++
	}
}

// sourceLine is the line of x, counted over all images, that a tap dy below the
// first reads at line l of the output, or the nearest that exists.
func (b *weightBlock) sourceLine(l, dy int) int {
	iy := l%b.oh*b.s.StrideH - b.s.PadH + dy
	return l/b.oh*b.s.H + min(max(0, iy), b.s.H-1)
}

// openX reads x in place.
func (b *weightBlock) openX() {
	b.window = b.grid.window(b.x.val, b.s.C, b.group*b.cg+b.c0)
	b.ldb, b.bStep = b.s.C*b.s.StrideW, 4*b.NR
}

// copyRegion copies the part of x that the chunk reads, a panel at a time or
// several groups, one panel each.
func (b *weightBlock) copyRegion(batch int) {
	r := b.grid.region(b.line0*b.ow+b.x0, (b.line1-1)*b.ow+b.x1)
	size := r.height() * (r.x1 - r.x0) * b.panel
	if b.batch > 1 {
		b.window = r.load(b.copyX[:size*b.batch], &b.x, &b.grid, b.group*b.cg, batch*b.cg, b.batch*b.cg)
		b.ldb = b.batch * b.cg * b.s.StrideW
		return
	}
	for c := 0; c < b.cn; c += b.panel {
		n := min(b.panel, b.cn-c)
		w := r.load(b.copyX[c/b.panel*size:][:size], &b.x, &b.grid, b.group*b.cg+b.c0+c, n, b.panel)
		if c == 0 {
			b.window = w
		}
	}
	b.ldb, b.bStep = b.panel*b.s.StrideW, 4*size
}

// runs writes the segments of tap t: the runs of pixels whose tap lies inside
// of the image.
func (b *weightBlock) runs(t int) []seg {
	y, x := &b.grid.y, &b.grid.x
	ty, tx := t/b.s.KW, t%b.s.KW
	in0, in1 := x.inside(tx, 0, x.src)
	a0, a1 := max(in0, b.x0), min(in1, b.x1)
	segs := b.segs[:0]
	if a0 >= a1 {
		return segs
	}
	if !b.inPlaceX && !b.region {
		b.ldb, b.bStep = b.NR, 4*b.lines*b.pixels*b.NR
	}
	dy, ix := y.off+ty*y.tapStep, a0*x.step+x.off+tx*x.tapStep
	copied := 0
	for l := b.line0; l < b.line1; l++ {
		img, iy := l/b.oh, l%b.oh*y.step+dy
		if iy < 0 || iy >= y.src {
			continue
		}
		s := seg{a: b.yBase + uintptr(4*((l-b.line0)*(b.x1-b.x0)+a0-b.x0)*b.lda), k: a1 - a0}
		if b.inPlaceY {
			s.a = b.yBase + uintptr(4*((l-b.line0)*b.ow+a0-b.x0)*b.lda)
		}
		if b.inPlaceX || b.region {
			s.b = b.window.base + uintptr(img)*b.window.image + uintptr(iy)*b.window.row + uintptr(ix)*b.window.pixel
		} else {
			s.b = uintptr(unsafe.Pointer(unsafe.SliceData(b.copyX))) + uintptr(4*copied*b.NR)
			b.copyRun(copied, (img*b.s.H+iy)*b.s.W+ix, s.k)
			copied += s.k
		}
		if n := len(segs) - 1; n >= 0 && segs[n].a+uintptr(4*segs[n].k*b.lda) == s.a && segs[n].b+uintptr(4*segs[n].k*b.ldb) == s.b {
			segs[n].k += s.k // one run
			continue
		}
		segs = append(segs, s)
	}
	return segs
}

// copyRun copies a run of pixels of x for one tap to place at of every panel.
func (b *weightBlock) copyRun(at, pixel, count int) {
	size := b.lines * b.pixels * b.NR
	whole := 0
	if b.x.pro.Kind == ProNone && b.cn >= b.NR {
		whole = b.cn / b.NR * b.NR
		b.PackRows(count, b.cn/b.NR, b.NR, &b.x.val[pixel*b.s.C+b.group*b.cg+b.c0], b.s.StrideW*b.s.C, &b.copyX[at*b.NR], size)
	}
	for c := whole; c < b.cn; c += b.NR {
		n := min(b.NR, b.cn-c)
		dst := b.copyX[c/b.NR*size+at*b.NR:]
		if n < b.NR {
			clear(dst[:count*b.NR])
		}
		if b.s.StrideW == 1 {
			b.x.load(dst, pixel, count, b.group*b.cg+b.c0+c, n, b.NR)
			continue
		}
		for i := range count {
			b.x.load(dst[i*b.NR:], pixel+i*b.s.StrideW, 1, b.group*b.cg+b.c0+c, n, b.NR)
		}
	}
}

// wideColumns copies the patches of the chunk: columns (kh, kw, c) of every
// pixel, in panels.
func (b *weightBlock) wideColumns() {
	r := b.grid.region(b.line0*b.ow+b.x0, (b.line1-1)*b.ow+b.x1)
	w := r.load(b.pack[:r.height()*(r.x1-r.x0)*b.cg], &b.x, &b.grid, b.group*b.cg, b.cg, b.cg)
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.pack)))
	px := (b.line1 - b.line0) * (b.x1 - b.x0)
	size := px * b.NR
	for c := 0; c < b.cn; {
		// A piece: columns of one kernel row (of one tap when dilated) that
		// lie in one panel.
		col := b.c0 + c
		run := b.cg
		if b.s.DilW == 1 {
			run *= b.s.KW
		}
		n := min(run-col%run, b.cn-c, b.NR-c%b.NR)
		ty := col / (b.s.KW * b.cg)
		tx, ch := col/b.cg%b.s.KW, col%b.cg
		dst := b.copyX[c/b.NR*size+c%b.NR:]
		for l := b.line0; l < b.line1; l++ {
			img, iy := l/b.oh, l%b.oh*b.grid.y.step+b.grid.y.off+ty*b.grid.y.tapStep
			if iy < 0 || iy >= b.s.H {
				for i := range b.x1 - b.x0 {
					clear(dst[i*b.NR:][:n])
				}
			} else {
				ix := b.x0*b.grid.x.step + b.grid.x.off + tx*b.grid.x.tapStep
				at := int(w.base+uintptr(img)*w.image+uintptr(iy)*w.row+uintptr(ix)*w.pixel-base)/4 + ch
				b.Rows.copy(b.x1-b.x0, n, &dst[0], b.NR, &b.pack[at], b.s.StrideW*b.cg)
			}
			if l+1 < b.line1 {
				dst = dst[(b.x1-b.x0)*b.NR:]
			}
		}
		c += n
	}
	if rest := b.cn % b.NR; rest != 0 {
		last := b.copyX[b.cn/b.NR*size:]
		for i := range px {
			clear(last[i*b.NR+rest : (i+1)*b.NR])
		}
	}
	b.ldb, b.bStep = b.NR, 4*size
}
