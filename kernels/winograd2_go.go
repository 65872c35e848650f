package kernels

import "unsafe"

// The portable transforms of F(2x2,3x3), channel by channel; asm/winograd2_amd64.go
// has their formulas. They only add and halve, so that nothing rounds otherwise
// here than in the assembly.

func winograd2In(d0, d1, d2, d3 float32) [4]float32 {
	return [4]float32{d0 - d2, d1 + d2, d2 - d1, d1 - d3}
}

func winograd2Out(m0, m1, m2, m3 float32) [2]float32 {
	return [2]float32{(m0 + m1) + m2, (m1 - m2) - m3}
}

func winograd2Kern(w0, w1, w2 float64) [4]float64 {
	x, y := 0.5*(w0+w2), 0.5*w1
	return [4]float64{w0, x + y, x - y, w2}
}

func winograd2Spread(e0, e1 float32) [4]float32 { return [4]float32{e0, e0 + e1, e0 - e1, e1} }

func winograd2Gather(m0, m1, m2, m3 float32) [3]float32 {
	a, b := float32(0.5*(m1+m2)), float32(0.5*(m1-m2))
	return [3]float32{m0 + a, b, a - m3}
}

func goWinograd2Input(n int, src *unsafe.Pointer, at int, dst *float32, freq int, _ *float32) {
	from := unsafe.Slice(src, 16)
	for c := range n {
		d := func(i int) float32 { return *(*float32)(unsafe.Add(from[i], 4*(at+c))) }
		var t [4][4]float32
		for j := range t {
			t[j] = winograd2In(d(j), d(4+j), d(8+j), d(12+j))
		}
		for i := range 4 {
			for j, v := range winograd2In(t[0][i], t[1][i], t[2][i], t[3][i]) {
				*advance(dst, (4*i+j)*freq+c) = v
			}
		}
	}
}

func goWinograd2Output(n int, src *float32, freq int, dst *unsafe.Pointer, at int, _ *float32, add bool) {
	to := unsafe.Slice(dst, 4)
	for c := range n {
		m := func(f int) float32 { return *advance(src, f*freq+c) }
		var t [4][2]float32
		for j := range t {
			t[j] = winograd2Out(m(j), m(4+j), m(8+j), m(12+j))
		}
		for i := range 2 {
			for j, v := range winograd2Out(t[0][i], t[1][i], t[2][i], t[3][i]) {
				y := (*float32)(unsafe.Add(to[2*i+j], 4*(at+c)))
				if add {
					v += *y
				}
				*y = v
			}
		}
	}
}

func goWinograd2Weights(n int, src *float32, tap int, dst *float32, freq int, _ *float32) {
	for c := range n {
		w := func(k int) float64 { return float64(*advance(src, k*tap+c)) }
		var t [3][4]float64
		for j := range t {
			t[j] = winograd2Kern(w(j), w(3+j), w(6+j))
		}
		for i := range 4 {
			for j, v := range winograd2Kern(t[0][i], t[1][i], t[2][i]) {
				*advance(dst, (4*i+j)*freq+c) = float32(v)
			}
		}
	}
}

func goWinograd2GradOutput(n int, src *unsafe.Pointer, at int, dst *float32, freq int, _ *float32) {
	from := unsafe.Slice(src, 4)
	for c := range n {
		e := func(i int) float32 { return *(*float32)(unsafe.Add(from[i], 4*(at+c))) }
		t := [2][4]float32{winograd2Spread(e(0), e(2)), winograd2Spread(e(1), e(3))}
		for i := range 4 {
			for j, v := range winograd2Spread(t[0][i], t[1][i]) {
				*advance(dst, (4*i+j)*freq+c) = v
			}
		}
	}
}

func goWinograd2GradWeights(n int, src *float32, freq int, dst *float32, tap int, _ *float32) {
	for c := range n {
		m := func(f int) float32 { return *advance(src, f*freq+c) }
		var t [4][3]float32
		for j := range t {
			t[j] = winograd2Gather(m(j), m(4+j), m(8+j), m(12+j))
		}
		for i := range 3 {
			for j, v := range winograd2Gather(t[0][i], t[1][i], t[2][i], t[3][i]) {
				*advance(dst, (3*i+j)*tap+c) = v
			}
		}
	}
}
