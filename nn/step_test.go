package nn

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
)

// trainer is a training step of a network with ten classes.
type trainer struct {
	t      testing.TB
	tape   *autograd.Tape
	net    *ResNet
	opt    *Optimizer
	x      []float32
	labels []int32
	image  autograd.Shape
	loss   *autograd.Var
}

func newTrainer(t testing.TB, b kernels.Backend, batch int) *trainer {
	return newNetTrainer(t, b, "small8", batch, 8)
}

// newNetTrainer is a training step of the named network on size x size images.
func newNetTrainer(t testing.TB, b kernels.Backend, name string, batch, size int) *trainer {
	cfg, err := ResNetByName(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 10
	rng := seeded()
	s := &trainer{t: t, tape: autograd.NewTape(b), net: NewResNet(b, cfg, rng), image: autograd.Dims(batch, size, size, cfg.Channels)}
	s.opt = NewOptimizer(b, SGD{Momentum: 0.9}, Group{Weights: Weights(s.net), Decay: 1e-4, Scale: 1})
	for range s.image.Len() {
		s.x = append(s.x, float32(rng.Normal()))
	}
	for i := range batch {
		s.labels = append(s.labels, int32(i%10))
	}
	return s
}

// record builds one step and leaves it to be run.
func (s *trainer) record() {
	s.tape.Begin("train")
	p := Pass{Tape: s.tape, Train: true}
	s.loss = autograd.CrossEntropy(s.net.Forward(&p, s.tape.Input(s.image, s.x)), s.tape.Ints(s.labels))
	s.tape.Backward(s.loss)
}

// step trains once and returns the loss.
func (s *trainer) step() float32 {
	s.record()
	if err := s.tape.Run(); err != nil {
		s.t.Fatal(err)
	}
	s.opt.Step(s.tape, 0.05)
	return s.loss.Item()
}

// TestTraining: the loss of one batch falls, to the same bits in every run.
func TestTraining(t *testing.T) {
	var runs [2][]float32
	for i := range runs {
		s := newTrainer(t, backend(t), 8)
		for range 8 {
			runs[i] = append(runs[i], s.step())
		}
	}
	if l := runs[0]; l[7] > 0.5*l[0] {
		t.Errorf("losses %v", l)
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Errorf("two runs differ: %v, %v", runs[0], runs[1])
	}
}

// TestPlan: the memory of a step is known before it is taken, and a replayed
// step has the addresses of the first.
func TestPlan(t *testing.T) {
	s := newTrainer(t, backend(t), 8)
	s.record()
	if s.tape.ArenaBytes() != 0 {
		t.Error("memory is taken before Run")
	}
	peak := s.tape.Peak()
	var at []kernels.Mem
	for range 3 {
		s.step()
		at = append(at, s.loss.Mem())
	}
	if got := s.tape.ArenaBytes(); got < peak || got >= peak+8 {
		t.Errorf("the arena has %d bytes, Peak said %d", got, peak)
	}
	if at[0] != at[1] || at[1] != at[2] {
		t.Errorf("the loss moves: %v", at)
	}
}

// TestSameBits: a training step gives the same bits on any number of threads
// and on AVX2 as on AVX-512.
func TestSameBits(t *testing.T) {
	run := func(threads int, pin string) []float32 {
		pins, err := kernels.ParsePins(pin)
		if err != nil {
			if os.Getenv("SECTILE_REQUIRE_ISA") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		s := newTrainer(t, kernels.NewCPU(kernels.NewTeam(threads), pins), 8)
		var v []float32
		for range 4 {
			v = append(v, s.step())
		}
		for _, p := range s.net.State() {
			v = append(v, p.Value.Float32s()...)
		}
		return v
	}
	want := run(1, "")
	for _, c := range []struct {
		threads int
		pin     string
	}{{2, ""}, {7, ""}, {1, "avx2"}, {3, "avx2"}} {
		golden.Equal(t, fmt.Sprintf("%d threads, rows %q", c.threads, c.pin), run(c.threads, c.pin), want)
	}
}

// TestSteadyUpdate: from the second step on the optimizer and the momentum
// encoder allocate nothing.
func TestSteadyUpdate(t *testing.T) {
	b := backend(t)
	s := newTrainer(t, b, 8)
	key := newTrainer(t, b, 8).net
	ema := NewEMA(b, key, s.net)
	for _, rule := range []Rule{SGD{Momentum: 0.9}, LARC{Momentum: 0.9, Trust: 0.001, Eps: 1e-8}, AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}} {
		s.opt = NewOptimizer(b, rule, Group{Weights: Weights(s.net), Decay: 1e-4, Scale: 1, Adapt: true})
		s.step()
		n := testing.AllocsPerRun(5, func() {
			if _, err := s.opt.Clip(s.tape, 1); err != nil {
				t.Fatal(err)
			}
			s.opt.Step(s.tape, 0.01)
			ema.Step(0.99)
		})
		if n != 0 {
			t.Errorf("%T: %v allocations", rule, n)
		}
	}
}

// TestPeaks: what training takes besides weights, as the design promises.
func TestPeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("large networks")
	}
	b := backend(t)
	for _, c := range []struct {
		name        string
		batch, side int
		most        int
	}{
		{"resnet50", 16, 224, 1_650_000_000},
		{"resnet18c", 128, 32, 760_000_000},
	} {
		cfg, err := ResNetByName(c.name)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Classes = 10
		net := NewResNet(b, cfg, seeded())
		tape := autograd.NewTape(b)
		tape.Begin("train")
		x := autograd.Dims(c.batch, c.side, c.side, 3)
		y := net.Forward(&Pass{Tape: tape, Train: true}, tape.Input(x, make([]float32, x.Len())))
		tape.Backward(autograd.CrossEntropy(y, tape.Ints(make([]int32, c.batch))))
		if peak := tape.Peak(); peak > c.most {
			t.Errorf("%s, batch %d: %d MB, want at most %d", c.name, c.batch, peak/1e6, c.most/1_000_000)
		}
		for _, p := range net.State() {
			p.Value.Release()
		}
	}
}

// TestSteadyStep: from the second step on nothing is allocated.
func TestSteadyStep(t *testing.T) {
	s := newTrainer(t, backend(t), 8)
	s.step()
	s.step()
	if n := testing.AllocsPerRun(5, func() { s.step() }); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}
