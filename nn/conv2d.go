package nn

import (
	"math"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Conv2D is a k×k cross-correlation without bias: [N,H,W,in] to [N,OH,OW,out].
type Conv2D struct {
	Weight *autograd.Param // [out,k,k,in], NAME.weight
	Config autograd.ConvConfig
}

// NewConv2D makes a layer with He's fan-out initialisation: weights are normal
// with deviation sqrt(2/(k·k·out)) (He et al. 2015, section 2.2, backward
// case; torchvision's ResNets).
func NewConv2D(b kernels.Backend, name string, in, out, k int, cfg autograd.ConvConfig, rng *tensor.RNG) *Conv2D {
	c := &Conv2D{autograd.NewParam(b, name+".weight", out, k, k, in), cfg}
	normal(c.Weight, math.Sqrt(2/float64(k*k*out)), rng)
	return c
}

// Forward records the layer on x [N,H,W,in].
func (c *Conv2D) Forward(p *Pass, x *autograd.Var) *autograd.Var {
	return autograd.Conv2D(x, p.Tape.Use(c.Weight), c.Config)
}

// State is the weight.
func (c *Conv2D) State() []*autograd.Param { return []*autograd.Param{c.Weight} }
