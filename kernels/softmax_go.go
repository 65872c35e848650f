package kernels

import "unsafe"

// goSoftmax is the Go row of the table "softmax".
var goSoftmax = softmaxRow{
	Kernel:  Kernel{Op: "softmax", Name: "go"},
	ExpSum:  goExpSum,
	ExpCols: goExpCols,
	Exp:     goExp,
}

func goExpSum(n int, x *float32, scale, u float32, v *float32, m float32) float32 {
	var lane [Lanes]float32
	for i, e := range unsafe.Slice(x, n) {
		lane[i%Lanes] += exp32(logit(e, scale, u, v, i) - m)
	}
	return foldLanes(&lane)
}

func goExpCols(n int, sum, x *float32, scale, u float32, v, m *float32) {
	s, peak := unsafe.Slice(sum, n), unsafe.Slice(m, n)
	for i, e := range unsafe.Slice(x, n) {
		s[i] += exp32(logit(e, scale, u, v, i) - peak[i])
	}
}

func goExp(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32) {
	d := unsafe.Slice(dst, n)
	for i, e := range unsafe.Slice(x, n) {
		p := float32(exp32(logit(e, scale, u, v, i)) * s)
		if q != nil {
			p -= unsafe.Slice(q, n)[i]
		}
		d[i] = w * p
	}
}
