package main

import (
	"strings"
	"testing"
	"time"

	"github.com/sectile-ml/sectile/methods"
)

func TestAbout(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "1 s",
		8400 * time.Millisecond: "8 s",
		92 * time.Second:        "1:30",
		25 * time.Minute:        "25 minutes",
		3 * time.Hour:           "3.0 hours",
		9 * 24 * time.Hour:      "9 days",
	} {
		if got := about(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// TestEstimate: twice the epochs take twice as long, half of a run half as
// long; measuring leaves the run's numbers alone.
func TestEstimate(t *testing.T) {
	c, err := presetConfig("pcl", "demo")
	if err != nil {
		t.Fatal(err)
	}
	s := &session{config: c, device: "cpu"}
	if s.images, err = openImages(c); err != nil {
		t.Fatal(err)
	}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	before := s.trainer.Method.State()[0].Value.Float32s()
	if err := s.estimate(); err != nil {
		t.Fatal(err)
	}
	e := s.cost
	if e.speed < 1e6 || e.steps <= 0 || e.esteps <= 0 || e.views <= 0 || e.steps < e.esteps {
		t.Errorf("%+v", e)
	}
	flop := (e.steps + e.esteps).Seconds() * e.speed
	if flop < 0.99*e.cost.Run || flop > 1.01*e.cost.Run {
		t.Errorf("%.3g operations in the estimate, %.3g in the plan", flop, e.cost.Run)
	}
	s.trainer.Iteration = s.trainer.Iterations() / 2
	half, err := s.measure()
	if err != nil {
		t.Fatal(err)
	}
	if r := half.steps.Seconds() * half.speed / (e.steps.Seconds() * e.speed); r < 0.49 || r > 0.51 {
		t.Errorf("half of the run is %.2f of it", r)
	}
	for i, v := range s.trainer.Method.State()[0].Value.Float32s() {
		if v != before[i] {
			t.Fatal("a weight moved")
		}
	}
	text := estimate{cost: methods.Cost{Run: 2e12, Step: 1e9, Steps: 2000}, speed: 100e9, steps: 81 * time.Second, views: 9 * time.Second}.String()
	for _, want := range []string{"about 1:30 on this machine", "2 TFLOP in 2000 steps of 1 GFLOP", "100 GFLOP/s", "views 10 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}
