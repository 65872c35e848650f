package kernelstest

import (
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/internal/pairwise"
	"github.com/sectile-ml/sectile/kernels"
)

type convVariant struct {
	accumulate, fused, prepared bool
}

func convCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	add := func(s kernels.ConvShape, v convVariant) {
		for _, p := range []kernels.Pass{kernels.PassForward, kernels.PassGradInput, kernels.PassGradWeight} {
			cases = append(cases, testCase{fmt.Sprintf("pass %d %+v %+v", p, s, v), func(h *harness) { runConv(h, s, p, v) }})
		}
	}
	shape := func(n, hh, w, c, oc, kh, kw, s, pad, d, g int) kernels.ConvShape {
		return kernels.ConvShape{N: n, H: hh, W: w, C: c, OC: oc, KH: kh, KW: kw, StrideH: s, StrideW: s, PadH: pad, PadW: pad, DilH: d, DilW: d, Groups: g}
	}
	for i, s := range []kernels.ConvShape{
		shape(1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1), shape(2, 9, 7, 16, 32, 3, 3, 1, 1, 1, 1), shape(2, 8, 8, 24, 17, 3, 3, 2, 1, 1, 1),
		shape(1, 7, 9, 33, 31, 1, 1, 1, 0, 1, 1), shape(2, 9, 9, 8, 16, 1, 1, 2, 0, 1, 1), shape(1, 15, 14, 3, 16, 7, 7, 2, 3, 1, 1),
		shape(2, 14, 14, 1, 16, 3, 3, 1, 1, 1, 1), shape(1, 11, 10, 6, 9, 3, 3, 1, 2, 2, 1), shape(2, 9, 9, 8, 12, 3, 3, 1, 1, 1, 4),
		shape(1, 8, 8, 6, 6, 3, 3, 2, 1, 1, 6), shape(1, 6, 6, 3, 4, 5, 5, 3, 4, 1, 1), shape(4, 4, 4, 64, 64, 3, 3, 1, 1, 1, 1), shape(1, 4, 4, 800, 20, 2, 2, 1, 0, 1, 1),
	} {
		add(s, convVariant{})
		add(s, convVariant{accumulate: true, fused: true, prepared: i%2 == 0})
	}
	pairsOfConv(add)
	if tier >= Tier2 {
		for n := len(cases) + 222; len(cases) < n; {
			g := 1 + r.IntN(2)*r.IntN(3)
			s := kernels.ConvShape{N: 1 + r.IntN(3), H: 1 + r.IntN(14), W: 1 + r.IntN(14), C: g * (1 + r.IntN(20)), OC: g * (1 + r.IntN(36)), KH: 1 + r.IntN(5), KW: 1 + r.IntN(5),
				StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), PadH: r.IntN(3), PadW: r.IntN(3), DilH: 1 + r.IntN(2), DilW: 1 + r.IntN(2), Groups: g}
			if s.H+2*s.PadH < s.DilH*(s.KH-1)+1 || s.W+2*s.PadW < s.DilW*(s.KW-1)+1 {
				continue
			}
			add(s, convVariant{r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0})
		}
	}
	if tier >= Tier3 {
		add(shape(2, 28, 28, 64, 64, 3, 3, 1, 1, 1, 1), convVariant{fused: true})
		add(shape(2, 16, 16, 64, 128, 3, 3, 2, 1, 1, 1), convVariant{})
	}
	return cases
}

