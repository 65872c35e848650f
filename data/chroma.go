package data

import "image"

// chroma are libjpeg's products of Cb-128 and Cr-128 with 16 fractional bits:
// R = Y + r(Cr), G = Y + (gb(Cb)+gr(Cr))/2^16, B = Y + b(Cb).
var chroma = func() (t struct{ r, gr, gb, b [256]int32 }) {
	for i := range 256 {
		x := int32(i) - 128
		t.r[i] = (91881*x + 1<<15) >> 16  // 1.40200
		t.b[i] = (116130*x + 1<<15) >> 16 // 1.77200
		t.gr[i] = -46802 * x              // 0.71414
		t.gb[i] = -22554*x + 1<<15        // 0.34414
	}
	return t
}()

// ycbcr writes the RGB levels of a JPEG. Chroma at half the resolution is
// brought up by a triangle filter ("fancy upsampling"), where it is at least 3
// pixels wide; at other ratios by repetition.
//
// Source: libjpeg-turbo, jdsample.c and jdcolor.c; the standard library's own
// conversion repeats chroma at every ratio.
func ycbcr(row func(y int) []uint8, d *image.YCbCr) {
	w, h := d.Rect.Dx(), d.Rect.Dy()
	u := upsampler{sum: make([]int32, w/2+1), out: [2][]uint8{make([]uint8, w+1), make([]uint8, w+1)}}
	u.halfX = d.SubsampleRatio == image.YCbCrSubsampleRatio422 || d.SubsampleRatio == image.YCbCrSubsampleRatio420
	u.halfY = d.SubsampleRatio == image.YCbCrSubsampleRatio440 || d.SubsampleRatio == image.YCbCrSubsampleRatio420
	u.w, u.h = w, h
	if u.halfX {
		u.w = (w + 1) / 2
	}
	if u.halfY {
		u.h = (h + 1) / 2
	}
	smooth := (u.halfX || u.halfY) && (!u.halfX || u.w > 2)
	for y := range h {
		cb, cr := u.out[0][:w], u.out[1][:w]
		switch {
		case smooth:
			u.row(cb, d.Cb, d.CStride, y)
			u.row(cr, d.Cr, d.CStride, y)
		case d.SubsampleRatio == image.YCbCrSubsampleRatio444:
			cb, cr = d.Cb[y*d.CStride:][:w], d.Cr[y*d.CStride:][:w]
		default:
			for x := range w {
				at := d.COffset(x, y)
				cb[x], cr[x] = d.Cb[at], d.Cr[at]
			}
		}
		rgbRow(row(y), d.Y[y*d.YStride:][:w], cb, cr)
	}
}

// rgbRow converts a row of w pixels.
func rgbRow(to, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		y, b, r := int32(l), cb[x], cr[x]
		p := to[3*x : 3*x+3 : 3*x+3]
		p[0] = clip(y + chroma.r[r])
		p[1] = clip(y + (chroma.gb[b]+chroma.gr[r])>>16)
		p[2] = clip(y + chroma.b[b])
	}
}

// clip brings a level into [0,255].
func clip(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31)) // 0 below, 255 above
	}
	return uint8(v)
}

// upsampler doubles chroma of w x h along one axis or both: a new sample is 3/4
// of the nearer old one and 1/4 of the farther, ends repeated; halves are
// rounded up and down in turn.
type upsampler struct {
	halfX, halfY bool
	w, h         int
	sum          []int32 // 3 near + far, of a row
	out          [2][]uint8
}

// row writes row y of the doubled plane.
func (u *upsampler) row(to, plane []uint8, stride, y int) {
	if !u.halfY {
		u.widen(to, plane[y*stride:][:u.w])
		return
	}
	near := plane[y/2*stride:][:u.w]
	far := plane[min(max(y/2-1+y%2*2, 0), u.h-1)*stride:][:u.w]
	if !u.halfX {
		for x, v := range near {
			to[x] = uint8((3*int32(v) + int32(far[x]) + 1 + int32(y%2)) >> 2)
		}
		return
	}
	s := u.sum[:u.w]
	for x, v := range near {
		s[x] = 3*int32(v) + int32(far[x])
	}
	put := func(x int, v int32) {
		if x < len(to) {
			to[x] = uint8(v >> 4)
		}
	}
	last := u.w - 1
	put(0, 4*s[0]+8)
	put(1, 3*s[0]+s[1]+7)
	for x := 1; x < last; x++ {
		p := to[2*x : 2*x+2]
		p[0], p[1] = uint8((3*s[x]+s[x-1]+8)>>4), uint8((3*s[x]+s[x+1]+7)>>4)
	}
	put(2*last, 3*s[last]+s[last-1]+8)
	put(2*last+1, 4*s[last]+7)
}

// widen doubles a row.
func (u *upsampler) widen(to, from []uint8) {
	put := func(x int, v int32) {
		if x < len(to) {
			to[x] = uint8(v >> 2)
		}
	}
	at := func(x int) int32 { return int32(from[x]) }
	last := len(from) - 1
	put(0, 4*at(0))
	put(1, 3*at(0)+at(1)+2)
	for x := 1; x < last; x++ {
		p := to[2*x : 2*x+2]
		p[0], p[1] = uint8((3*at(x)+at(x-1)+1)>>2), uint8((3*at(x)+at(x+1)+2)>>2)
	}
	put(2*last, 3*at(last)+at(last-1)+1)
	put(2*last+1, 4*at(last))
}
