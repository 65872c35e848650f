package data

// drawField draws the grid of a view's random field and brings its rows to the
// width of the view, every value once per channel: s.grid [FieldSize, size*C].
func (s *Scratch) drawField(r *Recipe, c *canvas, channels int, stream *Stream) {
	n, w := r.FieldSize, c.size*channels
	s.grid, s.field = grow(s.grid, n*w), grow(s.field, min(n, 1)*w)
	var draws [64]float32
	for y := range n {
		for x := range n {
			draws[x] = float32(stream.Uniform(r.Field[0], r.Field[1]))
		}
		row := s.grid[y*w : (y+1)*w]
		for x, l := range c.lerp {
			v := draws[l.i] + float32(l.f*(draws[l.j]-draws[l.i]))
			for ch := range channels {
				row[x*channels+ch] = v
			}
		}
	}
}

// fieldRow is the field of one row of the view, w values; nil without a field.
func (s *Scratch) fieldRow(l lerp, w int) []float32 {
	if len(s.field) == 0 {
		return nil
	}
	a, b := s.grid[l.i*w:(l.i+1)*w], s.grid[l.j*w:(l.j+1)*w]
	for i, v := range a {
		s.field[i] = v + float32(l.f*(b[i]-v))
	}
	return s.field
}
