package nn

import (
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
)

// gradients runs a step of b's tape in which every weight with an entry in
// grads gets that gradient: the loss is the sum of weight · gradient.
func gradients(t *testing.T, tape *autograd.Tape, weights []*autograd.Param, grads map[string][]float32) {
	t.Helper()
	tape.Begin("given")
	var loss *autograd.Var
	for _, p := range weights {
		if g, ok := grads[p.Name]; ok {
			n := p.Value.Len()
			w := tape.Use(p).Reshape(n)
			term := autograd.Sum(autograd.Mul(w, tape.Input(autograd.Dims(n), g)), -1)
			if loss == nil {
				loss = term
			} else {
				loss = autograd.Add(loss, term)
			}
		}
	}
	tape.Backward(loss)
	if err := tape.Run(); err != nil {
		t.Fatal(err)
	}
}

// TestOptimizerGolden follows every rule for five steps over a matrix and two
// vectors.
func TestOptimizerGolden(t *testing.T) {
	f := golden.Open(t, "optim")
	b := backend(t)
	for _, c := range []struct {
		name    string
		rule    Rule
		lr      string
		matrix  Group
		vectors Group
	}{
		{"sgd", SGD{Momentum: 0.9}, "lr", Group{Decay: 1e-4}, Group{Decay: 1e-4}},
		{"sgd_nesterov", SGD{Momentum: 0.9, Nesterov: true}, "lr", Group{Decay: 1e-4}, Group{Decay: 1e-4}},
		{"sgd_plain", SGD{}, "lr", Group{}, Group{}},
		{"larc", LARC{Momentum: 0.9, Trust: 0.001, Eps: 1e-8}, "lr", Group{Decay: 1e-6, Adapt: true}, Group{Decay: 1e-6, Adapt: true}},
		{"larc_wd", LARC{Momentum: 0.9, Trust: 0.02, Eps: 1e-8}, "lr", Group{Decay: 1e-2, Adapt: true}, Group{Decay: 1e-2, Adapt: true}},
		{"larc_clip", LARC{Momentum: 0.9, Trust: 0.02, Eps: 1e-8, Clip: true}, "lr", Group{Decay: 1e-4, Adapt: true}, Group{}},
		{"lars_classic", LARS{Momentum: 0.9, Trust: 0.001}, "lr", Group{Decay: 1e-4, Adapt: true}, Group{}},
		{"adam", Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}, "lr_adam", Group{Decay: 1e-2}, Group{Decay: 1e-2}},
		{"adamw", AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}, "lr_adam", Group{Decay: 1e-2}, Group{Decay: 1e-2}},
	} {
		weights := []*autograd.Param{autograd.NewParam(b, "w", 5, 7), autograd.NewParam(b, "b", 5), autograd.NewParam(b, "s", 5)}
		for _, p := range weights {
			p.Value.SetFloat32s(f.F32("p0." + p.Name))
		}
		c.matrix.Weights, c.vectors.Weights = ByRank(weights)
		c.matrix.Scale, c.vectors.Scale = 1, 1
		opt := NewOptimizer(b, c.rule, c.matrix, c.vectors)
		tape := autograd.NewTape(b)
		for step, lr := range f.F32(c.lr) {
			grads := map[string][]float32{}
			for _, p := range weights {
				grads[p.Name] = at(f.F32("grad."+p.Name), step)
			}
			gradients(t, tape, weights, grads)
			opt.Step(tape, lr)
			for _, p := range weights {
				golden.Close(t, c.name+" "+p.Name, p.Value.Float32s(), at(f.F64(c.name+"."+p.Name), step), 1e-6, 1e-5)
			}
		}
		tape.Release()
	}
}

// at is part step of five.
func at[T any](v []T, step int) []T { n := len(v) / 5; return v[step*n : (step+1)*n] }

