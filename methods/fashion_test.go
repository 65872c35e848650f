package methods

import (
	"context"
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/data/fashionmnist"
)

// TestSwAVLearnsFashion and TestPCLLearnsFashion train a demo for a few epochs
// of its schedule and ask neighbours: at least two points better than raw
// pixels, three better than the untrained network.
func TestSwAVLearnsFashion(t *testing.T) { learnsFashion(t, "swav") }

func TestPCLLearnsFashion(t *testing.T) {
	tr := learnsFashion(t, "pcl")
	for i, s := range tr.Method.(*PCL).sets {
		slices.Sort(s.members)
		if k := len(s.members); s.members[0] < 1 || s.members[k-1] > 8000/5 {
			t.Errorf("clustering %d: sizes from %d to %d", i, s.members[0], s.members[k-1])
		}
	}
}

func learnsFashion(t *testing.T, method string) *Trainer {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: training takes half a minute")
	}
	set, err := fashionmnist.Load()
	if err != nil {
		t.Fatal(err)
	}
	learn, judge := set.Split(fashionmnist.Learn)
	cfg, err := Preset(method, "demo")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Epochs = 12
	b := backends(t)["cpu"]
	tr, err := cfg.New(b, learn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Tape.Release)
	var first, last Progress
	tr.Progress = func(p Progress) {
		if last = p; p.Iteration == 0 {
			first = p
		}
	}
	ctx := context.Background()
	if err := tr.Train(ctx); err != nil {
		t.Fatal(err)
	}
	e := Extractor{Tape: tr.Tape, Views: tr.Views, Short: 28, Size: 28, Batch: 256}
	r, err := NewReport(ctx, e, learn, judge, 10, NamedEncoder{"untrained", cfg.Untrained(b)}, NamedEncoder{method, tr.Method.Encoder()})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Rows {
		t.Logf("%-32s kNN %.1f  linear %.1f  10 labels a class %.1f  AMI %.1f", s.Name, s.KNN, s.Linear, s.FewLabels, s.AMI)
	}
	t.Logf("loss %.3f to %.3f, %.0f images/s, %.1f %% waiting for images, plan %d KiB", first.Loss, last.Loss, last.ImagesPerS, last.WaitPercent, tr.Tape.ArenaBytes()>>10)
	raw, untrained, trained := r.Rows[0].KNN, r.Rows[2].KNN, r.Rows[3].KNN
	if trained < raw+2 || trained < untrained+3 {
		t.Errorf("trained %.1f, raw pixels %.1f, untrained %.1f", trained, raw, untrained)
	}
	if method == "swav" && last.Loss > first.Loss-0.5 { // PCL's gains a term with its prototypes
		t.Errorf("loss %.3f to %.3f", first.Loss, last.Loss)
	}
	return tr
}
