package kernels

import (
	"math"
	"unsafe"
)

// goReduce is the Go row of the table "reduce".
var goReduce = reduceRow{
	Kernel:  Kernel{Op: "reduce", Name: "go"},
	Sum:     goSum,
	Dot:     goDot,
	Max:     goMax,
	MaxCols: goMaxCols,
	Find:    goFind,
	SumCols: goSumCols,
}

func goSum(n int, x *float32) float32 {
	var lane [Lanes]float32
	for i, v := range unsafe.Slice(x, n) {
		lane[i%Lanes] += v
	}
	return foldLanes(&lane)
}

func goDot(n int, x, y *float32) float32 {
	var lane [Lanes]float32
	b := unsafe.Slice(y, n)
	for i, v := range unsafe.Slice(x, n) {
		lane[i%Lanes] += float32(v * b[i])
	}
	return foldLanes(&lane)
}

// foldLanes joins the lanes of a row sum 8-4-2-1.
func foldLanes[F Float](lane *[Lanes]F) F {
	for h := Lanes / 2; h > 0; h /= 2 {
		for i := range h {
			lane[i] += lane[i+h]
		}
	}
	return lane[0]
}

// logit is fma(x, scale, -u) - v[i] without the fusing; v nil subtracts
// nothing.
func logit(x, scale, u float32, v *float32, i int) float32 {
	l := float32(x*scale) - u
	if v != nil {
		l -= unsafe.Slice(v, i+1)[i]
	}
	return l
}

func goMax(n int, x *float32, scale, u float32, v *float32) float32 {
	m := float32(math.Inf(-1))
	for i, e := range unsafe.Slice(x, n) {
		m = max(m, logit(e, scale, u, v, i)) // max gives NaN if either is
	}
	return m
}

func goMaxCols(n int, m, x *float32, scale, u float32, v *float32) {
	best := unsafe.Slice(m, n)
	for i, e := range unsafe.Slice(x, n) {
		best[i] = max(best[i], logit(e, scale, u, v, i))
	}
}

func goFind(n int, x *float32, v float32) int {
	for i, e := range unsafe.Slice(x, n) {
		if e == v {
			return i
		}
	}
	return n
}

func goSumCols(rows, n, ld int, x, out *float32, load bool) {
	o, a := unsafe.Slice(out, n), unsafe.Slice(x, (rows-1)*ld+n)
	var block [64]float32
	for lo := 0; lo < n; lo += len(block) {
		s := block[:min(len(block), n-lo)]
		clear(s)
		for r := range rows {
			for j, v := range a[r*ld+lo:][:len(s)] {
				s[j] += v
			}
		}
		for j, v := range s {
			if load {
				v = o[lo+j] + v
			}
			o[lo+j] = v
		}
	}
}
