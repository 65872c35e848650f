package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The two micro-kernel forms that matrix products and convolutions share.
// Both keep an MR x NR tile of C in registers and add products in ascending k
// by fused multiply-adds; with load false the chain starts from +0, otherwise
// the finished chain is added to what C holds: C = C + chain (one rounding),
// which is how chunks of KC fold.

// RowTile computes tiles of C whose rows of A lie anywhere:
//
//	for t in 0..tiles-1, i in 0..MR-1, j in 0..NR-1:
//	  s = 0
//	  for g in 0..segs-1, k in 0..kc-1:
//	    s = fma(rows[(t*segs+g)*MR+i][k], b[(g*kc+k)*NR+j], s)
//	  c[(t*MR+i)*ldc+j] = s (+ c[...] when load)
//
// A segment is a tap of a convolution (or the one chunk of a product); rows
// are the addresses of its MR input pixels, already advanced to the chunk's
// first k. b is a packed panel, 64-byte aligned. ldc is in elements.
type RowTile func(tiles, segs, kc int, rows *unsafe.Pointer, b, c *float32, ldc int, load bool)

// RowTail is a RowTile of one tile that computes and stores only its first
// Rows rows; a segment has MR addresses all the same.
type RowTail struct {
	Rows int
	Tile RowTile
}

// OuterTile computes one tile whose operands are both stored k-major:
//
//	for i in 0..MR-1, j in 0..NR-1:
//	  s = 0
//	  for g in 0..segs-1, k in 0..seg[g].K-1:
//	    s = fma(seg[g].A[k*lda+i], seg[g].B[k*ldb+j], s)
//	  c[i*ldc+j] = s (+ c[...] when load)
//
// Segments are the runs of pixels of a weight gradient; a packed operand has
// lda = MR or ldb = NR. Strides are in elements.
type OuterTile func(segs int, seg *asm.Seg, lda, ldb int, c *float32, ldc int, load bool)
