package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
)

// describe says what is about to happen.
func (s *session) describe(out io.Writer) {
	r, t := s.settled, s.trainer
	weights := 0
	for _, w := range nn.Weights(t.Method.Encoder()) {
		weights += w.Value.Len()
	}
	var crops []string
	for _, g := range t.Views.Groups() {
		crops = append(crops, fmt.Sprintf("%d of %d×%d", g.Count, g.Size, g.Size))
	}
	fmt.Fprintf(out, "%s, preset %s, %s of %d steps, seed %d\n", r.Method, s.Preset, epochs(t.Epochs), t.Steps(), t.Seed)
	fmt.Fprintf(out, "images   %s\n", s.images)
	fmt.Fprintf(out, "encoder  %s, %d weights, %d features\n", r.Net, weights, t.Method.Encoder().Features())
	fmt.Fprintf(out, "step     %d images, views of each: %s; %s; %s, learning rate %.3g\n", t.Batch, strings.Join(crops, " and "), contrast(r), r.Optimizer.Rule, r.Optimizer.Rate)
	fmt.Fprintf(out, "memory   %s for a step, %s for weights and state, limit %s\n", bytesText(int64(s.plan)), bytesText(s.held), bytesText(memoryLimit()))
	if s.cost.speed > 0 {
		fmt.Fprintf(out, "time     %s\n", s.cost)
	}
	fmt.Fprintf(out, "machine  %s, threads %d\n", t.Tape.Backend().Name(), threads())
	if s.chosen != "" {
		fmt.Fprintln(out, "device   "+s.chosen)
	}
	fmt.Fprintf(out, "folder   %s\n", s.run.Dir)
	for _, rule := range s.rules {
		fmt.Fprintln(out, "chosen   "+rule)
	}
	for _, w := range slices.Concat(s.notes, s.images.notes, r.Warnings()) {
		fmt.Fprintln(out, "note:", w)
	}
	if r.Method == "pcl" && r.PCL.Warmup >= t.Epochs {
		fmt.Fprintf(out, "note: the warm-up is as long as the run, %s: prototypes take no part, and this is MoCo\n", epochs(t.Epochs))
	}
	if s.resumed {
		fmt.Fprintf(out, "going on after step %d of %d\n", t.Iteration, t.Iterations())
	}
	fmt.Fprintln(out)
}

// epochs is a number of epochs in words.
func epochs(n int) string {
	if n == 1 {
		return "1 epoch"
	}
	return fmt.Sprintf("%d epochs", n)
}

// contrast says what embeddings are told apart from.
func contrast(c methods.RunConfig) string {
	switch c.Method {
	case "moco":
		return fmt.Sprintf("queue of %d keys, momentum %g", c.MoCo.Queue, c.MoCo.Momentum)
	case "simclr":
		return fmt.Sprintf("%d negatives for each view", 2*c.SimCLR.Batch-2)
	case "pcl":
		return fmt.Sprintf("queue of %d keys, momentum %g; %v clusters from epoch %d on, every %d", c.PCL.Queue, c.PCL.Momentum, c.PCL.Clusters, c.PCL.Warmup+1, c.PCL.Every)
	}
	if c.SwAV.Queue > 0 {
		return fmt.Sprintf("%d prototypes, queue of %d from epoch %d on", c.SwAV.Prototypes, c.SwAV.Queue, c.SwAV.QueueStart+1)
	}
	return fmt.Sprintf("%d prototypes", c.SwAV.Prototypes)
}

// bytesText is a size as 3.1 GiB, 41 MiB or 17 KiB.
func bytesText(n int64) string {
	switch {
	case n == 0:
		return "none"
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}
