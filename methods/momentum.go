package methods

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
)

// branch is an encoder with its head: one side of a contrast.
type branch struct {
	encoder Encoder
	head    nn.Module
	dim     int
}

// Forward records the unit embeddings [N, dim] of images.
func (e branch) Forward(p *nn.Pass, x *autograd.Var) *autograd.Var {
	return autograd.Normalize(e.head.Forward(p, e.encoder.Forward(p, x)))
}

// State lists the encoder's tensors, then the head's.
func (e branch) State() []*autograd.Param {
	return append(append([]*autograd.Param(nil), e.encoder.State()...), e.head.State()...)
}

// Features is the length of an embedding.
func (e branch) Features() int { return e.dim }

// follow records the momentum update of a key encoder, key = m key + (1-m)
// query, before the ops that are recorded after it (MoCo, arXiv 1911.05722,
// equation 2). Only weights move: running statistics are the key's own.
func follow(t *autograd.Tape, ema *nn.EMA, m float64) {
	autograd.Apply[*momentum](t, momentumConfig{ema, float32(m)})
}

type momentumConfig struct {
	EMA *nn.EMA
	M   float32
}

type momentum struct{ momentumConfig }

func (o *momentum) Config() *momentumConfig { return &o.momentumConfig }
func (o *momentum) Name() string            { return "Momentum" }

func (o *momentum) Plan(p *autograd.Plan) {
	p.OutFixed(kernels.Int32, autograd.Dims(1)) // the tape knows an op by an output
}

func (o *momentum) Forward(c *autograd.Ctx) { o.EMA.Step(o.M) }

// Backward is never called: there are no inputs.
func (o *momentum) Backward(c *autograd.Ctx) {}
