package data

import "math"

// Hue turns the hue of an RGB image by factor of a full circle, -0.5 to 0.5. It
// goes through 8-bit HSV and is lossy even at 0. A grey image stays as it is.
//
// Source: torchvision's adjust_hue on Pillow images.
func Hue(m *Image, factor float64) {
	if m.C != 3 {
		return
	}
	turn := uint8(int(factor * 255))
	for i := 0; i < len(m.Pix); i += 3 {
		p := m.Pix[i : i+3]
		h, s, v := toHSV(p[0], p[1], p[2])
		p[0], p[1], p[2] = fromHSV(h+turn, s, v)
	}
}

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
