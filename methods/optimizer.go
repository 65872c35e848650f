package methods

import (
	"errors"
	"math"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/nn"
)

// OptimizerConfig is an optimizer and its schedule.
type OptimizerConfig struct {
	Rule  string  `json:"rule"`  // adamw (0.9, 0.999), larc (momentum 0.9, trust 0.001), lars (the same) or sgd (0.9)
	Rate  float64 `json:"rate"`  // highest learning rate; 0: automatic
	Final float64 `json:"final"` // where the cosine ends
	Start float64 `json:"start"` // where the linear warm-up begins
	// WarmupShare is the share of all iterations that warm up.
	WarmupShare float64 `json:"warmup_share"`
	Decay       float32 `json:"decay"`
	// MatricesOnly keeps biases and batch norm's scales from decay (and from
	// layer-wise rates).
	MatricesOnly bool `json:"matrices_only"`
	// Schedule is one of these, "" the first:
	//
	//	cosine         nn.WarmupCosine by iteration: SwAV
	//	epoch cosine   nn.Cosine by epoch: MoCo v2, PCL v2
	//	epoch steps    x0.1 after 60 % and 80 % of the epochs: MoCo v1, PCL v1
	//	simclr         nn.SimCLR by iteration
	Schedule string `json:"schedule,omitempty"`
}

// Validate reports every setting that no optimizer can have.
func (o OptimizerConfig) Validate() error {
	var errs []error
	want := wants("run", &errs)
	want(o.rule() != nil, "optimizer rule %q: there are adamw, larc, lars and sgd", o.Rule)
	for _, r := range []float64{o.Rate, o.Final, o.Start} {
		want(r >= 0 && !math.IsInf(r, 0), "learning rate %v: want a finite number, at least 0", r)
	}
	want(0 <= o.WarmupShare && o.WarmupShare <= 1, "warm-up for a share of %v: want 0 to 1", o.WarmupShare)
	want(o.Decay >= 0, "weight decay %v: at least 0", o.Decay)
	want(o.schedule(1, 1) != nil, "schedule %q: there are cosine, epoch cosine, epoch steps and simclr", o.Schedule)
	return errors.Join(errs...)
}

func (o OptimizerConfig) rule() nn.Rule {
	switch strings.ToLower(o.Rule) {
	case "adamw":
		return nn.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	case "larc":
		return nn.LARC{Momentum: 0.9, Trust: 0.001, Eps: 1e-8}
	case "lars":
		return nn.LARS{Momentum: 0.9, Trust: 0.001}
	case "sgd":
		return nn.SGD{Momentum: 0.9}
	}
	return nil
}

// schedule over all iterations of a run, steps an epoch; nil if there is none
// of that name.
func (o OptimizerConfig) schedule(epochs, steps int) nn.Schedule {
	iterations := epochs * steps
	warm := int(math.Round(o.WarmupShare * float64(iterations)))
	switch o.Schedule {
	case "", "cosine":
		return nn.WarmupCosine{Start: o.Start, Base: o.Rate, Final: o.Final, Warmup: warm, Steps: iterations}
	case "epoch cosine":
		return nn.PerEpoch{Of: nn.Cosine{Base: o.Rate, Final: o.Final, Steps: epochs}, Steps: max(1, steps)}
	case "epoch steps":
		return nn.PerEpoch{Of: nn.Step{Base: o.Rate, Gamma: 0.1, Milestones: []int{epochs * 6 / 10, epochs * 8 / 10}}, Steps: max(1, steps)}
	case "simclr":
		return nn.SimCLR{Peak: o.Rate, Warmup: warm, Steps: iterations + 1}
	}
	return nil
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
