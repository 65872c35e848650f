package kernelstest

import (
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/kernels"
)

func poolCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	add := func(a kernels.PoolArgs) {
		for kind := kernels.PoolMax; kind <= kernels.PoolAvgValid; kind++ {
			a := a
			a.Kind = kind
			cases = append(cases, testCase{fmt.Sprintf("kind %d %dx%dx%dx%d window %dx%d/%d,%d pad %d,%d", kind, a.N, a.H, a.W, a.C, a.KH, a.KW, a.StrideH, a.StrideW, a.PadH, a.PadW),
				func(h *harness) { runPool(h, a) }})
		}
	}
	for _, c := range []int{1, 7, 16, 33, 64} {
		add(kernels.PoolArgs{N: 2, H: 9, W: 8, C: c, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1})
		add(kernels.PoolArgs{N: 1, H: 6, W: 7, C: c, KH: 2, KW: 2, StrideH: 2, StrideW: 2})
		add(kernels.PoolArgs{N: 3, H: 4, W: 4, C: c, KH: 4, KW: 4, StrideH: 1, StrideW: 1})
		add(kernels.PoolArgs{N: 1, H: 5, W: 5, C: c, KH: 3, KW: 2, StrideH: 1, StrideW: 3, PadH: 1})
	}
	if tier >= Tier2 {
		for range 40 {
			a := kernels.PoolArgs{N: 1 + r.IntN(3), H: 4 + r.IntN(10), W: 4 + r.IntN(10), C: 1 + r.IntN(40), KH: 1 + r.IntN(4), KW: 1 + r.IntN(4), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3)}
			a.PadH, a.PadW = r.IntN(a.KH/2+1), r.IntN(a.KW/2+1)
			add(a)
		}
	}
	return cases
}

func runPool(h *harness, a kernels.PoolArgs) {
	nx, ny := a.N*a.H*a.W*a.C, a.N*a.OH()*a.OW()*a.C
	a.X, a.Y = h.in(nx), h.in(ny)
	if a.Kind == kernels.PoolMax {
		a.Index = h.alloc(kernels.Int32, ny)
	}
	h.b.Pool(&a)
	h.out("y", a.Y, 8)
	if a.Kind == kernels.PoolMax {
		h.out("index", a.Index, 0)
	}
	for _, acc := range []bool{false, true} {
		g := a
		g.X, g.Y, g.Accumulate = h.in(nx), h.in(ny), acc
		h.b.PoolGrad(&g)
		h.out("dx", g.X, 16)
	}
}
