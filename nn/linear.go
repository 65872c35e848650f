package nn

import (
	"math"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Linear is y = x Wᵀ + b: [N,in] to [N,out].
type Linear struct {
	Weight *autograd.Param // [out,in], NAME.weight
	Bias   *autograd.Param // [out], NAME.bias; nil: none
}

// NewLinear makes a layer whose weight and bias are uniform in ±1/sqrt(in), as
// torch.nn.Linear's are.
func NewLinear(b kernels.Backend, name string, in, out int, rng *tensor.RNG) *Linear {
	l := &Linear{autograd.NewParam(b, name+".weight", out, in), autograd.NewParam(b, name+".bias", out)}
	bound := 1 / math.Sqrt(float64(in))
	uniform(l.Weight, bound, rng)
	uniform(l.Bias, bound, rng)
	return l
}

// Forward records the layer on x [N,in].
func (l *Linear) Forward(p *Pass, x *autograd.Var) *autograd.Var {
	if l.Bias == nil {
		return autograd.MatMulT(x, p.Tape.Use(l.Weight))
	}
	return autograd.Linear(x, p.Tape.Use(l.Weight), p.Tape.Use(l.Bias))
}

// State is the weight and, if there is one, the bias.
func (l *Linear) State() []*autograd.Param {
	if l.Bias == nil {
		return []*autograd.Param{l.Weight}
	}
	return []*autograd.Param{l.Weight, l.Bias}
}
