package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// packGroup is the panels that one packing tile makes: rows of B are read 4
// panels wide, so that a step of k touches whole pages in turn.
const packGroup = 4

// panelAt is the offset of the panel of column j in the chunk of k that begins
// at k0 and is kc deep, in B packed whole: chunk after chunk, panel after panel.
func (k *GemmKernel) panelAt(n, k0, kc, j int) int { return k0*k.paddedCols(n) + j*kc }

// packB packs columns j..j1-1 of rows k0..k0+kc-1 of B [K,N] (memory [N,K] when
// trans) into panels from dst on; columns beyond N are zeros. j is a multiple
// of NR, j1 too unless it is N.
func (k *GemmKernel) packB(b Mat, trans bool, k0, kc, j, j1 int, dst []float32) {
	if kc == 0 {
		return
	}
	if !trans {
		if whole := (j1 - j) / k.NR; whole > 0 {
			k.PackRows(kc, whole, k.NR, elem(b.Mem, k0*b.Ld+j), b.Ld, &dst[0], k.NR*kc)
			j, dst = j+whole*k.NR, dst[whole*k.NR*kc:]
		}
		if n := j1 - j; n > 0 {
			padCopy(kc, n, elem(b.Mem, k0*b.Ld+j), b.Ld, dst, k.width(n))
		}
		return
	}
	for ; j < j1; j += k.NR {
		n := min(k.NR, j1-j)
		w := k.width(n)
		k.transpose(kc, n, elem(b.Mem, j*b.Ld+k0), b.Ld, &dst[0], w)
		if n < w {
			for r := range kc {
				clear(dst[r*w+n : r*w+w])
			}
		}
		dst = dst[w*kc:]
	}
}

// padCopy copies kc rows of n columns into rows of w, zeros behind them.
func padCopy(kc, n int, src *float32, ld int, dst []float32, w int) {
	for r := range kc {
		row := dst[r*w:][:w]
		clear(row[copy(row, unsafe.Slice(advance(src, r*ld), n)):])
	}
}

// transpose is dst[r*ldd+j] = src[j*ld+r] for r < m, j < n: blocks of 8 x 8 by
// the row's kernel, the rest by hand.
func (k *GemmKernel) transpose(m, n int, src *float32, ld int, dst *float32, ldd int) {
	m8, n8 := m&^7, n&^7
	if m8 > 0 && n8 > 0 {
		k.PackCols(m8, n8, src, ld, dst, ldd)
	} else {
		m8 = 0
	}
	if m8 < m {
		goPackCols(m-m8, n, advance(src, m8), ld, advance(dst, m8*ldd), ldd)
	}
	if m8 > 0 && n8 < n {
		goPackCols(m8, n-n8, advance(src, n8*ld), ld, advance(dst, n8), ldd)
	}
}

// packColsAVX512 is PackCols of AVX-512, which moves 16 columns at once; 8 that
// are left are AVX2's.
func packColsAVX512(k, nr int, src *float32, ld int, dst *float32, ldd int) {
	wide := nr &^ 15
	if wide > 0 {
		asm.GemmPackColsAVX512(k, wide, src, ld, dst, ldd)
	}
	if wide < nr {
		asm.GemmPackColsAVX2(k, nr-wide, advance(src, wide*ld), ld, advance(dst, wide), ldd)
	}
}

func goPackRows(k, panels, nr int, src *float32, ld int, dst *float32, stride int) {
	for r := range k {
		from := unsafe.Slice(advance(src, r*ld), panels*nr)
		for p := range panels {
			copy(unsafe.Slice(advance(dst, p*stride+r*nr), nr), from[p*nr:])
		}
	}
}

func goPackCols(k, n int, src *float32, ld int, dst *float32, ldd int) {
	for j := range n {
		for r, v := range unsafe.Slice(advance(src, j*ld), k) {
			*advance(dst, r*ldd+j) = v
		}
	}
}

// packJob packs all of B: a tile is packGroup panels of one chunk.
type packJob struct {
	k       *GemmKernel
	b       Mat
	trans   bool
	depth   int // K
	n, kc   int
	columns int // tiles of one chunk
	dst     []float32
}

func (p *packJob) Tile(_ *Worker, i int) {
	k0 := i / p.columns * p.kc
	j := i % p.columns * packGroup * p.k.NR
	kc := min(p.kc, p.depth-k0)
	p.k.packB(p.b, p.trans, k0, kc, j, min(p.n, j+packGroup*p.k.NR), p.dst[p.k.panelAt(p.n, k0, kc, j):])
}

// packAll packs B [K,N] into dst, which holds K*paddedCols(N).
func (g *gemmState) packAll(b Mat, trans bool, n, depth int, dst []float32) {
	if n == 0 || depth == 0 {
		return
	}
	p := g.packs.get()
	kc := gemmKC(depth)
	*p = packJob{k: g.kernel, b: b, trans: trans, depth: depth, n: n, kc: kc, dst: dst}
	group := packGroup * p.k.NR
	p.columns = (n + group - 1) / group
	g.team.Do(p.columns*((depth+kc-1)/kc), n*depth/10, p) // about 10 elements a nanosecond
	p.b, p.dst = Mat{}, nil
	g.packs.put(p)
}

func (g *gemmState) gemmPreparedBytes(a *PrepareArgs) int { return 4 * a.K * g.kernel.paddedCols(a.N) }

func (g *gemmState) gemmPrepare(a *PrepareArgs) {
	a.Dst.Row = g.kernel.Name
	g.packAll(a.B, a.TransB, a.N, a.K, a.Dst.Mem.As(Float32).F32())
}
