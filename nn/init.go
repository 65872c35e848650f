package nn

import (
	"math/rand/v2"

	"github.com/sectile-ml/sectile/autograd"
)

// uniform fills p with numbers of [-bound, bound).
func uniform(p *autograd.Param, bound float64, rng rand.Source) {
	r := rand.New(rng)
	fill(p, func() float64 { return bound * (2*r.Float64() - 1) })
}

// normal fills p with normal numbers of mean 0.
func normal(p *autograd.Param, deviation float64, rng rand.Source) {
	r := rand.New(rng)
	fill(p, func() float64 { return deviation * r.NormFloat64() })
}

// fill draws in the order of PyTorch's layout, so that the weights of a seed do
// not depend on ours.
func fill(p *autograd.Param, draw func() float64) {
	v := make([]float32, p.Value.Len())
	for i := range v {
		v[i] = float32(draw())
	}
	p.Value.SetFloat32s(fromTorch(v, p.Value.Shape()))
}
