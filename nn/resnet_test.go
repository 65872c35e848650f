package nn

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/tensor"
)

// TestResNetSizes: weights and tensors as torchvision counts them; its state
// has one more tensor (num_batches_tracked) for each batch norm.
func TestResNetSizes(t *testing.T) {
	b := backend(t)
	for _, c := range []struct {
		name                    string
		classes                 int
		numbers, weights, state int
		features                int
	}{
		{"resnet18", 1000, 11_689_512, 62, 122, 512},
		{"resnet34", 1000, 21_797_672, 110, 218, 512},
		{"resnet50", 1000, 25_557_032, 161, 320, 2048},
		{"resnet18c", 10, 11_173_962, 62, 122, 512},
		{"small8", 10, 77_754, 29, 56, 64},
		{"demo8", 0, 77_104, 27, 54, 256},
	} {
		cfg, err := ResNetByName(c.name)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Classes = c.classes
		net := NewResNet(b, cfg, seeded())
		numbers, stats := 0, 0
		for _, p := range net.State() {
			if p.Grad == nil {
				stats++
			} else {
				numbers += p.Value.Len()
			}
		}
		weights := len(Weights(net))
		if numbers != c.numbers || weights != c.weights || weights+stats+stats/2 != c.state || net.Features() != c.features {
			t.Errorf("%s: %d numbers in %d weights, %d state entries, %d features", c.name, numbers, weights, weights+stats+stats/2, net.Features())
		}
		for _, p := range net.State() {
			p.Value.Release()
		}
	}
	if _, err := ResNetByName("resnet19"); err == nil || !strings.Contains(err.Error(), "resnet18c, small8") {
		t.Errorf("unknown name: %v", err)
	}
}

// TestInitialWeights: torchvision's distributions, by their moments.
func TestInitialWeights(t *testing.T) {
	b := backend(t)
	moments := func(p *autograd.Param) (mean, deviation, most float64) {
		for _, v := range p.Value.Float32s() {
			mean += float64(v)
			deviation += float64(v) * float64(v)
			most = max(most, math.Abs(float64(v)))
		}
		n := float64(p.Value.Len())
		return mean / n, math.Sqrt(deviation / n), most
	}
	conv := NewConv2D(b, "conv", 32, 64, 3, autograd.Square(1, 1), seeded())
	want := math.Sqrt(2.0 / (9 * 64))
	if mean, dev, _ := moments(conv.Weight); math.Abs(mean) > 0.03*want || math.Abs(dev-want) > 0.02*want {
		t.Errorf("convolution: mean %g, deviation %g, want 0, %g", mean, dev, want)
	}
	l := NewLinear(b, "fc", 64, 400, seeded())
	for _, p := range l.State() {
		mean, dev, most := moments(p)
		bound := 1.0 / 8
		if most > bound || most < 0.99*bound || math.Abs(mean) > 0.1*bound || math.Abs(dev-bound/math.Sqrt(3)) > 0.05*bound {
			t.Errorf("%s: mean %g, deviation %g, largest %g", p.Name, mean, dev, most)
		}
	}
}

// TestGridLayout: cell by cell, channels together.
func TestGridLayout(t *testing.T) {
	b := backend(t)
	cfg, err := ResNetByName("demo8")
	if err != nil {
		t.Fatal(err)
	}
	image := make([]float32, 28*28)
	for i := range image {
		image[i] = float32(hashed("image", len(image))[i])
	}
	features := func(grid int) []float32 {
		cfg.Grid = grid
		tape := autograd.NewTape(b)
		defer tape.Release()
		tape.BeginNoGrad("features")
		y := NewResNet(b, cfg, seeded()).Trunk(&Pass{Tape: tape}, tape.Input(autograd.Dims(1, 28, 28, 1), image)).Keep()
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		v := make([]float32, y.Shape().Len())
		if err := y.CopyTo(v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	last, quarter := features(4), features(2) // [4,4,64], [2,2,64]
	var want []float64
	for k := range quarter {
		i, j, c := k/128, k/64%2, k%64
		sum := 0.0
		for _, cell := range [][2]int{{2 * i, 2 * j}, {2 * i, 2*j + 1}, {2*i + 1, 2 * j}, {2*i + 1, 2*j + 1}} {
			sum += float64(last[(cell[0]*4+cell[1])*64+c])
		}
		want = append(want, sum/4)
	}
	golden.Close(t, "2x2", quarter, want, 1e-6, 1e-6)

	var shape *tensor.ShapeError
	if err := tensor.Try(func() { features(3) }); !errors.As(err, &shape) {
		t.Errorf("a 4×4 map in 3×3 cells: %v", err)
	}
}

// TestGroupsOfBatch: with Pass.Groups each part of a batch is normalised as if
// it were alone, by the convolution's statistics and by batch norm's own.
func TestGroupsOfBatch(t *testing.T) {
	b := backend(t)
	x := make([]float32, 8*5*5*3)
	for i, h := range hashed("x", len(x)) {
		x[i] = float32(h * float64(1+i/(4*75)))
	}
	unit := NewConvBN(b, "conv", "bn", 3, 7, 3, 1, seeded())
	norm := NewBatchNorm(b, "norm", 3)
	run := func(groups, from, to int) []float32 {
		tape := autograd.NewTape(b)
		defer tape.Release()
		p := &Pass{Tape: tape, Train: true, Groups: groups}
		tape.BeginNoGrad("groups")
		in := tape.Input(autograd.Dims(to-from, 5, 5, 3), x[from*75:to*75])
		y, z := unit.Forward(p, in, nil, true).Keep(), norm.Forward(p, in).Keep()
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		v := make([]float32, y.Shape().Len()+z.Shape().Len())
		if err := errors.Join(y.CopyTo(v[:y.Shape().Len()]), z.CopyTo(v[y.Shape().Len():])); err != nil {
			t.Fatal(err)
		}
		return v
	}
	both, first, second := run(2, 0, 8), run(0, 0, 4), run(1, 4, 8)
	n := 4 * 25
	want := append(append(append(append([]float32{}, first[:7*n]...), second[:7*n]...), first[7*n:]...), second[7*n:]...)
	wide := make([]float64, len(want))
	for i, v := range want {
		wide[i] = float64(v)
	}
	golden.Close(t, "two groups", both, wide, 1e-5, 1e-5)
}
