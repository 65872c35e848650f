package kernelstest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/kernels"
)

// depth is the scale of a sum of k products of values below 1: roundings of a
// random sum grow with sqrt(k), and a chunked chain stays far below k.
func depth(k int) float64 { return 4 + 3*math.Sqrt(float64(k)) }

// gemmVariant is what may happen around a product.
type gemmVariant struct {
	accumulate, bias, residual, relu, stats, prepared bool
	pro                                               kernels.ProKind
	group                                             int
}

func gemmCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	add := func(m, n, k int, ta, tb bool, v gemmVariant) {
		cases = append(cases, testCase{fmt.Sprintf("%dx%dx%d ta=%v tb=%v %+v", m, n, k, ta, tb, v), func(h *harness) { runGemm(h, m, n, k, ta, tb, v) }})
	}
	for _, s := range [][3]int{{1, 1, 1}, {1, 7, 5}, {13, 33, 17}, {168, 32, 64}, {170, 70, 31}, {337, 17, 900}, {5, 100, 1}, {6, 9, 0}, {9, 65, 3000}} {
		for i := range 4 {
			add(s[0], s[1], s[2], i&1 != 0, i&2 != 0, gemmVariant{})
			add(s[0], s[1], s[2], i&1 != 0, i&2 != 0, gemmVariant{accumulate: true, bias: true, residual: true, relu: true})
		}
		add(s[0], s[1], s[2], false, false, gemmVariant{stats: true, prepared: true, bias: true})
		add(s[0], s[1], s[2], false, true, gemmVariant{pro: kernels.ProAffine, relu: true, prepared: true})
		add(s[0], s[1], s[2], false, true, gemmVariant{pro: kernels.ProBNBackward, accumulate: true})
	}
	add(336, 24, 40, false, false, gemmVariant{stats: true, group: 84, pro: kernels.ProAffine})
	for _, s := range [][5]int{{3, 5, 7, 9, 0}, {8, 20, 33, 40, 1}, {4, 170, 16, 24, 2}, {2, 30, 64, 800, 3}} {
		cases = append(cases, testCase{fmt.Sprint("batch ", s), func(h *harness) { runGemmBatch(h, s[0], s[1], s[2], s[3], s[4]&1 != 0, s[4]&2 != 0) }})
	}
	if tier >= Tier2 {
		for range 150 {
			v := gemmVariant{accumulate: r.IntN(2) == 0, bias: r.IntN(2) == 0, residual: r.IntN(3) == 0, relu: r.IntN(2) == 0, stats: r.IntN(3) == 0}
			ta := r.IntN(3) == 0
			if !ta {
				v.pro = kernels.ProKind(r.IntN(3))
			}
			add(1+r.IntN(200), 1+r.IntN(140), r.IntN(300), ta, r.IntN(2) == 0, v)
		}
	}
	if tier >= Tier3 {
		add(400, 300, 2000, false, false, gemmVariant{stats: true})
		add(64, 64, 20000, true, false, gemmVariant{})
		add(128, 2048, 128, false, true, gemmVariant{})
	}
	return cases
}

// mat is an r x c matrix with ld some columns wider than it needs.
func (h *harness) mat(r, c, pad int) kernels.Mat {
	return kernels.Mat{Mem: h.in(max(1, r*(c+pad))), Ld: c + pad}
}

func runGemm(h *harness, m, n, k int, ta, tb bool, v gemmVariant) {
	a := &kernels.GemmArgs{M: m, N: n, K: k, TransA: ta, TransB: tb, Accumulate: v.accumulate}
	if a.A = h.mat(m, k, 0); ta {
		a.A = h.mat(k, m, 3)
	}
	if a.B = h.mat(k, n, 2); tb {
		a.B = h.mat(n, k, 1)
	}
	a.C = h.mat(m, n, 1)
	scale := depth(k)
	if v.bias {
		a.Epi.Bias = h.in(n)
	}
	if v.residual {
		a.Epi.Residual = h.mat(m, n, 4)
	}
	a.Epi.ReLU = v.relu
	if v.stats {
		a.Epi.Stats = kernels.Stats{Part: h.in(kernels.StatsChunks(m, v.group) * 2 * n), Shift: h.in(n), Group: v.group}
		h.out("stats", a.Epi.Stats.Part, depth(k)*depth(k)*168)
	}
	switch v.pro {
	case kernels.ProAffine:
		g := 1
		if v.group > 0 {
			g = m / v.group
		}
		a.Pro = kernels.Prologue{Kind: v.pro, Scale: h.in(max(1, g*k)), Shift: h.in(max(1, g*k)), ReLU: v.relu, Group: v.group}
		scale *= 2
	case kernels.ProBNBackward:
		x := max(1, m*k)
		a.Pro = kernels.Prologue{Kind: v.pro, A: h.in(max(1, k)), B: h.in(max(1, k)), C: h.in(max(1, k)), X: h.in(x)}
		if mask := h.in(x); m%2 == 0 {
			a.Pro.Mask = mask
		} else {
			a.Pro.Scale, a.Pro.Shift = h.in(max(1, k)), h.in(max(1, k))
		}
		scale *= 3
	}
	if v.prepared && !ta {
		p := &kernels.PrepareArgs{Pass: kernels.PassGemm, N: n, K: k, TransB: tb, B: a.B, Dst: &kernels.Prepared{}}
		if b := h.b.PreparedBytes(p); b > 0 {
			p.Dst.Mem = h.alloc(kernels.Float32, (b+3)/4)
			h.b.Prepare(p)
			a.Prepared = p.Dst
		}
	}
	a.Work = h.work(a)
	h.b.Gemm(a)
	h.out("C", a.C.Mem, scale)
}

// runGemmBatch is n products that share B, with gaps between the others.
func runGemmBatch(h *harness, batch, m, n, k int, tb, accumulate bool) {
	a := &kernels.GemmArgs{M: m, N: n, K: k, TransB: tb, Accumulate: accumulate, Batch: batch, StepA: m*k + 3, StepC: m*(n+1) + 2}
	a.A = kernels.Mat{Mem: h.in(batch * a.StepA), Ld: k}
	a.C = kernels.Mat{Mem: h.in(batch * a.StepC), Ld: n + 1}
	if a.B = h.mat(k, n, 2); tb {
		a.B = h.mat(n, k, 1)
	}
	a.Epi.Bias, a.Epi.ReLU = h.in(n), true
	a.Work = h.work(a)
	h.b.Gemm(a)
	h.out("C", a.C.Mem, depth(k))
}
