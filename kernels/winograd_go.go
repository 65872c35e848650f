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

// winogradSpread is the transpose of winogradOut.
func winogradSpread(e0, e1, e2, e3 float32) [6]float32 {
	a, b := e0+0.5*e2, e1+0.5*e3
	c, d := e0+2*e2, e1+2*e3
	return [6]float32{e0, a + float32(winogradH*b), a - float32(winogradH*b), c + float32(winogradG*d), c - float32(winogradG*d), e3}
}

// winogradGather is the transpose of winogradKern, in float32.
func winogradGather(m0, m1, m2, m3, m4, m5 float32) [3]float32 {
	a, b := m1+m2, m2-m1
	c, d := m3+m4, m3-m4
	return [3]float32{
		(m0 - float32(2./3*a)) + float32(1./6*c),
		float32(math.Sqrt2/3*b) + float32(math.Sqrt2/6*d),
		(m5 - float32(1./3*a)) + float32(1./3*c),
	}
}

func goWinogradInput(n int, src *unsafe.Pointer, at int, dst *float32, freq int, _ *float32) {
	from := unsafe.Slice(src, 36)
	for c := range n {
		var t [36]float32
		for f, p := range from {
			t[f] = *(*float32)(unsafe.Add(p, 4*(at+c)))
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

func goWinogradGradOutput(n int, src *unsafe.Pointer, at int, dst *float32, freq int, _ *float32) {
	from := unsafe.Slice(src, 16)
	for c := range n {
		e := func(i int) float32 { return *(*float32)(unsafe.Add(from[i], 4*(at+c))) }
		var t [4][6]float32
		for j := range t {
			t[j] = winogradSpread(e(j), e(4+j), e(8+j), e(12+j))
		}
		for i := range 6 {
			for j, v := range winogradSpread(t[0][i], t[1][i], t[2][i], t[3][i]) {
				*advance(dst, (6*i+j)*freq+c) = v
			}
		}
	}
}

func goWinogradGradWeights(n int, src *float32, freq int, dst *float32, tap int, _ *float32) {
	for c := range n {
		m := func(f int) float32 { return *advance(src, f*freq+c) }
		var t [6][3]float32
		for j := range t {
			t[j] = winogradGather(m(j), m(6+j), m(12+j), m(18+j), m(24+j), m(30+j))
		}
		for i := range 3 {
			for j, v := range winogradGather(t[0][i], t[1][i], t[2][i], t[3][i], t[4][i], t[5][i]) {
				*advance(dst, (3*i+j)*tap+c) = v
			}
		}
	}
}
