package kernels

import "unsafe"

// winogradImages is where the pixels of tiles lie: images of h x w pixels cut
// into th x tw tiles, tile pixels apart, that begin pad pixels before the first.
type winogradImages struct {
	tile        int     // 0: winogradTile
	base, pixel uintptr // bytes
	h, w        int
	th, tw      int
	padH, padW  int
}

// cut cuts m into tiles, which src follows, and returns those of an image.
func (m *winogradImages) cut(src *winogradImages) int {
	if m.tile == 0 {
		m.tile = winogradTile
	}
	src.tile = m.tile
	m.th, m.tw = ceilDiv(m.h, m.tile), ceilDiv(m.w, m.tile)
	src.th, src.tw = m.th, m.tw
	return m.th * m.tw
}

// open says where the images are: c channels a pixel.
func (m *winogradImages) open(v []float32, c int) {
	m.base, m.pixel = uintptr(unsafe.Pointer(unsafe.SliceData(v))), uintptr(4*c)
}

// list writes the addresses of the size x size pixels of n tiles from t on to
// at; those outside of the image lead to outside.
func (m *winogradImages) list(at []uintptr, t, n, size int, outside uintptr) {
	m.listEvery(m.tile, at, t, n, size, outside)
}

// listEvery is list for tiles that lie step pixels apart.
func (m *winogradImages) listEvery(step int, at []uintptr, t, n, size int, outside uintptr) {
	img, ty, tx := t/(m.tw*m.th), t/m.tw%m.th, t%m.tw
	row := uintptr(m.w) * m.pixel
	for range n {
		y0, x0 := ty*step-m.padH, tx*step-m.padW
		from, to := min(max(0, -x0), size), min(size, m.w-x0)
		line := m.base + uintptr((img*m.h+y0)*m.w+x0)*m.pixel
		for y := y0; y < y0+size; y++ {
			l := at[:size]
			at = at[size:]
			if y < 0 || y >= m.h || to <= from {
				for i := range l {
					l[i] = outside
				}
			} else {
				p := line
				for i := range l {
					l[i] = p
					p += m.pixel
				}
				for i := range from {
					l[i] = outside
				}
				for i := to; i < size; i++ {
					l[i] = outside
				}
			}
			line += row
		}
		if tx++; tx == m.tw {
			tx = 0
			if ty++; ty == m.th {
				ty = 0
				img++
			}
		}
	}
}

// patch copies channels [c0, c0+n) of lines lines of pixels pixels of an image,
// as l makes them, zeros outside of it. The first is line y and column 0 of the
// tiles, padding before them.
func (m *winogradImages) patch(dst []float32, l *convLoader, img, y, lines, pixels, c0, n int) {
	left := min(max(0, m.padW), pixels)
	right := max(left, min(m.w+m.padW, pixels))
	from := max(0, -m.padW)
	for y0 := y - m.padH; y0 < y-m.padH+lines; y0++ {
		line := dst[:pixels*n]
		dst = dst[pixels*n:]
		if y0 < 0 || y0 >= m.h {
			clear(line)
			continue
		}
		clear(line[:left*n])
		l.load(line[left*n:], (img*m.h+y0)*m.w+from, right-left, c0, n, n)
		clear(line[right*n:])
	}
}

// line is the number of the first line of pixels that line l of tiles is of.
func (m *winogradImages) line(l int) int {
	return l/m.th*m.h + min(l%m.th*m.tile, m.h)
}
