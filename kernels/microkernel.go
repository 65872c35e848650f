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
//	    s = fma(rows[(t*segs+g)*MR+i][k], b[(g*kc+k)*ldb+j], s)
//	  c[(t*MR+i)*ldc+j] = s (+ c[...] when load)
//
// A segment is a tap of a convolution (or the one chunk of a product); rows
// are the addresses of its MR input pixels, already advanced to the chunk's
// first k. b is a packed panel, 64-byte aligned, with ldb = NR, or B as it lies.
// Strides are in elements. After every four steps of k two lines at ahead are
// fetched and ahead moves on by step bytes: what a later call reads.
type RowTile func(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)

// RowTail is a RowTile of one tile that computes and stores only its first
// Rows rows; a segment has MR addresses all the same.
type RowTail struct {
	Rows int
	Tile RowTile
}

// OuterTile computes one tile whose operands are both stored k-major:
//
//	for i in 0..MR-1, j in 0..NR-1:
//	  s = 0 (c[...] when on: a chain that goes on)
//	  for g in 0..segs-1, k in 0..seg[g].K-1:
//	    s = fma(seg[g].A[k*lda+i], seg[g].B[k*ldb+j], s)
//	  c[i*ldc+j] = s (+ c[...] when load)
//
// Segments are the runs of pixels of a weight gradient; a packed operand has
// lda = MR or ldb = NR. Strides are in elements; ahead and step are RowTile's.
type OuterTile func(segs int, seg *asm.Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)

// stream is memory that tiles fetch before it is read: pairs of lines, step
// bytes from one to the next. What an operand's rows are to the prefetchers of
// the core, whole pages apart, it is not to them.
type stream struct {
	at    uintptr
	step  int
	pairs int
}

// perTile is the pairs that one tile of depth k fetches.
func perTile(k int) int { return k / 4 }

// take is the next n pairs: where they begin and the step between them. An
// ended stream stays at rest, where the core has what it asks for already.
func (s *stream) take(n int, rest *float32) (at uintptr, step int) {
	if s == nil || s.pairs <= 0 {
		return uintptr(unsafe.Pointer(rest)), 0
	}
	at, step = s.at, s.step
	s.at += uintptr(n * s.step)
	s.pairs -= n
	return at, step
}
