package methods

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// noise is n grey images of random levels, of ten classes that mean nothing.
func noise(n int) *data.Set {
	r := rand.New(rand.NewPCG(1, 2))
	s := &data.Set{Name: "noise", N: n, H: 28, W: 28, C: 1, Pix: make([]uint8, n*28*28), Labels: make([]int, n)}
	for i := range s.Pix {
		s.Pix[i] = uint8(r.Uint32())
	}
	for i := range s.Labels {
		s.Labels[i] = i % 10
	}
	return s
}

// everything is a run in which each phase occurs within 20 steps of 6 an
// epoch: prototypes are frozen until step 8, queues fill from 6 and are read
// from 10 on; two resolutions, LARC.
func everything() SwAVRun {
	r, err := Presets("paper-small")
	if err != nil {
		panic(err)
	}
	r.SwAV.Batch, r.SwAV.Hidden, r.SwAV.Dim, r.SwAV.Prototypes = 8, 32, 16, 20
	r.SwAV.Queue, r.SwAV.QueueStart, r.SwAV.Freeze = 32, 1, 8
	r.Epochs, r.Seed = 4, 7
	return r
}

var errStop = errors.New("stop")

// trainTo makes a trainer, resumes it from path unless it is empty, and stops
// after iteration last, writing path again.
func trainTo(t *testing.T, b kernels.Backend, from, to string, last int) *Trainer {
	t.Helper()
	tr, err := everything().New(b, noise(48))
	if err != nil {
		t.Fatal(err)
	}
	if from != "" {
		if err := tr.Resume(from); err != nil {
			t.Fatal(err)
		}
	}
	tr.SaveEvery = 1
	tr.Save = func(tr *Trainer) error {
		if tr.Iteration < last {
			return nil
		}
		if to != "" {
			if err := tr.Checkpoint(to); err != nil {
				return err
			}
		}
		return errStop
	}
	if err := tr.Train(context.Background()); err != errStop {
		t.Fatal(err)
	}
	return tr
}

// stateOf is all that a run holds, by name.
func stateOf(tr *Trainer) map[string][]float32 {
	s := map[string][]float32{}
	for _, p := range append(tr.Method.State(), tr.Optimizer.State()...) {
		s[p.Name] = p.Value.Float32s()
	}
	return s
}

