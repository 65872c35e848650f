package kernels

import (
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestBNGolden(t *testing.T) {
	f := golden.Open(t, "layers")
	for _, name := range []string{"bn2d", "bn1d"} {
		for row, b := range normBackends(t, "norm", 2) {
			t.Run(name+"/"+row, func(t *testing.T) {
				shape := f.Shape(name + ".x")
				c := shape[1]
				in := func(s string) Mem { return normPut(t, b, f.F32(name+"."+s)) }
				image := func(s string) Mem { return normPut(t, b, fromNCHW(f.F32(name+"."+s), shape)) }
				want := func(s string, m Mem) {
					t.Helper()
					w := f.F64(name + "." + s)
					if len(w) != c {
						w = fromNCHW(w, shape)
					}
					golden.Close(t, s, normGet(t, b, m), w, 2e-5, 0)
				}
				x, dy := image("x"), image("dy")
				rows := x.Len / c
				vec := func() Mem { return normMem(t, b, Float32, c) }
				part := normMem(t, b, Float32, 2*StatsChunks(rows, 0)*c)
				moments := normMem(t, b, Float64, 2*c)
				y := normMem(t, b, Float32, x.Len)

				stats := Stats{Part: part, Shift: in("running_mean_in")}
				b.ChannelStats(&ChannelStatsArgs{Rows: rows, C: c, X: x, Stats: stats})
				b.BNMoments(&BNMomentsArgs{Rows: rows, C: c, Stats: stats, Moments: moments})
				fin := BNFinalizeArgs{Groups: 1, C: c, Count: rows, Moments: moments,
					Gamma: in("w"), Beta: in("b"), Eps: 1e-5, Momentum: 0.1,
					RunMean: in("running_mean_in"), RunVar: in("running_var_in"),
					Mean: vec(), InvStd: vec(), Scale: vec(), Shift: vec()}
				b.BNFinalize(&fin)
				b.BNApply(&BNApplyArgs{Rows: rows, C: c, X: x, Scale: fin.Scale, Shift: fin.Shift, Y: y})
				want("y", y)
				want("running_mean", fin.RunMean)
				want("running_var", fin.RunVar)

				sums := normMem(t, b, Float64, 2*c)
				b.BNReduce(&BNReduceArgs{Rows: rows, C: c, DY: dy, X: x, Mean: fin.Mean, Sums: sums, Work: part})
				grad := BNGradFinalizeArgs{Groups: 1, C: c, Count: rows, Sums: sums, LocalSums: sums,
					Gamma: fin.Gamma, Mean: fin.Mean, InvStd: fin.InvStd,
					CoefA: vec(), CoefB: vec(), CoefC: vec(), DGamma: vec(), DBeta: vec()}
				b.BNGradFinalize(&grad)
				b.BNBackward(&BNBackwardArgs{Rows: rows, C: c, DY: dy, X: x,
					CoefA: grad.CoefA, CoefB: grad.CoefB, CoefC: grad.CoefC, DX: y})
				want("dx", y)
				want("dw", grad.DGamma)
				want("db", grad.DBeta)

				// Evaluation: the running statistics stand for the batch's.
				mean, variance := f.F64(name+".running_mean_in"), f.F64(name+".running_var_in")
				for i := range c {
					moments.F64()[i], moments.F64()[c+i] = mean[i], variance[i]*float64(rows)
				}
				fin.RunMean, fin.RunVar = Mem{}, Mem{}
				b.BNFinalize(&fin)
				b.BNApply(&BNApplyArgs{Rows: rows, C: c, X: x, Scale: fin.Scale, Shift: fin.Shift, Y: y})
				want("eval_y", y)
			})
		}
	}
}
