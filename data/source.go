package data

// Source is a set of images that can be read in any order. Its methods are
// called from several goroutines at once, each with its own buf.
type Source interface {
	// Len is the number of images.
	Len() int
	// Image reads image i, 0 <= i < Len, into buf, whose memory it reuses
	// where it is large enough. The error names the file and what is wrong
	// with it; a Loader then skips the image.
	Image(i int, buf *Image) error
	// Label is the class of image i, or -1 where it is not known.
	Label(i int) int
}

// Image is one image of 8-bit levels, rows from the top, channels innermost:
// pixel (y,x), channel c is Pix[(y*W+x)*C+c]. C is 1 (grey) or 3 (RGB).
type Image struct {
	H, W, C int
	Pix     []uint8
}

// Reshape gives the image the shape [h,w,c] and reuses its memory where it is
// large enough. The levels are undefined afterwards.
func (m *Image) Reshape(h, w, c int) {
	m.H, m.W, m.C = h, w, c
	m.Pix = grow(m.Pix, h*w*c)
}

// grow returns s with length n, on new memory only where its capacity is too
// small.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
