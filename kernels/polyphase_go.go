package kernels

import "unsafe"

// The portable transforms, channel by channel. Where the others fuse, products
// and sums round separately here (see goRow4x4).

// polyphaseFinite is the transform of four values at the finite points.
func polyphaseFinite(d0, d1, d2, d3 float32) [4]float32 {
	p, u := d3-float32(2.25*d1), d2-float32(2.25*d0)
	q, v := d3-float32(0.25*d1), d2-float32(0.25*d0)
	return [4]float32{p + float32(0.5*u), p - float32(0.5*u), q + float32(1.5*v), q - float32(1.5*v)}
}

// polyphasePoints is that of five, at infinity too.
func polyphasePoints(d0, d1, d2, d3, d4 float32) [5]float32 {
	f := polyphaseFinite(d0, d1, d2, d3)
	return [5]float32{f[0], f[1], f[2], f[3], (d4 - float32(2.5*d2)) + float32(0.5625*d0)}
}

// polyphaseIn is the input transform of nine values, step apart.
func polyphaseIn(d []float32, step int) {
	at := func(i int) *float32 { return &d[i*step] }
	a := polyphasePoints(*at(0), *at(2), *at(4), *at(6), *at(8))
	b := polyphaseFinite(*at(1), *at(3), *at(5), *at(7))
	for i, v := range a {
		*at(i) = v
	}
	for i, v := range b {
		*at(5 + i) = v
	}
}

// polyphaseOut is the output transform of five values, step apart, to four.
func polyphaseOut(m []float32, step int) {
	s, e := m[step]-m[0], m[0]+m[step]
	t, f := m[2*step]-m[3*step], m[2*step]+m[3*step]
	m[0] = float32(0.5*s) + float32(1./6*t)
	m[step] = 0.25 * (f - e)
	m[2*step] = float32(0.125*s) + float32(0.375*t)
	m[3*step] = (m[4*step] - float32(0.0625*e)) + float32(0.5625*f)
}

// polyphaseGradOut is that of nine values, step apart, to eight.
func polyphaseGradOut(m []float32, step int) {
	var a, b [5]float32
	for i := range a {
		a[i] = m[i*step]
	}
	for i := range 4 {
		b[i] = m[(5+i)*step]
	}
	polyphaseOut(a[:], 1)
	polyphaseOut(b[:], 1)
	for i := range 4 {
		m[2*i*step], m[(2*i+1)*step] = b[i], a[i]
	}
}

// polyphaseKern is the transform of three weights to six values.
func polyphaseKern(w0, w1, w2 float64) [6]float64 {
	h, g := 0.5*w2, 1.5*w2
	return [6]float64{w0 + h, w0 - h, w0 + g, w0 - g, w2, w1}
}

// polyphaseSpread is the transpose of polyphaseOut.
func polyphaseSpread(e0, e1, e2, e3 float32) [5]float32 {
	a, b := float32(0.5*e0)+float32(0.125*e2), -float32(0.25*e1)-float32(0.0625*e3)
	c, d := float32(1./6*e0)+float32(0.375*e2), float32(0.25*e1)+float32(0.5625*e3)
	return [5]float32{b - a, b + a, d + c, d - c, e3}
}

// polyphaseGather is the transpose of polyphaseKern, in float32.
func polyphaseGather(m0, m1, m2, m3, m4, m5 float32) [3]float32 {
	return [3]float32{(m0 + m1) + (m2 + m3), m5, (m4 + float32(0.5*(m0-m1))) + float32(1.5*(m2-m3))}
}

func goPolyphaseInput(n int, src *unsafe.Pointer, at int, dst *float32, plane int, _ *float32) {
	from := unsafe.Slice(src, 81)
	for c := range n {
		var t [81]float32
		for p, a := range from {
			t[p] = *(*float32)(unsafe.Add(a, 4*(at+c)))
		}
		for j := range 9 {
			polyphaseIn(t[j:], 9)
		}
		for i := range 9 {
			polyphaseIn(t[9*i:], 1)
		}
		for p, v := range t {
			*advance(dst, p*plane+c) = v
		}
	}
}

