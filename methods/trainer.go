package methods

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// TrainerConfig is a run besides its method and its optimizer.
type TrainerConfig struct {
	Source data.Source
	Views  *data.Views // the method's crops
	Batch  int         // images a step
	Epochs int
	Seed   uint64      // of the images' order and of their views
	Rate   nn.Schedule // learning rate by iteration
	Groups int         // parts of the batch with statistics of their own (nn.Pass)
	// Group are the ranks of the run, each a Trainer with its own images,
	// weights that begin equal, and a method that knows Group too. Gradients
	// are averaged and batch statistics joined over them; nil: one rank.
	Group  dist.Group
	MaxBad int // images that may be unreadable; 0: 1 %, at least 10
	// Save is called with the trainer at rest every SaveEvery iterations and
	// at the end; nil: never. Trainer.Save is what it calls, or Run.Save.
	Save      func(t *Trainer) error
	SaveEvery int // 0: once an epoch
	// Progress is called after every step; nil: never.
	Progress func(Progress)
	Monitor  *Monitor // looks at a step now and then; nil: none
}

// Progress is what a step reports.
type Progress struct {
	Step            // the step just done
	Iterations  int // of the whole run
	Loss        float32
	Rate        float64       // learning rate
	ImagesPerS  float64       // since Train was called
	Remaining   time.Duration // at this speed
	WaitPercent float64       // of the time was spent waiting for images
	Health      *Health       // where the Monitor looked at this step, else nil
}

// Trainer drives a Method: a batch of views, a step on the tape, the
// optimizer, in one region of the backend's team, whose idle workers make the
// views of later batches meanwhile. Everything a run draws at random follows
// from Seed, epoch and image, so a run that stops anywhere goes on to the bit.
type Trainer struct {
	TrainerConfig
	Method    Method
	Optimizer *nn.Optimizer
	Tape      *autograd.Tape
	Iteration int // steps done

	loader *data.Loader
	views  []*autograd.Var
	shapes []autograd.Shape
	pass   nn.Pass
	bucket []float32 // all gradients, for the group
	saved  int       // iteration of the last checkpoint, -1: none
}

// NewTrainer prepares a run from its start.
func NewTrainer(b kernels.Backend, m Method, o *nn.Optimizer, cfg TrainerConfig) (*Trainer, error) {
	switch {
	case cfg.Source == nil || cfg.Views == nil:
		return nil, errors.New("trainer: no images or no views: set Source and Views")
	case cfg.Rate == nil:
		return nil, errors.New("trainer: no learning rate: set Rate")
	case cfg.Batch < 1 || cfg.Batch > cfg.Source.Len():
		return nil, fmt.Errorf("trainer: batches of %d from %d images: choose a batch of 1 to %d", cfg.Batch, cfg.Source.Len(), cfg.Source.Len())
	case cfg.Epochs < 1:
		return nil, fmt.Errorf("trainer: %d epochs: at least 1", cfg.Epochs)
	}
	t := &Trainer{TrainerConfig: cfg, Method: m, Optimizer: o, Tape: autograd.NewTape(b), saved: -1}
	t.pass = nn.Pass{Tape: t.Tape, Train: true, Groups: cfg.Groups}
	if cfg.Group != nil && cfg.Group.Size() > 1 {
		t.pass.Sync = nn.NewSyncBN(b, cfg.Group)
	}
	for _, g := range cfg.Views.Groups() {
		t.shapes = append(t.shapes, autograd.Dims(g.Count*cfg.Batch, g.Size, g.Size, cfg.Views.Channels()))
	}
	t.views = make([]*autograd.Var, len(t.shapes))
	return t, nil
}

// Steps is the number of iterations in an epoch: the last, partial batch is
// dropped.
func (t *Trainer) Steps() int { return t.Source.Len() / t.Batch }

// Iterations is the number of iterations of the run.
func (t *Trainer) Iterations() int { return t.Epochs * t.Steps() }

// Train runs the iterations that are left. It ends early, between two steps,
// when ctx does, with ctx's error, and the state is then that of Iteration
// steps. Other errors: a *DivergedError, a *data.BadImagesError, a wrapped
// *tensor.MemoryError that names the largest buffers of the step's plan, a
// *tensor.ShapeError of settings that do not fit together, and what Save
// returns.
func (t *Trainer) Train(ctx context.Context) error {
	if t.Iteration >= t.Iterations() {
		return nil
	}
	if err := t.open(); err != nil {
		return err
	}
	b := t.Tape.Backend()
	if c, ok := b.(*kernels.CPU); ok {
		c.Team().SetBackground(t.loader)
		defer c.Team().SetBackground(nil)
	}
	start, first := time.Now(), t.Iteration
	for t.Iteration < t.Iterations() {
		loss, err := t.step(ctx)
		if err != nil {
			return err
		}
		health, err := t.look()
		if err != nil {
			return err
		}
		if t.Progress != nil {
			p := t.report(loss, t.Iteration-first, time.Since(start))
			p.Health = health
			t.Progress(p)
		}
		if err := t.save(); err != nil {
			return err
		}
	}
	return nil
}

// open makes the loader begin where the run stands.
func (t *Trainer) open() (err error) {
	steps := t.Steps()
	t.loader, err = data.NewLoader(data.LoaderConfig{Source: t.Source, Views: t.Views, Batch: t.Batch, Seed: t.Seed,
		Epoch: t.Iteration / steps, Step: t.Iteration % steps, MaxBad: t.MaxBad})
	return err
}