// TestLateStarter: a weight that joins later is left alone until then, and
// moves as if the optimizer were new.
func TestLateStarter(t *testing.T) {
	b := backend(t)
	for _, rule := range []Rule{SGD{Momentum: 0.9}, AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}} {
		trunk, late, alone := weight(b, "trunk", 3, 1), weight(b, "late", 3, 2), weight(b, "alone", 3, 2)
		tape := autograd.NewTape(b)
		opt := NewOptimizer(b, rule, Group{Weights: []*autograd.Param{trunk, late}, Decay: 0.1, Scale: 1})
		fresh := NewOptimizer(b, rule, Group{Weights: []*autograd.Param{alone}, Decay: 0.1, Scale: 1})
		all := []*autograd.Param{trunk, late, alone}
		for range 3 {
			gradients(t, tape, all, map[string][]float32{"trunk": {1, 2, 3}})
			opt.Step(tape, 0.1)
		}
		golden.Equal(t, "frozen", late.Value.Float32s(), alone.Value.Float32s())
		for range 2 {
			gradients(t, tape, all, map[string][]float32{"trunk": {1, 2, 3}, "late": {4, 5, 6}, "alone": {4, 5, 6}})
			opt.Step(tape, 0.1)
			fresh.Step(tape, 0.1)
			golden.Equal(t, "late", late.Value.Float32s(), alone.Value.Float32s())
		}
		if s := opt.Steps(); s["trunk"] != 5 || s["late"] != 2 {
			t.Errorf("step counts %v", s)
		}
	}
}

// TestGroups: a group's scale and decay are its own.
func TestGroups(t *testing.T) {
	b := backend(t)
	x, y := weight(b, "x", 2, 1), weight(b, "y", 2, 1)
	tape := autograd.NewTape(b)
	opt := NewOptimizer(b, SGD{}, Group{Weights: []*autograd.Param{x}, Scale: 1}, Group{Weights: []*autograd.Param{y}, Scale: 0.5, Decay: 1})
	version := x.Value.Version()
	gradients(t, tape, []*autograd.Param{x, y}, map[string][]float32{"x": {1, 2}, "y": {1, 2}})
	opt.Step(tape, 0.5)
	golden.Equal(t, "x", x.Value.Float32s(), []float32{0.5, 0})
	golden.Equal(t, "y", y.Value.Float32s(), []float32{0.5, 0.25})
	if x.Value.Version() == version {
		t.Error("the update does not move the version")
	}
}

func TestClip(t *testing.T) {
	b := backend(t)
	x, y := weight(b, "x", 2, 0), weight(b, "y", 1, 0)
	tape := autograd.NewTape(b)
	opt := NewOptimizer(b, SGD{}, Group{Weights: []*autograd.Param{x, y}, Scale: 1})
	gradients(t, tape, []*autograd.Param{x, y}, map[string][]float32{"x": {1, 2}, "y": {2}})
	if n, err := opt.Clip(tape, 4); n != 3 || err != nil {
		t.Errorf("norm %v, want 3, %v", n, err)
	}
	golden.Equal(t, "within", x.Grad.Float32s(), []float32{1, 2})
	if _, err := opt.Clip(tape, 1.5); err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "beyond", append(x.Grad.Float32s(), y.Grad.Float32s()...), []float64{0.5, 1, 1}, 0, 1e-6)
}

func TestEMA(t *testing.T) {
	b := backend(t)
	query, key := &Linear{Weight: weight(b, "q", 3, 1)}, &Linear{Weight: weight(b, "k", 3, 5)}
	e := NewEMA(b, key, query)
	golden.Equal(t, "copied", key.Weight.Value.Float32s(), []float32{1, 1, 1})
	if key.Weight.Grad != nil || len(Weights(key)) != 0 {
		t.Error("the key encoder is trained")
	}
	query.Weight.Value.Fill(3)
	e.Step(0.75)
	golden.Equal(t, "moved", key.Weight.Value.Float32s(), []float32{1.5, 1.5, 1.5})
}

// weight is a weight of n equal numbers.
func weight(b kernels.Backend, name string, n int, v float32) *autograd.Param {
	p := autograd.NewParam(b, name, n)
	p.Value.Fill(v)
	return p
}
