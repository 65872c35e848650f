//go:build !amd64 || purego

package asm

import "unsafe"

// The tiles exist on amd64 only; their rows of the table are not usable here.
var (
	GemmRowAVX512x12x32, GemmRowAVX512x12x16, GemmRowAVX512x12x32Past,
	GemmRowAVX512x8x32, GemmRowAVX512x4x32,
	GemmRowAVX2x6x16, GemmRowAVX2x4x16, GemmRowAVX2x2x16, GemmRowAVX2x6x8 func(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

	GemmOuterAVX512x8x32, GemmOuterAVX512x8x16,
	GemmOuterAVX2x4x16, GemmOuterAVX2x4x8 func(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)

	GemmPackRowsAVX2, GemmPackRowsAVX512 func(k, panels, nr int, src *float32, ld int, dst *float32, stride int)
	GemmPackColsAVX2, GemmPackColsAVX512 func(k, nr int, src *float32, ld int, dst *float32, ldd int)
)
