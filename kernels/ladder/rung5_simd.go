//go:build goexperiment.simd && amd64 && go1.26 && !go1.27

package ladder

import "simd/archsimd"

// SIMD writes the tile with vector types that the compiler knows: a fused
// multiply-add does 16 of the scalar ones, and code stays Go: inlined, checked,
// preemptible. 4 x 32 is the largest tile that stays in registers: Go 1.26
// allocates 16 of the 32 and its multiply-add overwrites an operand instead of
// the sum, so that each sum is moved in every step; 6 x 32 spills six vectors a
// step. Pinned to a release because the package's names still change.
func SIMD(m, n, k int, a, b, c []float32) { fiveLoops(&simdTile, m, n, k, a, b, c) }

func skipSIMD() string {
	if archsimd.X86.AVX512() {
		return ""
	}
	return "this CPU has no avx512"
}

var simdTile = microKernel{mr: 4, nr: 32, tile: simd4x32}

func simd4x32(rows, kc int, a []float32, lda int, panel, c []float32, ldc int, add bool) {
	var s0, s1, t0, t1, u0, u1, v0, v1 archsimd.Float32x16
	row := func(i int) []float32 { return a[min(i, rows-1)*lda:][:kc] }
	a0, a1, a2, a3 := row(0), row(1), row(2), row(3)
	for p := range a0 {
		b := panel[32*p:][:32]
		b0, b1 := archsimd.LoadFloat32x16((*[16]float32)(b)), archsimd.LoadFloat32x16((*[16]float32)(b[16:]))
		e := archsimd.BroadcastFloat32x16(a0[p])
		s0, s1 = e.MulAdd(b0, s0), e.MulAdd(b1, s1)
		e = archsimd.BroadcastFloat32x16(a1[p])
		t0, t1 = e.MulAdd(b0, t0), e.MulAdd(b1, t1)
		e = archsimd.BroadcastFloat32x16(a2[p])
		u0, u1 = e.MulAdd(b0, u0), e.MulAdd(b1, u1)
		e = archsimd.BroadcastFloat32x16(a3[p])
		v0, v1 = e.MulAdd(b0, v0), e.MulAdd(b1, v1)
	}
	put32(c, s0, s1, add)
	put32(c[ldc:], t0, t1, add)
	put32(c[2*ldc:], u0, u1, add)
	put32(c[3*ldc:], v0, v1, add)
}

func put32(c []float32, lo, hi archsimd.Float32x16, add bool) {
	l, h := (*[16]float32)(c), (*[16]float32)(c[16:])
	if add {
		lo, hi = archsimd.LoadFloat32x16(l).Add(lo), archsimd.LoadFloat32x16(h).Add(hi)
	}
	lo.Store(l)
	hi.Store(h)
}
