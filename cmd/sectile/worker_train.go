package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// workerNets are the networks of the protocol: side and classes of their
// images.
var workerNets = map[string]struct{ side, classes int }{
	"resnet50":  {224, 1000},
	"resnet18":  {224, 1000},
	"resnet18c": {32, 10},
	"small8":    {28, 10},
	"small14":   {28, 10},
}

func answerTrain(r *request) ([]float64, error) {
	name, batch, reps := r.word(), r.count(), r.count()
	if err := r.done(); err != nil {
		return nil, err
	}
	s, err := newTrainStep(name, batch)
	if err != nil {
		return nil, err
	}
	return s.time(reps)
}

func answerFirst(r *request) ([]float64, error) {
	name, batch := r.word(), r.count()
	if err := r.done(); err != nil {
		return nil, err
	}
	s, err := newTrainStep(name, batch)
	if err != nil {
		return nil, err
	}
	defer s.tape.Release()
	if err := s.run(); err != nil {
		return nil, err
	}
	return []float64{time.Since(started).Seconds()}, nil
}

// answerRSS serves the request behind it, then answers the largest resident
// size that this process ever had, in MB of 2^20 bytes.
func answerRSS(r *request) ([]float64, error) {
	if len(r.words) > 0 {
		if _, err := answer(r.words); err != nil {
			return nil, err
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, errors.New("rss reads /proc/self/status, which this system lacks")
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, err := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))))
			return []float64{float64(kib) / 1024}, err
		}
	}
	return nil, errors.New("/proc/self/status has no line VmHWM")
}

// benchStep is a training step on inputs that were drawn once: record, run,
// move the weights by SGD with momentum 0.9 and weight decay 1e-4.
type benchStep struct {
	tape *autograd.Tape
	opt  *nn.Optimizer
	lr   float32
	kind func() string
	loss func(p *nn.Pass) *autograd.Var
	done func()
	pass nn.Pass
}

func newBenchStep(b kernels.Backend, weights []*autograd.Param, lr float32) *benchStep {
	s := &benchStep{tape: autograd.NewTape(b), lr: lr, done: func() {}}
	s.pass = nn.Pass{Tape: s.tape, Train: true}
	s.opt = nn.NewOptimizer(b, nn.SGD{Momentum: 0.9}, nn.Group{Weights: weights, Decay: 1e-4, Scale: 1})
	return s
}

func (s *benchStep) run() error {
	s.tape.Begin(s.kind())
	s.tape.Backward(s.loss(&s.pass))
	if err := s.tape.Run(); err != nil {
		return err
	}
	s.opt.Step(s.tape, s.lr)
	s.done()
	return nil
}

// time runs the step once to warm up, then reps times.
func (s *benchStep) time(reps int) ([]float64, error) {
	defer s.tape.Release()
	var failed error
	secs := timed(1, reps, func() {
		if failed == nil {
			failed = s.run()
		}
	})
	return secs, failed
}

// newTrainStep is a supervised step: cross-entropy on random labels.
func newTrainStep(name string, batch int) (*benchStep, error) {
	in, ok := workerNets[name]
	if !ok {
		return nil, fmt.Errorf("unknown network %q", name)
	}
	if batch < 2 {
		return nil, errors.New("batch norm needs a batch of at least 2")
	}
	b, err := backend()
	if err != nil {
		return nil, err
	}
	cfg, err := nn.ResNetByName(name)
	if err != nil {
		return nil, err
	}
	cfg.Classes = in.classes
	rng := tensor.NewRNG(1, "bench")
	net := nn.NewResNet(b, cfg, rng)
	x, labels := normals(rng, batch*in.side*in.side*cfg.Channels), make([]int32, batch)
	for i := range labels {
		labels[i] = int32(rng.IntN(in.classes))
	}
	s := newBenchStep(b, nn.Weights(net), 0.1)
	s.kind = func() string { return "train" }
	s.loss = func(p *nn.Pass) *autograd.Var {
		y := net.Forward(p, p.Tape.Input(autograd.Dims(batch, in.side, in.side, cfg.Channels), x))
		return autograd.CrossEntropy(y, p.Tape.Ints(labels))
	}
	return s, nil
}

// normals draws n numbers of a standard normal distribution.
func normals(rng *tensor.RNG, n int) []float32 {
	x := make([]float32, n)
	rng.FillNormal(x, 1)
	return x
}
