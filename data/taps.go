package data

import (
	"math"

	"github.com/sectile-ml/sectile/asm"
)

// Filter is the kernel of a resize.
type Filter uint8

// Bilinear is the triangle of half-width 1, Bicubic Keys' cubic with a = -0.5,
// half-width 2. Both widen by the factor of a reduction (antialias).
const (
	Bilinear Filter = iota
	Bicubic
)

// at is the filter's value at x.
func (f Filter) at(x float64) float64 {
	x = math.Abs(x)
	switch {
	case f == Bilinear && x < 1:
		return 1 - x
	case f == Bicubic && x < 1:
		return float64((float64(1.5*x)-2.5)*x*x) + 1
	case f == Bicubic && x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * -0.5
	}
	return 0
}

// Weights have 22 fractional bits, as in Pillow.
const (
	weightBits = 22
	weightHalf = 1 << (weightBits - 1)
)

// taps are one axis of a resize: output i is the sum over j < k of w[i*k+j]
// times input first[i]+j, rounded. Every output has k taps, all inside the
// input; those the filter does not reach weigh 0.
type taps struct {
	filter Filter
	in, k  int
	same   bool    // the axis is left as it is
	first  []int32 // [n]
	w      []int32 // [n,k]
	f      []float64
}

// plan computes the taps of a whole axis.
func (t *taps) plan(in, out int, filter Filter) { t.planPart(in, out, 0, out, filter) }

// planPart computes the taps of outputs from to from+n-1 of out. With scale = in/out, s = max(scale,1) and half-width
// S: centre c = (i+0.5) scale; inputs from int(c - S s + 0.5) to
// int(c + S s + 0.5), cut to the axis; weights filter((j-c+0.5)/s) over their
// sum.
//
// Source: Pillow, src/libImaging/Resample.c, precompute_coeffs.
func (t *taps) planPart(in, out, from, n int, filter Filter) {
	t.filter, t.in, t.same = filter, in, in == n && in == out
	scale := float64(in) / float64(out)
	wide := max(scale, 1)
	reach := wide
	if filter == Bicubic {
		reach = 2 * wide
	}
	span := func(i int) (c float64, lo, hi int) {
		c = float64((float64(from+i) + 0.5) * scale)
		return c, max(int(c-reach+0.5), 0), min(int(c+reach+0.5), in)
	}
	t.k = 0
	for i := range n {
		_, lo, hi := span(i)
		t.k = max(t.k, hi-lo)
	}
	t.k += t.k % 2 * min(1, in-t.k) // even where the axis has room, for pairs
	t.first, t.w, t.f = grow(t.first, n), grow(t.w, n*t.k), grow(t.f, t.k)
	clear(t.w)
	for i := range n {
		c, lo, hi := span(i)
		var sum float64
		for j := lo; j < hi; j++ {
			t.f[j-lo] = filter.at((float64(j) - c + 0.5) / wide)
			sum += t.f[j-lo]
		}
		first := min(lo, in-t.k)
		t.first[i] = int32(first)
		for j, f := range t.f[:hi-lo] {
			v := float64(f / sum * (1 << weightBits))
			t.w[i*t.k+lo-first+j] = int32(v + math.Copysign(0.5, v))
		}
	}
}

// rows resizes the rows of src, h rows of t.in pixels of c channels that lie
// stride bytes apart, into dst [h,out,c].
func (t *taps) rows(dst, src []uint8, stride, h, c int) {
	out, n := len(t.first), t.in*c
	pixels := 0 // of a row that the vector kernel may make
	if c == 3 && vector && t.k%2 == 0 {
		for pixels < out-1 && int(t.first[pixels])+t.k < t.in {
			pixels++
		}
	}
	for y := range h {
		row, to := src[y*stride:y*stride+n], dst[y*out*c:(y+1)*out*c]
		switch {
		case pixels > 0:
			asm.LevelRowAVX2(&to[0], &row[0], &t.first[0], &t.w[0], t.k, pixels)
			t.rowRGB(to, row, pixels)
		case c == 3:
			t.rowRGB(to, row, 0)
		case t.k == 2 && t.filter == Bilinear:
			w := t.w[:2*out]
			for x, first := range t.first {
				s := weightHalf + int32(row[first])*w[2*x] + int32(row[first+1])*w[2*x+1]
				to[x] = uint8(s >> weightBits)
			}
		default:
			t.rowGrey(to, row)
		}
	}
}

func (t *taps) rowGrey(to, row []uint8) {
	for x, first := range t.first {
		s := int32(weightHalf)
		for j, w := range t.w[x*t.k : (x+1)*t.k] {
			s += int32(row[int(first)+j]) * w
		}
		to[x] = clip(s >> weightBits)
	}
}

