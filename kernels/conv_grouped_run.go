package kernels

import "unsafe"

// zeroLine is what taps in the padding lead to: zeroFloats from the first pixel
// of a run to the last, whose channels follow.
var zeroLine [zeroFloats + 512]float32

const zeroFloats = 16 << 10

// lines computes rows [m0, m1) of the grid, line by line.
func (b *groupedBlock) lines(m0, m1 int) {
	g := b.g
	img, y, x := m0/(g.y.n*g.x.n), m0/g.x.n%g.y.n, m0%g.x.n
	for m := m0; m < m1; {
		n := min(g.x.n-x, m1-m)
		for end := x + n; x < end; {
			run, zero := b.taps(img, y, x, end)
			b.run(img, y, x, run, zero)
			x += run
		}
		m += n
		x = 0
		if y++; y == g.y.n {
			y = 0
			img++
		}
	}
}

// taps lists the addresses of the taps of pixel x of a line and returns how
// many pixels, up to end, read the same ones, and whether zeros are among them.
func (b *groupedBlock) taps(img, y, x, end int) (run int, zero bool) {
	g, w := b.g, &b.window
	outside := uintptr(unsafe.Pointer(&zeroLine))
	pixel := uintptr(x*g.x.step+g.x.off)*w.pixel + w.base + uintptr(img)*w.image
	step := uintptr(g.x.tapStep) * w.pixel
	iy := y*g.y.step + g.y.off
	list := b.list
	for range g.y.taps {
		row := list[:g.x.taps]
		list = list[g.x.taps:]
		if iy < 0 || iy >= g.y.src {
			zero = true
			for i := range row {
				row[i] = outside
			}
			iy += g.y.tapStep
			continue
		}
		at := pixel + uintptr(iy)*w.row
		for i := range row {
			from, to := b.bounds[2*i], b.bounds[2*i+1]
			switch {
			case x < from:
				row[i], zero, end = outside, true, min(end, from)
			case x >= to:
				row[i], zero = outside, true
			default:
				row[i], end = at, min(end, to)
			}
			at += step
		}
		iy += g.y.tapStep
	}
	return end - x, zero
}

// run computes count pixels from pixel x of a line on, whose taps are listed,
// in as many calls as zeros, scratch and the length of a call demand.
func (b *groupedBlock) run(img, y, x, count int, zero bool) {
	g := b.g
	taps := g.y.taps * g.x.taps
	step := g.x.step * int(b.window.pixel) / 4
	at := ((img*g.y.size+y*g.y.dstStep+g.y.dst)*g.x.size+x*g.x.dstStep+g.x.dst)*b.dstC + b.d0
	most := max(1, callFMAs/(max(1, taps)*b.sc*b.dn))
	if zero {
		most = min(most, zeroFloats/max(1, step)+1)
	}
	if b.mode == convGather {
		most = max(1, min(most, len(b.region)/b.runFloat))
	}
	var w *float32
	if taps > 0 {
		w = &b.weights[g.weights*b.dstC+b.d0]
	}
	for {
		n := min(most, count)
		list, src := b.list[:taps+1], step
		if b.mode == convGather {
			list, src = b.gather(taps, n, step), b.sn
		}
		b.row.Run(n, b.dn, taps, address(list), src, w, b.dstC, &b.dst[at], g.x.dstStep*b.dstC, b.store)
		if count -= n; count == 0 {
			return
		}
		at += n * g.x.dstStep * b.dstC
		for i, p := range b.list[:taps] {
			if !isZero(p) {
				b.list[i] = p + uintptr(4*n*step)
			}
		}
	}
}

func isZero(p uintptr) bool { return p == uintptr(unsafe.Pointer(&zeroLine)) }

// gather copies the taps of n pixels, step floats apart, through the prologue
// and returns the list that leads to the copies.
func (b *groupedBlock) gather(taps, n, step int) []uintptr {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.src)))
	list := b.list[taps:][:taps+1]
	for i, p := range b.list[:taps] {
		if list[i] = p; isZero(p) {
			continue
		}
		to := b.region[i*n*b.sn:][:n*b.sn]
		list[i] = uintptr(unsafe.Pointer(&to[0]))
		at := int(p-base) / 4 / b.srcC
		for k := range n {
			b.loader.load(to[k*b.sn:], at+k*step/b.srcC, 1, b.s0, b.sn, b.sn)
		}
	}
	return list
}
