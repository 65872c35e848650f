package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// special is values on which the helpers' comparisons and sums could differ.
var special = []float32{0, float32(math.Copysign(0, -1)), 1, -1, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-42, -1e-42}

// mixed is random values, some of them special.
func mixed(t testing.TB, r *rand.Rand, n int) Mem {
	m, free := guarded(t, n)
	t.Cleanup(free)
	for i, s := 0, m.F32(); i < n; i++ {
		s[i] = 2*r.Float32() - 1
		if r.IntN(8) == 0 {
			s[i] = special[r.IntN(len(special))]
		}
	}
	return m
}

// rowHelpersRun runs every helper once on equal data and returns the results.
func rowHelpersRun(t testing.TB, h *rowHelpers, m, n int) []float32 {
	r := rand.New(rand.NewPCG(uint64(m), uint64(n)))
	in := func() *float32 { return elem(mixed(t, r, n), 0) }
	var out []float32
	keep := func(m Mem) { out = append(out, m.F32()...) }
	for _, relu := range []bool{false, true} {
		dst := mixed(t, r, m*n)
		h.affine(m, n, elem(dst, 0), n, elem(mixed(t, r, m*n), 0), n, in(), in(), relu)
		keep(dst)
		for _, bias := range []*float32{nil, in()} {
			for _, res := range []*float32{nil, elem(mixed(t, r, m*n), 0)} {
				c := mixed(t, r, m*n)
				h.finish(m, n, elem(c, 0), n, bias, res, n, relu)
				keep(c)
			}
		}
	}
	block := func() *float32 { return elem(mixed(t, r, m*n), 0) }
	for _, gate := range [][3]*float32{{}, {block()}, {nil, in(), in()}} {
		dst := mixed(t, r, m*n)
		h.bnBack(m, n, elem(dst, 0), n, block(), n, block(), gate[0], n, gate[1], gate[2], in(), in(), in())
		keep(dst)
	}
	for _, shift := range []*float32{nil, in()} {
		sum, sq := mixed(t, r, n), mixed(t, r, n)
		h.stats(m, n, elem(mixed(t, r, m*n), 0), n, shift, elem(sum, 0), elem(sq, 0))
		keep(sum)
		keep(sq)
	}
	c := mixed(t, r, m*n)
	if n%16 == 0 && h.past != nil {
		h.past(m, n, elem(c, 0), n, elem(mixed(t, r, m*n), 0), n)
	} else {
		h.copy(m, n, elem(c, 0), n, elem(mixed(t, r, m*n), 0), n)
	}
	keep(c)
	h.copy(m, n, elem(c, 0), n, elem(mixed(t, r, m*n), 0), n)
	keep(c)
	h.add(m, n, elem(c, 0), n, elem(mixed(t, r, m*n), 0), n)
	keep(c)
	return out
}

// TestRowHelpers compares the helpers of every row with Go's, against guard
// pages: equal to the bit where no fused multiply-add enters, near elsewhere;
// and AVX2 with AVX-512 to the bit.
func TestRowHelpers(t *testing.T) {
	first := map[string][]float32{}
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		for _, m := range []int{1, 5, 40} {
			for _, n := range []int{1, 7, 8, 9, 16, 31, 32, 33, 63, 64, 65, 100, 130} {
				got, want := rowHelpersRun(t, k.Rows, m, n), rowHelpersRun(t, &rowsGo, m, n)
				for i, w := range want {
					g := got[i]
					if same := g == w || (g != g && w != w); !same && !(math.Abs(float64(g-w)) <= 1e-5*(1+math.Abs(float64(w)))) {
						t.Fatalf("m=%d n=%d: value %d is %g, Go has %g", m, n, i, g, w)
					}
				}
				if k.Needs == 0 {
					continue
				}
				id := fmt.Sprint(m, n)
				if other, ok := first[id]; ok {
					equalBits(t, "m, n = "+id, got, other)
				}
				first[id] = got
			}
		}
	})
}
