package data

import (
	"math"

	"github.com/sectile-ml/sectile/asm"
)

// Blur is Pillow's GaussianBlur(radius = sigma): three box passes along the
// rows, then three along the columns, 8 bits between them, edge pixels
// repeated. sigma 0 changes nothing. Every published recipe but SimCLR's blurs
// by this function.
//
// Source: Pillow, src/libImaging/BoxBlur.c, whose arithmetic is float32 for the
// radius and 24-bit integers for the weights; the method is Gwosdek et al.,
// "Theoretical Foundations of Gaussian Convolution by Extended Box Filtering",
// SSVM 2011.
func Blur(m *Image, sigma float64, s *Scratch) {
	radius := boxRadius(float32(sigma))
	if radius == 0 {
		return
	}
	r := int(radius)
	// out = (whole*(the 2r+1 nearest) + part*(the two beyond)) / 2^24
	whole := uint32(float32(1<<24) / (float32(radius*2) + 1))
	part := (1<<24 - uint32(2*r+1)*whole) / 2
	if r > 1 {
		for y := range m.H {
			for c := range m.C {
				s.blurLine(m.Pix[y*m.W*m.C+c:], m.W, m.C, r, whole, part)
			}
		}
		for i := range m.W * m.C {
			s.blurLine(m.Pix[i:], m.H, m.W*m.C, r, whole, part)
		}
		return
	}
	n := m.W * m.C
	for y := range m.H {
		s.boxesAlong(m.Pix[y*n:(y+1)*n], m.C, r, whole, part)
	}
	s.mid = grow(s.mid, len(m.Pix))
	boxesDown(s.mid, m.Pix, n, r, whole, part)
	boxesDown(m.Pix, s.mid, n, r, whole, part)
	boxesDown(s.mid, m.Pix, n, r, whole, part)
	m.Pix, s.mid = s.mid, m.Pix
}

// boxesAlong applies three boxes of radius 0 or 1 to a row, in place. The
// neighbours of a level are in the same row, c and 2c beside it.
func (s *Scratch) boxesAlong(row []uint8, c, r int, whole, part uint32) {
	pad, n := (r+1)*c, len(row)
	from, to := grow(s.line[0], n+2*pad), grow(s.line[1], n+2*pad)
	s.line[0], s.line[1] = from, to
	copy(from[pad:], row)
	for range 3 {
		for i := range pad {
			from[i], from[pad+n+i] = from[pad+i%c], from[pad+n-c+i%c]
		}
		switch {
		case vector && n >= vectorLevels:
			w := boxWeights(r, whole, part)
			asm.LevelBoxAVX2(&to[pad], &from[0], c, &w[0], 2*r+3, n)
		case r == 0:
			box3(to[pad:pad+n], from, from[c:], from[2*c:], whole, part)
		default:
			box5(to[pad:pad+n], from, from[c:], from[2*c:], from[3*c:], from[4*c:], whole, part)
		}
		from, to = to, from
	}
	copy(row, from[pad:])
}

// boxesDown applies one box of radius 0 or 1 along the columns of rows of n
// levels. The neighbours of a row are the rows beside it.
func boxesDown(to, from []uint8, n, r int, whole, part uint32) {
	h := len(from) / n
	row := func(y int) []uint8 { y = min(max(y, 0), h-1); return from[y*n : (y+1)*n] }
	for y := range h {
		switch {
		case vector && n >= vectorLevels && r < y && y < h-1-r:
			w := boxWeights(r, whole, part)
			asm.LevelBoxAVX2(&to[y*n], &from[(y-r-1)*n], n, &w[0], 2*r+3, n)
		case r == 0:
			box3(to[y*n:(y+1)*n], row(y-1), row(y), row(y+1), whole, part)
		default:
			box5(to[y*n:(y+1)*n], row(y-2), row(y-1), row(y), row(y+1), row(y+2), whole, part)
		}
	}
}

// boxWeights are the weights of 2r+3 levels.
func boxWeights(r int, whole, part uint32) [5]uint32 {
	if r == 0 {
		return [5]uint32{part, whole, part}
	}
	return [5]uint32{part, whole, whole, whole, part}
}

// box3 is a box of radius 0: the level itself, and part of a and c beside it.
func box3(to, a, b, c []uint8, whole, part uint32) {
	a, b, c = a[:len(to)], b[:len(to)], c[:len(to)]
	for i := range to {
		to[i] = uint8((whole*uint32(b[i]) + part*(uint32(a[i])+uint32(c[i])) + 1<<23) >> 24)
	}
}

// box5 is a box of radius 1: b, c and d, and part of a and e beside them.
func box5(to, a, b, c, d, e []uint8, whole, part uint32) {
	a, b, c, d, e = a[:len(to)], b[:len(to)], c[:len(to)], d[:len(to)], e[:len(to)]
	for i := range to {
		near := uint32(b[i]) + uint32(c[i]) + uint32(d[i])
		to[i] = uint8((whole*near + part*(uint32(a[i])+uint32(e[i])) + 1<<23) >> 24)
	}
}

// boxRadius is the radius of a box, between whole pixels, that has the variance
// sigma^2 when applied three times.
func boxRadius(sigma float32) float32 {
	v := float32(sigma*sigma) / 3
	l := float32(math.Floor((float64(float32(math.Sqrt(float64(12*float64(v))+1))) - 1) / 2))
	a := float32((float32(2*l) + 1) * (float32(l*(l+1)) - float32(3*v)))
	a /= 6 * (v - float32((l+1)*(l+1)))
	return l + a
}

// blurLine applies three boxes of any radius to n levels that lie step apart.
func (s *Scratch) blurLine(pix []uint8, n, step, r int, whole, part uint32) {
	pad := r + 1
	for i := range s.line {
		s.line[i] = grow(s.line[i], n+2*pad)
	}
	from, to := s.line[0], s.line[1]
	for i := range n {
		from[pad+i] = pix[i*step]
	}
	for range 3 {
		for i := range pad {
			from[i], from[pad+n+i] = from[pad], from[pad+n-1]
		}
		var sum uint32
		for _, v := range from[1 : 2*r+2] {
			sum += uint32(v)
		}
		ends := from[2*r+2:]
		for i := range n {
			near, far := from[i], ends[i]
			to[pad+i] = uint8((whole*sum + part*(uint32(near)+uint32(far)) + 1<<23) >> 24)
			sum += uint32(far) - uint32(from[i+1])
		}
		from, to = to, from
	}
	for i := range n {
		pix[i*step] = from[pad+i]
	}
}
