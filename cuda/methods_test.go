package cuda_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// noise is n grey images of random levels.
func noise(n int) *data.Set {
	r := rand.New(rand.NewPCG(1, 2))
	s := &data.Set{Name: "noise", N: n, H: 12, W: 12, C: 1, Pix: make([]uint8, n*12*12), Labels: make([]int, n)}
	for i := range s.Pix {
		s.Pix[i] = uint8(r.Uint32())
	}
	return s
}

const (
	images = 16
	batch  = 4
)

// run is a method trained on 8×8 crops: 4 steps an epoch, a learning rate that
// changes every step.
type run struct {
	*methods.Trainer
	losses []float32
}

func crops() data.MultiCrop { return data.MultiCrop{{Count: 2, Size: 8, Scale: [2]float64{0.3, 1}}} }

func encoder(b kernels.Backend) *nn.ResNet {
	return nn.NewResNet(b, nn.ResNetConfig{Channels: 1, Width: 8, Blocks: []int{1, 1}, StemKernel: 3, StemStride: 1, Grid: 1}, tensor.NewRNG(7, "encoder"))
}

// swav freezes its prototypes for 6 steps, fills its queue from step 4 on and
// reads it from step 6.
func swav(t *testing.T, b kernels.Backend) *run {
	c := methods.DefaultSwAV()
	c.Crops, c.Batch, c.Hidden, c.Dim, c.Prototypes = crops(), batch, 16, 8, 6
	c.Queue, c.QueueStart, c.Freeze = 2*batch, 1, 6
	m, err := methods.NewSwAV(b, encoder(b), c, tensor.NewRNG(7, "head"))
	if err != nil {
		t.Fatal(err)
	}
	return trainer(t, b, m, nn.LARC{Momentum: 0.9, Trust: 0.001, Eps: 1e-8}, 0.5)
}

// pcl clusters from epoch 1 on.
func pcl(t *testing.T, b kernels.Backend) *run {
	c := methods.DefaultPCLV2()
	c.Crops, c.Batch, c.Hidden, c.Dim, c.Queue, c.Groups = crops(), batch, 16, 8, 2*batch, 2
	c.Clusters, c.Negatives, c.Warmup, c.Every, c.Iters, c.Redos, c.Images, c.Seed = []int{6, 3}, 2, 1, 1, 5, 1, images, 7
	m, err := methods.NewPCL(b, encoder(b), encoder(b), c, tensor.NewRNG(7, "head"))
	if err != nil {
		t.Fatal(err)
	}
	r := trainer(t, b, m, nn.SGD{Momentum: 0.9}, 0.03)
	e := methods.Extractor{Tape: r.Tape, Views: r.Views, Short: 8, Size: 8, Batch: images, Kind: "E-step, "}
	m.Features = func(ctx context.Context, keys methods.Encoder) (methods.Features, error) {
		f, _, err := e.Features(ctx, keys, r.Source)
		return f, err
	}
	return r
}

func trainer(t *testing.T, b kernels.Backend, m methods.Method, rule nn.Rule, rate float64) *run {
	views, err := data.NewViews(data.Recipe{Flip: 0.5, Mean: []float32{0.5}, Std: []float32{0.3}}, crops())
	if err != nil {
		t.Fatal(err)
	}
	var weights []*autograd.Param
	for _, p := range m.State() {
		if p.Grad != nil {
			weights = append(weights, p)
		}
	}
	const epochs = 5
	o := nn.NewOptimizer(b, rule, nn.Group{Weights: weights, Decay: 1e-4, Scale: 1, Adapt: true})
	tr, err := methods.NewTrainer(b, m, o, methods.TrainerConfig{Source: noise(images), Views: views, Batch: batch, Epochs: epochs, Seed: 7,
		Rate: nn.WarmupCosine{Start: rate / 10, Base: rate, Warmup: 3, Steps: epochs * images / batch}})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{Trainer: tr}
	tr.Progress = func(p methods.Progress) { r.losses = append(r.losses, p.Loss) }
	return r
}

