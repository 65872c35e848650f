package data

import "math"

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
	for y := range m.H {
		for c := range m.C {
			s.blurLine(m.Pix[y*m.W*m.C+c:], m.W, m.C, radius)
		}
	}
	for i := range m.W * m.C {
		s.blurLine(m.Pix[i:], m.H, m.W*m.C, radius)
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

// blurLine applies three boxes to n levels that lie step apart.
func (s *Scratch) blurLine(pix []uint8, n, step int, radius float32) {
	r := int(radius)
	// out = (whole*(the 2r+1 nearest) + part*(the two beyond)) / 2^24
	whole := uint32(float32(1<<24) / (float32(radius*2) + 1))
	part := (1<<24 - uint32(2*r+1)*whole) / 2
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
