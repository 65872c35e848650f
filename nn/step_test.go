package nn

import (
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
)

// trainer is a training step of small8 with ten classes.
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
	cfg, err := ResNetByName("small8")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 10
	rng := seeded()
	s := &trainer{t: t, tape: autograd.NewTape(b), net: NewResNet(b, cfg, rng), image: autograd.Dims(batch, 8, 8, 1)}
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
