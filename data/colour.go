package data

// luma is ITU-R 601 brightness of an RGB pixel, as Pillow's mode L.
func luma(p []uint8) uint8 {
	return uint8((19595*int(p[0]) + 38470*int(p[1]) + 7471*int(p[2]) + 0x8000) >> 16)
}

// blend is d + f (x-d) in float32, truncated and clipped to [0,255].
func blend(d, x uint8, f float32) uint8 {
	v := float32(d) + float32(f*float32(int(x)-int(d)))
	return uint8(min(max(int(v), 0), 255))
}

// towards blends every level with d, by a table.
func (m *Image) towards(d uint8, f float32) {
	if f == 1 {
		return
	}
	var table [256]uint8
	for x := range table {
		table[x] = blend(d, uint8(x), f)
	}
	for i, x := range m.Pix {
		m.Pix[i] = table[x]
	}
}

// Brightness blends the image with black: factor 0 is black, 1 the image.
//
// Source: Pillow's ImageEnhance.Brightness, torchvision's adjust_brightness.
func Brightness(m *Image, factor float32) { m.towards(0, factor) }

// Contrast blends the image with its mean grey, int(mean(L) + 0.5) where L is
// 601 luma (the level itself in a grey image): factor 0 is that grey, 1 the
// image.
//
// Source: Pillow's ImageEnhance.Contrast, torchvision's adjust_contrast.
func Contrast(m *Image, factor float32) {
	sum := 0
	if m.C == 3 {
		for i := 0; i < len(m.Pix); i += 3 {
			sum += int(luma(m.Pix[i : i+3]))
		}
	} else {
		for _, v := range m.Pix {
			sum += int(v)
		}
	}
	m.towards(uint8(float64(sum)/float64(m.H*m.W)+0.5), factor)
}
