package kernels

import "unsafe"

// convLoader reads pixels of c channels through a prologue.
type convLoader struct {
	rows *rowHelpers
	pro  *Prologue
	val  []float32
	c    int
}

// load writes channels [c0, c0+n) of count pixels from pixel on to dst, one
// pixel every stride floats.
func (l *convLoader) load(dst []float32, pixel, count, c0, n, stride int) {
	if l.pro.Kind == ProNone && n == l.c && n == stride {
		copy(dst[:count*n], l.val[pixel*n:])
		return
	}
	if count > 0 {
		l.rows.prologueRows(l.pro, pixel, count, c0, n, l.c, &dst[0], stride, &l.val[pixel*l.c+c0], l.c)
	}
}

// zeroTap is what padding taps point at: a tap of a chunk has at most as many
// channels.
var zeroTap [768]float32

// convWindow is where row pointers lead: pixel (y, x) of image n lies at
// base + n*image + y*row + x*pixel bytes. It is the source itself, or a region
// of it that was copied to scratch; columns [x0, x1) exist.
type convWindow struct {
	base              uintptr
	image, row, pixel uintptr
	x0, x1            int
}

// window leads into the source itself, of c channels, from channel c0 on.
func (g *convGrid) window(src []float32, c, c0 int) convWindow {
	pixel := uintptr(4 * c)
	return convWindow{
		base: uintptr(unsafe.Pointer(unsafe.SliceData(src))) + uintptr(4*c0), pixel: pixel,
		row: uintptr(g.x.src) * pixel, image: uintptr(g.y.src*g.x.src) * pixel, x1: g.x.src,
	}
}

// convList is an indirection list being written: for every tile and tap the
// addresses of mr pixels.
type convList struct {
	at       []uintptr
	i, j     int // next entry; its row in the tile
	mr, skip int // skip: from the end of a tap in one tile to that in the next
}

// put appends count addresses from p on, step bytes apart.
func (l *convList) put(count int, p, step uintptr) {
	at, i, j := l.at, l.i, l.j
	for range count {
		at[i] = p
		p += step
		i++
		if j++; j == l.mr {
			j = 0
			i += l.skip
		}
	}
	l.i, l.j = i, j
}

// fill writes the list of grid rows [m0, m1) for taps [t0, t1), c0 bytes into
// the pixel. The last tile is filled up with zero taps.
func (l *convList) fill(g *convGrid, w *convWindow, m0, m1, t0, t1, c0 int) {
	zero := uintptr(unsafe.Pointer(&zeroTap))
	gw, gh := g.x.n, g.y.n
	n0, y0, x0 := m0/(gw*gh), m0/gw%gh, m0%gw
	l.skip = (t1 - t0 - 1) * l.mr
	for t := t0; t < t1; t++ {
		ty, tx := t/g.x.taps, t%g.x.taps
		in0, in1 := g.x.inside(tx, w.x0, w.x1)
		dy, dx := g.y.off+ty*g.y.tapStep, g.x.off+tx*g.x.tapStep
		step := uintptr(g.x.step) * w.pixel
		l.i, l.j = (t-t0)*l.mr, 0
		n, y, x := n0, y0, x0
		for m := m0; m < m1; {
			run := min(gw-x, m1-m)
			iy := y*g.y.step + dy
			a, b := min(max(in0, x), x+run), min(max(in1, x), x+run)
			if iy < 0 || iy >= g.y.src || a >= b {
				l.put(run, zero, 0)
			} else {
				if a > x {
					l.put(a-x, zero, 0)
				}
				p := w.base + uintptr(n)*w.image + uintptr(iy)*w.row + uintptr(a*g.x.step+dx)*w.pixel + uintptr(c0)
				l.put(b-a, p, step)
				if x+run > b {
					l.put(x+run-b, zero, 0)
				}
			}
			m += run
			x = 0
			if y++; y == gh {
				y = 0
				n++
			}
		}
		if l.j > 0 {
			l.put(l.mr-l.j, zero, 0)
		}
	}
}

// convRegion is the part of the source that a row block reads: rows [y0, y1)
// of images n0 to n1 (the first from y0 on, the last up to y1, those between
// whole), columns [x0, x1), padding among them.
type convRegion struct {
	n0, n1     int
	y0, y1     int
	top, lines int // first row and number of rows that a whole image gives
	x0, x1     int
}

// region is what rows [m0, m1) of the grid read.
func (g *convGrid) region(m0, m1 int) (r convRegion) {
	gw, gh := g.x.n, g.y.n
	r.n0, r.n1 = m0/(gw*gh), (m1-1)/(gw*gh)
	ya, yb := m0/gw%gh, (m1-1)/gw%gh+1
	lo, hi := g.y.reach(0, gh)
	r.top, r.lines = lo, hi-lo
	if r.n0 == r.n1 {
		r.y0, r.y1 = g.y.reach(ya, yb)
	} else {
		r.y0, _ = g.y.reach(ya, gh)
		_, r.y1 = g.y.reach(0, yb)
	}
	r.x0, r.x1 = g.columns()
	return r
}

// columns are the source columns that the grid reads, padding among them.
func (g *convGrid) columns() (x0, x1 int) {
	last := (g.x.taps - 1) * g.x.tapStep
	return g.x.off + min(0, last), (g.x.n-1)*g.x.step + g.x.off + max(0, last) + g.merged + 1
}

// height is the number of source rows that the region's copy spans.
func (r *convRegion) height() int {
	return max(0, (r.n1-r.n0)*r.lines+r.y1-r.y0)
}

// load copies channels [c0, c0+n) of the region through l to dst, a pixel
// every stride floats, zeros in the padding, and returns the window that reads
// it.
func (r *convRegion) load(dst []float32, l *convLoader, g *convGrid, c0, n, stride int) convWindow {
	width := (r.x1 - r.x0) * stride
	if n < stride {
		clear(dst[:r.height()*width])
	}
	left := max(0, -r.x0)
	from, to := min(max(0, r.x0), g.x.src), min(r.x1, g.x.src)
	at := 0
	for img := r.n0; img <= r.n1; img++ {
		y0, y1 := r.top, r.top+r.lines
		if img == r.n0 {
			y0 = r.y0
		}
		if img == r.n1 {
			y1 = r.y1
		}
		at = ((img-r.n0)*r.lines + y0 - r.y0) * width
		for y := y0; y < y1; y++ {
			line := dst[at:][:width]
			at += width
			if to <= from {
				clear(line)
				continue
			}
			clear(line[:left*stride])
			l.load(line[left*stride:], (img*g.y.src+y)*g.x.src+from, to-from, c0, n, stride)
			clear(line[(left+to-from)*stride:])
		}
	}
	pixel := uintptr(4 * stride)
	w := convWindow{pixel: pixel, row: uintptr(4 * width), x0: r.x0, x1: r.x1}
	w.image = uintptr(r.lines) * w.row
	w.base = uintptr(unsafe.Pointer(unsafe.SliceData(dst))) -
		uintptr(r.n0)*w.image - uintptr(r.y0)*w.row - uintptr(r.x0)*pixel
	return w
}
