package kernels

import "unsafe"

// zeroLine is what taps in the padding lead to: zeroFloats from the first pixel
// of a run to the last, whose channels follow. Nobody writes to it, so that it
// costs the system a page.
var zeroLine [zeroFloats + 512]float32

const (
	zeroFloats = 128 << 10

	// runWords is the length of a list of runs. A run is its number of pixels,
	// the first element of its destination, the elements from a pixel to the
	// next in source and destination, the addresses of its taps and those of up
	// to four pixels to fetch, a zero behind them.
	runWords = 8 << 10
	runHead  = 4
	runExtra = runHead + 4 + 1
)

// bound finds the pixels of the grid whose taps all lie inside of the image.
func (b *groupedBlock) bound() {
	g := b.g
	b.taps = g.y.taps * g.x.taps
	b.inX0, b.inX1, b.inY0, b.inY1 = 0, g.x.n, 0, g.y.n
	for tx := range g.x.taps {
		from, to := g.x.inside(tx, b.window.x0, b.window.x1)
		b.bounds[2*tx], b.bounds[2*tx+1] = from, to
		b.inX0, b.inX1 = max(b.inX0, from), min(b.inX1, to)
	}
	for ty := range g.y.taps {
		from, to := g.y.inside(ty, 0, g.y.src)
		b.inY0, b.inY1 = max(b.inY0, from), min(b.inY1, to)
	}
	if b.inX0 >= b.inX1 {
		b.inX0, b.inX1 = g.x.n, g.x.n
	}
}

// lines computes rows [m0, m1) of the grid. Runs of pixels are listed first, so
// that some channels at a time go through all of them. A run lies in a line or,
// where that would leave single pixels at its ends, in a column of whole lines.
func (b *groupedBlock) lines(m0, m1 int) {
	g := b.g
	b.used = 0
	img, y, x := m0/(g.y.n*g.x.n), m0/g.x.n%g.y.n, m0%g.x.n
	for m := m0; m < m1; {
		whole := 1
		if x == 0 && y >= b.inY0 && b.inX1-b.inX0 < g.x.n {
			whole = min(b.inY1-y, (m1-m)/g.x.n)
		}
		if whole > 1 {
			for x := range g.x.n {
				if x < b.inX0 || x >= b.inX1 {
					b.column(img, y, y+whole, x)
				}
			}
			for l := range whole {
				b.line(img, y+l, b.inX0, b.inX1)
			}
			m += whole * g.x.n
			y += whole
		} else {
			end := min(g.x.n, x+m1-m)
			b.line(img, y, x, end)
			m += end - x
			x = 0
			y++
		}
		if y == g.y.n {
			y = 0
			img++
		}
	}
	b.flush()
}

// line lists pixels [x, end) of a line.
func (b *groupedBlock) line(img, y, x, end int) {
	w := &b.window
	step := b.g.x.step * int(w.pixel) / 4
	for x < end {
		run, n, zero := b.list(img, y, x, end)
		if b.mode == convDirect {
			b.fetch(run[runHead+b.taps:], img, y, x)
		}
		x += b.finish(run, n, step, b.g.x.dstStep*b.dstC, zero)
	}
}

// column lists pixels [y, end) of a column, whose taps lie in lines of the
// image.
func (b *groupedBlock) column(img, y, end, x int) {
	step := b.g.y.step * int(b.window.row) / 4
	for y < end {
		run, _, zero := b.list(img, y, x, x+1)
		y += b.finish(run, end-y, step, b.g.y.dstStep*b.g.x.size*b.dstC, zero)
	}
}

