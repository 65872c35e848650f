package methods

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/nn"
)

// TestCost compares planned figures with published ones: torchvision's ResNets
// (multiply-adds: 1.81, 4.09 G), the demo's recipe, PCL's E-step on ImageNet.
func TestCost(t *testing.T) {
	near := func(what string, got, want, rel float64) {
		t.Helper()
		if math.Abs(got/want-1) > rel {
			t.Errorf("%s: %.4g, want about %.4g", what, got, want)
		}
	}
	for name, want := range map[string]struct {
		size int
		mac  float64
	}{"resnet18": {224, 1.81e9}, "resnet50": {224, 4.09e9}, "resnet18c": {32, 0.556e9}} {
		net, err := nn.ResNetByName(name)
		if err != nil {
			t.Fatal(err)
		}
		near(name, encoderFLOP(net, want.size), 2*want.mac, 0.01)
	}
	for _, c := range []struct {
		method, preset string
		epochs, images int
		want           float64
	}{
		{"swav", "demo", 24, 8000, 5.9e12},
		{"pcl", "demo", 36, 8000, 6.3e12},
		{"moco", "demo", 36, 8000, 5.9e12},
		{"simclr", "demo", 24, 8000, 5.9e12},
	} {
		run, err := Preset(c.method, c.preset)
		if err != nil {
			t.Fatal(err)
		}
		run.Epochs = c.epochs
		k, err := run.Cost(c.images)
		if err != nil {
			t.Fatal(err)
		}
		near(c.method+" "+c.preset, k.Run, c.want, 0.06)
		if k.Steps != c.epochs*62 || (k.ESteps > 0) != (c.method == "pcl") || !strings.Contains(k.String(), "TFLOP in ") {
			t.Errorf("%s: %d steps, %d E-steps: %s", c.method, k.Steps, k.ESteps, k)
		}
	}
	run, err := Preset("pcl", "paper")
	if err != nil {
		t.Fatal(err)
	}
	k, err := run.Cost(1281167)
	if err != nil {
		t.Fatal(err)
	}
	near("PCL's clusterings", k.EStep-1281167*(k.Image+HeadMLP.flop(2048, 2048, 128)), 5.74e15*101/100, 0.02)
	if k.ESteps != 180 {
		t.Errorf("%d E-steps", k.ESteps)
	}
}

// TestSpeed: some operations a second, and no number of the run changed.
func TestSpeed(t *testing.T) {
	var states []map[string][]float32
	for _, measured := range []bool{false, true} {
		cfg := tiny(t, "pcl")
		tr, err := cfg.New(backends(t)["cpu"], noise(48))
		if err != nil {
			t.Fatal(err)
		}
		if measured {
			s, err := cfg.Speed(tr.Tape)
			if err != nil || s < 1e6 || s > 1e14 {
				t.Errorf("%.3g operations a second, %v", s, err)
			}
		}
		if err := tr.Train(context.Background()); err != nil {
			t.Fatal(err)
		}
		states = append(states, stateOf(tr))
		tr.Tape.Release()
	}
	if !maps.EqualFunc(states[0], states[1], slices.Equal) {
		t.Error("the run differs from one whose speed was not measured")
	}
}
