package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
)

// storyResult is what a run is for: result.json, the same bytes whenever the
// same program does the same run.
type storyResult struct {
	Method      string                  `json:"method"`
	Batch       int                     `json:"batch"`
	Seed        uint64                  `json:"seed"`
	Epochs      int                     `json:"epochs"`
	Steps       int                     `json:"steps"`
	Rate        float64                 `json:"rate"`
	PlannedFLOP float64                 `json:"planned_flop"`
	KNN         float64                 `json:"knn"`       // top-1, per cent
	Negatives   []methods.NegativeShare `json:"negatives"` // each image's last step
}

// share is the share of a kind of negatives, in per cent.
func (r storyResult) share(kind string) (percent float64, ok bool) {
	for _, n := range r.Negatives {
		if n.Kind == kind {
			return 100 * n.Share(), true
		}
	}
	return 0, false
}

// storyTime is what the training took so far, all sessions together: time.json.
type storyTime struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"` // of all threads
	Images     int     `json:"images"`
}

// trainer is that of a run, which counts its negatives.
func (s *story) trainer(r *storyRun) (*methods.Trainer, error) {
	b, err := backend()
	if err != nil {
		return nil, err
	}
	t, err := r.Run.New(b, s.images.learn)
	if err != nil {
		return nil, err
	}
	labels := make([]int, s.images.learn.Len())
	for i := range labels {
		labels[i] = s.images.learn.Label(i)
	}
	t.Method, err = methods.WatchNegatives(b, t.Method, labels)
	return t, err
}

// do brings a run to its end, judges it, and writes its result.
func (s *story) do(ctx context.Context, r *storyRun, out io.Writer) error {
	t, err := s.trainer(r)
	if err != nil {
		return err
	}
	if _, err := os.Stat(r.dir.Checkpoint()); err == nil {
		if err := r.dir.Resume(t); err != nil {
			return err
		}
		fmt.Fprintf(out, "going on after step %d of %d\n", t.Iteration, t.Iterations())
	}
	settled, _ := r.Run.Automatic(s.images.learn.Len())
	settled.PCL.Images = s.images.learn.Len()
	for _, w := range settled.Warnings() {
		fmt.Fprintln(out, "note:", w)
	}
	took, err := s.train(ctx, t, r, out)
	if err != nil {
		return err
	}
	m := t.Method.(*methods.Negatives)
	res := storyResult{Method: r.Run.Method, Batch: t.Batch, Seed: t.Seed, Epochs: t.Epochs, Steps: t.Iterations(), Rate: r.rate, PlannedFLOP: r.cost.Run}
	if res.Negatives, err = m.Shares(); err != nil {
		return err
	}
	if res.KNN, err = s.knn(ctx, extractor(t.Tape, t.Views, r.Run), m.Encoder()); err != nil {
		return err
	}
	fmt.Fprintf(out, "kNN top-1 %.1f %%; with the anchor's label: %v; %.0f s of CPU time\n", res.KNN, res.Negatives, took.CPUSeconds)
	return writeJSON(r.result(), res)
}

// train does the steps that are left, with a checkpoint after each epoch and
// where ctx ends.
func (s *story) train(ctx context.Context, t *methods.Trainer, r *storyRun, out io.Writer) (storyTime, error) {
	var before storyTime
	if t.Iteration > 0 {
		if err := readJSON(r.time(), &before); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return before, err
		}
	}
	start, cpu, first := time.Now(), cpuTime(), t.Iteration
	took := func() storyTime {
		return storyTime{before.Seconds + time.Since(start).Seconds(), before.CPUSeconds + (cpuTime() - cpu).Seconds(), before.Images + (t.Iteration-first)*t.Batch}
	}
	line := newProgress(out, t.Epochs)
	t.Monitor = &methods.Monitor{Every: 100}
	t.Progress = func(p methods.Progress) {
		line.step(p)
		if p.Health != nil {
			for _, w := range p.Health.Warnings {
				line.note("note: " + w)
			}
		}
	}
	t.Save = func(t *methods.Trainer) error {
		return errors.Join(writeJSON(r.time(), took()), r.dir.Save(t))
	}
	err := t.Train(ctx)
	line.end()
	if err != nil && ctx.Err() != nil {
		return took(), errors.Join(err, t.Save(t))
	}
	return took(), err
}

// storyBaselines need no learning: baselines.json.
type storyBaselines struct {
	Queries   int     `json:"queries"`   // images that are judged
	Raw       float64 `json:"raw"`       // kNN top-1 of pixels
	Untrained float64 `json:"untrained"` // of the network that runs of seed 0 begin with
}

// baselines judges them once.
func (s *story) baselines(ctx context.Context) (storyBaselines, error) {
	path := filepath.Join(s.dir, "baselines.json")
	v := storyBaselines{Queries: s.images.judge.Len()}
	if err := readJSON(path, &v); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	b, err := backend()
	if err != nil {
		return v, err
	}
	run := s.runs[0].Run
	views, err := data.NewViews(run.Views, run.Crops())
	if err != nil {
		return v, err
	}
	e := extractor(autograd.NewTape(b), views, run)
	if v.Untrained, err = s.knn(ctx, e, run.Untrained(b)); err != nil {
		return v, err
	}
	if v.Raw, err = s.top1(ctx, func(src data.Source) (methods.Features, []int, error) { return pixels(e, src) }); err != nil {
		return v, err
	}
	return v, writeJSON(path, v)
}

// knn judges an encoder.
func (s *story) knn(ctx context.Context, e methods.Extractor, encoder methods.Encoder) (float64, error) {
	return s.top1(ctx, func(src data.Source) (methods.Features, []int, error) { return e.Features(ctx, encoder, src) })
}

// top1 is how often the neighbours of an image among those learned from agree
// with its label.
func (s *story) top1(ctx context.Context, features func(data.Source) (methods.Features, []int, error)) (float64, error) {
	bank, labels, err := features(s.images.learn)
	if err != nil {
		return 0, err
	}
	queries, want, err := features(s.images.judge)
	if err != nil {
		return 0, err
	}
	votes, err := methods.DefaultKNN().Classify(ctx, bank, labels, queries)
	if err != nil {
		return 0, err
	}
	return votes.Top1(want)
}

// seconds is a number of seconds as a duration.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
