package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// gemmRows runs f for every row of the table that this CPU has; under
// SECTILE_REQUIRE_ISA a row that should run may not be skipped.
func gemmRows(t *testing.T, f func(t *testing.T, k *GemmKernel)) {
	for i := range gemmTable {
		k := &gemmTable[i]
		t.Run(k.Name, func(t *testing.T) {
			if !k.Usable() {
				if k.Needs&^requireISA() == 0 {
					t.Fatalf("needs %v, which SECTILE_REQUIRE_ISA promises", k.Needs)
				}
				t.Skipf("needs %v", k.Needs)
			}
			f(t, k)
		})
	}
}

func randFloats(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = 2*r.Float32() - 1
	}
	return s
}

// chainBound is the worst rounding error of a chain of n fused (or separate)
// multiply-adds whose absolute products sum to abs.
func chainBound(n int, abs float64) float64 { return 2 * float64(n+2) * 0x1p-24 * abs }

func TestRowTile(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		r := rand.New(rand.NewPCG(1, 2))
		edge := make([]float32, k.edgeFloats())
		for _, s := range []struct{ m, n, segs, kc int }{
			{k.MR, k.NR, 1, 1}, {k.MR, k.Narrow, 1, 7}, {3 * k.MR, k.NR, 2, 9}, {2*k.MR + 1, k.NR - 1, 3, 4},
			{1, 1, 1, 5}, {k.MR - 1, k.NR, 1, 16}, {4, k.NR, 1, 6}, {k.MR + 4, k.NR, 2, 5}, {k.MR + 8, k.NR, 1, 11}, {k.MR + 7, k.NR - 1, 2, 3}, {k.MR, k.NR, 1, 0}, {k.MR, k.NR, 0, 3}, {20*k.MR + 3, 1, 1, 33},
		} {
			for _, load := range []bool{false, true} {
				t.Run(fmt.Sprintf("m=%d/n=%d/segs=%d/kc=%d/load=%v", s.m, s.n, s.segs, s.kc, load), func(t *testing.T) {
					testRowTile(t, k, r, s.m, s.n, s.segs, s.kc, load, edge)
				})
			}
		}
	})
}

func testRowTile(t *testing.T, k *GemmKernel, r *rand.Rand, m, n, segs, kc int, load bool, edge []float32) {
	w, tiles := k.width(n), (m+k.MR-1)/k.MR
	a := randFloats(r, m*segs*kc+1)
	b := randFloats(r, max(1, segs*kc*w))
	ldc := n + 3
	c := randFloats(r, m*ldc)
	was := append([]float32(nil), c...)
	rows := make([]uintptr, tiles*segs*k.MR+1)
	for i := range rows[:tiles*segs*k.MR] {
		row := i/(segs*k.MR)*k.MR + i%k.MR
		rows[i] = uintptr(unsafe.Pointer(&a[(min(row, m-1)*segs+i/k.MR%segs)*kc]))
	}
	k.rowStrip(m, n, segs, kc, rows, &b[0], &c[0], ldc, load, edge)
	for i := range c {
		row, j := i/ldc, i%ldc
		if j >= n {
			if c[i] != was[i] {
				t.Fatalf("row %d column %d beyond the tile was written", row, j)
			}
			continue
		}
		var sum, abs float64
		if load {
			sum, abs = float64(was[i]), math.Abs(float64(was[i]))
		}
		for q := range segs * kc {
			p := float64(a[row*segs*kc+q]) * float64(b[q*w+j])
			sum, abs = sum+p, abs+math.Abs(p)
		}
		if d := math.Abs(float64(c[i]) - sum); !(d <= chainBound(segs*kc, abs)) {
			t.Fatalf("c[%d,%d] = %g, want %g within %g", row, j, c[i], sum, chainBound(segs*kc, abs))
		}
	}
}

func TestOuterTile(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		r := rand.New(rand.NewPCG(3, 4))
		edge := make([]float32, k.edgeFloats())
		for _, s := range []struct{ m, n int }{{k.OuterMR, k.NR}, {k.OuterMR, k.Narrow}, {1, k.NR - 1}, {k.OuterMR - 1, 1}} {
			for _, ks := range [][]int{{1}, {7, 0, 4}, {}, {0}, {5, 64, 3}} {
				for _, load := range []bool{false, true} {
					t.Run(fmt.Sprintf("m=%d/n=%d/k=%v/load=%v", s.m, s.n, ks, load), func(t *testing.T) {
						testOuterTile(t, k, r, s.m, s.n, ks, load, edge)
					})
				}
			}
		}
	})
}

