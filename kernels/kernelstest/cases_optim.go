package kernelstest

import (
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/kernels"
)

func optimCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	sizes := []int{1, 17, 100, 5000}
	for kind := kernels.UpdateSGD; kind <= kernels.UpdateAdamW; kind++ {
		for flag := range 4 {
			cases = append(cases, testCase{fmt.Sprintf("update %d variant %d", kind, flag), func(h *harness) { runUpdate(h, kind, sizes, flag&1 != 0, flag&2 != 0) }})
		}
	}
	return append(cases, testCase{"ema", func(h *harness) {
		s := spans(h, sizes)
		h.b.EMA(&kernels.EMAArgs{Spans: s, Momentum: 0.99})
		outSpans(h, s, 4)
	}})
}

func spans(h *harness, sizes []int) []kernels.Span {
	var s []kernels.Span
	for i, n := range sizes {
		p := kernels.Span{P: h.in(n), G: h.in(n), M: h.in(n), V: h.between(n, 0.1, 1), Decay: 0.01 * float32(i), Adapt: i%2 == 0}
		s = append(s, p)
	}
	return s
}

func outSpans(h *harness, s []kernels.Span, scale float64) {
	for i, p := range s {
		h.out(fmt.Sprintf("p%d", i), p.P, scale)
		h.out(fmt.Sprintf("m%d", i), p.M, scale)
		h.out(fmt.Sprintf("v%d", i), p.V, scale)
	}
}

func runUpdate(h *harness, kind kernels.UpdateKind, sizes []int, a, b bool) {
	s := spans(h, sizes)
	chunks := 0
	for _, n := range sizes {
		chunks += (n + 4095) / 4096
	}
	norms := h.alloc(kernels.Float64, 2*len(s))
	h.b.SquareNorms(&kernels.SquareNormsArgs{Spans: s, Out: norms, Work: h.in(2 * chunks)})
	h.out("norms", norms, 16*5000)
	for step := range 3 {
		h.b.Update(&kernels.UpdateArgs{Kind: kind, Spans: s, Norms: norms, Step: step, LR: 0.05, Momentum: 0.9, Nesterov: a, Trust: 0.02, Eps: 1e-8, Clip: b, Beta1: 0.9, Beta2: 0.999})
	}
	outSpans(h, s, 64)
}
