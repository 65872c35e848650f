package data

import (
	"fmt"
	"math"
)

// Box is a rectangle of pixels of an image.
type Box struct{ Top, Left, Height, Width int }

// Whole is the box of the whole image.
func (m *Image) Whole() Box { return Box{0, 0, m.H, m.W} }

// Scratch is the memory of one goroutine's image operations. The zero value is
// ready; it grows to what it is used for and is then kept, so that nothing is
// allocated per image.
type Scratch struct {
	crop        Image
	mid         []uint8 // between the passes of a resize
	acc         []int32
	x, y        taps
	line        [2][]uint8 // of a blur
	grid, field []float32
}

// Resize makes dst the part box of src at h x w pixels. The part is cut out
// first, so no tap reaches pixels beside it. The horizontal pass is first and
// rounds to 8 bits; a pass that does not change the size is left out. dst must
// not be src. It panics where the box leaves the image, a size is not
// positive, or C is neither 1 nor 3.
//
// Source: Pillow, src/libImaging/Resample.c; torchvision's resized_crop.
//
// Differs: Pillow 13 takes the vertical pass first where that shrinks the image
// more; Pillow up to 12, which trained the published weights, and this function
// never do.
func Resize(dst *Image, h, w int, src *Image, box Box, filter Filter, s *Scratch) {
	if box.Top < 0 || box.Left < 0 || box.Height <= 0 || box.Width <= 0 || h <= 0 || w <= 0 ||
		box.Top+box.Height > src.H || box.Left+box.Width > src.W || src.C != 1 && src.C != 3 {
		panic(fmt.Sprintf("data: %+v of an image [%d,%d,%d] resized to %dx%d", box, src.H, src.W, src.C, h, w))
	}
	s.x.plan(box.Width, w, filter)
	s.y.plan(box.Height, h, filter)
	s.resize(dst, src, box, &s.x, &s.y)
}

// resize is Resize with the taps of both axes given. Only the rows that y
// reaches pass through x.
func (s *Scratch) resize(dst *Image, src *Image, box Box, x, y *taps) {
	h, w, c := len(y.first), len(x.first), src.C
	dst.Reshape(h, w, c)
	top, last := int(y.first[0]), int(y.first[h-1])+y.k
	from, stride := src.Pix[((box.Top+top)*src.W+box.Left)*c:], src.W*c
	if !x.same {
		to := dst.Pix
		if !y.same {
			s.mid = grow(s.mid, (last-top)*w*c)
			to = s.mid
		}
		x.rows(to, from, stride, last-top, c)
		from, stride = to, w*c
	}
	switch {
	case !y.same:
		s.acc = grow(s.acc, w*c)
		y.columns(dst.Pix, from, stride, w*c, s.acc)
	case x.same:
		for row := range h {
			copy(dst.Pix[row*w*c:(row+1)*w*c], from[row*stride:])
		}
	}
}

// EvalCrop makes dst the middle size x size pixels of src after a resize of its
// shorter side to short pixels; the longer side becomes int(short*long/shorter),
// the margins round((n-size)/2), half to even. Only the pixels of the result are
// computed. It panics where size > short, the image has no pixels, or C is
// neither 1 nor 3.
//
// Source: torchvision's Resize and CenterCrop.
func EvalCrop(dst *Image, src *Image, short, size int, filter Filter, s *Scratch) {
	if size <= 0 || size > short || src.H <= 0 || src.W <= 0 || src.C != 1 && src.C != 3 {
		panic(fmt.Sprintf("data: crop of %d pixels from a shorter side of %d, image [%d,%d,%d]", size, short, src.H, src.W, src.C))
	}
	h, w := short, short
	if src.W >= src.H {
		w = short * src.W / src.H
	} else {
		h = short * src.H / src.W
	}
	top := int(math.RoundToEven(float64(h-size) / 2))
	left := int(math.RoundToEven(float64(w-size) / 2))
	s.x.planPart(src.W, w, left, size, filter)
	s.y.planPart(src.H, h, top, size, filter)
	s.resize(dst, src, src.Whole(), &s.x, &s.y)
}