func testOuterTile(t *testing.T, k *GemmKernel, r *rand.Rand, m, n int, ks []int, load bool, edge []float32) {
	lda, ldb, ldc := k.OuterMR+2, k.width(n)+1, n+2
	c := randFloats(r, m*ldc)
	was := append([]float32(nil), c...)
	sum := make([]float64, m*n)
	abs := make([]float64, m*n)
	var seg []asm.Seg
	total := 0
	for _, depth := range ks {
		a, b := randFloats(r, depth*lda+1), randFloats(r, depth*ldb+1)
		seg = append(seg, asm.Seg{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&b[0]), K: depth})
		total += depth
		for q := range depth {
			for i := range sum {
				p := float64(a[q*lda+i/n]) * float64(b[q*ldb+i%n])
				sum[i], abs[i] = sum[i]+p, abs[i]+math.Abs(p)
			}
		}
	}
	k.outerTile(m, n, seg, lda, ldb, &c[0], ldc, load, edge)
	for i := range c {
		row, j := i/ldc, i%ldc
		if j >= n {
			if c[i] != was[i] {
				t.Fatalf("row %d column %d beyond the tile was written", row, j)
			}
			continue
		}
		want, a := sum[row*n+j], abs[row*n+j]
		if load {
			want, a = want+float64(was[i]), a+math.Abs(float64(was[i]))
		}
		if d := math.Abs(float64(c[i]) - want); !(d <= chainBound(total, a)) {
			t.Fatalf("c[%d,%d] = %g, want %g", row, j, c[i], want)
		}
	}
}

// TestRowStride: a tile that reads B where it lies, and fetches whatever is at
// ahead, gives the bits of one that reads the panel.
func TestRowStride(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		r := rand.New(rand.NewPCG(5, 6))
		const kc = 70
		ldb := k.NR + 7
		a, b := randFloats(r, k.MR*kc), randFloats(r, kc*ldb)
		rows := make([]unsafe.Pointer, k.MR)
		for i := range rows {
			rows[i] = unsafe.Pointer(&a[i*kc])
		}
		tiles := append([]RowTail{{k.MR, k.Row}, {k.MR, k.RowNarrow}}, k.Tails...)
		if k.RowPast != nil {
			tiles = append(tiles, RowTail{k.MR, k.RowPast})
		}
		for i, tile := range tiles {
			w := k.NR
			if i == 1 {
				w = k.Narrow
			}
			panel := make([]float32, kc*w)
			padCopy(kc, w, &b[0], ldb, panel, w)
			got, want := plainAligned(k.MR*k.NR), plainAligned(k.MR*k.NR)
			tile.Tile(1, 1, kc, &rows[0], &panel[0], w, &want[0], k.NR, false, 0, 0)
			tile.Tile(1, 1, kc, &rows[0], &b[0], ldb, &got[0], k.NR, false, uintptr(unsafe.Pointer(&a[0])), 1<<20)
			equalBits(t, fmt.Sprintf("tile %d", i), got, want)
		}
	})
}

// plainAligned is n zeros at a boundary of 64 bytes.
func plainAligned(n int) []float32 {
	p := heapMemory(4 * n)
	return unsafe.Slice((*float32)(p), n)
}

// TestOuterOn: a chain in pieces has the bits of a whole one, of tiles that are
// whole and of others.
func TestOuterOn(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		r := rand.New(rand.NewPCG(7, 8))
		edge := make([]float32, k.edgeFloats())
		for _, s := range [][2]int{{k.OuterMR, k.NR}, {k.OuterMR, k.Narrow}, {k.OuterMR - 1, k.NR - 1}} {
			m, n := s[0], s[1]
			w := k.width(n)
			a, b := randFloats(r, 50*k.OuterMR), randFloats(r, 50*w)
			run := func(pieces ...int) []float32 {
				c, at := make([]float32, m*n), 0
				for _, d := range pieces {
					seg := []asm.Seg{{A: unsafe.Pointer(&a[at*k.OuterMR]), B: unsafe.Pointer(&b[at*w]), K: d}}
					k.outerOn(m, n, seg, k.OuterMR, w, &c[0], n, false, at > 0, edge, nil)
					at += d
				}
				return c
			}
			equalBits(t, fmt.Sprintf("%d x %d", m, n), run(13, 30, 7), run(50))
		}
	})
}

// TestRowPast: storing past the caches changes no bit, of whole tiles and of a
// product large enough to choose it.
func TestRowPast(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		if k.RowPast == nil {
			t.Skip("no such tile")
		}
		r := rand.New(rand.NewPCG(3, 4))
		c, err := Default()
		if err != nil {
			t.Fatal(err)
		}
		const m, n, depth = 260, pastBytes / 4 / 256, 9
		alloc := func(n int) Mem {
			m, err := c.Alloc(Float32, n)
			if err != nil {
				t.Fatal(err)
			}
			copy(m.F32(), randFloats(r, n))
			return m
		}
		a := GemmArgs{M: m, N: n, K: depth, A: Mat{alloc(m * depth), depth}, B: Mat{alloc(depth * n), n}, C: Mat{alloc(m * n), n}}
		a.Work = alloc((c.Workspace(&a) + 3) / 4)
		var pinned [2][]float32
		for i, past := range []RowTile{k.RowPast, nil} {
			row := *k
			row.RowPast = past
			g := gemmState{team: c.team, kernel: &row}
			if got := row.plan(&a, 1, false).past; got != (past != nil) {
				t.Fatalf("plan stores past the caches: %v", got)
			}
			g.Gemm(&a)
			pinned[i] = append([]float32(nil), a.C.Mem.F32()...)
		}
		for i, v := range pinned[0] {
			if math.Float32bits(v) != math.Float32bits(pinned[1][i]) {
				t.Fatalf("element %d: %v and %v", i, v, pinned[1][i])
			}
		}
		for _, m := range []Mem{a.A.Mem, a.B.Mem, a.C.Mem, a.Work} {
			c.Free(m)
		}
	})
}
