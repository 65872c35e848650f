package emu

import "math"

// The most frequent instructions again, with the loop over a full warp's lanes
// written out: a call for each lane costs more than its arithmetic. They are
// not inlined: in the copy of a closure that is, the compiler inlines nothing.

// fmaF32 is fma.rn.f32; slow is the same for some of the lanes.
//
//go:noinline
func fmaF32(d, a, b, c ref, slow func(*warp, uint32)) func(*warp, uint32) {
	return func(w *warp, act uint32) {
		if act != full {
			slow(w, act)
			return
		}
		x, y, z := w.src(a, act), w.src(b, act), w.src(c, act)
		o := w.dst(d, act)
		for l := range o {
			p, q := float64(f32(x[l]))*float64(f32(y[l])), float64(f32(z[l]))
			s := p + q
			if math.Float64bits(s)&0x1fffffff == 0x10000000 || s < 0x1p-126 && s > -0x1p-126 {
				s = exactSum(p, q)
			}
			r := float32(s)
			if r != r {
				o[l] = 0x7fffffff
				continue
			}
			o[l] = uint64(math.Float32bits(r))
		}
	}
}

// addF32 and mulF32 are add.f32 and mul.f32.
//
//go:noinline
func addF32(d, a, b ref, slow func(*warp, uint32)) func(*warp, uint32) {
	return func(w *warp, act uint32) {
		if act != full {
			slow(w, act)
			return
		}
		x, y := w.src(a, act), w.src(b, act)
		o := w.dst(d, act)
		for l := range o {
			o[l] = bits32(f32(x[l]) + f32(y[l]))
		}
	}
}

//go:noinline
func mulF32(d, a, b ref, slow func(*warp, uint32)) func(*warp, uint32) {
	return func(w *warp, act uint32) {
		if act != full {
			slow(w, act)
			return
		}
		x, y := w.src(a, act), w.src(b, act)
		o := w.dst(d, act)
		for l := range o {
			o[l] = bits32(f32(x[l]) * f32(y[l]))
		}
	}
}

// addInteger is add of 32 or 64 bits.
//
//go:noinline
func addInteger(d, a, b ref, mask uint64, slow func(*warp, uint32)) func(*warp, uint32) {
	return func(w *warp, act uint32) {
		if act != full {
			slow(w, act)
			return
		}
		x, y := w.src(a, act), w.src(b, act)
		o := w.dst(d, act)
		for l := range o {
			o[l] = (x[l] + y[l]) & mask
		}
	}
}
