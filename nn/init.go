package nn

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/tensor"
)

// uniform draws p from [-bound, bound].
func uniform(p *autograd.Param, bound float64, rng *tensor.RNG) {
	v := make([]float32, p.Value.Len())
	rng.FillUniform(v, -bound, bound)
	p.Value.SetFloat32s(v)
}

// normal draws p with mean 0.
func normal(p *autograd.Param, deviation float64, rng *tensor.RNG) {
	v := make([]float32, p.Value.Len())
	rng.FillNormal(v, deviation)
	p.Value.SetFloat32s(v)
}
