package methods

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// RunConfig is all of a run but its images: JSON holds it as it is. Of the
// methods' settings those of Method count, the others are empty. Settings that
// are 0 and say "automatic" are chosen by Automatic.
type RunConfig struct {
	Method    string          `json:"method"` // swav (also where empty), moco, simclr or pcl
	Net       string          `json:"net"`    // a name that nn.ResNetByName knows
	SwAV      SwAVConfig      `json:"swav,omitzero"`
	MoCo      MoCoConfig      `json:"moco,omitzero"`
	SimCLR    SimCLRConfig    `json:"simclr,omitzero"`
	PCL       PCLConfig       `json:"pcl,omitzero"`
	Views     data.Recipe     `json:"views"`
	Optimizer OptimizerConfig `json:"optimizer"`
	Epochs    int             `json:"epochs"`
	// FreezeShare is the share of all iterations in which SwAV's prototypes
	// are fixed, where SwAV.Freeze is 0.
	FreezeShare float64 `json:"freeze_share,omitempty"`
	Seed        uint64  `json:"seed"`
}

// SwAVRun is RunConfig by the name it had when SwAV was the only method.
type SwAVRun = RunConfig

// MethodNames are the methods that a RunConfig may name.
var MethodNames = []string{"swav", "moco", "simclr", "pcl"}

// settings is what the methods' configurations have in common.
type settings interface {
	Validate() error
	Warnings() []string
	common() (data.MultiCrop, int, dist.Group)
}

func (c SwAVConfig) common() (data.MultiCrop, int, dist.Group)   { return c.Crops, c.Batch, c.Group }
func (c MoCoConfig) common() (data.MultiCrop, int, dist.Group)   { return c.Crops, c.Batch, c.Group }
func (c SimCLRConfig) common() (data.MultiCrop, int, dist.Group) { return c.Crops, c.Batch, c.Group }

// settings are those of the method; of an unknown one those of SwAV, which
// Validate reports.
func (c *RunConfig) settings() settings {
	switch c.Method {
	case "moco":
		return c.MoCo
	case "simclr":
		return c.SimCLR
	case "pcl":
		return c.PCL
	}
	return c.SwAV
}

// Crops are the method's views of an image.
func (c RunConfig) Crops() data.MultiCrop {
	crops, _, _ := c.settings().common()
	return crops
}

// Batch is the number of images of a step on each rank.
func (c RunConfig) Batch() int {
	_, n, _ := c.settings().common()
	return n
}

// SetBatch changes the batch of the method. A learning rate that follows
// Automatic's rule for the old batch becomes 0, so that it follows it for the
// new one; any other stays what it was.
func (c *RunConfig) SetBatch(n int) {
	_, batch, group := c.settings().common()
	if rule, _ := rateFor(c.Optimizer.Rule, batch*ranks(group)); n != batch && math.Abs(c.Optimizer.Rate/rule-1) < 1e-6 {
		c.Optimizer.Rate = 0
	}
	switch c.Method {
	case "moco":
		c.MoCo.Batch = n
	case "simclr":
		c.SimCLR.Batch = n
	case "pcl":
		c.PCL.Batch = n
	default:
		c.SwAV.Batch = n
	}
}

// SetGroup makes the run one rank of a group.
func (c *RunConfig) SetGroup(g dist.Group) {
	c.SwAV.Group, c.MoCo.Group, c.SimCLR.Group, c.PCL.Group = g, g, g, g
}

// Warnings are settings that run and seldom help.
func (c RunConfig) Warnings() []string { return c.settings().Warnings() }

// Validate reports every setting that no run can have, whatever the images;
// New also reports what the images at hand forbid.
func (c RunConfig) Validate() error {
	const plenty = 1 << 30
	c, _ = c.Automatic(plenty)
	c.PCL.Images = plenty
	return c.validate()
}

func (c RunConfig) validate() error {
	var errs []error
	want := wants("run", &errs)
	if c.Method != "" && !slices.Contains(MethodNames, c.Method) {
		return fmt.Errorf("run: no method %q: there are %s", c.Method, strings.Join(MethodNames, ", "))
	}
	errs = append(errs, c.settings().Validate())
	if _, err := nn.ResNetByName(c.Net); err != nil {
		errs = append(errs, err)
	}
	want(c.Epochs >= 1, "%d epochs: at least 1", c.Epochs)
	want(0 <= c.FreezeShare && c.FreezeShare <= 1, "prototypes frozen for a share of %v: want 0 to 1", c.FreezeShare)
	errs = append(errs, c.Optimizer.Validate())
	return errors.Join(errs...)
}

// New makes the trainer of the run on the images of src, with initial weights
// drawn from Seed; what is automatic is chosen for them. The caller adds what
// the trainer should report and save.
func (c RunConfig) New(b kernels.Backend, src data.Source) (*Trainer, error) {
	c, _ = c.Automatic(src.Len())
	c.PCL.Images, c.PCL.Seed = src.Len(), c.Seed
	if err := c.validate(); err != nil {
		return nil, err
	}
	crops, batch, group := c.settings().common()
	views, err := data.NewViews(c.Views, crops)
	if err != nil {
		return nil, err
	}
	cfg := TrainerConfig{Source: src, Views: views, Batch: batch, Epochs: c.Epochs, Seed: c.Seed, Group: group}
	steps := src.Len() / batch
	if c.SwAV.Freeze == 0 {
		c.SwAV.Freeze = int(math.Round(c.FreezeShare * float64(c.Epochs*steps)))
	}
	cfg.Rate = c.Optimizer.schedule(c.Epochs, steps)
	var t *Trainer
	misuse := tensor.Try(func() {
		var m Method
		if m, err = c.method(b); err == nil {
			t, err = NewTrainer(b, m, nn.NewOptimizer(b, c.Optimizer.rule(), c.Optimizer.groups(m.State())...), cfg)
		}
	})
	if err = errors.Join(misuse, err); err != nil {
		return nil, err
	}
	if m, ok := t.Method.(*PCL); ok {
		m.Features = keyFeatures(t, m.PCLConfig)
	}
	return t, nil
}

// keyFeatures embeds the trainer's images for an E-step.
func keyFeatures(t *Trainer, c PCLConfig) func(context.Context, Encoder) (Features, error) {
	size := c.Crops[0].Size
	e := Extractor{Tape: t.Tape, Views: t.Views, Short: max(c.Short, size), Size: size, Batch: max(256, c.Batch), Kind: "E-step, "}
	return func(ctx context.Context, keys Encoder) (Features, error) {
		f, _, err := e.Features(ctx, keys, readable{t.Source})
		return f, err
	}
}

// method makes the method with its networks.
func (c RunConfig) method(b kernels.Backend) (Method, error) {
	rng := tensor.NewRNG(c.Seed, "head")
	switch c.Method {
	case "moco":
		return NewMoCo(b, c.Untrained(b), c.Untrained(b), c.MoCo, rng)
	case "simclr":
		return NewSimCLR(b, c.Untrained(b), c.SimCLR, rng)
	case "pcl":
		return NewPCL(b, c.Untrained(b), c.Untrained(b), c.PCL, rng)
	}
	return NewSwAV(b, c.Untrained(b), c.SwAV, rng)
}

// Untrained is the encoder as a run begins with it: the same weights for the
// same seed. Net is a known name.
func (c RunConfig) Untrained(b kernels.Backend) *nn.ResNet {
	net, err := nn.ResNetByName(c.Net)
	if err != nil {
		panic(err)
	}
	return nn.NewResNet(b, net, tensor.NewRNG(c.Seed, "encoder"))
}
