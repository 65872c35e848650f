package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// gemmScratch is a worker's memory laid out for one unit of a product.
type gemmScratch struct {
	rows   []uintptr // addresses of a row chunk's rows of A, whole tiles
	seg    []uintptr // the one segment of an OuterTile
	edge   []float32 // tiles with fewer rows or columns than a whole one
	a      []float32 // rows of A after prologue, transpose or copy
	panels []float32 // the unit's own panels of B
	part   []float32 // sums that C joins last
	from   int       // the first step of k of the unit
}

const (
	// maxKC is the deepest chunk of k that gemmKC makes.
	maxKC = 768

	// scratchLd is the stride of rows of A in scratch: an odd number of cache
	// lines, so that the rows of a tile fall into different sets.
	scratchLd = maxKC + 16

	// panelFloats is the most that a unit's own panels take.
	panelFloats = 2 << 20
)

// ownCols is the columns that a unit packs for itself at most: they take half
// of the second cache or, when a unit has several chunks of k or copies its rows
// of A, a quarter of the third, so that units are few (BenchmarkGemm: 512 to 2048
// channels at 7 x 7 has 95 % of the peak with the former, 1568 x 512 x 2048,
// whose rows of A crowd, 88 and 92 %).
func ownCols(depth int, few bool) int {
	if !few {
		return ownFloats / depth
	}
	_, _, l3 := asm.Caches()
	return min(max(l3/16, ownFloats), panelFloats) / depth
}

// rowsOfL2 is the rows of A of which kc columns take half of the second cache,
// at most those of a statistics chunk: on 1 MB 168 of them at any kc.
func (k *GemmKernel) rowsOfL2(kc int) int {
	return max(k.MR, min(StatsChunk, l2Sets*16*64/8/max(kc, 1))/k.MR*k.MR)
}

// rowAddresses sees part of a worker's scratch as n addresses. They are plain
// numbers to the collector: the job that they belong to keeps A alive.
func rowAddresses(s []float32, n int) []uintptr {
	return unsafe.Slice((*uintptr)(unsafe.Pointer(&s[0])), n)
}

func (k *GemmKernel) scratch(w *Worker) gemmScratch {
	const rows = StatsChunk + 16 // a chunk's rows in whole tiles
	s := w.Scratch(ScratchFloats)
	take := func(n int) []float32 {
		t := s[:n:n]
		s = s[n:]
		return t
	}
	return gemmScratch{
		rows:   rowAddresses(take(2*rows), rows),
		seg:    rowAddresses(take(16), 3),
		edge:   take(k.edgeFloats()),
		a:      take(rows * scratchLd),
		panels: take(panelFloats),
		part:   take(StatsChunk * maxCols),
	}
}

// segment is a run of k as OuterTile reads it, kept as addresses for the
// reason that rowAddresses gives.
func (s *gemmScratch) segment(a, b *float32, k int) []asm.Seg {
	s.seg[0], s.seg[1], s.seg[2] = uintptr(unsafe.Pointer(a)), uintptr(unsafe.Pointer(b)), uintptr(k)
	return unsafe.Slice((*asm.Seg)(unsafe.Pointer(&s.seg[0])), 1)
}

// l2Sets is the sets of the second cache, of 16 ways as on every x86-64 core
// with AVX-512 so far.
var l2Sets = func() int {
	_, l2, _ := asm.Caches()
	return max(l2, 256<<10) / (64 * 16)
}()

// l2Floats is the floats that the second cache holds.
var l2Floats = l2Sets * 16 * 16

// crowded reports whether m rows of A, kc deep and ld apart, fall into so few
// sets of the second cache that they evict one another before the next panel
// passes: such rows go through scratch. On 1 MB a stride of 4096 bytes is as
// fast as it lies; 8192 runs at 85 % of the peak there and at 96 % copied
// (BenchmarkGemm/shape=cube/m=2048).
func crowded(m, kc, ld int) bool {
	const most = 12
	starts := l2Sets // of rows, in sets
	for gap := ld / 16; gap%2 == 0 && starts > 1 && ld%16 == 0; gap /= 2 {
		starts /= 2
	}
	lines := (kc + 15) / 16
	covered := min(l2Sets, starts*lines)
	return m*lines > most*covered
}

// copiesA reports whether m rows of A, kc deep, go through scratch on their way
// to tiles of mr rows.
func copiesA(a *GemmArgs, mr, m, kc int) bool {
	return a.TransA || a.Pro.Kind != ProNone || crowded(m, kc, a.A.Ld) || crowdedL1(mr, a.A.Ld)
}

// rowsOfA lists the addresses of rows i..i+m-1 of A at k0, kc deep, after
// whatever must happen to them before they are read.
func (j *gemmJob) rowsOfA(s *gemmScratch, i, m, k0, kc int) {
	a, ld := &s.a[0], scratchLd
	switch {
	case kc == 0: // nothing is read
	case j.TransA:
		j.k.transpose(m, kc, elem(j.A.Mem, k0*j.A.Ld+i), j.A.Ld, a, ld)
	case copiesA(&j.GemmArgs, j.k.MR, m, kc):
		j.k.Rows.prologueRows(&j.Pro, i, m, k0, kc, j.K, a, ld, elem(j.A.Mem, i*j.A.Ld+k0), j.A.Ld)
	default:
		a, ld = elem(j.A.Mem, i*j.A.Ld+k0), j.A.Ld
	}
	at := uintptr(unsafe.Pointer(a))
	n := (m + j.k.MR - 1) / j.k.MR * j.k.MR
	for r := range n {
		s.rows[r] = at + uintptr(min(r, m-1)*ld*4)
	}
}
