package data

import "sync"

// shrunk is what Shrink returns.
type shrunk struct {
	Source
	short int
	work  sync.Pool // *shrinkWork
}

type shrinkWork struct {
	image   Image
	scratch Scratch
}

// Shrink returns a source whose images have shorter sides of at most short
// pixels: larger ones are resized bilinearly, the longer side to
// short*long/shorter, rounded down. Kept in a Cache they take less memory, and
// their views less time; both see less detail.
func Shrink(s Source, short int) Source { return &shrunk{Source: s, short: short} }

func (s *shrunk) Image(i int, buf *Image) error {
	w, _ := s.work.Get().(*shrinkWork)
	if w == nil {
		w = new(shrinkWork)
	}
	defer s.work.Put(w)
	if err := s.Source.Image(i, &w.image); err != nil {
		return err
	}
	m := &w.image
	side := min(m.H, m.W)
	if side <= s.short {
		*m, *buf = *buf, *m
		return nil
	}
	Resize(buf, m.H*s.short/side, m.W*s.short/side, m, m.Whole(), Bilinear, &w.scratch)
	return nil
}

// Name is the image's name in the source.
func (s *shrunk) Name(i int) string { return NameOf(s.Source, i) }