func goPolyphaseOutput(n int, src *float32, plane int, dst *unsafe.Pointer, at int, _ *float32, add bool) {
	to := unsafe.Slice(dst, 16)
	for c := range n {
		var t [25]float32
		for f := range t {
			t[f] = *advance(src, f*plane+c)
		}
		for j := range 5 {
			polyphaseOut(t[j:], 5)
		}
		for i := range 4 {
			polyphaseOut(t[5*i:], 1)
			for j, v := range t[5*i:][:4] {
				y := (*float32)(unsafe.Add(to[4*i+j], 4*(at+c)))
				if add {
					v += *y
				}
				*y = v
			}
		}
	}
}

func goPolyphaseWeights(n int, src *float32, tap int, dst *float32, plane int, _ *float32) {
	for c := range n {
		w := func(k int) float64 { return float64(*advance(src, k*tap+c)) }
		var t [3][6]float64
		for j := range t {
			t[j] = polyphaseKern(w(j), w(3+j), w(6+j))
		}
		for i := range 6 {
			for j, v := range polyphaseKern(t[0][i], t[1][i], t[2][i]) {
				*advance(dst, (6*i+j)*plane+c) = float32(v)
			}
		}
	}
}

func goPolyphaseGradY(n int, src *unsafe.Pointer, at int, dst *float32, plane int, _ *float32) {
	from := unsafe.Slice(src, 25)
	for c := range n {
		d := func(i int) float32 { return *(*float32)(unsafe.Add(from[i], 4*(at+c))) }
		var t [5][5]float32
		for j := range t {
			t[j] = polyphasePoints(d(j), d(5+j), d(10+j), d(15+j), d(20+j))
		}
		for i := range 5 {
			for j, v := range polyphasePoints(t[0][i], t[1][i], t[2][i], t[3][i], t[4][i]) {
				*advance(dst, (5*i+j)*plane+c) = v
			}
		}
	}
}

func goPolyphaseGradX(n int, src *float32, plane int, dst *unsafe.Pointer, at int, _ *float32, add bool) {
	to := unsafe.Slice(dst, 64)
	for c := range n {
		var t [81]float32
		for p := range t {
			t[p] = *advance(src, p*plane+c)
		}
		for j := range 9 {
			polyphaseGradOut(t[j:], 9)
		}
		for i := range 8 {
			polyphaseGradOut(t[9*i:], 1)
			for j, v := range t[9*i:][:8] {
				x := (*float32)(unsafe.Add(to[8*i+j], 4*(at+c)))
				if add {
					v += *x
				}
				*x = v
			}
		}
	}
}

func goPolyphaseSpread(n int, src *unsafe.Pointer, at int, dst *float32, plane int, _ *float32) {
	from := unsafe.Slice(src, 16)
	for c := range n {
		e := func(i int) float32 { return *(*float32)(unsafe.Add(from[i], 4*(at+c))) }
		var t [4][5]float32
		for j := range t {
			t[j] = polyphaseSpread(e(j), e(4+j), e(8+j), e(12+j))
		}
		for i := range 5 {
			for j, v := range polyphaseSpread(t[0][i], t[1][i], t[2][i], t[3][i]) {
				*advance(dst, (5*i+j)*plane+c) = v
			}
		}
	}
}

func goPolyphaseGather(n int, src *float32, plane int, dst *float32, tap int, _ *float32) {
	for c := range n {
		m := func(p int) float32 { return *advance(src, p*plane+c) }
		var t [6][3]float32
		for j := range t {
			t[j] = polyphaseGather(m(j), m(6+j), m(12+j), m(18+j), m(24+j), m(30+j))
		}
		for i := range 3 {
			for j, v := range polyphaseGather(t[0][i], t[1][i], t[2][i], t[3][i], t[4][i], t[5][i]) {
				*advance(dst, (3*i+j)*tap+c) = v
			}
		}
	}
}
