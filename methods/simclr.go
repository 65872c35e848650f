package methods

import (
	"context"
	"errors"
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// SimCLR is "A Simple Framework for Contrastive Learning of Visual
// Representations" (Chen, Kornblith, Norouzi, Hinton; arXiv 2002.05709): two
// views of each image through one network, told apart from all other views in
// the batch by NTXent. Its negatives are as many as the batch is large. The
// loss starts near ln(2NW-1) over W ranks.
//
// Batch norm takes its statistics over all ranks.
//
// Differs: the authors' code returns the sum of the two views' means, twice the
// paper's loss (SumOfHalves); its colour changes are float32 (see data.SimCLR).
type SimCLR struct {
	SimCLRConfig
	branch   branch
	loss     *NTXent
	observed observed
}

// SimCLRConfig are the settings of SimCLR. Comments give the value for
// ImageNet with a ResNet-50 at batch 4096 and, after "CIFAR:", for CIFAR-10
// (arXiv 2002.05709, sections 2.2 and 4, appendix B.9, and the authors' code).
type SimCLRConfig struct {
	Crops       data.MultiCrop `json:"crops"`       // 2x224 scale 0.08-1; CIFAR: 2x32
	Batch       int            `json:"batch"`       // N, images a step on each rank: 4096 over 128; CIFAR: 512
	Head        Head           `json:"head"`        // simclr
	Hidden      int            `json:"hidden"`      // width of the head: 2048; CIFAR: 512
	Dim         int            `json:"dim"`         // D, length of embeddings: 128; small batches: 64
	Temperature float64        `json:"temperature"` // tau: 0.1; CIFAR: 0.5, small batches: 0.2
	// SumOfHalves doubles the loss, as the authors' code does.
	SumOfHalves bool       `json:"sum_of_halves"`
	Group       dist.Group `json:"-"` // the ranks; nil: this one alone
}

// DefaultSimCLR is the paper's setting with the batch of 4096 on 128 ranks.
func DefaultSimCLR() SimCLRConfig {
	return SimCLRConfig{
		Crops: data.MultiCrop{{Count: 2, Size: 224, Scale: [2]float64{0.08, 1}}},
		Batch: 32, Head: HeadSimCLR, Hidden: 2048, Dim: 128, Temperature: 0.1, SumOfHalves: true,
	}
}

// Validate reports every setting that no run can have, one sentence each.
func (c SimCLRConfig) Validate() error {
	errs := pairErrors("simclr", c.Crops, c.Batch, c.Temperature)
	if err := c.Head.check(c.Hidden, c.Dim); err != nil {
		errs = append(errs, fmt.Errorf("simclr: %w", err))
	}
	return errors.Join(errs...)
}

// Warnings are settings that run and seldom help.
func (c SimCLRConfig) Warnings() []string {
	if n := 2*c.Batch*ranks(c.Group) - 2; n < 128 {
		return []string{fmt.Sprintf("simclr: %d negatives in a batch of %d: a larger batch helps, or MoCo, whose queue makes up for it", n, c.Batch)}
	}
	return nil
}

// NewSimCLR puts a head, drawn from rng, on an encoder; its tensors are
// projection_head.*. The error lists what is wrong with the settings.
func NewSimCLR(b kernels.Backend, encoder Encoder, cfg SimCLRConfig, rng *tensor.RNG) (*SimCLR, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &SimCLR{
		SimCLRConfig: cfg,
		branch:       branch{encoder, cfg.Head.New(b, "projection_head", encoder.Features(), cfg.Hidden, cfg.Dim, rng), cfg.Dim},
		loss:         NewNTXent(cfg.Batch, cfg.Temperature, cfg.SumOfHalves, cfg.Group),
	}, nil
}

// Loss records a step on the views of a batch: views[0] [2N, H, W, C].
func (m *SimCLR) Loss(p *nn.Pass, views []*autograd.Var) *autograd.Var {
	m.observed.features = m.branch.encoder.Forward(p, views[0]).Keep()
	m.observed.embeddings = autograd.Normalize(m.branch.head.Forward(p, m.observed.features)).Keep()
	return m.loss.Loss(m.observed.embeddings)
}

// observe shows the step to a Monitor.
func (m *SimCLR) observe() observed {
	m.observed.images = m.Batch
	m.observed.remedies = "a larger batch, a lower temperature, a lower learning rate or a longer warm-up"
	return m.observed
}

// EpochStart has nothing to do.
func (m *SimCLR) EpochStart(ctx context.Context, epoch int) error { return nil }

// BeforeStep has nothing to prepare: all steps are of one kind.
func (m *SimCLR) BeforeStep(at Step) (kind string) { return "simclr" }

// AfterStep has nothing to do.
func (m *SimCLR) AfterStep() {}

// State lists the encoder's tensors and projection_head.*.
func (m *SimCLR) State() []*autograd.Param { return m.branch.State() }

// Loaded has nothing to find out.
func (m *SimCLR) Loaded() error { return nil }

// Encoder is what the run is for.
func (m *SimCLR) Encoder() Encoder { return m.branch.encoder }
