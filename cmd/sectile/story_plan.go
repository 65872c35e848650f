package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/methods"
)

// storyMethods are the methods in the order in which the story goes: from
// negatives of the batch to none but prototypes.
var storyMethods = []string{"simclr", "moco", "pcl", "swav"}

// storyRun is one run of a story: its folder holds config.json,
// checkpoint.safetensors, time.json and, once it is done, result.json.
type storyRun struct {
	config
	name  string // pcl-032-0: method, batch, seed
	cost  methods.Cost
	rate  float64
	rules []string // by which the learning rate was chosen
	dir   methods.Run
}

func (r *storyRun) result() string { return filepath.Join(r.dir.Dir, "result.json") }
func (r *storyRun) time() string   { return filepath.Join(r.dir.Dir, "time.json") }

// done says whether the run has a result.
func (r *storyRun) done() bool {
	_, err := os.Stat(r.result())
	return err == nil
}

// plan lists the runs: first every method at every batch, then the repeats.
func (s *story) plan() error {
	s.runs = nil
	add := func(batch int, seed uint64) error {
		for _, m := range storyMethods {
			r, err := planRun(m, batch, seed, s.flop, s.images.learn.Len())
			if err != nil {
				return err
			}
			r.Data = embedded
			r.dir = methods.Run{Dir: filepath.Join(s.dir, r.name)}
			s.runs = append(s.runs, r)
		}
		return nil
	}
	for _, b := range s.batches {
		if err := add(b, 0); err != nil {
			return err
		}
	}
	for seed := 1; seed < s.seeds; seed++ {
		if err := add(s.repeated, uint64(seed)); err != nil {
			return err
		}
	}
	return nil
}

// planRun is the demo of a method with another batch, the learning rate of
// that batch, and as many epochs as bring its cost nearest to flop.
func planRun(method string, batch int, seed uint64, flop float64, images int) (*storyRun, error) {
	c, err := presetConfig(method, "demo")
	if err != nil {
		return nil, err
	}
	c.Run.SetBatch(batch)
	c.Run.Optimizer.Rate, c.Run.Seed = 0, seed
	best, off := methods.Cost{}, math.Inf(1)
	epochs := 0
	for e := 1; best.Run < flop; e++ {
		c.Run.Epochs = e
		cost, err := c.Run.Cost(images)
		if err != nil {
			return nil, err
		}
		if d := math.Abs(cost.Run - flop); d >= off {
			break
		} else {
			best, off, epochs = cost, d, e
		}
	}
	if off > flop/20 {
		return nil, fmt.Errorf("whole epochs of %s at batch %d come to %.3g TFLOP where %.3g are planned, which is not equal: allow more with --flop", method, batch, best.Run/1e12, flop/1e12)
	}
	c.Run.Epochs = epochs
	if err := c.Run.Validate(); err != nil {
		return nil, err
	}
	settled, rules := c.Run.Automatic(images)
	r := &storyRun{config: c, name: fmt.Sprintf("%s-%03d-%d", method, batch, seed), cost: best, rate: settled.Optimizer.Rate}
	for _, rule := range rules {
		if strings.HasPrefix(rule, "learning rate") {
			r.rules = append(r.rules, rule)
		}
	}
	return r, nil
}

// probe is how long the run will take, by some of its steps.
func (s *story) probe(ctx context.Context, r *storyRun) (time.Duration, error) {
	t, err := s.trainer(r)
	if err != nil {
		return 0, err
	}
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	var start time.Time
	t.Progress = func(p methods.Progress) {
		switch { // the first step plans
		case p.Iteration == 0:
			start = time.Now()
		case time.Since(start) > s.try:
			cancel()
		}
	}
	if err := t.Train(short); err != nil && (ctx.Err() != nil || !errors.Is(err, context.Canceled)) {
		return 0, err
	}
	speed := r.cost.Step * float64(max(1, t.Iteration-1)) / time.Since(start).Seconds()
	return seconds(r.cost.Run / speed), nil
}
