package methods

import (
	"fmt"
	"math"
	"slices"
)

// Automatic chooses what the configuration leaves open for a number of images
// on each rank, and says by which rule, one sentence each:
//
//	learning rate  by optimizer and batch B of all ranks: adamw 0.004 sqrt(B/128),
//	               sgd 0.03 B/256, lars 0.075 sqrt(B), larc 0.6 B/256
//	queue          a quarter of the images, at most 65536 (PCL 16384), a
//	               multiple of B
//	clusters       images/50, /25 and /12.5, as in the paper
//	negatives      two thirds of the smallest K, less where a batch leaves
//	               fewer; where K is below 3 batches none are drawn and every
//	               prototype counts
//	warm-up        WarmupShare of the epochs, at least one
//	prototypes     (SwAV) images/80, at least 10, at most 3000 and half of what
//	               Sinkhorn sees
//
// Rates: MoCo, SimCLR and SwAV's authors (their papers and code); adamw's is
// the demo's, for a batch of 128.
func (c RunConfig) Automatic(images int) (RunConfig, []string) {
	var rules []string
	say := func(format string, args ...any) { rules = append(rules, fmt.Sprintf(format, args...)) }
	_, batch, group := c.settings().common()
	all, total := batch*ranks(group), images*ranks(group)
	if c.Optimizer.Rate == 0 {
		var rule string
		c.Optimizer.Rate, rule = rateFor(c.Optimizer.Rule, all)
		say("learning rate %.3g: %s for batch %d", c.Optimizer.Rate, rule, all)
	}
	switch c.Method {
	case "moco":
		if c.MoCo.Queue == 0 {
			c.MoCo.Queue = queueFor(total, all, 65536)
			say("queue of %d: a quarter of %d images, at most 65536, in batches of %d", c.MoCo.Queue, total, all)
		}
	case "pcl":
		if c.PCL.Queue == 0 {
			c.PCL.Queue = queueFor(total, all, 16384)
			say("queue of %d: a quarter of %d images, at most 16384, in batches of %d", c.PCL.Queue, total, all)
		}
		c.PCL.automatic(total, c.Epochs, say)
	case "simclr":
	default:
		if c.SwAV.Prototypes == 0 && batch >= 1 {
			seen := all + c.SwAV.queueRows()*ranks(group)
			c.SwAV.Prototypes = max(2, min(max(10, total/80), 3000, seen/2))
			say("%d prototypes: an eightieth of %d images, 10 to 3000, at most half of the %d samples that share them", c.SwAV.Prototypes, total, seen)
		}
	}
	return c, rules
}

// rateFor is the learning rate of an optimizer at a batch, and its rule.
func rateFor(optimizer string, batch int) (float64, string) {
	b := float64(batch)
	switch optimizer {
	case "adamw":
		return 0.004 * math.Sqrt(b/128), "0.004 sqrt(batch/128) with adamw"
	case "lars":
		return 0.075 * math.Sqrt(b), "0.075 sqrt(batch) with lars"
	case "larc":
		return 0.6 * b / 256, "0.6 batch/256 with larc"
	}
	return 0.03 * b / 256, "0.03 batch/256 with sgd"
}

// queueFor is a quarter of the images, at most most, as a multiple of batch,
// at least one batch.
func queueFor(images, batch, most int) int {
	if batch < 1 {
		return 0
	}
	return max(1, min(images/4, most)/batch) * batch
}

// automatic chooses clusters, negatives and warm-up.
func (c *PCLConfig) automatic(images, epochs int, say func(string, ...any)) {
	if len(c.Clusters) == 0 {
		c.Clusters = []int{max(2, images/50), max(2, images/25), max(2, images*2/25)}
		say("%v clusters: a 50th, a 25th and a 12.5th of %d images; fewer than ten images a cluster say little", c.Clusters, images)
	}
	if least := slices.Min(c.Clusters); c.Negatives == 0 && c.Denominator != EveryPrototype {
		if least < 3*c.Batch {
			c.Denominator = EveryPrototype
			say("every prototype in the denominator: %d clusters are fewer than 3 batches of %d, which leaves few to draw", least, c.Batch)
		} else {
			c.Negatives = min(2*least/3, least-c.Batch)
			say("%d negative prototypes: two thirds of %d clusters, at most what a batch of %d leaves", c.Negatives, least, c.Batch)
		}
	}
	if c.Warmup == 0 && c.WarmupShare > 0 {
		c.Warmup = max(1, int(math.Round(c.WarmupShare*float64(epochs))))
		say("prototypes from epoch %d on: after %.0f %% of %d, at least one", c.Warmup+1, 100*c.WarmupShare, epochs)
	}
}
