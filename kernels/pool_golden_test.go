package kernels

import (
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestPoolGolden(t *testing.T) {
	f := golden.Open(t, "layers")
	for name, kind := range map[string]PoolKind{
		"maxpool_3s2p1": PoolMax, "maxpool_2s2": PoolMax, "maxpool_ties": PoolMax,
		"avgpool_2s2": PoolAvg, "avgpool_3s2p1": PoolAvg, "avgpool_3s2p1_nopad": PoolAvgValid,
		"globalavg": PoolAvg,
	} {
		for row, b := range normBackends(t, "pool", 2) {
			t.Run(name+"/"+row, func(t *testing.T) {
				s, cfg := f.Shape(name+".x"), f.Ints(name+".cfg")
				a := PoolArgs{Kind: kind, N: s[0], C: s[1], H: s[2], W: s[3],
					KH: cfg[0], KW: cfg[0], StrideH: cfg[1], StrideW: cfg[1], PadH: cfg[2], PadW: cfg[2]}
				if name == "globalavg" {
					a.KH, a.KW, a.StrideH, a.StrideW, a.PadH, a.PadW = a.H, a.W, 1, 1, 0, 0
				}
				out := f.Shape(name + ".dy")
				a.X = normPut(t, b, fromNCHW(f.F32(name+".x"), s))
				a.Y = normMem(t, b, Float32, a.N*a.OH()*a.OW()*a.C)
				a.Index = normMem(t, b, Int32, a.Y.Len)
				b.Pool(&a)
				golden.Close(t, "y", normGet(t, b, a.Y), fromNCHW(f.F64(name+".y"), out), 1e-6, 0)
				b.Upload(a.Y, fromNCHW(f.F32(name+".dy"), out))
				b.PoolGrad(&a)
				golden.Close(t, "dx", normGet(t, b, a.X), fromNCHW(f.F64(name+".dx"), s), 1e-6, 0)
			})
		}
	}
}
