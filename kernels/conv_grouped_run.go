package kernels

import "unsafe"

// zeroLine is what taps in the padding lead to: zeroFloats from the first pixel
// of a run to the last, whose channels follow.
var zeroLine [zeroFloats + 512]float32

const (
	zeroFloats = 16 << 10

	// runWords is the length of a list of runs. A run is its number of pixels,
	// the first element of its destination, the addresses of its taps and those
	// of up to mostFetch pixels to fetch, a zero behind them.
	runWords  = 8 << 10
	mostFetch = 4
	runExtra  = 2 + mostFetch + 1
)

// lines computes rows [m0, m1) of the grid. Runs of pixels are listed first, so
// that some channels at a time go through all of them.
func (b *groupedBlock) lines(m0, m1 int) {
	g := b.g
	b.used = 0
	img, y, x := m0/(g.y.n*g.x.n), m0/g.x.n%g.y.n, m0%g.x.n
	for m := m0; m < m1; {
		n := min(g.x.n-x, m1-m)
		for end := x + n; x < end; {
			if b.used+b.taps+runExtra > len(b.words) {
				b.flush()
			}
			run := b.list(img, y, x, end)
			x += run
			if b.mode == convGather {
				b.flush()
			}
		}
		m += n
		x = 0
		if y++; y == g.y.n {
			y = 0
			img++
		}
	}
	b.flush()
}

// list lists the run that begins with pixel x of a line and returns how many
// pixels, up to end, it has: those that read the same taps, fewer where zeros,
// scratch or the length of a call demand it.
func (b *groupedBlock) list(img, y, x, end int) int {
	g, w := b.g, &b.window
	run := b.words[b.used:][:b.taps+runExtra]
	outside, zero := uintptr(unsafe.Pointer(&zeroLine)), false
	pixel := uintptr(x*g.x.step+g.x.off)*w.pixel + w.base + uintptr(img)*w.image
	step := uintptr(g.x.tapStep) * w.pixel
	iy := y*g.y.step + g.y.off
	taps := run[2:]
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
	src := g.x.step * int(w.pixel) / 4
	n := min(end-x, max(1, callFMAs/(max(1, b.taps)*b.sc*b.dn)))
	if zero {
		n = min(n, zeroFloats/max(1, src)+1)
	}
	if b.mode == convDirect {
		taps = b.fetch(taps, img, y, x)
	}
	taps[0] = 0
	if b.mode == convGather {
		n = min(n, len(b.region)/b.runFloat)
		b.gather(run[2:][:b.taps], n, src)
	}
	run[0] = uintptr(n)
	run[1] = uintptr(((img*g.y.size+y*g.y.dstStep+g.y.dst)*g.x.size + x*g.x.dstStep + g.x.dst) * b.dstC)
	b.used += b.taps + runExtra
	return n
}

// fetch lists the pixels that the next line of the grid reads for the first
// time: the last step lines below its first tap, step pixels of each. Nothing
// else would have them in time, since a tile takes few instructions a line.
func (b *groupedBlock) fetch(to []uintptr, img, y, x int) []uintptr {
	g, w := b.g, &b.window
	last := (y+1)*g.y.step + g.y.off + max(0, (g.y.taps-1)*g.y.tapStep)
	at := w.base + uintptr(img)*w.image + uintptr(x*g.x.step)*w.pixel
	for i := range min(g.y.step, 2) {
		for k := range min(g.x.step, 2) {
			to[0] = at + uintptr(last-i)*w.row + uintptr(k)*w.pixel
			to = to[1:]
		}
	}
	return to
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
	g := b.g
	src := g.x.step * int(b.window.pixel) / 4
	if b.mode == convGather {
		src = b.sn
	}
	var w *float32
	if b.taps > 0 {
		w = &b.weights[g.weights*b.dstC+b.d0]
	}
	if b.many != nil {
		for run := b.words[:b.used]; len(run) > 0; run = run[b.taps+runExtra:] {
			b.many.Run(int(run[0]), b.sn, b.dn, b.taps, address(run[2:]), src, w, b.dstC,
				&b.dst[int(run[1])+b.d0], g.x.dstStep*b.dstC, b.store, &b.lanes)
		}
		b.used = 0
		return
	}
	for c := 0; c < b.dn; c += b.channels {
		n := min(b.channels, b.dn-c)
		for run := b.words[:b.used]; len(run) > 0; run = run[b.taps+runExtra:] {
			b.row.Run(int(run[0]), n, b.taps, address(run[2:]), src, w, b.dstC,
				&b.dst[int(run[1])+b.d0], g.x.dstStep*b.dstC, b.store, c)
		}
	}
	b.used = 0
}
