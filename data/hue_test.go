package data

import (
	"math"
	"testing"
)

// fromHSV is Pillow's conversion back.
//
// Source: Pillow, src/libImaging/Convert.c, hsv2rgb.
func fromHSV(h, s, v uint8) (r, g, b uint8) {
	if s == 0 {
		return v, v, v
	}
	at := float64(h) * 6 / 255
	i := math.Floor(at)
	f, part := float64(float32(at-i)), float64(float32(float64(s)/255))
	share := func(x float64) uint8 { // v x, half away from zero
		return uint8(float64(float64(v)*x) + 0.5)
	}
	p, q, t := share(1-part), share(1-float64(part*f)), share(1-float64(part*(1-f)))
	switch int(i) % 6 {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}

// The tables of Hue are the formulas, for every hue, saturation and value that
// 8-bit colours have (a sixth of all colours, and random ones).
func TestHueTables(t *testing.T) {
	m := &Image{H: 1, C: 3}
	add := func(r, g, b uint8) { m.Pix = append(m.Pix, r, g, b) }
	for r := 0; r < 256; r += 3 {
		for g := 0; g < 256; g += 5 {
			for b := range 256 {
				add(uint8(r), uint8(g), uint8(b))
				add(uint8(g), uint8(b), uint8(r))
			}
		}
	}
	s := NewStream(1, 0, 0, 0, 0)
	for range 200000 {
		c := s.IntN(1 << 24)
		add(uint8(c), uint8(c>>8), uint8(c>>16))
	}
	m.W = len(m.Pix) / 3
	for _, factor := range []float64{-0.5, -0.13, 0, 0.002, 0.2, 0.5} {
		got := copyImage(m)
		Hue(got, factor)
		for i := 0; i < len(m.Pix); i += 3 {
			h, s, v := toHSV(m.Pix[i], m.Pix[i+1], m.Pix[i+2])
			r, g, b := fromHSV(h+uint8(int(factor*255)), s, v)
			if [3]uint8(got.Pix[i:]) != [3]uint8{r, g, b} {
				t.Fatalf("hue %v of %v is %v, want %v", factor, m.Pix[i:i+3], got.Pix[i:i+3], []uint8{r, g, b})
			}
		}
	}
}
