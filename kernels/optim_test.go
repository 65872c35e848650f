package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// optimSpans are parameters of edge sizes, the last without a gradient.
func optimSpans(s *stage, r *rand.Rand, atol float64) []Span {
	var spans []Span
	for i, n := range append(vecWidths(), NormChunk, 2*NormChunk+5, 20_011, 9) {
		sp := Span{P: s.out(vecRand(r, n), atol, 8*eps), M: s.out(nans(n), atol, 8*eps), V: s.out(nans(n), atol, 8*eps)}
		if n != 9 || i < 20 {
			sp.G = s.in(vecRand(r, n))
		}
		if i%3 > 0 {
			sp.Decay, sp.Adapt = 0.01, i%3 == 2
		}
		spans = append(spans, sp)
	}
	return spans
}

func TestUpdate(t *testing.T) {
	for kind := UpdateSGD; kind <= UpdateAdamW; kind++ {
		for mask := range 4 {
			conform(t, fmt.Sprintf("update %d %b", kind, mask), func(s *stage) {
				r := rand.New(rand.NewPCG(11, uint64(kind)))
				spans := optimSpans(s, r, 64*eps)
				norms := s.outF64(2*len(spans), 0, 2e-4)
				work := s.mem(make([]float32, 2000))
				for step := range 3 {
					s.b.SquareNorms(&SquareNormsArgs{Spans: spans, Out: norms, Work: work})
					s.b.Update(&UpdateArgs{Kind: kind, Spans: spans, Norms: norms, Step: step, LR: 0.1, Momentum: 0.9,
						Nesterov: mask&1 != 0, Clip: mask&2 != 0, Trust: 0.02, Eps: 1e-8, Beta1: 0.9, Beta2: 0.99})
				}
			})
		}
	}
}

func TestUpdateWithoutMoments(t *testing.T) {
	conform(t, "plain SGD", func(s *stage) {
		r := rand.New(rand.NewPCG(12, 1))
		spans := optimSpans(s, r, 16*eps)
		for i := range spans {
			spans[i].M, spans[i].V = Mem{}, Mem{}
		}
		for step := range 2 {
			s.b.Update(&UpdateArgs{Kind: UpdateSGD, Spans: spans, Step: step, LR: 0.1})
		}
	})
}

func TestEMA(t *testing.T) {
	conform(t, "ema", func(s *stage) {
		s.b.EMA(&EMAArgs{Spans: optimSpans(s, rand.New(rand.NewPCG(13, 1)), 4*eps), Momentum: 0.99})
	})
}

func TestSquareNorms(t *testing.T) {
	conform(t, "square norms", func(s *stage) {
		spans := optimSpans(s, rand.New(rand.NewPCG(14, 1)), 0)
		s.b.SquareNorms(&SquareNormsArgs{Spans: spans, Work: s.mem(make([]float32, 2000)),
			Out: s.outF64(2*len(spans), 0, float64(NormChunk/Lanes+8)*eps)})
	})
}
