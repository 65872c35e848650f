package nn

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// ConvBN is the unit that ResNets are made of: a convolution and the batch
// norm of its result. In a training pass the convolution's epilogue sums the
// statistics while each tile is still in cache, shifted by the running mean
// (close to the batch's, so that the variance loses no digits), and batch norm
// does not read its input a second time for them.
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
	if !p.Train {
		return u.Norm.record(p, u.Conv.Forward(p, x), nil, residual, relu)
	}
	cfg := u.Conv.Config
	cfg.StatGroups = p.Groups
	y, stats := autograd.Conv2DStats(x, p.Tape.Use(u.Conv.Weight), p.Tape.Use(u.Norm.RunMean), cfg)
	return u.Norm.record(p, y, stats, residual, relu)
}

// State is the convolution's, then the batch norm's.
func (u *ConvBN) State() []*autograd.Param { return append(u.Conv.State(), u.Norm.State()...) }
