package kernels

import (
	"math"
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// goOptim is the Go row of the table "optim".
var goOptim = optimRow{
	Kernel:   Kernel{Op: "optim", Name: "go"},
	Momentum: goMomentum,
	Adam:     goAdam,
}

// kept is m, or 0 where the mask says that m does not count.
func kept(m float32, keep uint32) float32 {
	return math.Float32frombits(math.Float32bits(m) & keep)
}

func goMomentum(n int, p, g, m *float32, k *asm.MomentumFactors) {
	ps, gs, ms := unsafe.Slice(p, n), unsafe.Slice(g, n), unsafe.Slice(m, n)
	for i := range ps {
		d := k.Rate * (float32(k.WD*ps[i]) + gs[i])
		v := float32(k.Mom*kept(ms[i], k.Keep)) + d
		ms[i] = v
		if k.Nesterov != 0 {
			v = float32(k.Mom*v) + d
		}
		ps[i] += float32(k.NegLR * v)
	}
}

func goAdam(n int, p, g, m, v *float32, k *asm.AdamFactors) {
	ps, gs, ms, vs := unsafe.Slice(p, n), unsafe.Slice(g, n), unsafe.Slice(m, n), unsafe.Slice(v, n)
	for i := range ps {
		d := float32(k.WD*ps[i]) + gs[i]
		ms[i] = float32(k.Beta1*kept(ms[i], k.Keep)) + float32(k.One1*d)
		vs[i] = float32(k.Beta2*kept(vs[i], k.Keep)) + float32(float32(k.One2*d)*d)
		den := float32(float32(math.Sqrt(float64(vs[i])))*k.Root) + k.Eps
		ps[i] = float32(k.Shrink*ps[i]) + float32(k.NegLR*(ms[i]/den))
	}
}
