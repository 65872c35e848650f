package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

const pretrainUsage = `METHOD [flags]

Trains an encoder on images without labels, keeps it in runs/METHOD-NNN, and
ends with a table of how well neighbours agree. Methods: swav.`

// pretrain trains an encoder, keeps it in a folder, and judges it.
func pretrain(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("pretrain")
	p := definePretrain(f)
	pos, err := parse(f, args, 1, "one method (swav)", pretrainUsage, out)
	if err != nil {
		return err
	}
	if pos[0] != "swav" {
		return fmt.Errorf("no method %q; methods: swav", pos[0])
	}
	f.Visit(func(f *flag.Flag) { p.given[f.Name] = true })
	read := p.config
	if p.resume != "" {
		read = p.resumed
	}
	c, err := read()
	if err != nil {
		return err
	}
	if err := p.machine.apply(); err != nil {
		return err
	}
	if p.profile != "" {
		stop, err := profile(p.profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	s, err := openSession(c, p.out, p.resume)
	if err != nil {
		return err
	}
	s.describe(out)
	if err := s.train(ctx, out); err != nil {
		return err
	}
	return s.report(ctx, out)
}

// profile starts a CPU profile.
func profile(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// session is a run, from its start or from a checkpoint on.
type session struct {
	config
	images  images
	trainer *methods.Trainer
	run     methods.Run
	plan    int // bytes of the first step's arena
	resumed bool
}

// openSession prepares everything that can fail before it makes a folder, and
// finds out whether the folder takes checkpoints before anything is trained.
func openSession(c config, root, resume string) (*session, error) {
	s := &session{config: c, resumed: resume != ""}
	var err error
	if s.images, err = openImages(c.Data); err != nil {
		return nil, err
	}
	if err := s.images.fit(c); err != nil {
		return nil, err
	}
	b, err := backend()
	if err != nil {
		return nil, err
	}
	if err := traceLimits(); err != nil {
		return nil, err
	}
	if s.trainer, err = c.Run.New(b, s.images.learn); err != nil {
		return nil, s.remedy(err)
	}
	misuse := tensor.Try(func() { s.plan = firstPlan(s.trainer) })
	if misuse != nil {
		return nil, misuse
	}
	if s.resumed {
		s.run = methods.Run{Dir: resume}
		if err := s.run.Resume(s.trainer); err != nil {
			return nil, fmt.Errorf("--resume: %w", err)
		}
	} else if s.run, err = methods.CreateRun(root, c.Method, c); err != nil {
		return nil, fmt.Errorf("%w: choose a folder that can be written with --out", err)
	}
	// Twice: the second time the old checkpoint and the new one need room
	// together, as they will later.
	for range 2 {
		if err := s.run.Save(s.trainer); err != nil {
			if s.resumed {
				return nil, fmt.Errorf("%w: nothing was changed; make room in %s", err, s.run.Dir)
			}
			return nil, fmt.Errorf("%w: nothing was trained; make room, or choose another folder with --out", err)
		}
	}
	return s, nil
}

// firstPlan is the size of the arena of a run's first step.
func firstPlan(t *methods.Trainer) int {
	t.Tape.Begin(t.Method.BeforeStep(methods.Step{Epoch: t.Iteration / t.Steps(), Iteration: t.Iteration}))
	var views []*autograd.Var
	for _, g := range t.Views.Groups() {
		shape := autograd.Dims(g.Count*t.Batch, g.Size, g.Size, t.Views.Channels())
		views = append(views, t.Tape.Input(shape, make([]float32, shape.Len())))
	}
	t.Tape.Backward(t.Method.Loss(&nn.Pass{Tape: t.Tape, Train: true, Groups: t.Groups}, views))
	return t.Tape.Peak()
}

// describe says what is about to happen.
func (s *session) describe(out io.Writer) {
	r, t := s.config.Run, s.trainer
	weights := 0
	for _, w := range nn.Weights(t.Method.Encoder()) {
		weights += w.Value.Len()
	}
	var crops []string
	for _, g := range t.Views.Groups() {
		crops = append(crops, fmt.Sprintf("%d of %d×%d", g.Count, g.Size, g.Size))
	}
	fmt.Fprintf(out, "%s, preset %s, %d epochs of %d steps, seed %d\n", s.Method, s.Preset, t.Epochs, t.Steps(), t.Seed)
	fmt.Fprintf(out, "images   %s\n", s.images)
	fmt.Fprintf(out, "encoder  %s, %d weights, %d features\n", r.Net, weights, t.Method.Encoder().Features())
	fmt.Fprintf(out, "step     %d images, views of each: %s; %d prototypes; %s, learning rate %g\n", t.Batch, strings.Join(crops, " and "), r.SwAV.Prototypes, r.Optimizer.Rule, r.Optimizer.Rate)
	fmt.Fprintf(out, "memory   %s for a step, %s for weights and state, limit %s\n", bytesText(int64(s.plan)), bytesText(tensor.MemoryInUse()), bytesText(memoryLimit()))
	fmt.Fprintf(out, "machine  %s, %d threads\n", t.Tape.Backend().Name(), threads())
	fmt.Fprintf(out, "folder   %s\n", s.run.Dir)
	for _, w := range r.SwAV.Warnings() {
		fmt.Fprintln(out, "note:", w)
	}
	if s.resumed {
		fmt.Fprintf(out, "going on after step %d of %d\n", t.Iteration, t.Iterations())
	}
	fmt.Fprintln(out)
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

// train runs the steps that are left, with a checkpoint after each epoch.
func (s *session) train(ctx context.Context, out io.Writer) error {
	t := s.trainer
	if t.Iteration == t.Iterations() {
		return nil
	}
	m, err := openMetrics(filepath.Join(s.run.Dir, "metrics.jsonl"), t.Iteration, t.Steps())
	if err != nil {
		return err
	}
	line := newProgress(out, t.Epochs)
	saved := t.Iteration
	t.Progress = func(p methods.Progress) {
		m.step(p)
		line.step(p)
	}
	t.Save = func(t *methods.Trainer) error {
		if err := errors.Join(s.run.Save(t), m.flush()); err != nil {
			return fmt.Errorf("%w; the checkpoint of step %d is whole: make room, then go on with %s", err, saved, s.resumeCommand())
		}
		saved = t.Iteration
		return nil
	}
	err = t.Train(ctx)
	line.end()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if err := errors.Join(t.Save(t), m.close()); err != nil {
			return err
		}
		fmt.Fprintf(out, "interrupted after step %d of %d; go on with\n\n  %s\n", t.Iteration, t.Iterations(), s.resumeCommand())
		return errInterrupted
	}
	if err := errors.Join(err, m.close()); err != nil {
		return s.remedy(err)
	}
	fmt.Fprintf(out, "trained in %s; the encoder is in %s\n", clock(m.gone()), s.run.Checkpoint())
	return nil
}

func (s *session) resumeCommand() string {
	return fmt.Sprintf("%s pretrain %s --resume %s", program(), s.Method, s.run.Dir)
}

// remedy adds to an error of too little memory what to do.
func (s *session) remedy(err error) error {
	var memory *tensor.MemoryError
	if errors.As(err, &memory) {
		return fmt.Errorf("%w: choose a --batch smaller than %d, or raise --memory", err, s.Run.SwAV.Batch)
	}
	return err
}

// report judges the trained encoder beside raw pixels and the encoder that the
// run began with.
func (s *session) report(ctx context.Context, out io.Writer) error {
	if s.images.classes == 0 {
		fmt.Fprintf(out, "no table: %s has no labelled images to judge by\n", s.images.what)
		return nil
	}
	line := newProgress(out, 0)
	line.say("judging ...")
	r, err := methods.NewReport(ctx, extractor(s.trainer, s.config), s.images.learn, s.images.judge, s.images.classes,
		methods.NamedEncoder{Name: "untrained", Encoder: s.config.Run.Untrained(s.trainer.Tape.Backend())},
		methods.NamedEncoder{Name: "trained", Encoder: s.trainer.Method.Encoder()})
	line.clear()
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintf(out, "interrupted while judging; the run is whole, judge it with\n\n  %s eval knn %s\n", program(), s.run.Dir)
			return errInterrupted
		}
		return err
	}
	writeReport(out, s.images, r)
	return nil
}

// writeReport prints the table that a run ends with.
func writeReport(out io.Writer, im images, r *methods.Report) {
	const columns = "%-31s %9s  %17s  %18s\n"
	fmt.Fprintf(out, "\n%d images judged by the %d learned from, in per cent\n\n", im.judge.N, im.learn.N)
	fmt.Fprintf(out, columns, "", "kNN top-1", "10 labels a class", fmt.Sprintf("AMI of %d clusters", im.classes))
	for _, row := range r.Rows {
		fmt.Fprintf(out, columns, row.Name, percent(row.KNN), percent(row.FewLabels), percent(row.AMI))
	}
	fmt.Fprint(out, "\nkNN: 20 neighbours, cosine, temperature 0.07.\n10 labels a class: 5 neighbours, mean of 10 drawn sets.\n")
}

func percent(x float64) string { return fmt.Sprintf("%.1f", x) }
