package methods

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// SwAVRun is all of a SwAV run but its images: JSON holds it as it is.
type SwAVRun struct {
	Net       string          `json:"net"` // a name that nn.ResNetByName knows
	SwAV      SwAVConfig      `json:"swav"`
	Views     data.Recipe     `json:"views"`
	Optimizer OptimizerConfig `json:"optimizer"`
	Epochs    int             `json:"epochs"`
	// FreezeShare is the share of all iterations in which the prototypes are
	// fixed, where SwAV.Freeze is 0.
	FreezeShare float64 `json:"freeze_share"`
	Seed        uint64  `json:"seed"`
}

// OptimizerConfig is an optimizer and its schedule.
type OptimizerConfig struct {
	Rule  string  `json:"rule"`  // adamw (0.9, 0.999), larc (momentum 0.9, trust 0.001) or sgd (0.9)
	Rate  float64 `json:"rate"`  // highest learning rate
	Final float64 `json:"final"` // where the cosine ends
	Start float64 `json:"start"` // where the linear warm-up begins
	// WarmupShare is the share of all iterations that warm up.
	WarmupShare float64 `json:"warmup_share"`
	Decay       float32 `json:"decay"`
	// MatricesOnly keeps biases and batch norm's scales from decay (and from
	// layer-wise rates).
	MatricesOnly bool `json:"matrices_only"`
}

// Presets are runs that work, by name.
//
//	demo         Fashion-MNIST in about three minutes on two cores (own; see below)
//	paper-small  the same images by the paper's recipe in little, three epochs
//	cifar        CIFAR-10 and other 32x32 colour images, ResNet-18
func Presets(name string) (SwAVRun, error) {
	switch name {
	case "demo":
		return demo(), nil
	case "paper-small":
		return paperSmall(), nil
	case "cifar":
		return cifar(), nil
	}
	return SwAVRun{}, fmt.Errorf("no preset %q: there are demo, paper-small and cifar", name)
}

// demo departs from the paper: AdamW, two full crops, few prototypes, no
// queue, gamma and brightness fields instead of colours. Features are a 2x2
// grid and views are never mirrored, because where in the picture something is
// tells clothes apart.
func demo() SwAVRun {
	c := DefaultSwAV()
	c.Crops = data.MultiCrop{{Count: 2, Size: 28, Scale: [2]float64{0.3, 1}}}
	c.Batch, c.Hidden, c.Dim, c.Prototypes, c.Freeze = 128, 128, 64, 100, 0
	return SwAVRun{Net: "demo8", SwAV: c, Views: data.GreyTone(), Epochs: 70, FreezeShare: 0.05,
		Optimizer: OptimizerConfig{Rule: "adamw", Rate: 4e-3, WarmupShare: 0.05, Decay: 1e-4, MatricesOnly: true}}
}

// paperSmall is the paper's recipe in little: 2 + 4 crops, LARC on every
// tensor at 3 -> 0.003 with a warm-up, prototypes frozen at
// first, a queue of 15 batches from the second epoch on. Batch 32, because at
// 8,000 images the number of steps decides; small crops of 0.3 to 0.8 of the
// area, because less shows nothing of a garment. Three epochs end above the
// untrained network.
func paperSmall() SwAVRun {
	r := demo()
	r.SwAV.Crops = data.MultiCrop{{Count: 2, Size: 28, Scale: [2]float64{0.3, 1}}, {Count: 4, Size: 14, Scale: [2]float64{0.3, 0.8}}}
	r.SwAV.Batch, r.SwAV.Queue, r.SwAV.QueueStart = 32, 480, 1
	r.Epochs = 3
	r.Optimizer = OptimizerConfig{Rule: "larc", Rate: 3, Final: 0.003, WarmupShare: 0.1, Decay: 1e-6}
	return r
}

// cifar is the recipe for batch 256 on 32x32 colour images: the crops' sizes
// keep the paper's ratio, colours its strengths; no blur at this size.
func cifar() SwAVRun {
	c := DefaultSwAV()
	c.Crops = data.MultiCrop{{Count: 2, Size: 32, Scale: [2]float64{0.14, 1}}, {Count: 4, Size: 16, Scale: [2]float64{0.05, 0.14}}}
	c.Batch, c.Hidden, c.Prototypes, c.Freeze, c.Queue, c.QueueStart = 256, 512, 300, 0, 3840, 15
	return SwAVRun{Net: "resnet18c", SwAV: c, Epochs: 200, FreezeShare: 1.0 / 200,
		Views: data.Recipe{Flip: 0.5, Colour: data.ColourJitter{P: 0.8, Brightness: 0.8, Contrast: 0.8, Saturation: 0.8, Hue: 0.2}, Grey: 0.2,
			Mean: []float32{0.4914, 0.4822, 0.4465}, Std: []float32{0.2470, 0.2435, 0.2616}},
		Optimizer: OptimizerConfig{Rule: "larc", Rate: 0.6, Final: 0.0006, Decay: 1e-6}}
}