var errStop = errors.New("stop")

// train does so many steps and returns all that the run holds, by name.
func (r *run) train(t *testing.T, steps int) map[string][]float32 {
	t.Helper()
	r.SaveEvery = 1
	r.Save = func(tr *methods.Trainer) error {
		if tr.Iteration < steps {
			return nil
		}
		return errStop
	}
	if err := r.Train(context.Background()); !errors.Is(err, errStop) && (err != nil || r.Iteration != steps) {
		t.Fatal(err)
	}
	all := map[string][]float32{}
	for _, p := range append(r.Method.State(), r.Optimizer.State()...) {
		if p.Value.Type() == kernels.Float32 {
			all[p.Name] = p.Value.Float32s()
		}
	}
	return all
}

// device is a device on the emulator, or on the GPU that cuda.Tested names.
func device(t *testing.T, o cuda.Options) *cuda.Device {
	t.Helper()
	api, n := cuda.Tested(t)
	d, err := cuda.Open(api, n, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

var runs = map[string]func(*testing.T, kernels.Backend) *run{"swav": swav, "pcl": pcl}

// TestMethodsAgree trains on the emulated device and on the CPU: losses and
// weights agree within what rounding makes of them in so many steps, across
// SwAV's queue and PCL's first clustering.
func TestMethodsAgree(t *testing.T) {
	steps := 7
	if testing.Short() {
		steps = 3
	}
	cpu, err := kernels.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range runs {
		t.Run(name, func(t *testing.T) {
			want, got := open(t, cpu), open(t, device(t, cuda.Options{}))
			w, g := want.train(t, steps), got.train(t, steps)
			for i, x := range want.losses {
				if d := math.Abs(float64(got.losses[i] - x)); !(d <= 1e-4*math.Abs(float64(x))) {
					t.Errorf("step %d: loss %v, on the CPU %v", i, got.losses[i], x)
				}
			}
			if len(w) != len(g) {
				t.Errorf("%d tensors, on the CPU %d", len(g), len(w))
			}
			worst, at := 0.0, ""
			for name, x := range w {
				if strings.Contains(name, "projection_head.0.bias") {
					continue // batch norm follows: its gradient is zero but for rounding
				}
				var sum, diff float64
				for i, v := range x {
					sum += float64(v) * float64(v)
					diff += float64(g[name][i]-v) * float64(g[name][i]-v)
				}
				n := float64(len(x))
				if d := math.Sqrt(diff/n) / (math.Sqrt(sum/n) + 1e-6); !(d <= worst) {
					worst, at = d, name
				}
			}
			if t.Logf("largest difference after %d steps: %.2g of %s", steps, worst, at); !(worst < 1e-4) {
				t.Errorf("%s differs by %.2g", at, worst)
			}
		})
	}
}

// TestMethodsReplay: steps with graphs are the steps without, to the bit:
// across SwAV's queue (a few kinds of steps), PCL's E-steps between epochs
// (after each its prototypes lie elsewhere, which makes other lists of
// commands), and a learning rate that changes every step.
func TestMethodsReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 20 steps on the emulator, twice a method; TestEmulatedReplay has the rule in small")
	}
	for name, steps := range map[string]int{"swav": 20, "pcl": 12} {
		t.Run(name, func(t *testing.T) {
			open := runs[name]
			eager, replayed := device(t, cuda.Options{NoGraphs: true}), device(t, cuda.Options{})
			a, b := open(t, eager), open(t, replayed)
			want, got := a.train(t, steps), b.train(t, steps)
			if !slices.Equal(a.losses, b.losses) {
				t.Errorf("losses %v, without graphs %v", b.losses, a.losses)
			}
			for name, x := range want {
				if !slices.EqualFunc(x, got[name], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
					t.Errorf("%s differs", name)
				}
			}
			s := replayed.Graphs()
			t.Logf("%+v", s)
			if s.Replayed < steps/2 || eager.Graphs().Replayed != 0 {
				t.Errorf("%+v: too few segments were graphs", s)
			}
		})
	}
}
