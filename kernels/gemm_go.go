package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The portable tiles. Products and sums round separately: Go has no float32
// fused multiply-add, so this row agrees with the others within the derived
// bound, not to the bit.

func goRow4x4(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, _ uintptr, _ int) {
	const mr, nr = 4, 4
	p := unsafe.Slice(rows, tiles*segs*mr)
	for t := range tiles {
		var s [mr][nr]float32
		for g := range segs {
			at := p[(t*segs+g)*mr:][:mr]
			bg := advance(b, g*kc*ldb)
			for i := 0; i < mr; i += 2 {
				dot2x4(&s[i], &s[i+1], unsafe.Slice((*float32)(at[i]), kc), unsafe.Slice((*float32)(at[i+1]), kc), bg, ldb)
			}
		}
		for i := range mr {
			store4((*[nr]float32)(unsafe.Add(unsafe.Pointer(c), (t*mr+i)*ldc*4)), &s[i], load)
		}
	}
}

// dot2x4 adds two rows of A times a panel of 4 columns to s and t.
func dot2x4(s, t *[4]float32, a0, a1 []float32, b *float32, ldb int) {
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
	t0, t1, t2, t3 := t[0], t[1], t[2], t[3]
	a1 = a1[:len(a0)]
	for k, x := range a0 {
		v := (*[4]float32)(unsafe.Pointer(advance(b, k*ldb)))
		y := a1[k]
		s0 = float32(x*v[0]) + s0
		s1 = float32(x*v[1]) + s1
		s2 = float32(x*v[2]) + s2
		s3 = float32(x*v[3]) + s3
		t0 = float32(y*v[0]) + t0
		t1 = float32(y*v[1]) + t1
		t2 = float32(y*v[2]) + t2
		t3 = float32(y*v[3]) + t3
	}
	*s, *t = [4]float32{s0, s1, s2, s3}, [4]float32{t0, t1, t2, t3}
}

func goOuter4x4(segs int, seg *asm.Seg, lda, ldb int, c *float32, ldc int, load, on bool, _ uintptr, _ int) {
	const mr, nr = 4, 4
	var s [mr][nr]float32
	if on {
		for i := range mr {
			s[i] = *(*[nr]float32)(unsafe.Add(unsafe.Pointer(c), i*ldc*4))
		}
	}
	for _, g := range unsafe.Slice(seg, segs) {
		for k := range g.K {
			a := (*[mr]float32)(unsafe.Add(g.A, k*lda*4))
			v := *(*[nr]float32)(unsafe.Add(g.B, k*ldb*4))
			for i, x := range a {
				s[i][0] = float32(x*v[0]) + s[i][0]
				s[i][1] = float32(x*v[1]) + s[i][1]
				s[i][2] = float32(x*v[2]) + s[i][2]
				s[i][3] = float32(x*v[3]) + s[i][3]
			}
		}
	}
	for i := range mr {
		store4((*[nr]float32)(unsafe.Add(unsafe.Pointer(c), i*ldc*4)), &s[i], load)
	}
}

func store4(c, s *[4]float32, load bool) {
	if load {
		for j := range c {
			c[j] += s[j]
		}
		return
	}
	*c = *s
}