// rowRGB makes a row's pixels from x on.
func (t *taps) rowRGB(to, row []uint8, x int) {
	for ; x < len(t.first); x++ {
		first := t.first[x]
		r, g, b := int32(weightHalf), int32(weightHalf), int32(weightHalf)
		from, w := row[3*int(first):], t.w[x*t.k:(x+1)*t.k]
		for ; len(w) >= 4; w = w[4:] {
			p, v := (*[12]uint8)(from), (*[4]int32)(w)
			r += int32(p[0])*v[0] + int32(p[3])*v[1] + int32(p[6])*v[2] + int32(p[9])*v[3]
			g += int32(p[1])*v[0] + int32(p[4])*v[1] + int32(p[7])*v[2] + int32(p[10])*v[3]
			b += int32(p[2])*v[0] + int32(p[5])*v[1] + int32(p[8])*v[2] + int32(p[11])*v[3]
			from = from[12:]
		}
		if len(w) >= 2 {
			p, v := (*[6]uint8)(from), (*[2]int32)(w)
			r += int32(p[0])*v[0] + int32(p[3])*v[1]
			g += int32(p[1])*v[0] + int32(p[4])*v[1]
			b += int32(p[2])*v[0] + int32(p[5])*v[1]
			from, w = from[6:], w[2:]
		}
		if len(w) >= 1 {
			p := (*[3]uint8)(from)
			r += int32(p[0]) * w[0]
			g += int32(p[1]) * w[0]
			b += int32(p[2]) * w[0]
		}
		p := (*[3]uint8)(to[3*x:])
		p[0], p[1], p[2] = clip(r>>weightBits), clip(g>>weightBits), clip(b>>weightBits)
	}
}

// columns resizes columns into dst [out,n]. The rows of src are n bytes long,
// stride bytes apart, and begin with input t.first[0]. acc is room for n sums.
func (t *taps) columns(dst, src []uint8, stride, n int, acc []int32) {
	for y, first := range t.first {
		to, from, w := dst[y*n:(y+1)*n], src[int(first-t.first[0])*stride:], t.w[y*t.k:(y+1)*t.k]
		if vector && n >= vectorLevels {
			_ = from[(t.k-1)*stride+n-1]
			asm.LevelSumAVX2(&to[0], &from[0], stride, &w[0], t.k, n)
			continue
		}
		if t.k == 2 && t.filter == Bilinear {
			a, b := from[:len(to)], from[stride:][:len(to)]
			for i := range to {
				to[i] = uint8((weightHalf + int32(a[i])*w[0] + int32(b[i])*w[1]) >> weightBits)
			}
			continue
		}
		rest := acc
		if t.k <= 4 {
			rest = nil
		}
		for i := range rest {
			rest[i] = weightHalf
		}
		for ; len(w) > 4; w, from = w[4:], from[4*stride:] {
			four(from, stride, n).add(rest, (*[4]int32)(w))
		}
		var last [4]int32 // up to 4 taps; the row of one that weighs 0 is any
		copy(last[:], w)
		var rows fourRows
		for i := range rows {
			rows[i] = from[min(i, len(w)-1)*stride:][:n]
		}
		rows.finish(to, rest, &last)
	}
}

// fourRows are the rows of four taps of a column pass.
type fourRows [4][]uint8

func four(from []uint8, stride, n int) *fourRows {
	return &fourRows{from[:n], from[stride:][:n], from[2*stride:][:n], from[3*stride:][:n]}
}

// add adds the weighted rows to the sums.
func (r *fourRows) add(sums []int32, w *[4]int32) {
	a, b, c, d := r[0][:len(sums)], r[1][:len(sums)], r[2][:len(sums)], r[3][:len(sums)]
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	for i := range sums {
		sums[i] += int32(a[i])*w0 + int32(b[i])*w1 + int32(c[i])*w2 + int32(d[i])*w3
	}
}

// finish writes the levels of the sums, if there are any, plus the weighted
// rows.
func (r *fourRows) finish(to []uint8, sums []int32, w *[4]int32) {
	a, b, c, d := r[0][:len(to)], r[1][:len(to)], r[2][:len(to)], r[3][:len(to)]
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	if sums == nil {
		for i := range to {
			to[i] = clip((weightHalf + int32(a[i])*w0 + int32(b[i])*w1 + int32(c[i])*w2 + int32(d[i])*w3) >> weightBits)
		}
		return
	}
	sums = sums[:len(to)]
	for i := range to {
		to[i] = clip((sums[i] + int32(a[i])*w0 + int32(b[i])*w1 + int32(c[i])*w2 + int32(d[i])*w3) >> weightBits)
	}
}
