package nn

import (
	"encoding/json"
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestScheduleGolden(t *testing.T) {
	f := golden.Open(t, "schedule")
	cfg := f.Ints("swav.cfg")
	iters, epochs, warm := cfg[0], cfg[1], cfg[2]
	sim := f.Ints("simclr.cfg") // batch, images, epochs, epochs of warm-up
	simCLR := func(peak float64) SimCLR {
		return SimCLR{peak, sim[3] * sim[1] / sim[0], sim[1]*sim[2]/sim[0] + 1}
	}
	for _, c := range []struct {
		tensor   string
		schedule Schedule
	}{
		{"simclr_linear", simCLR(SimCLRLinear(0.3, sim[0]))},
		{"simclr_sqrt", simCLR(SimCLRSqrt(0.075, sim[0]))},
		{"swav", WarmupCosine{Start: 0.3, Base: 4.8, Final: 0.0048, Warmup: warm * iters, Steps: epochs * iters}},
		{"swav_small", WarmupCosine{Base: 0.6, Final: 0.0006, Steps: epochs * iters}},
		{"moco_step", Step{Base: 0.03, Gamma: 0.1, Milestones: []int{120, 160}}},
		{"moco_cos", Cosine{Base: 0.03, Steps: 200}},
		{"eval_cos", Cosine{Base: 0.3, Steps: 100}},
		{"semisup_step", Step{Base: 0.02, Gamma: 0.2, Milestones: []int{12, 16}}},
	} {
		want := f.F64(c.tensor)
		got := make([]float64, len(want))
		for i := range got {
			got[i] = c.schedule.At(i)
		}
		golden.Close(t, c.tensor, got, want, 0, 1e-6)
	}
}

func TestScheduleEnds(t *testing.T) {
	swav := WarmupCosine{Start: 0.25, Base: 4, Final: 0.5, Warmup: 4, Steps: 12}
	for _, c := range []struct {
		name     string
		schedule Schedule
		step     int
		want     float64
	}{
		{"warm-up before the first step", swav, -3, 0.25},
		{"warm-up first", swav, 0, 0.25},
		{"warm-up last is base", swav, 3, 4},
		{"cosine first is base again", swav, 4, 4},
		{"past the end", swav, 12, 0.5},
		{"far past the end", swav, 1 << 40, 0.5},
		{"warm-up of one step", WarmupCosine{Start: 1, Base: 2, Warmup: 1, Steps: 3}, 0, 1},
		{"after a warm-up of one step", WarmupCosine{Start: 1, Base: 2, Warmup: 1, Steps: 3}, 1, 2},
		{"nothing but warm-up, past it", WarmupCosine{Start: 1, Base: 2, Final: 3, Warmup: 5, Steps: 5}, 5, 3},
		{"cosine before the first step", Cosine{Base: 2, Final: 1, Steps: 10}, -1, 2},
		{"cosine of no steps", Cosine{Base: 2, Final: 1}, 0, 1},
		{"SimCLR before the first step", SimCLR{8, 4, 12}, -1, 0},
		{"SimCLR half warm", SimCLR{8, 4, 12}, 2, 4},
		{"SimCLR warm", SimCLR{8, 4, 12}, 4, 8},
		{"SimCLR without warm-up", SimCLR{8, 0, 12}, 0, 8},
		{"SimCLR past the end", SimCLR{8, 4, 12}, 12, 0},
		{"constant", Step{Base: 7, Gamma: 0.1}, 1000, 7},
		{"milestones in any order", Step{Base: 8, Gamma: 0.5, Milestones: []int{20, 10}}, 15, 4},
		{"milestone itself", Step{Base: 8, Gamma: 0.5, Milestones: []int{10, 20}}, 20, 2},
		{"last iteration of epoch 9", PerEpoch{Step{8, 0.5, []int{10}}, 7}, 69, 8},
		{"first iteration of epoch 10", PerEpoch{Step{8, 0.5, []int{10}}, 7}, 70, 4},
	} {
		if got := c.schedule.At(c.step); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestScheduleJSON(t *testing.T) {
	want := WarmupCosine{Start: 0.3, Base: 4.8, Final: 0.0048, Warmup: 14, Steps: 70}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got WarmupCosine
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("%s read back as %+v, want %+v", b, got, want)
	}
}
