package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/tensor"
)

const storyUsage = `[flags]

Trains SimCLR, MoCo v2, PCL and SwAV on the embedded images with batches of 32,
64, 128 and 256, all at one planned cost, repeats one batch with other seeds,
and draws kNN top-1 and the share of negatives that carry the anchor's label
against batch size. Stopped by Ctrl-C, the same command goes on.`

// story is the question what a method loses when batches are small: runs of
// equal planned cost, one folder each, and the figure of them.
type story struct {
	dir      string
	images   *images
	flop     float64 // of each run
	batches  []int
	repeated int           // the batch that all seeds are run at
	seeds    int           // 0, 1, ...; other batches have seed 0
	try      time.Duration // of each method at each batch, for an estimate
	runs     []*storyRun
}

// tellStory plans a story, does the runs of it that are left and draws all.
func tellStory(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("story")
	s := story{batches: []int{32, 64, 128, 256}, repeated: 128, try: time.Second / 2}
	f.StringVar(&s.dir, "out", filepath.Join("runs", "story"), "`folder` of the runs and of the figure; where it holds some already, they are kept")
	tera := f.Float64("flop", 6, "planned cost of each run in `TFLOP`")
	f.IntVar(&s.seeds, "seeds", 3, "`number` of seeds at batch 128, which show the noise; other batches have one")
	var machine machineFlags
	machine.define(f)
	if _, err := parse(f, args, 0, "no arguments", storyUsage, out); err != nil {
		return err
	}
	if s.flop = *tera * 1e12; !(s.flop > 0) || s.seeds < 1 {
		return fmt.Errorf("--flop %v, --seeds %d: more than 0, and at least 1", *tera, s.seeds)
	}
	if err := machine.apply(); err != nil {
		return err
	}
	c, err := presetConfig(methods.MethodNames[0], "demo")
	if err != nil {
		return err
	}
	if s.images, err = openImages(c); err != nil {
		return err
	}
	defer s.images.Close()
	if err := s.plan(); err != nil {
		return err
	}
	return s.tell(ctx, out)
}

// tell does the planned runs that are left.
func (s *story) tell(ctx context.Context, out io.Writer) error {
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.describe(ctx, out); err != nil {
		return s.stopped(ctx, err, out)
	}
	base, err := s.baselines(ctx)
	if err != nil {
		return s.stopped(ctx, err, out)
	}
	for i, r := range s.runs {
		if r.done() {
			continue
		}
		fmt.Fprintf(out, "\n%d of %d: %s\n", i+1, len(s.runs), r.name)
		if err := s.do(ctx, r, out); err != nil {
			return s.stopped(ctx, fmt.Errorf("%s: %w", r.name, err), out)
		}
		if err := s.draw(base); err != nil {
			return err
		}
	}
	if err := s.draw(base); err != nil {
		return err
	}
	return s.table(base, out)
}

// stopped says how to go on after Ctrl-C.
func (s *story) stopped(ctx context.Context, err error, out io.Writer) error {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	done := 0
	for _, r := range s.runs {
		if r.done() {
			done++
		}
	}
	fmt.Fprintf(out, "interrupted with %d of %d runs done; the same command goes on\n", done, len(s.runs))
	return errInterrupted
}

// settle makes the folders of the runs, and refuses those of another story.
func (s *story) settle() error {
	for _, r := range s.runs {
		want, err := json.MarshalIndent(r.config, "", "\t")
		if err != nil {
			return err
		}
		want = append(want, '\n')
		got, err := os.ReadFile(r.dir.Config())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err = os.MkdirAll(r.dir.Dir, 0o777); err == nil {
				err = writeWhole(r.dir.Config(), want)
			}
			if err != nil {
				return fmt.Errorf("%w: choose a folder that can be written with --out", err)
			}
		case err != nil:
			return err
		case !bytes.Equal(got, want):
			return fmt.Errorf("%s is not what this command would run, by other flags or another version: choose another folder with --out", r.dir.Config())
		}
	}
	return nil
}

// describe prints the plan: what each run costs, and how long those that are
// left will take at the speed of a moment of each.
func (s *story) describe(ctx context.Context, out io.Writer) error {
	least, most := 1.0, 1.0
	for _, r := range s.runs {
		least, most = min(least, r.cost.Run/s.flop), max(most, r.cost.Run/s.flop)
	}
	fmt.Fprintf(out, "%d runs of %.3g TFLOP, planned; whole epochs leave %+.1f to %+.1f %%\n", len(s.runs), s.flop/1e12, 100*(least-1), 100*(most-1))
	fmt.Fprintf(out, "images   %s\nmachine  %d threads\nfolder   %s\n", s.images, threads(), s.dir)
	for _, rule := range s.rules() {
		fmt.Fprintln(out, "chosen   "+rule)
	}
	fmt.Fprintf(out, "\n%-16s %6s %6s %14s %7s  %s\n", "run", "epochs", "steps", "learning rate", "TFLOP", "time")
	var total time.Duration
	speeds := map[string]time.Duration{} // of a run, by method and batch
	for _, r := range s.runs {
		took := "done"
		if !r.done() {
			key := fmt.Sprint(r.Run.Method, r.Run.Batch())
			if _, ok := speeds[key]; !ok {
				d, err := s.probe(ctx, r)
				if err != nil {
					return err
				}
				speeds[key] = d
			}
			total += speeds[key]
			took = "about " + clock(speeds[key])
		}
		fmt.Fprintf(out, "%-16s %6d %6d %14.3g %7.3f  %s\n", r.name, r.Run.Epochs, r.cost.Steps, r.rate, r.cost.Run/1e12, took)
	}
	fmt.Fprintf(out, "\nabout %s at the speed of this minute\n", clock(total))
	return nil
}

// rules are those by which learning rates were chosen, once each.
func (s *story) rules() []string {
	var all []string
	for _, r := range s.runs {
		for _, rule := range r.rules {
			if !slices.Contains(all, rule) {
				all = append(all, rule)
			}
		}
	}
	return all
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(path string, text []byte) error {
	return tensor.WriteFile(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// writeJSON writes a value as JSON, whole.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return writeWhole(path, append(text, '\n'))
}

// readJSON reads what writeJSON wrote.
func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w: remove it, and the run is done again", path, err)
	}
	return nil
}