// pairsOfConv adds small shapes in which any two choices of a convolution meet.
func pairsOfConv(add func(s kernels.ConvShape, v convVariant)) {
	values := [][]int{
		{1, 2}, {1, 4, 9}, {1, 5, 8}, {1, 3, 8, 16, 17}, {1, 4, 16, 24, 33}, // N, H, W, C, OC
		{1, 2, 3, 5}, {1, 2, 3, 5}, {1, 2, 3}, {1, 2, 3}, {0, 1, 2, 6}, {0, 1, 2, 6}, {1, 2}, {1, 2}, // kernel, stride, padding, dilation
		{1, 2, 0}, {0, 1}, {0, 1}, {0, 1}, // groups (0: depthwise), accumulate, fused, prepared
	}
	of := func(row []int) (kernels.ConvShape, convVariant) {
		v := make([]int, len(row))
		for f, l := range row {
			v[f] = values[f][max(0, l)]
		}
		s := kernels.ConvShape{N: v[0], H: v[1], W: v[2], C: v[3], OC: v[4], KH: v[5], KW: v[6], StrideH: v[7], StrideW: v[8],
			PadH: v[9], PadW: v[10], DilH: v[11], DilW: v[12], Groups: v[13]}
		if s.Groups == 0 {
			s.Groups = s.C
		}
		return s, convVariant{v[14] == 1, v[15] == 1, v[16] == 1}
	}
	p := &pairwise.Plan{Seed: 1, Cost: func(row []int) float64 {
		s, _ := of(row)
		return float64(s.FLOP()) / 100_000
	}}
	for i, v := range values {
		p.Factors = append(p.Factors, pairwise.Factor{Name: fmt.Sprint(i), Levels: len(v)})
	}
	rule := func(holds func(s *kernels.ConvShape) bool, on ...int) {
		p.Rules = append(p.Rules, pairwise.Rule{On: on, Holds: func(levels []int) bool {
			row := make([]int, len(values))
			for i, f := range on {
				row[f] = levels[i]
			}
			s, _ := of(row)
			return holds(&s)
		}})
	}
	rule(func(s *kernels.ConvShape) bool { return s.H+2*s.PadH > s.DilH*(s.KH-1) }, 1, 5, 9, 11)
	rule(func(s *kernels.ConvShape) bool { return s.W+2*s.PadW > s.DilW*(s.KW-1) }, 2, 6, 10, 12)
	rule(func(s *kernels.ConvShape) bool { return s.C%s.Groups == 0 && s.OC%s.Groups == 0 }, 3, 4, 13)
	for _, row := range p.Cover() {
		add(of(row))
	}
}

func runConv(h *harness, s kernels.ConvShape, pass kernels.Pass, v convVariant) {
	pixels, nx := s.N*s.OH()*s.OW(), s.N*s.H*s.W*s.C
	a := &kernels.ConvArgs{ConvShape: s, Pass: pass, Accumulate: v.accumulate,
		X: h.in(nx), Wt: h.in(s.OC * s.KH * s.KW * s.C / s.Groups), Y: h.in(pixels * s.OC)}
	k := s.KH * s.KW * s.C / s.Groups
	if v.fused {
		if pass != kernels.PassGradInput {
			a.ProX = kernels.Prologue{Kind: kernels.ProAffine, Scale: h.in(s.C), Shift: h.in(s.C), ReLU: true}
		}
		if pass != kernels.PassForward {
			a.ProY = kernels.Prologue{Kind: kernels.ProBNBackward, A: h.in(s.OC), B: h.in(s.OC), C: h.in(s.OC), X: h.in(pixels * s.OC)}
			if mask := h.in(pixels * s.OC); s.H%2 == 0 {
				a.ProY.Mask = mask
			} else {
				a.ProY.Scale, a.ProY.Shift = h.in(s.OC), h.in(s.OC)
			}
		} else {
			a.Epi = kernels.Epilogue{Bias: h.in(s.OC), Residual: kernels.Mat{Mem: h.in(pixels * s.OC), Ld: s.OC}, ReLU: true,
				Stats: kernels.Stats{Part: h.in(kernels.StatsChunks(pixels, pixels/s.N) * 2 * s.OC), Shift: h.in(s.OC), Group: pixels / s.N}}
			h.out("stats", a.Epi.Stats.Part, depth(k)*depth(k)*168)
		}
	}
	if v.prepared && pass != kernels.PassGradWeight {
		p := &kernels.PrepareArgs{Pass: pass, Conv: s, Wt: a.Wt, Dst: &kernels.Prepared{}}
		if b := h.b.PreparedBytes(p); b > 0 {
			p.Dst.Mem = h.alloc(kernels.Float32, (b+3)/4)
			h.b.Prepare(p)
			a.Prepared = p.Dst
		}
	}
	a.Work = h.work(a)
	switch pass {
	case kernels.PassForward:
		h.b.Conv2D(a)
		h.out("Y", a.Y, 2*depth(k))
	case kernels.PassGradInput:
		h.b.Conv2DGradInput(a)
		h.out("X", a.X, 4*depth(s.KH*s.KW*s.OC/s.Groups))
	default:
		h.b.Conv2DGradWeight(a)
		h.out("Wt", a.Wt, 6*depth(pixels))
	}
}
