package methods

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// Linear is the linear probe: one linear layer on frozen features, learned
// from the bank's labels. Letters: rows x_i [D] of class y_i, classes C,
// weights W [C, D] and b [C].
//
//	W, b = argmin 1/N sum_i -log softmax(W x_i + b)_{y_i} + Decay/2 (|W|² + |b|²)
//
// by SGD with momentum 0.9 on batches in random order, at a rate that falls
// from Rate to 0 along half a cosine, epoch by epoch; the last, partial batch
// of an epoch is dropped. It starts from 0, and the problem is convex, so
// nothing but the order of rows is random.
//
// The protocols that it stands for: SwAV 100 epochs of cosine from 0.3, decay
// 1e-6; MoCo and PCL 100 epochs from 30 and 5, x0.1 at 60 and 80, no decay;
// SimCLR 90 epochs of cosine from 0.1, starting from 0; all batch 256.
//
// Differs: features come from whole images, once, where the protocols crop and
// mirror anew in every epoch; columns are brought to mean 0 and variance 1 by
// the bank's figures (VISSL's protocol, arXiv 1905.01235, has a batch norm
// there), so that one rate suits features of every scale, where the authors'
// rates differ a hundredfold. Figures are therefore comparable with one
// another and not with published ones.
type Linear struct {
	Epochs int     // 100
	Batch  int     // 256; at most the bank's rows
	Rate   float64 // 0.01
	Decay  float32 // 0
	Seed   uint64  // of the rows' order
}

// DefaultLinear is 100 epochs of batches of 256 from rate 0.01, without decay.
func DefaultLinear() Linear { return Linear{Epochs: 100, Batch: 256, Rate: 0.01} }

// Validate reports every setting that is out of range.
func (c Linear) Validate() error {
	var errs []error
	want := wants("linear", &errs)
	want(c.Epochs >= 1, "%d epochs: at least 1", c.Epochs)
	want(c.Batch >= 1, "batch %d: at least 1", c.Batch)
	want(c.Rate > 0 && !math.IsInf(c.Rate, 0), "learning rate %v: want a finite number above 0", c.Rate)
	want(c.Decay >= 0, "weight decay %v: at least 0", c.Decay)
	return errors.Join(errs...)
}

// Classify learns from the bank, whose rows have these labels (0, 1, ...), and
// classifies the queries; a score is a logit. It costs 6·N·D·C operations an
// epoch, on the default CPU backend. Errors: settings, shapes, values that are
// not finite, a rate at which weights diverge, the context's.
func (c Linear) Classify(ctx context.Context, bank Features, labels []int, queries Features) (*Votes, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := bank.check("bank"); err != nil {
		return nil, err
	}
	if err := queries.check("queries"); err != nil {
		return nil, err
	}
	if bank.D != queries.D {
		return nil, fmt.Errorf("methods: bank rows have %d numbers, queries %d", bank.D, queries.D)
	}
	classes, err := countClasses(labels, bank.N())
	if err != nil {
		return nil, err
	}
	b, err := kernels.Default()
	if err != nil {
		return nil, err
	}
	p := &probe{c, autograd.NewTape(b), &nn.Linear{Weight: autograd.NewParam(b, "W", classes, bank.D), Bias: autograd.NewParam(b, "b", classes)}}
	defer p.tape.Release()
	var v *Votes
	misuse := tensor.Try(func() {
		mean, scale := bank.spread()
		if err = p.learn(ctx, bank.standard(mean, scale), labels); err == nil {
			v, err = p.vote(queries.standard(mean, scale), classes)
		}
	})
	return v, errors.Join(misuse, err)
}

// probe is a linear classifier while it learns.
type probe struct {
	Linear
	tape  *autograd.Tape
	layer *nn.Linear
}

// learn runs SGD on standardised rows.
func (p *probe) learn(ctx context.Context, x Features, labels []int) error {
	b, n := p.tape.Backend(), min(p.Batch, x.N())
	o := nn.NewOptimizer(b, nn.SGD{Momentum: 0.9}, nn.Group{Weights: p.layer.State(), Decay: p.Decay, Scale: 1})
	pass := nn.Pass{Tape: p.tape, Train: true}
	rows, want := make([]float32, n*x.D), make([]int32, n)
	for epoch := range p.Epochs {
		if err := ctx.Err(); err != nil {
			return err
		}
		rate := float32(nn.Cosine{Base: p.Rate, Steps: p.Epochs}.At(epoch))
		order := rand.New(rand.NewPCG(p.Seed, uint64(epoch))).Perm(x.N())
		for ; len(order) >= n; order = order[n:] {
			for i, row := range order[:n] {
				copy(rows[i*x.D:], x.Row(row))
				want[i] = int32(labels[row])
			}
			b.Enter()
			p.tape.Begin("linear probe")
			y := p.layer.Forward(&pass, p.tape.Input(autograd.Dims(n, x.D), rows))
			loss := autograd.CrossEntropy(y, p.tape.Ints(want))
			p.tape.Backward(loss)
			err := p.tape.Run()
			if err == nil {
				o.Step(p.tape, rate)
			}
			b.Leave()
			if err != nil {
				return fmt.Errorf("linear probe: %w", err)
			}
			if l := loss.Item(); !finite(l) {
				return fmt.Errorf("linear probe: the loss is %v in epoch %d at learning rate %.3g: choose a lower one than %g", l, epoch+1, rate, p.Rate)
			}
		}
	}
	return nil
}

// vote is W x + b of each row, blocks of them at a time.
func (p *probe) vote(x Features, classes int) (*Votes, error) {
	v := newVotes(x.N(), classes)
	logits := make([]float32, min(x.N(), tileBank)*classes)
	for lo := 0; lo < x.N(); lo += tileBank {
		some := x.rows(lo, min(lo+tileBank, x.N()))
		p.tape.BeginNoGrad(fmt.Sprintf("linear probe, %d queries", some.N()))
		y := p.layer.Forward(&nn.Pass{Tape: p.tape}, p.tape.Input(autograd.Dims(some.N(), x.D), some.X)).Keep()
		if err := p.tape.Run(); err != nil {
			return nil, fmt.Errorf("linear probe: %w", err)
		}
		if err := y.CopyTo(logits[:some.N()*classes]); err != nil {
			return nil, err
		}
		for i, s := range logits[:some.N()*classes] {
			v.Scores[lo*classes+i] = float64(s)
		}
	}
	v.decide()
	return v, nil
}

// spread is each column's mean, and 1 over its standard deviation; 0 where all
// rows are equal, so that the column says nothing.
func (f Features) spread() (mean, scale []float64) {
	mean, scale = f.mean(), make([]float64, f.D)
	for i := range f.N() {
		for j, v := range f.Row(i) {
			d := float64(v) - mean[j]
			scale[j] += float64(d * d)
		}
	}
	for j, s := range scale {
		if s = math.Sqrt(s / float64(f.N())); s > 1e-6*math.Abs(mean[j]) {
			scale[j] = 1 / s
		} else {
			scale[j] = 0
		}
	}
	return mean, scale
}

// standard is (f - mean) · scale, column by column.
func (f Features) standard(mean, scale []float64) Features {
	s := Features{make([]float32, len(f.X)), f.D}
	for i := range f.N() {
		y := s.Row(i)
		for j, v := range f.Row(i) {
			y[j] = float32((float64(v) - mean[j]) * scale[j])
		}
	}
	return s
}
