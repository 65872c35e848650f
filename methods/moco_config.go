package methods

import (
	"errors"
	"fmt"
	"math"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
)

// MoCoConfig are the settings of MoCo. Comments give the value for ImageNet
// with a ResNet-50 on 8 devices (arXiv 1911.05722, section 4; v2: arXiv
// 2003.04297, section 3; the authors' scripts).
type MoCoConfig struct {
	Crops       data.MultiCrop `json:"crops"`       // 2x224 scale 0.2-1
	Batch       int            `json:"batch"`       // N, images a step on each rank: 32 on 8
	Head        Head           `json:"head"`        // v1 linear, v2 mlp
	Hidden      int            `json:"hidden"`      // width of the head: v2 2048
	Dim         int            `json:"dim"`         // D, length of embeddings: 128
	Temperature float64        `json:"temperature"` // tau: v1 0.07, v2 0.2
	// Queue is L, the number of keys kept, a multiple of the batch of all
	// ranks: 65536. 0 in a RunConfig: automatic.
	Queue    int     `json:"queue"`
	Momentum float64 `json:"momentum"` // m of the key encoder: 0.999
	// Groups are the parts of the key batch with batch statistics of their
	// own: 8 (devices). 1 is plain batch norm.
	Groups int        `json:"groups"`
	Group  dist.Group `json:"-"` // the ranks; nil: this one alone
}

// DefaultMoCoV1 is MoCo v1 with the batch of 256 on one rank.
func DefaultMoCoV1() MoCoConfig {
	return MoCoConfig{
		Crops: data.MultiCrop{{Count: 2, Size: 224, Scale: [2]float64{0.2, 1}}},
		Batch: 256, Head: HeadLinear, Dim: 128, Temperature: 0.07, Queue: 65536, Momentum: 0.999, Groups: 8,
	}
}

// DefaultMoCoV2 is MoCo v2 with the batch of 256 on one rank.
func DefaultMoCoV2() MoCoConfig {
	c := DefaultMoCoV1()
	c.Head, c.Hidden, c.Temperature = HeadMLP, 2048, 0.2
	return c
}

// ranks is the number of ranks of a group.
func ranks(g dist.Group) int {
	if g == nil {
		return 1
	}
	return g.Size()
}

// Validate reports every setting that no run can have, one sentence each.
func (c MoCoConfig) Validate() error { return c.validate("moco") }

func (c MoCoConfig) validate(method string) error {
	errs := pairErrors(method, c.Crops, c.Batch, c.Temperature)
	want := wants(method, &errs)
	if err := c.Head.check(c.Hidden, c.Dim); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", method, err))
	}
	all := max(1, c.Batch*ranks(c.Group))
	want(c.Queue >= all && c.Queue%all == 0, "queue of %d: keys of %d images join at a time, so it is a multiple of that, %d for instance", c.Queue, all, max(all, c.Queue/all*all))
	want(0 <= c.Momentum && c.Momentum < 1, "momentum %v: the key encoder keeps that share of itself, so 0 <= momentum < 1 (0.999 in the paper)", c.Momentum)
	want(c.Groups >= 1 && c.Batch%max(1, c.Groups) == 0, "%d groups of key statistics: they divide the batch of %d (1 is plain batch norm)", c.Groups, c.Batch)
	want(c.Groups < 1 || c.Batch < 2 || c.Batch/c.Groups >= 2, "%d groups of key statistics in a batch of %d: each needs at least 2 images", c.Groups, c.Batch)
	return errors.Join(errs...)
}

// Warnings are settings that run and seldom help.
func (c MoCoConfig) Warnings() []string { return nil }

// wants appends an error to errs for each condition that does not hold.
func wants(method string, errs *[]error) func(ok bool, format string, args ...any) {
	return func(ok bool, format string, args ...any) {
		if !ok {
			*errs = append(*errs, fmt.Errorf(method+": "+format, args...))
		}
	}
}

// pairErrors are mistakes that any contrast of two views can make.
func pairErrors(method string, crops data.MultiCrop, batch int, temperature float64) []error {
	var errs []error
	want := wants(method, &errs)
	views, same := 0, true
	for _, c := range crops {
		views += c.Count
		same = same && c.Size == crops[0].Size
	}
	want(batch >= 2, "batch %d: batch norm takes statistics over the images of a rank, at least 2", batch)
	want(views == 2 && same, "%d views: two of one size are compared", views)
	want(temperature > 0 && !math.IsInf(temperature, 0), "temperature %v: it divides cosines, so it is more than 0 (0.07 to 0.5 in the papers)", temperature)
	return errs
}