// list lists the taps of pixel x of a line and returns how many pixels, up to
// end, read the same ones, and whether zeros are among them.
func (b *groupedBlock) list(img, y, x, end int) (run []uintptr, n int, zero bool) {
	g, w := b.g, &b.window
	if b.used+b.taps+runExtra > len(b.words) || b.mode == convGather {
		b.flush()
	}
	run = b.words[b.used:][:b.taps+runExtra]
	b.used += len(run)
	run[1] = uintptr(((img*g.y.size+y*g.y.dstStep+g.y.dst)*g.x.size + x*g.x.dstStep + g.x.dst) * b.dstC)
	outside := uintptr(unsafe.Pointer(&zeroLine))
	pixel := uintptr(x*g.x.step+g.x.off)*w.pixel + w.base + uintptr(img)*w.image
	step := uintptr(g.x.tapStep) * w.pixel
	iy := y*g.y.step + g.y.off
	taps := run[runHead:]
	for range g.y.taps {
		row := taps[:g.x.taps]
		taps = taps[g.x.taps:]
		at := pixel + uintptr(iy)*w.row
		inside := iy >= 0 && iy < g.y.src
		iy += g.y.tapStep
		for i := range row {
			from, to := b.bounds[2*i], b.bounds[2*i+1]
			switch {
			case !inside || x >= to:
				row[i], zero = outside, true
			case x < from:
				row[i], zero, end = outside, true, min(end, from)
			default:
				row[i], end = at, min(end, to)
			}
			at += step
		}
	}
	taps[0] = 0
	return run, end - x, zero
}

// finish ends a run of n pixels, src floats apart, and returns how many it has:
// fewer where zeros, scratch or the length of a call demand it.
func (b *groupedBlock) finish(run []uintptr, n, src, dst int, zero bool) int {
	n = min(n, max(1, callFMAs/(max(1, b.taps)*b.sc*b.dn)))
	if zero {
		n = min(n, zeroFloats/max(1, src)+1)
	}
	if b.mode == convGather {
		n = min(n, len(b.region)/b.runFloat)
		b.gather(run[runHead:][:b.taps], n, src)
		src = b.sn
	}
	run[0], run[2], run[3] = uintptr(n), uintptr(src), uintptr(dst)
	return n
}

// fetch lists the pixels that the next line of the grid reads for the first
// time, of every step by step the first two by two, and a zero. Nothing else
// would have them in time, since a tile takes few instructions for its bytes.
func (b *groupedBlock) fetch(to []uintptr, img, y, x int) {
	g, w := b.g, &b.window
	last := (y+1)*g.y.step + g.y.off + max(0, (g.y.taps-1)*g.y.tapStep)
	at := w.base + uintptr(img)*w.image + uintptr(x*g.x.step)*w.pixel
	for i := range min(g.y.step, 2) {
		for k := range min(g.x.step, 2) {
			to[0] = at + uintptr(last-i)*w.row + uintptr(k)*w.pixel
			to = to[1:]
		}
	}
	to[0] = 0
}

// gather replaces the taps of n pixels, step floats apart, by copies taken
// through the prologue.
func (b *groupedBlock) gather(taps []uintptr, n, step int) {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.src)))
	for i, p := range taps {
		if p == uintptr(unsafe.Pointer(&zeroLine)) {
			continue
		}
		to := b.region[i*n*b.sn:][:n*b.sn]
		taps[i] = uintptr(unsafe.Pointer(&to[0]))
		at := int(p-base) / 4 / b.srcC
		for k := range n {
			b.loader.load(to[k*b.sn:], at+k*step/b.srcC, 1, b.s0, b.sn, b.sn)
		}
	}
}

// flush computes the runs that are listed.
func (b *groupedBlock) flush() {
	for c := 0; c < b.dn && b.used > 0; c += b.channels {
		n := min(b.channels, b.dn-c)
		var w *float32
		if b.taps > 0 {
			w = &b.weights[b.g.weights*b.dstC+b.d0+c]
		}
		for run := b.words[:b.used]; len(run) > 0; run = run[b.taps+runExtra:] {
			pixels, dst, src, step := int(run[0]), &b.dst[int(run[1])+b.d0+c], int(run[2]), int(run[3])
			taps, at := address(run[runHead:]), c/b.dc*b.sc
			if b.many != nil {
				b.many.Run(pixels, n/b.dc*b.sc, n, b.taps, taps, src, w, b.dstC, dst, step, b.store, at, &b.lanes)
			} else {
				b.row.Run(pixels, n, b.taps, taps, src, w, b.dstC, dst, step, b.store, at)
			}
		}
	}
	b.used = 0
}