// Validate reports every setting that no run can have.
func (c SwAVRun) Validate() error {
	errs := []error{c.SwAV.Validate()}
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("run: "+format, args...))
		}
	}
	if _, err := nn.ResNetByName(c.Net); err != nil {
		errs = append(errs, err)
	}
	o := c.Optimizer
	want(c.Epochs >= 1, "%d epochs: at least 1", c.Epochs)
	want(0 <= c.FreezeShare && c.FreezeShare <= 1, "prototypes frozen for a share of %v: want 0 to 1", c.FreezeShare)
	want(o.rule() != nil, "optimizer rule %q: there are adamw, larc and sgd", o.Rule)
	for _, r := range []float64{o.Rate, o.Final, o.Start} {
		want(r >= 0 && !math.IsInf(r, 0), "learning rate %v: want a finite number, at least 0", r)
	}
	want(o.Rate > 0, "learning rate %v: nothing would be learnt", o.Rate)
	want(0 <= o.WarmupShare && o.WarmupShare <= 1, "warm-up for a share of %v: want 0 to 1", o.WarmupShare)
	want(o.Decay >= 0, "weight decay %v: at least 0", o.Decay)
	return errors.Join(errs...)
}

func (o OptimizerConfig) rule() nn.Rule {
	switch strings.ToLower(o.Rule) {
	case "adamw":
		return nn.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	case "larc":
		return nn.LARC{Momentum: 0.9, Trust: 0.001, Eps: 1e-8}
	case "sgd":
		return nn.SGD{Momentum: 0.9}
	}
	return nil
}

// schedule over all iterations of a run.
func (o OptimizerConfig) schedule(iterations int) nn.Schedule {
	return nn.WarmupCosine{Start: o.Start, Base: o.Rate, Final: o.Final,
		Warmup: int(math.Round(o.WarmupShare * float64(iterations))), Steps: iterations}
}

// groups of weights: all alike, or matrices apart from vectors.
func (o OptimizerConfig) groups(state []*autograd.Param) []nn.Group {
	var weights []*autograd.Param
	for _, p := range state {
		if p.Grad != nil {
			weights = append(weights, p)
		}
	}
	if !o.MatricesOnly {
		return []nn.Group{{Weights: weights, Decay: o.Decay, Scale: 1, Adapt: true}}
	}
	matrices, vectors := nn.ByRank(weights)
	return []nn.Group{{Weights: matrices, Decay: o.Decay, Scale: 1, Adapt: true}, {Weights: vectors, Scale: 1}}
}

// New makes the trainer of the run on the images of src, with initial weights
// drawn from Seed. The caller adds what the trainer should report and save.
func (c SwAVRun) New(b kernels.Backend, src data.Source) (*Trainer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	views, err := data.NewViews(c.Views, c.SwAV.Crops)
	if err != nil {
		return nil, err
	}
	cfg := TrainerConfig{Source: src, Views: views, Batch: c.SwAV.Batch, Epochs: c.Epochs, Seed: c.Seed, Group: c.SwAV.Group}
	iterations := c.Epochs * (src.Len() / c.SwAV.Batch)
	if c.SwAV.Freeze == 0 {
		c.SwAV.Freeze = int(math.Round(c.FreezeShare * float64(iterations)))
	}
	cfg.Rate = c.Optimizer.schedule(iterations)
	var t *Trainer
	misuse := tensor.Try(func() {
		var m *SwAV
		if m, err = NewSwAV(b, c.Untrained(b), c.SwAV, tensor.NewRNG(c.Seed, "head")); err == nil {
			t, err = NewTrainer(b, m, nn.NewOptimizer(b, c.Optimizer.rule(), c.Optimizer.groups(m.State())...), cfg)
		}
	})
	return t, errors.Join(misuse, err)
}

// Untrained is the encoder as a run begins with it: the same weights for the
// same seed. Net is a known name.
func (c SwAVRun) Untrained(b kernels.Backend) *nn.ResNet {
	net, err := nn.ResNetByName(c.Net)
	if err != nil {
		panic(err)
	}
	return nn.NewResNet(b, net, tensor.NewRNG(c.Seed, "encoder"))
}
