package methods

import (
	"errors"
	"fmt"
	"slices"
)

// PCLConfig are the settings of PCL: MoCo's, and those of the prototypes.
// Comments give the value for ImageNet with a ResNet-50 (arXiv 2005.04966,
// section 4.1, and the authors' script, which both versions share). Of MoCo's,
// PCL has tau 0.2 and a queue of 16384.
//
// Differs: the paper says tau 0.1 and r 16000; the authors' command is
// followed.
type PCLConfig struct {
	MoCoConfig
	// Clusters are the numbers K of prototypes, one for each of the M
	// clusterings: 25000, 50000, 100000. None in a RunConfig: automatic.
	Clusters []int `json:"clusters"`
	// Negatives is r, the other prototypes that are drawn beside the batch's
	// own: 16384. 0 in a RunConfig: automatic.
	Negatives   int         `json:"negatives"`
	Denominator Denominator `json:"denominator"` // sampled
	// Warmup is the number of first epochs without prototypes: 20. Where it is
	// 0, a RunConfig takes WarmupShare of its epochs.
	Warmup      int     `json:"warmup"`
	WarmupShare float64 `json:"warmup_share"`
	Every       int     `json:"every"` // epochs from one E-step to the next: 1
	// Short is the shorter side to which an image is resized before its middle
	// is taken in the E-step: 256 for crops of 224. 0: the crop's own size.
	Short          int `json:"short"`
	Iters          int `json:"kmeans_iters"`            // Lloyd's rounds: 20
	Redos          int `json:"kmeans_redos"`            // starts, of which the best is kept: 5
	MaxPerCentroid int `json:"kmeans_max_per_centroid"` // see KMeans: 1000

	Images int    `json:"-"` // images of each rank
	Seed   uint64 `json:"-"` // of the drawn prototypes
}

// DefaultPCLV1 is PCL v1 with the batch of 256 on one rank; Images is for the
// caller to set.
func DefaultPCLV1() PCLConfig {
	c := PCLConfig{
		MoCoConfig: DefaultMoCoV1(), Clusters: []int{25000, 50000, 100000}, Negatives: 16384, Denominator: SampledPrototypes,
		Warmup: 20, Every: 1, Short: 256, Iters: 20, Redos: 5, MaxPerCentroid: 1000,
	}
	c.Temperature, c.Queue = 0.2, 16384
	return c
}

// DefaultPCLV2 is PCL v2 with the batch of 256 on one rank; Images is for the
// caller to set.
func DefaultPCLV2() PCLConfig {
	c := DefaultPCLV1()
	c.Head, c.Hidden = HeadMLP, 2048
	return c
}

// Validate reports every setting that no run can have, one sentence each.
func (c PCLConfig) Validate() error {
	errs := []error{c.MoCoConfig.validate("pcl")}
	want := wants("pcl", &errs)
	images := c.Images * ranks(c.Group)
	want(c.Images >= 1, "%d images: at least 1", c.Images)
	want(len(c.Clusters) >= 1, "no numbers of clusters: at least one (25000, 50000, 100000 in the paper)")
	for _, k := range c.Clusters {
		want(k >= 2, "%d clusters: at least 2", k)
		want(k <= images, "%d clusters of %d images: at most as many clusters as images; a tenth (%d) leaves each some members", k, images, max(2, images/10))
	}
	switch c.Denominator {
	case SampledPrototypes, DistinctPrototypes:
		want(c.Negatives >= 1, "%d negative prototypes: at least 1, or denominator %q, which draws none", c.Negatives, string(EveryPrototype))
		if len(c.Clusters) > 0 {
			least := slices.Min(c.Clusters)
			want(c.Negatives < least, "%d negative prototypes, but %d clusters leave at most %d beside an image's own: lower it, or choose denominator %q", c.Negatives, least, least-1, string(EveryPrototype))
		}
	case EveryPrototype:
	default:
		want(false, "denominator %q: there are %s, %s and %s", string(c.Denominator), SampledPrototypes, DistinctPrototypes, EveryPrototype)
	}
	want(c.Warmup >= 0, "warm-up of %d epochs: at least 0", c.Warmup)
	want(0 <= c.WarmupShare && c.WarmupShare <= 1, "warm-up for a share of %v: want 0 to 1", c.WarmupShare)
	want(c.Every >= 1, "an E-step every %d epochs: at least 1", c.Every)
	if len(c.Crops) > 0 {
		want(c.Short == 0 || c.Short >= c.Crops[0].Size, "images resized to %d for the E-step: crops of %d do not fit", c.Short, c.Crops[0].Size)
	}
	for _, k := range c.Clusters {
		if err := c.kMeans(k, 0).Validate(); err != nil {
			errs = append(errs, err)
			break
		}
	}
	return errors.Join(errs...)
}

// kMeans is the clustering number i.
func (c PCLConfig) kMeans(k, i int) KMeans {
	return KMeans{K: k, Iters: c.Iters, Redos: c.Redos, MaxPerCentroid: c.MaxPerCentroid, Seed: uint64(i)}
}

// Warnings are settings that run and seldom help.
func (c PCLConfig) Warnings() []string {
	var w []string
	images := c.Images * ranks(c.Group)
	for _, k := range c.Clusters {
		if k > images/10 {
			w = append(w, fmt.Sprintf("pcl: %d clusters of %d images: fewer than ten images a cluster say little; %d at most is better", k, images, max(2, images/10)))
		}
		if c.Denominator != EveryPrototype && c.Negatives > k-c.Batch {
			w = append(w, fmt.Sprintf("pcl: %d negative prototypes of %d clusters: a batch of %d can leave fewer, then all that are left are taken", c.Negatives, k, c.Batch))
		}
	}
	return w
}
