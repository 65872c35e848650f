package data

// recoloured is what Recolour returns.
type recoloured struct {
	Source
	channels int
}

// Recolour returns a source whose images have 1 channel (grey, ITU-R 601 luma)
// or 3 (RGB, equal where the image was grey).
func Recolour(s Source, channels int) Source { return recoloured{s, channels} }

func (s recoloured) Image(i int, buf *Image) error {
	if err := s.Source.Image(i, buf); err != nil {
		return err
	}
	switch {
	case s.channels == 1 && buf.C == 3:
		buf.toGrey()
	case s.channels == 3 && buf.C == 1:
		buf.toRGB()
	}
	return nil
}

// Name is the image's name in the source.
func (s recoloured) Name(i int) string { return NameOf(s.Source, i) }
