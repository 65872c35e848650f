package data

// luma is ITU-R 601 brightness of an RGB pixel, as Pillow's mode L.
func luma(p []uint8) uint8 {
	_ = p[2]
	return uint8((19595*int(p[0]) + 38470*int(p[1]) + 7471*int(p[2]) + 0x8000) >> 16)
}

// blend is d + f (x-d) in float32, truncated and clipped to [0,255].
func blend(d, x uint8, f float32) uint8 {
	v := float32(d) + float32(f*float32(int(x)-int(d)))
	return uint8(min(max(int(v), 0), 255))
}

// Saturation blends an RGB image with its 601 luma in three channels: factor 0
// is grey, 1 the image. A grey image stays as it is.
//
// Source: Pillow's ImageEnhance.Color, torchvision's adjust_saturation.
func Saturation(m *Image, factor float32) {
	if m.C != 3 || factor == 1 {
		return
	}
	var product [512]float32 // factor (x-l), by 255+x-l
	for d := range product {
		product[d] = float32(factor * float32(d-255))
	}
	for p := m.Pix; len(p) >= 3; p = p[3:] {
		l := luma(p)
		base, at := float32(l), 255-int(l)
		for c, x := range p[:3] {
			p[c] = clip(int32(base + product[(at+int(x))&511]))
		}
	}
}

// Grey puts the 601 luma of an RGB image into its three channels.
//
// Source: torchvision's to_grayscale with three channels.
func Grey(m *Image) {
	if m.C != 3 {
		return
	}
	for p := m.Pix; len(p) >= 3; p = p[3:] {
		l := luma(p)
		p[0], p[1], p[2] = l, l, l
	}
}

// Solarize inverts the levels from threshold up: 255-x where x >= threshold.
//
// Source: Pillow's ImageOps.solarize.
func Solarize(m *Image, threshold uint8) {
	for i, x := range m.Pix {
		if x >= threshold {
			m.Pix[i] = 255 - x
		}
	}
}

// Jitter is a draw of colour jitter. Order says which of the four changes comes
// first to last: 0 brightness, 1 contrast, 2 saturation, 3 hue.
type Jitter struct {
	Order                            [4]int
	Brightness, Contrast, Saturation float32
	Hue                              float64
}

// DrawJitter draws a permutation, then factors U(max(0,1-x),1+x) for
// brightness, contrast and saturation x, then a hue U(-hue,hue).
//
// Source: torchvision's ColorJitter; the permutation is Fisher-Yates on s.
func DrawJitter(brightness, contrast, saturation, hue float64, s *Stream) Jitter {
	j := Jitter{Order: [4]int{0, 1, 2, 3}}
	for i := 3; i > 0; i-- {
		k := s.IntN(i + 1)
		j.Order[i], j.Order[k] = j.Order[k], j.Order[i]
	}
	j.Brightness = float32(s.Uniform(max(0, 1-brightness), 1+brightness))
	j.Contrast = float32(s.Uniform(max(0, 1-contrast), 1+contrast))
	j.Saturation = float32(s.Uniform(max(0, 1-saturation), 1+saturation))
	j.Hue = s.Uniform(-hue, hue)
	return j
}

// Apply changes the image.
func (j *Jitter) Apply(m *Image) {
	for _, change := range j.Order {
		switch change {
		case 0:
			Brightness(m, j.Brightness)
		case 1:
			Contrast(m, j.Contrast)
		case 2:
			Saturation(m, j.Saturation)
		case 3:
			Hue(m, j.Hue)
		}
	}
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
