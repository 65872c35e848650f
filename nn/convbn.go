package nn

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// ConvBN is the unit that ResNets are made of: a convolution and the batch
// norm of its result, one op (autograd.ConvBN).
type ConvBN struct {
	Conv *Conv2D
	Norm *BatchNorm
}

// NewConvBN makes a k×k convolution with padding k/2 and its batch norm. The
// two have names of their own, as in torchvision: "conv1" and "bn1".
func NewConvBN(b kernels.Backend, conv, norm string, in, out, k, stride int, rng *tensor.RNG) *ConvBN {
	return &ConvBN{NewConv2D(b, conv, in, out, k, autograd.Square(stride, k/2), rng), NewBatchNorm(b, norm, out)}
}

// Forward records relu?(bn(conv(x)) + residual); residual may be nil.
func (u *ConvBN) Forward(p *Pass, x, residual *autograd.Var, relu bool) *autograd.Var {
	return u.record(p, x, residual, relu, false)
}

// Deferred records relu(bn(conv(x))) whose last step is left to the ConvBN that
// reads it: it saves a pass over memory in both directions and the memory of
// the result.
func (u *ConvBN) Deferred(p *Pass, x *autograd.Var) *autograd.Var {
	return u.record(p, x, nil, true, true)
}

func (u *ConvBN) record(p *Pass, x, residual *autograd.Var, relu, deferred bool) *autograd.Var {
	t := p.Tape
	return autograd.ConvBN(x, t.Use(u.Conv.Weight), t.Use(u.Norm.Gamma), t.Use(u.Norm.Beta), residual,
		autograd.ConvBNConfig{ConvConfig: u.Conv.Config, Norm: u.Norm.config(p, relu), Deferred: deferred})
}

// State is the convolution's, then the batch norm's.
func (u *ConvBN) State() []*autograd.Param { return append(u.Conv.State(), u.Norm.State()...) }
