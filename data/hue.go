package data

import (
	"math"
	"sync"
)

// Hue turns the hue of an RGB image by factor of a full circle, -0.5 to 0.5. It
// goes through 8-bit HSV and is lossy even at 0. A grey image stays as it is.
//
// Source: torchvision's adjust_hue on Pillow images.
func Hue(m *Image, factor float64) {
	if m.C != 3 {
		return
	}
	turn := uint8(int(factor * 255))
	t := hues()
	for p := m.Pix; len(p) >= 3; p = p[3:] {
		r, g, b := p[0], p[1], p[2]
		v, low := max(r, g, b), min(r, g, b)
		if v == low {
			continue // no hue
		}
		c := v - low
		k := 0
		if r >= g {
			k = 1
		}
		if g >= b {
			k |= 2
		}
		if r >= b {
			k |= 4
		}
		// The middle level is what the other two leave of the sum.
		h := t.hue[k][c][v-(r+g+b-v-low)] + turn
		s := &t.back[uint8(float64(float32(c)/float32(v))*255)]
		level, to := float64(v), &t.sector[h]
		p[to.high] = v
		p[to.low] = uint8(float64(level*s.low) + 0.5)
		p[to.middle] = uint8(float64(level*float64(1-float64(s.part*to.share))) + 0.5)
	}
}

// hueTables are toHSV and fromHSV where they depend on a few bits: the hue on
// the order of the channels, on c = max-min and on max-middle; what goes back
// on the hue (which channel is which, and by how much the middle one falls) and
// on the saturation.
type hueTables struct {
	hue    [8][256][256]uint8 // by r>=g, g>=b, r>=b as bits; by c; by max-middle
	sector [256]struct {
		high, middle, low uint8
		share             float64
	}
	back [256]struct{ part, low float64 }
}

var hues = sync.OnceValue(func() *hueTables {
	t := new(hueTables)
	// Channels in order of falling levels that give the bits; of equal channels
	// either may be first.
	for k, order := range [8][3]int{{2, 1, 0}, {2, 0, 1}, {1, 2, 0}, {}, {}, {0, 2, 1}, {1, 0, 2}, {0, 1, 2}} {
		for c := 1; c < 256; c++ {
			for d := 0; d <= c; d++ {
				var p [3]uint8
				p[order[0]], p[order[1]] = uint8(c), uint8(c-d)
				t.hue[k][c][d], _, _ = toHSV(p[0], p[1], p[2])
			}
		}
	}
	for h := range t.sector {
		at := float64(h) * 6 / 255
		i := math.Floor(at)
		f := float64(float32(at - i))
		s := &t.sector[h]
		s.share = f
		if int(i)%2 == 0 {
			s.share = 1 - f
		}
		order := [6][3]uint8{{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}, {2, 0, 1}, {0, 2, 1}}[int(i)%6]
		s.high, s.middle, s.low = order[0], order[1], order[2]
	}
	for i := range t.back {
		part := float64(float32(float64(i) / 255))
		t.back[i].part, t.back[i].low = part, 1-part
	}
	return t
})

// toHSV is Pillow's conversion, single and double precision where it has them.
//
// Source: Pillow, src/libImaging/Convert.c, rgb2hsv_row.
func toHSV(r, g, b uint8) (h, s, v uint8) {
	v = max(r, g, b)
	low := min(r, g, b)
	if v == low {
		return 0, 0, v
	}
	c := float32(v - low)
	rc, gc, bc := float32(v-r)/c, float32(v-g)/c, float32(v-b)/c
	var at float32
	switch v {
	case r:
		at = bc - gc
	case g:
		at = float32(2 + float64(rc) - float64(bc))
	default:
		at = float32(4 + float64(gc) - float64(rc))
	}
	turn := float64(at)/6 + 1 // in [5/6, 11/6]
	if turn >= 1 {
		turn--
	}
	return uint8(float64(float32(turn)) * 255), uint8(float64(c/float32(v)) * 255), v
}
