package autograd

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// unitChain is a step of three units, 1×1, 3×3 and 1×1 with the input added,
// the first two deferred or not: its loss and all gradients.
func unitChain(t *testing.T, b kernels.Backend, deferred bool, groups int) (out [][]float32) {
	rng := rand.New(rand.NewPCG(1, 2))
	param := func(shape ...int) *Param {
		p := NewParam(b, "p", shape...)
		v := make([]float32, p.Value.Len())
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		p.Value.SetFloat32s(v)
		return p
	}
	tape := NewTape(b)
	defer tape.Release()
	const c = 24
	image := param(8, 9, 9, c)
	params := []*Param{image}
	stats := []*Param{}
	build := func() *Var {
		x := tape.Use(image)
		y := x
		for i, k := range []int{1, 3, 1} {
			at := 1 + 3*i
			if len(params) == at {
				params = append(params, param(c, k, k, c), param(c), param(c))
				m, v := running(b, c)
				stats = append(stats, m, v)
			}
			cfg := ConvBNConfig{ConvConfig: Square(1, k/2), Deferred: deferred && i < 2,
				Norm: NormConfig{Eps: 1e-5, Momentum: 0.1, Train: true, ReLU: true, Groups: groups, RunMean: stats[2*i], RunVar: stats[2*i+1]}}
			var res *Var
			if i == 2 {
				res = x
			}
			y = ConvBN(y, tape.Use(params[at]), tape.Use(params[at+1]), tape.Use(params[at+2]), res, cfg)
		}
		return Mean(Mul(y, y).Reshape(1, 8*9*9*c), 1).Reshape()
	}
	for range 2 { // the second step replays the plan
		tape.Begin("step")
		loss := build()
		tape.Backward(loss)
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		out = [][]float32{{loss.Item()}}
		for _, p := range params {
			out = append(out, p.Grad.Float32s())
		}
		for _, p := range stats {
			out = append(out, p.Value.Float32s())
		}
	}
	return out
}

// TestDeferredBits: what a unit leaves to its reader's loader has the bits it
// would have had in memory, in both directions.
func TestDeferredBits(t *testing.T) {
	b := kernels.NewCPU(kernels.NewTeam(2), kernels.Pins{})
	for _, groups := range []int{1, 4} {
		want, got := unitChain(t, b, false, groups), unitChain(t, b, true, groups)
		for i := range want {
			if !slices.EqualFunc(got[i], want[i], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
				t.Errorf("%d groups: result %d differs", groups, i)
			}
		}
	}
}

// TestDeferredReaders: other ops, residuals and Keep refuse a result that has
// no values.
func TestDeferredReaders(t *testing.T) {
	b := kernels.Ref64{}
	tape := NewTape(b)
	defer tape.Release()
	tape.Begin("step")
	m, v := running(b, 2)
	gamma, w := state(b, 2, func(int) float32 { return 1 }), NewState(b, "w", 2, 1, 1, 2)
	cfg := ConvBNConfig{Norm: NormConfig{RunMean: m, RunVar: v}, Deferred: true}
	g, k := tape.Use(gamma), tape.Use(w)
	x := ConvBN(tape.Use(NewState(b, "x", 1, 3, 3, 2)), k, g, g, nil, cfg)
	for name, f := range map[string]func(){
		"ReLU":     func() { ReLU(x) },
		"Reshape":  func() { x.Reshape(9, 2) },
		"residual": func() { ConvBN(x, k, g, g, x, ConvBNConfig{Norm: cfg.Norm}) },
		"Keep":     func() { x.Keep() },
		"both": func() {
			ConvBN(tape.Use(NewState(b, "x", 1, 3, 3, 2)), k, g, g, tape.Use(NewState(b, "r", 1, 3, 3, 2)), cfg)
		},
	} {
		var shape *tensor.ShapeError
		if err := tensor.Try(f); !errors.As(err, &shape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