// step does one iteration and returns its loss. A panic about shapes or memory
// becomes an error.
func (t *Trainer) step(ctx context.Context) (loss float32, err error) {
	b := t.Tape.Backend()
	b.Enter()
	defer b.Leave()
	defer t.span("step", "step", time.Now())
	if misuse := tensor.Try(func() { loss, err = t.iterate(ctx) }); misuse != nil {
		return 0, fmt.Errorf("trainer: step %d: %w", t.Iteration+1, misuse)
	}
	return loss, err
}

func (t *Trainer) iterate(ctx context.Context) (float32, error) {
	at := Step{t.Iteration / t.Steps(), t.Iteration}
	if at.Iteration%t.Steps() == 0 {
		if err := t.Method.EpochStart(ctx, at.Epoch); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	batch, err := t.loader.Next(ctx)
	t.span("wait for views", "wait", begin)
	if err != nil {
		return 0, err
	}
	if m, ok := t.Method.(Indexed); ok {
		m.Indexes(batch.Index)
	}
	t.Tape.Begin(t.Method.BeforeStep(at))
	for g, s := range t.shapes {
		t.views[g] = t.Tape.Input(s, batch.Views[g])
	}
	l := t.Method.Loss(&t.pass, t.views)
	t.Tape.Backward(l)
	if err := t.Tape.Run(); err != nil {
		return 0, fmt.Errorf("trainer: step %d: %w", t.Iteration+1, err)
	}
	batch.Release()
	loss, rate := l.Item(), t.Rate.At(at.Iteration)
	if !finite(loss) {
		return 0, &DivergedError{at, fmt.Sprintf("the loss is %v", loss), rate, t.saved}
	}
	if err := t.average(); err != nil {
		return 0, err
	}
	t.Optimizer.Step(t.Tape, float32(rate))
	t.Method.AfterStep()
	t.Iteration++
	return loss, nil
}

// span adds what began at begin and ends now to the tape's trace, if there is
// one. Steps that lie in "step" and waits in "wait" tell what share of a run
// stood still for its images.
func (t *Trainer) span(name, category string, begin time.Time) {
	if tr := t.Tape.Trace(); tr != nil {
		tr.Event(name, category, begin, time.Now(), nil)
	}
}

// average makes every rank's gradients the mean over ranks: one collective
// over all of them.
func (t *Trainer) average() error {
	if t.pass.Sync == nil {
		return nil
	}
	t.bucket = t.bucket[:0]
	if err := t.gradients(func(g *tensor.Tensor) error {
		n := len(t.bucket)
		t.bucket = slices.Grow(t.bucket, g.Len())[:n+g.Len()]
		return g.CopyTo(t.bucket[n:])
	}); err != nil {
		return err
	}
	if err := t.Group.AllReduceSum32(t.bucket); err != nil {
		return err
	}
	scale := 1 / float32(t.Group.Size())
	for i := range t.bucket {
		t.bucket[i] *= scale
	}
	rest := t.bucket
	return t.gradients(func(g *tensor.Tensor) error {
		g.SetFloat32s(rest[:g.Len()])
		rest = rest[g.Len():]
		return nil
	})
}

// gradients calls f with each gradient that the step wrote.
func (t *Trainer) gradients(f func(g *tensor.Tensor) error) error {
	for _, p := range t.Method.State() {
		if p.Grad == nil || !t.Tape.HasGrad(p) {
			continue
		}
		if err := f(p.Grad); err != nil {
			return err
		}
	}
	return nil
}

func finite(x float32) bool { return x-x == 0 }

// look lets the monitor see the step just done, if it is time to.
func (t *Trainer) look() (*Health, error) {
	if t.Monitor == nil || t.Iteration%max(1, t.Monitor.Every) != 0 {
		return nil, nil
	}
	return t.Monitor.Look(t.Method)
}

// report is the progress after done steps in the time gone.
func (t *Trainer) report(loss float32, done int, gone time.Duration) Progress {
	i := t.Iteration - 1
	p := Progress{Step: Step{i / t.Steps(), i}, Iterations: t.Iterations(), Loss: loss, Rate: t.Rate.At(i)}
	p.ImagesPerS = float64(done*t.Batch) / gone.Seconds()
	p.Remaining = time.Duration(float64(gone) / float64(done) * float64(t.Iterations()-t.Iteration))
	if s := t.loader.Stats(); s.Elapsed > 0 {
		p.WaitPercent = 100 * float64(s.Wait) / float64(s.Elapsed)
	}
	return p
}

// save calls Save when it is time.
func (t *Trainer) save() error {
	every := t.SaveEvery
	if every <= 0 {
		every = t.Steps()
	}
	if t.Save == nil || t.Iteration%every != 0 && t.Iteration != t.Iterations() {
		return nil
	}
	return t.Save(t)
}

// DivergedError is a run that came to numbers that are none. It stops before
// they reach a checkpoint.
type DivergedError struct {
	At    Step
	What  string
	Rate  float64
	Saved int // iterations in the last checkpoint of this run, -1: none
}

func (e *DivergedError) Error() string {
	last := "no checkpoint was written before"
	if e.Saved >= 0 {
		last = fmt.Sprintf("the checkpoint after step %d is good", e.Saved)
	}
	return fmt.Sprintf("training diverged in step %d (epoch %d) at learning rate %.3g: %s; %s; a lower rate or a longer warm-up helps",
		e.At.Iteration+1, e.At.Epoch+1, e.Rate, e.What, last)
}
