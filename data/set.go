package data

import "fmt"

// Set is a Source of equally large images in memory. Images are [N,H,W,C]:
// image i is Pix[i*H*W*C : (i+1)*H*W*C]. Labels has N entries, or none where
// the classes are not known; Classes names the labels, or is nil.
type Set struct {
	Name       string
	N, H, W, C int
	Pix        []uint8
	Labels     []int
	Classes    []string
}

// Len is N.
func (s *Set) Len() int { return s.N }

// Image copies image i. It fails where Pix is shorter than N, H, W and C say.
func (s *Set) Image(i int, buf *Image) error {
	n := s.H * s.W * s.C
	if i < 0 || i >= s.N || (i+1)*n > len(s.Pix) {
		return fmt.Errorf("%s: image %d of %d: %d bytes for [%d,%d,%d,%d]", s.Name, i, s.N, len(s.Pix), s.N, s.H, s.W, s.C)
	}
	buf.Reshape(s.H, s.W, s.C)
	copy(buf.Pix, s.Pix[i*n:])
	return nil
}

// Label is Labels[i], or -1 without labels.
func (s *Set) Label(i int) int {
	if s.Labels == nil {
		return -1
	}
	return s.Labels[i]
}

// Split returns images 0 to n-1 and the rest as two sets on the same memory.
// It panics where n is not in [0,N].
func (s *Set) Split(n int) (head, tail *Set) {
	if n < 0 || n > s.N {
		panic(fmt.Sprintf("data: %s of %d images split at %d", s.Name, s.N, n))
	}
	return s.slice(0, n), s.slice(n, s.N)
}

func (s *Set) slice(from, to int) *Set {
	t, size := *s, s.H*s.W*s.C
	t.N, t.Pix = to-from, s.Pix[from*size:to*size:to*size]
	if s.Labels != nil {
		t.Labels = s.Labels[from:to:to]
	}
	return &t
}
