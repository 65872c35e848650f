package ladder

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// AVX512 has twice the lanes and twice the registers: 12 x 32 of C in 24 of
// 32, 24 multiply-adds for 14 loads, where AVX2 has 12 for 8.
func AVX512(m, n, k int, a, b, c []float32) { fiveLoops(&avx512Tile, m, n, k, a, b, c) }

var avx512Tile = microKernel{mr: 12, nr: 32, tile: func(rows, kc int, a []float32, lda int, panel, c []float32, ldc int, add bool) {
	var p [12]unsafe.Pointer
	for i := range p {
		p[i] = unsafe.Pointer(&a[min(i, rows-1)*lda])
	}
	asm.GemmRowAVX512x12x32(1, 1, kc, &p[0], &panel[0], 32, &c[0], ldc, add, uintptr(p[0]), 0)
}}
