package data

import "math"

// CropBox chooses the box of a random resized crop in an image h x w. Up to 10
// times it draws an area a = h w U(scale) and a ratio r = exp(U(ln ratio)), and
// takes the box round(sqrt(a r)) wide and round(sqrt(a/r)) high (half to even)
// if the image holds it, at a uniform place. If none fits, the box is the whole
// image, or its middle with the ratio brought to the nearer limit, and attempt
// is 10. uniform is called four times an attempt: area, ratio, top, left.
//
// Source: torchvision's RandomResizedCrop.get_params.
//
// Differs: torchvision draws the place only for a box that fits.
func CropBox(h, w int, scale, ratio [2]float64, uniform func() float64) (box Box, attempt int) {
	lo, hi := ln(ratio[0]), ln(ratio[1])
	for attempt := range 10 {
		a, r, top, left := uniform(), uniform(), uniform(), uniform()
		area := float64(h*w) * (scale[0] + float64(a*(scale[1]-scale[0])))
		r = exp(lo + float64(r*(hi-lo)))
		bw := int(math.RoundToEven(math.Sqrt(area * r)))
		bh := int(math.RoundToEven(math.Sqrt(area / r)))
		if 0 < bw && bw <= w && 0 < bh && bh <= h {
			return Box{int(top * float64(h-bh+1)), int(left * float64(w-bw+1)), bh, bw}, attempt
		}
	}
	bh, bw := h, w
	switch r := float64(w) / float64(h); {
	case r < ratio[0]:
		bh = int(math.RoundToEven(float64(w) / ratio[0]))
	case r > ratio[1]:
		bw = int(math.RoundToEven(float64(h) * ratio[1]))
	}
	return Box{(h - bh) / 2, (w - bw) / 2, bh, bw}, 10
}

// FlipH mirrors the image, left to right.
func FlipH(m *Image) {
	for y := range m.H {
		row := m.Pix[y*m.W*m.C : (y+1)*m.W*m.C]
		for a, b := 0, len(row)-m.C; a < b; a, b = a+m.C, b-m.C {
			for c := range m.C {
				row[a+c], row[b+c] = row[b+c], row[a+c]
			}
		}
	}
}
