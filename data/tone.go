package data

// tone is steps 4 to 7 of a Recipe, from s.crop to dst. Powers come from a
// table of the 256 levels, which the view's exponent fills; the field comes row
// by row. The mean adds up rows, so that its error stays that of one row.
func (v *Views) tone(dst []float32, c *canvas, stream *Stream, s *Scratch) {
	r, w := &v.recipe, c.size*v.channels
	var power [256]float32
	g := 1.0
	if r.Gamma > 0 {
		g = exp(stream.Uniform(-r.Gamma, r.Gamma))
	}
	for x := 1; x < 256; x++ {
		power[x] = float32(exp(float64(g * v.logs[x])))
	}
	s.drawField(r, c, v.channels, stream)
	var sum float32
	for y := range c.size {
		row, pix := dst[y*w:(y+1)*w], s.crop.Pix[y*w:(y+1)*w]
		field := s.fieldRow(c.lerp[y], w)
		var part float32
		for i, x := range pix {
			t := power[x]
			if field != nil {
				t = float32(t * field[i])
			}
			row[i] = t
			part += t
		}
		sum += part
	}
	contrast, brightness := float32(1), float32(1)
	if r.Tone.P > 0 && stream.Float64() < r.Tone.P {
		contrast = float32(stream.Uniform(r.Tone.Range[0], r.Tone.Range[1]))
		brightness = float32(stream.Uniform(r.Tone.Range[0], r.Tone.Range[1]))
	}
	m := sum / float32(len(dst))
	base := float32(m * brightness)
	for y := range c.size {
		row, mean, inv := dst[y*w:(y+1)*w], c.mean[:w], c.inv[:w]
		for i, t := range row {
			t = float32((t-m)*contrast) + base
			if t < 0 {
				t = 0
			} else if t > 1 {
				t = 1
			}
			row[i] = (t - mean[i]) * inv[i]
		}
	}
}
