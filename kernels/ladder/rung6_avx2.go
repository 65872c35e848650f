package ladder

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// AVX2 hands the tile to assembly: 6 x 16 of C in 12 of the 16 registers of 8
// lanes, the other four for B and for elements of A. The loops stay as they
// are: assembly begins where the compiler cannot keep a tile in registers.
func AVX2(m, n, k int, a, b, c []float32) { fiveLoops(&avx2Tile, m, n, k, a, b, c) }

var avx2Tile = microKernel{mr: 6, nr: 16, tile: func(rows, kc int, a []float32, lda int, panel, c []float32, ldc int, add bool) {
	var p [6]unsafe.Pointer
	for i := range p {
		p[i] = unsafe.Pointer(&a[min(i, rows-1)*lda])
	}
	asm.GemmRowAVX2x6x16(1, 1, kc, &p[0], &panel[0], 16, &c[0], ldc, add, uintptr(p[0]), 0)
}}