func sameState(t *testing.T, what string, got, want *Trainer) {
	t.Helper()
	g, w := stateOf(got), stateOf(want)
	if len(g) != len(w) {
		t.Errorf("%s: %d tensors, want %d", what, len(g), len(w))
	}
	for name, x := range w {
		if !slices.Equal(g[name], x) {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

// TestTrainerResume stops and resumes a run in two places and compares every
// tensor, to the bit, with the run that was left alone; then with runs on
// other numbers of threads and with AVX2 kernels.
func TestTrainerResume(t *testing.T) {
	last, stops := 20, []int{9, 13}
	if testing.Short() {
		last, stops = 3, []int{1, 2}
	}
	cpu := backends(t)["cpu"]
	want := trainTo(t, cpu, "", "", last)
	if m := want.Method.(*SwAV); !testing.Short() && m.phase != (phase{filling: true, active: true}) {
		t.Errorf("last step in phase %+v", m.phase)
	}

	dir, from := t.TempDir(), ""
	for i, stop := range append(stops, last) {
		to := filepath.Join(dir, fmt.Sprint(i))
		got := trainTo(t, cpu, from, to, stop)
		if from = to; stop == last {
			sameState(t, "resumed", got, want)
		}
	}

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, n := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(n)
		team := kernels.NewTeam(n)
		sameState(t, fmt.Sprintf("%d threads", n), trainTo(t, kernels.NewCPU(team, kernels.Pins{}), "", "", last), want)
		team.Close()
	}
	if asm.Have()&asm.AVX2 == 0 {
		t.Log("no AVX2 in this CPU or build: pinned run skipped")
		return
	}
	pins, err := kernels.ParsePins("avx2")
	if err != nil {
		t.Fatal(err)
	}
	team := kernels.NewTeam(0)
	defer team.Close()
	sameState(t, "AVX2", trainTo(t, kernels.NewCPU(team, pins), "", "", last), want)
}

// TestTrainerFreeze: frozen prototypes keep their directions, free ones move.
func TestTrainerFreeze(t *testing.T) {
	cfg := everything()
	cfg.SwAV.Freeze, cfg.Optimizer.Decay = 2, 0.1
	tr, err := cfg.New(backends(t)["cpu"], noise(48))
	if err != nil {
		t.Fatal(err)
	}
	c := tr.Method.(*SwAV).c.Weight.Value
	var before []float32
	tr.SaveEvery = 1
	tr.Save = func(tr *Trainer) error {
		now := c.Float32s()
		if tr.Iteration == 2 { // made unit again, nothing else
			golden.Close(t, "frozen prototypes", now, widen(before), 2e-7, 0)
		}
		if tr.Iteration == 3 {
			if slices.Equal(now, before) {
				t.Error("free prototypes did not move")
			}
			return errStop
		}
		before = now
		return nil
	}
	if err := tr.Train(context.Background()); err != errStop {
		t.Fatal(err)
	}
}

// TestTrainerRanks: two ranks with images of their own keep equal weights,
// moments and statistics; their queues differ.
func TestTrainerRanks(t *testing.T) {
	all := noise(32)
	state := make([]map[string][]float32, 2)
	err := dist.Run(2, func(g dist.Group) error {
		cfg := everything()
		cfg.SwAV.Freeze, cfg.SwAV.QueueStart, cfg.SwAV.Group, cfg.Seed = 1, 0, g, 7
		half := *all
		half.N, half.Pix, half.Labels = 16, all.Pix[g.Rank()*16*784:][:16*784], all.Labels[:16]
		tr, err := cfg.New(kernels.NewCPU(kernels.NewTeam(1), kernels.Pins{}), &half)
		if err != nil {
			return err
		}
		tr.SaveEvery = 1
		tr.Save = func(tr *Trainer) error {
			if tr.Iteration == 4 {
				return errStop
			}
			return nil
		}
		if err := tr.Train(context.Background()); err != errStop {
			return err
		}
		state[g.Rank()] = stateOf(tr)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range state[0] {
		if same := slices.Equal(x, state[1][name]); same == strings.HasPrefix(name, "queue.") {
			t.Errorf("%s: equal on both ranks: %v", name, same)
		}
	}
}

func TestTrainerStops(t *testing.T) {
	cpu := backends(t)["cpu"]
	tr, err := everything().New(cpu, noise(48))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	tr.Progress = func(p Progress) {
		if p.Iteration == 2 {
			cancel()
		}
	}
	if err := tr.Train(ctx); !errors.Is(err, context.Canceled) || tr.Iteration != 3 {
		t.Errorf("cancelled after iteration %d: %v", tr.Iteration, err)
	}

	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := tr.Checkpoint(path); err != nil {
		t.Fatal(err)
	}
	w := tr.Method.(*SwAV).c.Weight.Value
	good := w.Float32s()
	bad := slices.Clone(good)
	bad[3] = float32(nan())
	w.SetFloat32s(bad)
	before := stateOf(tr)["conv1.weight"]
	var diverged *DivergedError
	err = tr.Train(context.Background())
	if !errors.As(err, &diverged) || diverged.Saved != 3 || !strings.Contains(err.Error(), "the checkpoint after step 3 is good") {
		t.Errorf("diverged: %v", err)
	}
	if !slices.Equal(stateOf(tr)["conv1.weight"], before) || tr.Iteration != 3 {
		t.Error("weights moved by a loss that is no number")
	}
	if err := tr.Checkpoint(path); !errors.As(err, &diverged) || !strings.Contains(err.Error(), "prototypes.weight[") {
		t.Errorf("checkpoint of NaN: %v", err)
	}
	if err := tr.Resume(path); err != nil || !slices.Equal(w.Float32s(), good) {
		t.Errorf("the checkpoint was damaged: %v", err)
	}

	other := everything()
	other.Seed = 8
	if tr, err = other.New(cpu, noise(48)); err != nil {
		t.Fatal(err)
	}
	if err := tr.Resume(path); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("resumed another run: %v", err)
	}
}

func nan() float64 { z := 0.0; return z / z }

// TestTrainerMemory: a plan that does not fit is an error that names buffers.
func TestTrainerMemory(t *testing.T) {
	old := tensor.SetMemoryLimit(tensor.MemoryInUse() + 8<<20)
	defer tensor.SetMemoryLimit(old)
	cfg := everything()
	cfg.SwAV.Batch = 240
	cfg.SwAV.Queue = 0
	tr, err := cfg.New(backends(t)["cpu"], noise(480))
	if err == nil {
		err = tr.Train(context.Background())
	}
	var memory *tensor.MemoryError
	if !errors.As(err, &memory) || !strings.Contains(err.Error(), "largest: ") {
		t.Errorf("got %v", err)
	}
}

func TestSwAVRunMistakes(t *testing.T) {
	cpu := backends(t)["cpu"]
	for _, c := range []struct {
		change func(*SwAVRun)
		want   string
	}{
		{func(c *SwAVRun) { c.Net = "resnet9" }, "resnet9"},
		{func(c *SwAVRun) { c.Epochs = 0 }, "0 epochs"},
		{func(c *SwAVRun) { c.Optimizer.Rule = "lion" }, `rule "lion"`},
		{func(c *SwAVRun) { c.Optimizer.Rate = -1 }, "learning rate -1"},
		{func(c *SwAVRun) { c.SwAV.Batch, c.SwAV.Queue = 64, 0 }, "batches of 64 from 48 images"},
		{func(c *SwAVRun) { c.Views.Std = nil }, "standard deviations"},
	} {
		cfg := everything()
		c.change(&cfg)
		if _, err := cfg.New(cpu, noise(48)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	if _, err := Presets("none"); err == nil {
		t.Error("an unknown preset")
	}
	for _, name := range []string{"demo", "paper-small", "cifar-short", "cifar"} {
		r, err := Presets(name)
		if err == nil {
			err = r.Validate()
		}
		if err != nil || len(r.SwAV.Warnings()) > 0 {
			t.Errorf("%s: %v %q", name, err, r.SwAV.Warnings())
		}
	}
}

// flat is an encoder of one layer for each size of image.
type flat struct{ large, small *nn.Linear }

func (e flat) Forward(p *nn.Pass, x *autograd.Var) *autograd.Var {
	s := x.Shape()
	l := e.large
	if s.Dim[1] == 14 {
		l = e.small
	}
	return l.Forward(p, x.Reshape(s.Dim[0], s.Dim[1]*s.Dim[2]))
}

func (e flat) State() []*autograd.Param { return append(e.large.State(), e.small.State()...) }
func (e flat) Features() int            { return e.large.Weight.Value.Dim(0) }

// TestTrainerAllocates nothing in a steady step: method, tape, optimizer,
// loader. (The network's own ops have tests where they are.)
func TestTrainerAllocates(t *testing.T) {
	cfg := everything()
	b := backends(t)["cpu"]
	rng := tensor.NewRNG(1, "test")
	m, err := NewSwAV(b, flat{nn.NewLinear(b, "large", 784, 24, rng), nn.NewLinear(b, "small", 196, 24, rng)}, cfg.SwAV, rng)
	if err != nil {
		t.Fatal(err)
	}
	views, err := data.NewViews(cfg.Views, cfg.SwAV.Crops)
	if err != nil {
		t.Fatal(err)
	}
	var seen int
	tr, err := NewTrainer(b, m, nn.NewOptimizer(b, cfg.Optimizer.rule(), cfg.Optimizer.groups(m.State())...), TrainerConfig{
		Source: noise(48), Views: views, Batch: 8, Epochs: 100, Rate: nn.Step{Base: 0.01}, Progress: func(p Progress) { seen++ }})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.open(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	step := func() {
		loss, err := tr.step(ctx)
		if err != nil {
			t.Fatal(err)
		}
		tr.Progress(tr.report(loss, 1, 1))
	}
	for range 15 { // into the last phase
		step()
	}
	if n := testing.AllocsPerRun(20, step); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

func TestRunFolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	want := everything()
	for i := 1; i <= 2; i++ {
		r, err := CreateRun(root, "swav", want)
		if err != nil {
			t.Fatal(err)
		}
		if name := fmt.Sprintf("swav-%03d", i); filepath.Base(r.Dir) != name {
			t.Errorf("%s, want %s", r.Dir, name)
		}
		var got SwAVRun
		if err := r.ReadConfig(&got); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	}
	if err := (Run{root}).ReadConfig(&want); err == nil || !strings.Contains(err.Error(), "is no run") {
		t.Error(err)
	}
}

// BenchmarkSwAVStep is a step of the demo: 128 images, two views of 28 pixels.
func BenchmarkSwAVStep(b *testing.B) {
	for _, preset := range []string{"demo", "paper-small"} {
		b.Run("preset="+preset, func(b *testing.B) {
			cfg, err := Presets(preset)
			if err != nil {
				b.Fatal(err)
			}
			cpu, err := kernels.Default()
			if err != nil {
				b.Fatal(err)
			}
			cfg.Epochs = 1 << 20
			tr, err := cfg.New(cpu, noise(8000))
			if err != nil {
				b.Fatal(err)
			}
			if err := tr.open(); err != nil {
				b.Fatal(err)
			}
			cpu.Team().SetBackground(tr.loader)
			defer cpu.Team().SetBackground(nil)
			step := func() {
				if _, err := tr.step(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			step()
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(cfg.SwAV.Batch)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
			b.ReportMetric(float64(tr.Tape.ArenaBytes())/(1<<20), "MiB-arena")
		})
	}
}
