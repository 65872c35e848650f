package bench

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sectile-ml/sectile/kernels"
)

// The norms and pools are bound by memory: their figures are GB/s of the
// tensors' bytes and the share of what copying one of the tensors reaches
// (read + written bytes), measured before every call: the best round of each,
// because whatever else uses the memory only slows.

// normIter measures op, which moves streams tensors of n floats, against
// copying x to y with as many threads.
func normIter(b *testing.B, c *kernels.CPU, n, bytes int, op func()) {
	x, y := vecFloats(b, n), vecFloats(b, n)
	threads := c.Team().Size()
	var copies, ops []time.Duration
	for b.Loop() {
		t := time.Now()
		var wg sync.WaitGroup
		for i := range threads {
			part := func() { copy(y.F32()[i*n/threads:(i+1)*n/threads], x.F32()[i*n/threads:(i+1)*n/threads]) }
			if i == threads-1 {
				part()
			} else {
				wg.Go(part)
			}
		}
		wg.Wait()
		copies = append(copies, time.Since(t))
		op() // its tensors into the caches they fit
		t = time.Now()
		op()
		ops = append(ops, time.Since(t))
	}
	speed := float64(bytes) / float64(slices.Min(ops))
	b.ReportMetric(speed, "GB/s")
	b.ReportMetric(100*speed/(float64(8*n)/float64(slices.Min(copies))), "%copy")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkBN(b *testing.B) {
	for _, s := range [][2]int{{32 * 56 * 56, 256}, {32 * 112 * 112, 64}, {32 * 7 * 7, 512}, {28 * 28, 16}, {64 * 28 * 28, 16}} {
		rows, ch := s[0], s[1]
		n := rows * ch
		for op, streams := range map[string]int{"stats": 1, "apply": 2, "applyresid": 3, "reduce": 3, "reduceresid": 4, "backward": 4} {
			b.Run(fmt.Sprintf("op=%s/rows=%d/c=%d", op, rows, ch), func(b *testing.B) {
				x, dy, mask, y := vecFloats(b, n), vecFloats(b, n), vecFloats(b, n), vecFloats(b, n)
				coef := vecFloats(b, ch)
				part := vecFloats(b, 2*kernels.StatsChunks(rows, 0)*ch)
				sums := kernels.F64Mem(make([]float64, 2*ch))
				vecBackends(b, func(b *testing.B, c *kernels.CPU) {
					normIter(b, c, n, 4*n*streams, func() {
						switch op {
						case "stats":
							st := kernels.Stats{Part: part, Shift: coef}
							c.ChannelStats(&kernels.ChannelStatsArgs{Rows: rows, C: ch, X: x, Stats: st})
							c.BNMoments(&kernels.BNMomentsArgs{Rows: rows, C: ch, Stats: st, Moments: sums})
						case "apply":
							c.BNApply(&kernels.BNApplyArgs{Rows: rows, C: ch, X: x, Scale: coef, Shift: coef, ReLU: true, Y: y})
						case "applyresid":
							c.BNApply(&kernels.BNApplyArgs{Rows: rows, C: ch, X: x, Scale: coef, Shift: coef, Residual: dy, ReLU: true, Y: y})
						case "reduce":
							c.BNReduce(&kernels.BNReduceArgs{Rows: rows, C: ch, DY: dy, X: x, Mask: mask, Mean: coef, Sums: sums, Work: part})
						case "reduceresid":
							c.BNReduce(&kernels.BNReduceArgs{Rows: rows, C: ch, DY: dy, X: x, Mask: mask, Mean: coef, Sums: sums, Work: part, DResid: y})
						case "backward":
							c.BNBackward(&kernels.BNBackwardArgs{Rows: rows, C: ch, DY: dy, X: x, Mask: mask, CoefA: coef, CoefB: coef, CoefC: coef, DX: y})
						}
					})
				})
			})
		}
	}
}

func BenchmarkPool(b *testing.B) {
	for _, s := range []struct {
		name          string
		kind          kernels.PoolKind
		h, c, k, s, p int
	}{
		{"max3s2", kernels.PoolMax, 112, 64, 3, 2, 1},
		{"max3s2", kernels.PoolMax, 28, 16, 3, 2, 1},
		{"avg2s2", kernels.PoolAvg, 28, 256, 2, 2, 0},
		{"global", kernels.PoolAvg, 7, 2048, 7, 1, 0},
	} {
		for _, grad := range []bool{false, true} {
			b.Run(fmt.Sprintf("op=%s/grad=%v/h=%d/c=%d", s.name, grad, s.h, s.c), func(b *testing.B) {
				a := kernels.PoolArgs{Kind: s.kind, N: 32, H: s.h, W: s.h, C: s.c, KH: s.k, KW: s.k, StrideH: s.s, StrideW: s.s, PadH: s.p, PadW: s.p}
				in, out := a.N*a.H*a.W*a.C, a.N*a.OH()*a.OW()*a.C
				a.X, a.Y, a.Index = vecFloats(b, in), vecFloats(b, out), kernels.I32Mem(make([]int32, out))
				bytes := 4 * (in + out)
				if s.kind == kernels.PoolMax {
					bytes += 4 * out
				}
				vecBackends(b, func(b *testing.B, c *kernels.CPU) {
					if grad {
						c.Pool(&a)
						normIter(b, c, in, bytes, func() { c.PoolGrad(&a) })
					} else {
						normIter(b, c, in, bytes, func() { c.Pool(&a) })
					}
				})
			})
		}
	}
}
