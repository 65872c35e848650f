package methods

import (
	"fmt"
	"math"
)

// Features are N rows of D numbers, the embeddings of N images: X is [N, D]
// row-major.
type Features struct {
	X []float32
	D int
}

// N is the number of rows.
func (f Features) N() int { return len(f.X) / f.D }

// Row returns row i, memory shared.
func (f Features) Row(i int) []float32 { return f.X[i*f.D : (i+1)*f.D] }

// rows are rows lo to hi, memory shared.
func (f Features) rows(lo, hi int) Features { return Features{f.X[lo*f.D : hi*f.D], f.D} }

// check reports features that nothing can be computed from: no rows, a length
// that D does not divide, a value that is not finite. what names them.
func (f Features) check(what string) error {
	if f.D < 1 || len(f.X) == 0 || len(f.X)%f.D != 0 {
		return fmt.Errorf("methods: %s: %d numbers are no rows of %d", what, len(f.X), f.D)
	}
	for i, v := range f.X {
		if v-v != 0 {
			return fmt.Errorf("methods: %s: row %d holds %v: the encoder has diverged or its input was bad", what, i/f.D, v)
		}
	}
	return nil
}

// mean returns the column means, summed in float64 in row order.
func (f Features) mean() []float64 {
	m := make([]float64, f.D)
	for i := range f.N() {
		for j, v := range f.Row(i) {
			m[j] += float64(v)
		}
	}
	for j := range m {
		m[j] /= float64(f.N())
	}
	return m
}

// Unit returns a copy with l2-normalised rows, x / max(|x|, 1e-12): what kNN
// compares, and what k-means is given when its clusters are scored.
func (f Features) Unit() Features {
	u := Features{make([]float32, len(f.X)), f.D}
	f.unit(u, nil)
	return u
}

// unit writes (x - shift) / max(|x - shift|, 1e-12) to dst, row by row; shift
// is [D], or nil for none. dst may be f itself.
func (f Features) unit(dst Features, shift []float64) {
	for i := range f.N() {
		x, y := f.Row(i), dst.Row(i)
		for j, v := range x {
			if shift != nil {
				v = float32(float64(v) - shift[j])
			}
			y[j] = v
		}
		scale := 1 / max(math.Sqrt(sqNorm(y)), 1e-12)
		for j, v := range y {
			y[j] = float32(float64(v) * scale)
		}
	}
}

// sqNorm is |x|², summed in float64 (where products of float32 are exact).
func sqNorm(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return s
}

// sqDistance is |x - y|², differences and sum in float64.
func sqDistance(x, y []float32) float64 {
	var s float64
	for i, v := range x {
		d := float64(v) - float64(y[i])
		s += float64(d * d)
	}
	return s
}
