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

// stream is memory that tiles fetch before it is read, because its rows lie too
// far apart for the prefetchers of the core, or because what they find in time
// is less than a tile needs: rows pairs of lines, step bytes from one to the
// next, then the pairs beside them, cols times.
type stream struct {
	at         uintptr
	step       int
	rows, cols int
	done       int // rows of this column
}

// rowStream is the stream of rows rows of n floats, ld apart.
func rowStream(p *float32, rows, n, ld int) stream {
	if n == ld {
		rows, n, ld = rows*n/pairFloats, pairFloats, pairFloats
	}
	return stream{at: uintptr(unsafe.Pointer(p)), step: 4 * ld, rows: rows, cols: (n + pairFloats - 1) / pairFloats}
}

// pairFloats is the floats of two lines.
const pairFloats = 32

// perTile is the pairs that one tile of depth k fetches.
func perTile(k int) int { return k / 4 }

// left is the pairs still to be fetched of this column, 0 at the end.
func (s *stream) left() int {
	if s.cols == 0 {
		return 0
	}
	return s.rows - s.done
}

// streams are fetched one after the other.
type streams [2]stream

// current is the stream under way, nil at the end.
func (s *streams) current() *stream {
	if s != nil {
		for i := range s {
			if s[i].left() > 0 {
				return &s[i]
			}
		}
	}
	return nil
}

// tiles is how many of n tiles, each with each pairs, fetch from one column.
func (s *streams) tiles(n, each int) int {
	if c := s.current(); c != nil && each > 0 {
		return min(n, (c.left()+each-1)/each)
	}
	return n
}

// take is the next n pairs: where they begin and the step between them. Ended
// streams stay at rest, where the core has what it asks for already.
func (s *streams) take(n int, rest *float32) (at uintptr, step int) {
	c := s.current()
	if c == nil {
		return uintptr(unsafe.Pointer(rest)), 0
	}
	at, step = c.at+uintptr(c.done*c.step), c.step
	if c.done += n; c.done >= c.rows {
		c.at, c.done, c.cols = c.at+4*pairFloats, 0, c.cols-1
	}
	return at, step
}
