package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/tensor"
)

// estimate is what a run will take on this machine, from measurements of a
// fraction of a second: operations at the speed of a few steps of the encoder,
// and the decoding and the views of a few images.
type estimate struct {
	cost   methods.Cost
	speed  float64 // operations a second
	steps  time.Duration
	esteps time.Duration
	views  time.Duration // and decoding, shared by all threads
}

func (e estimate) total() time.Duration { return e.steps + e.esteps + e.views }

// estimate finds out what the run will take.
func (s *session) estimate() (err error) {
	if s.trainer.Iteration == s.trainer.Iterations() || strings.HasPrefix(s.device, "emu") {
		return nil // a step of the interpreter is for tests, and slow
	}
	misuse := tensor.Try(func() { s.cost, err = s.measure() })
	if err = errors.Join(misuse, err); err != nil {
		return s.remedy(fmt.Errorf("estimating the time: %w", err))
	}
	return nil
}

// measure makes the estimate. What is left counts, where a run goes on.
func (s *session) measure() (e estimate, err error) {
	t := s.trainer
	images := t.Source.Len()
	if e.cost, err = s.Run.Cost(images); err != nil {
		return e, err
	}
	if e.speed, err = s.Run.Speed(t.Tape); err != nil {
		return e, err
	}
	left := float64(t.Iterations()-t.Iteration) / float64(t.Iterations())
	spent := func(flop float64) time.Duration {
		return time.Duration(left * flop / e.speed * float64(time.Second))
	}
	e.steps, e.esteps = spent(e.cost.Step*float64(e.cost.Steps)), spent(e.cost.EStep*float64(e.cost.ESteps))
	read, view, size, err := s.timeViews()
	if err != nil {
		return e, err
	}
	shown := left * float64(t.Iterations()*t.Batch)
	reads := shown
	if size*float64(images) < float64(cacheBytes()) {
		reads = min(reads, float64(images)) // they stay decoded
	}
	e.views = time.Duration((shown*view.Seconds() + reads*read.Seconds()) / float64(threads()) * float64(time.Second))
	return e, nil
}

// timeViews measures what reading an image, and making its views, takes one
// thread, and how many bytes it is: the mean of some images, spread over all.
func (s *session) timeViews() (read, view time.Duration, size float64, err error) {
	t := s.trainer
	const most, patience = 64, 100 * time.Millisecond
	var image data.Image
	var scratch data.Scratch
	var buf []float32
	for _, g := range t.Views.Groups() {
		if n := g.Size * g.Size * t.Views.Channels(); n > len(buf) {
			buf = make([]float32, n)
		}
	}
	some := evenly(t.Source, most)
	n := 0
	for i := range some.Len() {
		start := time.Now()
		if some.Image(i, &image) != nil {
			continue // the loader names it
		}
		got := time.Now()
		crop := 0
		for _, g := range t.Views.Groups() {
			for range g.Count {
				key := data.Key{Seed: t.Seed, Index: i, Crop: crop}
				if err := t.Views.View(buf[:g.Size*g.Size*t.Views.Channels()], &image, key, &scratch); err != nil {
					return 0, 0, 0, err
				}
				crop++
			}
		}
		if n++; n == 1 {
			continue // its time went into buffers
		}
		read, view, size = read+got.Sub(start), view+time.Since(got), size+float64(len(image.Pix))
		if read+view > patience {
			break
		}
	}
	n = max(1, n-1)
	return read / time.Duration(n), view / time.Duration(n), size / float64(n), nil
}

// String says how long the run will take, and how that is known.
func (e estimate) String() string {
	return fmt.Sprintf("about %s on this machine: %s, at the %.0f GFLOP/s that the encoder reached just now; views %.0f %%",
		about(e.total()), e.cost, e.speed/1e9, 100*e.views.Seconds()/max(1e-9, e.total().Seconds()))
}

// about is a duration to the precision that an estimate has.
func about(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", max(1, d.Seconds()))
	case d < 10*time.Minute:
		return clock(d.Round(5 * time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
