package kernels

import (
	"math"
	"unsafe"
)

// The portable transforms, channel by channel. Where the others fuse, products
// and sums round separately here (see goRow4x4).

const (
	winogradH = float32(math.Sqrt2 / 2)
	winogradG = 2 * winogradH
)

// winogradIn is the input transform of six values, step apart.
func winogradIn(d []float32, step int) {
	d0, d1, d2, d3, d4, d5 := d[0], d[step], d[2*step], d[3*step], d[4*step], d[5*step]
	p, u := d4-2*d2, d3-2*d1
	s, t := d4-0.5*d2, d3-0.5*d1
	d[0] = (d4 - float32(2.5*d2)) + d0
	d[step] = p + float32(winogradH*u)
	d[2*step] = p - float32(winogradH*u)
	d[3*step] = s + float32(winogradG*t)
	d[4*step] = s - float32(winogradG*t)
	d[5*step] = (d5 - float32(2.5*d3)) + d1
}

// winogradOut is the output transform of six values, step apart, to four.
func winogradOut(m []float32, step int) {
	a, b := m[step]+m[2*step], m[step]-m[2*step]
	c, d := m[3*step]+m[4*step], m[3*step]-m[4*step]
	m[0] = (m[0] + a) + c
	m[step] = float32(winogradH*b) + float32(winogradG*d)
	m[2*step] = 0.5*a + 2*c
	m[3*step] = (m[5*step] + float32(winogradH/2*b)) + float32(2*winogradG*d)
}

// winogradKern is the transform of three weights to six values.
func winogradKern(w0, w1, w2 float64) [6]float64 {
	x, y := -2./3*w0-1./3*w2, math.Sqrt2/3*w1
	z, v := 1./6*w0+1./3*w2, math.Sqrt2/6*w1
	return [6]float64{w0, x - y, x + y, z + v, z - v, w2}
}

func goWinogradInput(n int, src *unsafe.Pointer, dst *float32, freq int, _ *float32) {
	at := unsafe.Slice(src, 36)
	for c := range n {
		var t [36]float32
		for f, p := range at {
			t[f] = *(*float32)(unsafe.Add(p, 4*c))
		}
		for j := range 6 {
			winogradIn(t[j:], 6)
		}
		for i := range 6 {
			winogradIn(t[6*i:], 1)
		}
		for f, v := range t {
			*advance(dst, f*freq+c) = v
		}
	}
}

func goWinogradOutput(n int, src *float32, freq int, dst *unsafe.Pointer, at int, _ *float32, add bool) {
	to := unsafe.Slice(dst, 16)
	for c := range n {
		var t [36]float32
		for f := range t {
			t[f] = *advance(src, f*freq+c)
		}
		for j := range 6 {
			winogradOut(t[j:], 6)
		}
		for i := range 4 {
			winogradOut(t[6*i:], 1)
			for j, v := range t[6*i:][:4] {
				y := (*float32)(unsafe.Add(to[4*i+j], 4*(at+c)))
				if add {
					v += *y
				}
				*y = v
			}
		}
	}
}

func goWinogradWeights(n int, src *float32, tap int, dst *float32, freq int, _ *float32) {
	for c := range n {
		w := func(k int) float64 { return float64(*advance(src, k*tap+c)) }
		var t [3][6]float64
		for j := range t {
			t[j] = winogradKern(w(j), w(3+j), w(6+j))
		}
		for i := range 6 {
			for j, v := range winogradKern(t[0][i], t[1][i], t[2][i]) {
				*advance(dst, (6*i+j)*freq+c) = float32(v)
			}
		}
	}
}
