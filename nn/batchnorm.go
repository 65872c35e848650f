package nn

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
)

// BatchNorm normalises every channel (last axis) of [N,C] or [N,H,W,C]:
//
//	y = gamma (x - mean) / sqrt(var + eps) + beta
//
// mean and var are the batch's in a training pass, and the running ones move
// by Momentum towards the batch's mean and unbiased variance; else they are
// the running ones (Ioffe & Szegedy 2015). Pass.Groups and Pass.Sync say over
// which values of the batch they are taken.
type BatchNorm struct {
	Gamma, Beta     *autograd.Param // [C], NAME.weight and NAME.bias: 1 and 0
	RunMean, RunVar *autograd.Param // [C], NAME.running_mean and NAME.running_var: 0 and 1
	Eps, Momentum   float32         // 1e-5, 0.1
	ReLU            bool            // max(y, 0) at the end
}

// NewBatchNorm makes the layer for c channels.
func NewBatchNorm(b kernels.Backend, name string, c int) *BatchNorm {
	n := &BatchNorm{
		Gamma:    autograd.NewParam(b, name+".weight", c),
		Beta:     autograd.NewParam(b, name+".bias", c),
		RunMean:  autograd.NewState(b, name+".running_mean", c),
		RunVar:   autograd.NewState(b, name+".running_var", c),
		Eps:      1e-5,
		Momentum: 0.1,
	}
	n.Gamma.Value.Fill(1)
	n.RunVar.Value.Fill(1)
	return n
}

// Forward records the layer on x.
func (n *BatchNorm) Forward(p *Pass, x *autograd.Var) *autograd.Var {
	return autograd.BatchNorm(x, p.Tape.Use(n.Gamma), p.Tape.Use(n.Beta), nil, n.config(p, n.ReLU))
}

// config is how the layer normalises in this pass.
func (n *BatchNorm) config(p *Pass, relu bool) autograd.NormConfig {
	cfg := autograd.NormConfig{Eps: n.Eps, Momentum: n.Momentum, Train: p.Train, ReLU: relu, RunMean: n.RunMean, RunVar: n.RunVar}
	if p.Train {
		cfg.Groups, cfg.Sync = p.Groups, p.Sync
	}
	return cfg
}

// State is gamma, beta and the running statistics.
func (n *BatchNorm) State() []*autograd.Param {
	return []*autograd.Param{n.Gamma, n.Beta, n.RunMean, n.RunVar}
}
