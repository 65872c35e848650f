package kernels

import (
	"math"
	"testing"
)

// TestExpLog sweeps every 97th float32 bit pattern, both signs, NaNs and
// denormals included. Measured: exp and log are within 0.87 and 0.90 ulp of
// math's float64 results on AVX2 and AVX-512, within 1.17 and 0.89 on the Go
// row, which rounds its products.
func TestExpLog(t *testing.T) {
	const n = 1 << 16
	x, y := F32Mem(make([]float32, n)), F32Mem(make([]float32, n))
	stride := uint64(97)
	if testing.Short() {
		stride = 97 * 31
	}
	for _, f := range []struct {
		name string
		op   MapOp
		want func(float64) float64
	}{{"exp", MapExp, math.Exp}, {"log", MapLog, math.Log}} {
		t.Run(f.name, func(t *testing.T) {
			eachVec(t, func(t *testing.T, b *CPU) {
				bound := 1.0
				if b.Name() == "cpu/go" {
					bound = 1.25
				}
				worst, at := 0.0, float32(0)
				for p := uint64(0); p < 1<<32; {
					in := x.F32()
					for i := range in {
						in[i] = math.Float32frombits(uint32(p))
						p += stride
					}
					b.Map(&MapArgs{Op: f.op, N: n, Dst: y, A: x})
					for i, v := range in {
						if u := ulps(y.F32()[i], f.want(float64(v))); u > worst {
							worst, at = u, v
						}
					}
				}
				t.Logf("worst %.3f ulp at %g", worst, at)
				if worst > bound {
					t.Errorf("%s(%g) is off by %.3g ulp, bound %g", f.name, at, worst, bound)
				}
			})
		})
	}
}

// ulps is |got - want| in units of the last place of a float32 next to want,
// denormals included; 0 for equal infinities and NaNs, +Inf where only one is.
func ulps(got float32, want float64) float64 {
	g := float64(got)
	switch {
	case g != g || want != want:
		if g != g && want != want {
			return 0
		}
		return math.Inf(1)
	case math.IsInf(g, 0) || math.IsInf(want, 0):
		if g == want || math.IsInf(g, 0) && float32(want) == got {
			return 0
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(want)
	return math.Abs(g-want) / math.Ldexp(1, max(e, -125)-24)
}

func TestExpLogSpecials(t *testing.T) {
	inf, nan, denormal := float32(math.Inf(1)), float32(math.NaN()), float32(0x1p-149)
	in := []float32{0, float32(math.Copysign(0, -1)), 1, inf, -inf, nan, 88.72283, 88.72285, -103.97208, -104.1, -87.4, 1e30, -1e30, denormal, -denormal, -1, math.MaxFloat32}
	conform(t, "exp", func(s *stage) {
		s.b.Map(&MapArgs{Op: MapExp, N: len(in), A: s.in(in), Dst: s.out(nans(len(in)), 0x1p-150, 0x1p-22)})
	})
	conform(t, "log", func(s *stage) {
		s.b.Map(&MapArgs{Op: MapLog, N: len(in), A: s.in(in), Dst: s.out(nans(len(in)), 0, 0x1p-22)})
	})
}
