package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

const pretrainUsage = `METHOD [flags]

Trains an encoder on images without labels, keeps it in runs/METHOD-NNN, and
ends with a table of how well neighbours agree. Methods: swav, moco, simclr, pcl.`

// pretrain trains an encoder, keeps it in a folder, and judges it.
func pretrain(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("pretrain")
	p := definePretrain(f)
	pos, err := parse(f, args, 1, "one method ("+methodList()+")", pretrainUsage, out)
	if err != nil {
		return err
	}
	if !slices.Contains(methods.MethodNames, pos[0]) {
		return fmt.Errorf("no method %q; methods: %s", pos[0], methodList())
	}
	p.visit(f)
	if p.judge < 0 {
		return fmt.Errorf("--judge-every %d: a number of epochs, or 0 for never", p.judge)
	}
	read := p.config
	if p.resume != "" {
		read = p.resumed
	}
	c, err := read(pos[0])
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
	s, err := openSession(c, p.device, p.out, p.resume)
	if err != nil {
		return err
	}
	defer s.images.Close()
	s.judgeEvery, s.notes = p.judge, p.notes
	if !p.given["judge-every"] {
		s.judgeEvery = judgeEvery(c.Run.Epochs)
	}
	if s.images.classes == 0 {
		s.judgeEvery = 0
	}
	if err := s.estimate(); err != nil {
		return errors.Join(err, s.discard())
	}
	s.describe(out)
	if err := s.train(ctx, out); err != nil {
		if errors.Is(err, errInterrupted) {
			return err
		}
		return errors.Join(err, s.discard())
	}
	return s.report(ctx, out)
}

func methodList() string { return strings.Join(methods.MethodNames, ", ") }

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
	settled methods.RunConfig // Run with what is automatic chosen
	rules   []string          // by which it was
	images  *images
	trainer *methods.Trainer
	run     methods.Run
	plan    int   // bytes of the first step's arena
	held    int64 // bytes of weights and state
	cost    estimate
	resumed bool
	notes   []string // on the flags
	device  string   // that was asked for
	chosen  string   // by auto, and why
	// judgeEvery is the number of epochs from one look at the encoder to the
	// next while it is trained; 0: none.
	judgeEvery int
}

// openSession prepares everything that can fail before it makes a folder, and
// finds out whether the folder takes checkpoints before anything is trained.
func openSession(c config, device, root, resume string) (*session, error) {
	im, err := openImages(c)
	if err != nil {
		return nil, err
	}
	s := &session{config: c, device: device, images: im, resumed: resume != ""}
	if err := s.prepare(); err != nil {
		im.Close()
		return nil, s.remedy(err)
	}
	if err := s.place(root, resume); err != nil {
		im.Close()
		return nil, errors.Join(err, s.discard())
	}
	return s, nil
}

// prepare makes the trainer, and plans its first step.
func (s *session) prepare() error {
	b, why, err := kernels.OpenDevice(s.device)
	if err != nil {
		return fmt.Errorf("--device %s: %w", s.device, err)
	}
	s.chosen = why
	if err := traceLimits(); err != nil {
		return err
	}
	if k := s.Run.PCL.Clusters; s.clustersOfPreset && len(k) > 0 && slices.Max(k) > s.images.learn.Len() {
		s.Run.PCL.Clusters, s.Run.PCL.Negatives = nil, 0 // the preset is for more images
	}
	s.settled, s.rules = s.Run.Automatic(s.images.learn.Len())
	s.settled.PCL.Images = s.images.learn.Len()
	if s.trainer, err = s.Run.New(b, s.images.learn); err != nil {
		return err
	}
	s.held = tensor.MemoryInUse()
	return tensor.Try(func() { s.plan = firstPlan(s.trainer) })
}

// place opens the run's folder, or makes it.
func (s *session) place(root, resume string) (err error) {
	if s.resumed {
		s.run = methods.Run{Dir: resume}
		if err := s.run.Resume(s.trainer); err != nil {
			return fmt.Errorf("--resume: %w", err)
		}
	} else if s.run, err = methods.CreateRun(root, s.Run.Method, s.config); err != nil {
		return fmt.Errorf("%w: choose a folder that can be written with --out", err)
	}
	// Twice: the second time the old checkpoint and the new one need room
	// together, as they will later.
	for range 2 {
		if err := s.run.Save(s.trainer); err != nil {
			if s.resumed {
				return fmt.Errorf("%w: nothing was changed; make room in %s", err, s.run.Dir)
			}
			return fmt.Errorf("%w: nothing was trained; make room, or choose another folder with --out", err)
		}
	}
	return nil
}

// discard removes the folder of a run that failed before its first step.
func (s *session) discard() error {
	if s.resumed || s.run.Dir == "" || s.trainer.Iteration > 0 {
		return nil
	}
	for _, path := range []string{s.run.Config(), s.run.Checkpoint(), s.metrics(), s.run.Dir} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *session) metrics() string { return filepath.Join(s.run.Dir, "metrics.jsonl") }

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

// train runs the steps that are left, with a checkpoint after each epoch.
func (s *session) train(ctx context.Context, out io.Writer) error {
	t := s.trainer
	if t.Iteration == t.Iterations() {
		return nil
	}
	m, err := openMetrics(s.metrics(), t.Iteration, t.Steps())
	if err != nil {
		return err
	}
	line := newProgress(out, t.Epochs)
	saved := t.Iteration
	t.Monitor = &methods.Monitor{Every: min(100, max(1, t.Iterations()/20))}
	t.Progress = func(p methods.Progress) {
		m.step(p)
		line.step(p)
		if p.Health != nil {
			for _, w := range p.Health.Warnings {
				line.note("note: " + w)
			}
		}
	}
	if pcl, ok := t.Method.(*methods.PCL); ok {
		pcl.Report = func(e methods.EStep) {
			m.eStep(e)
			line.note(e.String())
			for _, n := range e.Notes {
				line.note("note: " + n)
			}
		}
	}
	look := &during{every: s.judgeEvery, session: s}
	t.Save = func(t *methods.Trainer) error {
		if err := s.run.Save(t); err != nil {
			return fmt.Errorf("%w; the checkpoint of step %d is whole: make room, then go on with %s", err, saved, s.resumeCommand())
		}
		saved = t.Iteration
		if look.due() {
			switch f, err := look.figures(ctx); {
			case err == nil:
				m.judged(f)
				line.note(look.say(f))
			case ctx.Err() == nil:
				line.note(fmt.Sprintf("note: the encoder is not judged while it is trained: %v", err))
				look.every = 0
			}
		}
		if err := m.flush(); err != nil {
			return fmt.Errorf("%w; the checkpoint of step %d is whole: make room, then go on with %s", err, saved, s.resumeCommand())
		}
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
	return fmt.Sprintf("%s pretrain %s --resume %s", program(), s.Run.Method, s.run.Dir)
}

// remedy adds to an error of too little memory what to do.
func (s *session) remedy(err error) error {
	var memory *tensor.MemoryError
	if errors.As(err, &memory) {
		return fmt.Errorf("%w: choose a --batch smaller than %d, or raise --memory", err, s.Run.Batch())
	}
	var diverged *methods.DivergedError
	if errors.As(err, &diverged) {
		return fmt.Errorf("%w: begin again with --lr below %.3g", err, s.settled.Optimizer.Rate)
	}
	return err
}
