package kernelstest

import (
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/kernels"
)

func normCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	add := func(rows, c, group int, fused bool) {
		name := fmt.Sprintf("%dx%d group %d fused %v", rows, c, group, fused)
		cases = append(cases,
			testCase{name + " forward", func(h *harness) { runNorm(h, rows, c, group, fused) }},
			testCase{name + " backward", func(h *harness) { runNormGrad(h, rows, c, group, fused) }})
	}
	for _, rows := range []int{2, 17, 168, 169, 700} {
		for _, c := range []int{1, 5, 16, 33, 64} {
			add(rows, c, 0, rows%2 == 0)
			add(rows*2, c, rows, rows%2 != 0)
		}
	}
	if tier >= Tier2 {
		for range 60 {
			rows := 2 + r.IntN(400)
			add(rows*3, 1+r.IntN(80), rows, r.IntN(2) == 0)
		}
	}
	if tier >= Tier3 {
		add(32*28*28, 128, 0, true)
	}
	return cases
}

func groupsOf(rows, group int) (n, size int) {
	if group == 0 {
		return 1, rows
	}
	return rows / group, group
}

func runNorm(h *harness, rows, c, group int, fused bool) {
	n, size := groupsOf(rows, group)
	x := h.in(rows * c)
	st := kernels.Stats{Part: h.in(kernels.StatsChunks(rows, group) * 2 * c), Shift: h.in(c), Group: group}
	h.b.ChannelStats(&kernels.ChannelStatsArgs{Rows: rows, C: c, X: x, Stats: st})
	moments := h.alloc(kernels.Float64, n*2*c)
	h.b.BNMoments(&kernels.BNMomentsArgs{Rows: rows, C: c, Stats: st, Moments: moments})
	f := kernels.BNFinalizeArgs{Groups: n, C: c, Count: size, Moments: moments, Gamma: h.in(c), Beta: h.in(c), Eps: 1e-5, Momentum: 0.1,
		RunMean: h.in(c), RunVar: h.between(c, 0.5, 1), Mean: h.in(n * c), InvStd: h.in(n * c), Scale: h.in(n * c), Shift: h.in(n * c)}
	h.b.BNFinalize(&f)
	y := h.in(rows * c)
	a := kernels.BNApplyArgs{Rows: rows, C: c, Group: group, X: x, Scale: f.Scale, Shift: f.Shift, Y: y}
	if fused {
		a.Residual, a.ReLU = h.in(rows*c), true
	}
	h.b.BNApply(&a)
	// The smallest groups have variances near 0, which magnifies roundings.
	scale := 300.0
	if size < 8 {
		scale = 1e6
	}
	h.out("moments", moments, 16*float64(size))
	h.out("running mean", f.RunMean, 4)
	h.out("running variance", f.RunVar, 16)
	h.out("mean", f.Mean, 16)
	h.out("y", y, scale)

	e := f
	e.Eval, e.Groups, e.Moments, e.Count = true, 1, kernels.Mem{}, 1
	e.Mean, e.InvStd, e.Scale, e.Shift = h.in(c), h.in(c), h.in(c), h.in(c)
	h.b.BNFinalize(&e)
	h.out("eval scale", e.Scale, 16)
	h.out("eval shift", e.Shift, 16)
}

func runNormGrad(h *harness, rows, c, group int, fused bool) {
	n, size := groupsOf(rows, group)
	r := kernels.BNReduceArgs{Rows: rows, C: c, Group: group, DY: h.in(rows * c), X: h.in(rows * c), Mean: h.in(n * c),
		Sums: h.alloc(kernels.Float64, n*2*c), Work: h.in(kernels.StatsChunks(rows, group) * 2 * c)}
	if fused {
		r.Mask, r.DResid, r.AccResid = h.in(rows*c), h.in(rows*c), rows%2 == 0
	} else if c%2 == 0 {
		r.Scale, r.Shift = h.in(n*c), h.in(n*c)
	}
	h.b.BNReduce(&r)
	g := kernels.BNGradFinalizeArgs{Groups: n, C: c, Count: size, Sums: r.Sums, LocalSums: r.Sums, Gamma: h.in(c), Mean: r.Mean, InvStd: h.between(n*c, 0.5, 1.5),
		CoefA: h.in(n * c), CoefB: h.in(n * c), CoefC: h.in(n * c), DGamma: h.in(c), DBeta: h.in(c), AccGamma: fused}
	h.b.BNGradFinalize(&g)
	b := kernels.BNBackwardArgs{Rows: rows, C: c, Group: group, DY: r.DY, X: r.X, Mask: r.Mask, Scale: r.Scale, Shift: r.Shift, CoefA: g.CoefA, CoefB: g.CoefB, CoefC: g.CoefC, DX: h.in(rows * c), Accumulate: fused}
	h.b.BNBackward(&b)
	sum := 16 * depth(size)
	h.out("sums", r.Sums, 4*sum)
	h.out("dgamma", g.DGamma, 4*sum*float64(n))
	h.out("dbeta", g.DBeta, sum*float64(n))
	h.out("dx", b.DX, 100)
	if fused {
		h.out("dresidual", r.DResid, 2)
	}
}
