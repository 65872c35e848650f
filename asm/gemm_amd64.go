//go:build amd64 && !purego

package asm

import "unsafe"

// The tiles of matrix products. All of one form share one loop; kernels.RowTile
// and kernels.OuterTile say what the arguments mean.
//
//	GemmRow*MRxNR:
//	for t := range tiles {
//		for i := range MR { for j := range NR {
//			var s float32
//			for g := range segs { for k := range kc {
//				s = fma(rows[(t*segs+g)*MR+i][k], b[(g*kc+k)*ldb+j], s)
//			} }
//			if load { s += c[(t*MR+i)*ldc+j] }
//			c[(t*MR+i)*ldc+j] = s
//		} }
//	}
//
//	GemmOuter*MRxNR:
//	for i := range MR { for j := range NR {
//		var s float32
//		if on { s = c[i*ldc+j] }
//		for _, g := range seg[:segs] { for k := range g.K {
//			s = fma(g.A[k*lda+i], g.B[k*ldb+j], s)
//		} }
//		if load { s += c[i*ldc+j] }
//		c[i*ldc+j] = s
//	} }
//
// After every four steps of k two lines at ahead are fetched into the second
// cache and ahead moves on by step bytes: what a later call reads. It may point
// anywhere. ldb is NR in a packed panel.

// GemmRowAVX512x12x32 computes 12 x 32 tiles of C, rows of A anywhere.
//
//go:noescape
func GemmRowAVX512x12x32(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX512x12x16 computes 12 x 16 tiles of C, rows of A anywhere.
//
//go:noescape
func GemmRowAVX512x12x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX512x12x32Past is GemmRowAVX512x12x32 with stores that do not bring
// C into the caches; c is 64-byte aligned, ldc a multiple of 16.
//
//go:noescape
func GemmRowAVX512x12x32Past(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX512x8x32 computes the first 8 rows of a 12 x 32 tile: rows holds 12
// addresses a segment all the same. tiles is 1.
//
//go:noescape
func GemmRowAVX512x8x32(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX512x4x32 computes the first 4 rows of a 12 x 32 tile, as
// GemmRowAVX512x8x32 does.
//
//go:noescape
func GemmRowAVX512x4x32(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX2x6x16 computes 6 x 16 tiles of C, rows of A anywhere.
//
//go:noescape
func GemmRowAVX2x6x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX2x4x16 computes the first 4 rows of a 6 x 16 tile: rows holds 6
// addresses a segment all the same. tiles is 1.
//
//go:noescape
func GemmRowAVX2x4x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX2x2x16 computes the first 2 rows of a 6 x 16 tile, as
// GemmRowAVX2x4x16 does.
//
//go:noescape
func GemmRowAVX2x2x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmRowAVX2x6x8 computes 6 x 8 tiles of C, rows of A anywhere.
//
//go:noescape
func GemmRowAVX2x6x8(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// GemmOuterAVX512x8x32 computes one 8 x 32 tile of C from k-major operands.
//
//go:noescape
func GemmOuterAVX512x8x32(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)

// GemmOuterAVX512x8x16 computes one 8 x 16 tile of C from k-major operands.
//
//go:noescape
func GemmOuterAVX512x8x16(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)

// GemmOuterAVX2x4x16 computes one 4 x 16 tile of C from k-major operands.
//
//go:noescape
func GemmOuterAVX2x4x16(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)

// GemmOuterAVX2x4x8 computes one 4 x 8 tile of C from k-major operands.
//
//go:noescape
func GemmOuterAVX2x4x8(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)

// GemmPackRowsAVX2 copies k rows of panels*nr columns into panels:
//
//	for r := range k { for p := range panels { for j := range nr {
//		dst[p*stride+r*nr+j] = src[r*ld+p*nr+j]
//	} } }
//
// k and panels are at least 1, nr is a multiple of 8.
//
//go:noescape
func GemmPackRowsAVX2(k, panels, nr int, src *float32, ld int, dst *float32, stride int)

// GemmPackColsAVX2 transposes nr rows of k elements:
//
//	for r := range k { for j := range nr { dst[r*ldd+j] = src[j*ld+r] } }
//
// k and nr are multiples of 8, at least 8.
//
//go:noescape
func GemmPackColsAVX2(k, nr int, src *float32, ld int, dst *float32, ldd int)

// GemmPackRowsAVX512 is GemmPackRowsAVX2 for nr = 32.
//
//go:noescape
func GemmPackRowsAVX512(k, panels, nr int, src *float32, ld int, dst *float32, stride int)

// GemmPackColsAVX512 is GemmPackColsAVX2 for k a multiple of 4 and nr of 16.
//
//go:noescape
func GemmPackColsAVX512(k, nr int, src *float32, ld int, dst *float32, ldd int)
