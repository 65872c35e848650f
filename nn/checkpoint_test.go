package nn

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/tensor"
)

// TestResume: a run that was saved and loaded goes on to the same bits as one
// that was not stopped.
func TestResume(t *testing.T) {
	type progress struct{ Step int }
	path := filepath.Join(t.TempDir(), "run.safetensors")
	for _, rule := range []Rule{SGD{Momentum: 0.9}, AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}} {
		b := backend(t)
		build := func() (*trainer, *Checkpoint, *progress) {
			s, p := newTrainer(t, b, 8), &progress{}
			s.opt = NewOptimizer(b, rule, Group{Weights: Weights(s.net), Decay: 1e-4, Scale: 1})
			return s, &Checkpoint{State: s.net.State(), Optimizer: s.opt, Trainer: p}, p
		}
		s, c, p := build()
		for p.Step = range 3 {
			s.step()
		}
		if err := c.Save(path); err != nil {
			t.Fatal(err)
		}
		var want []float32
		for range 3 {
			want = append(want, s.step())
		}
		s, c, p = build()
		for _, w := range s.net.State() {
			w.Value.Fill(7)
		}
		if err := c.Load(path); err != nil {
			t.Fatal(err)
		}
		if p.Step != 2 {
			t.Errorf("the trainer was at step 2, now at %d", p.Step)
		}
		var got []float32
		for range 3 {
			got = append(got, s.step())
		}
		golden.Equal(t, "losses after loading", got, want)
	}
}

// TestStoredLayout: PyTorch's shape and order of a convolution, and its step
// counts of batch norm.
func TestStoredLayout(t *testing.T) {
	b := backend(t)
	path := filepath.Join(t.TempDir(), "unit.safetensors")
	unit := NewConvBN(b, "conv1", "bn1", 3, 2, 3, 1, seeded())
	ours := make([]float32, 2*3*3*3)
	for i := range ours {
		o, h, w, c := i/27, i/9%3, i/3%3, i%3
		ours[i] = float32(1000*o + 100*c + 10*h + w)
	}
	unit.Conv.Weight.Value.SetFloat32s(ours)
	if err := (&Checkpoint{State: unit.State()}).Save(path); err != nil {
		t.Fatal(err)
	}
	f, err := tensor.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Info("conv1.weight")
	golden.Equal(t, "shape", info.Shape, []int{2, 3, 3, 3})
	stored := make([]float32, len(ours))
	if err := f.ReadFloat32("conv1.weight", stored); err != nil {
		t.Fatal(err)
	}
	for i, v := range stored {
		o, c, h, w := i/27, i/9%3, i/3%3, i%3
		if v != float32(1000*o+100*c+10*h+w) {
			t.Fatalf("element %d is %v", i, v)
		}
	}
	info, ok := f.Info("bn1.num_batches_tracked")
	if !ok || info.Type != tensor.I64 || len(info.Shape) != 0 {
		t.Errorf("num_batches_tracked: %v", info)
	}
	unit.Conv.Weight.Value.Fill(0)
	if r, err := LoadWeights(path, "", unit.State()); err != nil || r.Err() != nil {
		t.Fatal(err, r)
	}
	golden.Equal(t, "loaded", unit.Conv.Weight.Value.Float32s(), ours)
}

// TestLoadWeightsReport: nothing is lost without a word.
func TestLoadWeightsReport(t *testing.T) {
	b := backend(t)
	path := filepath.Join(t.TempDir(), "authors.safetensors")
	numbers := func(n int) []float32 { return make([]float32, n) }
	err := tensor.WriteSafetensors(path, []tensor.Named{
		{Name: "module.encoder_q.fc.0.weight", Shape: []int{4, 3}, Data: numbers(12)},
		{Name: "module.encoder_q.fc.0.bias", Shape: []int{4}, Data: numbers(4)},
		{Name: "module.encoder_q.fc.2.weight", Shape: []int{4, 2}, Data: numbers(8)},
		{Name: "module.encoder_k.fc.0.weight", Shape: []int{4, 3}, Data: numbers(12)},
		{Name: "module.queue_ptr", Data: []int64{0}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	head := MLPHead(b, "fc", 3, 4, 2, seeded())
	before := head.State()[0].Value.Float32s()
	_, err = LoadWeights(path, "", head.State())
	if err == nil || !strings.Contains(err.Error(), `with prefix "module.encoder_q." 3 names fit`) {
		t.Errorf("wrong prefix: %v", err)
	}
	golden.Equal(t, "untouched", head.State()[0].Value.Float32s(), before)

	r, err := LoadWeights(path, "module.encoder_q.", head.State())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"loaded", r.Loaded, []string{"fc.0.weight", "fc.0.bias"}},
		{"missing", r.Missing, []string{"fc.2.bias"}},
		{"unexpected", r.Unexpected, []string{"module.encoder_k.fc.0.weight", "module.queue_ptr"}},
		{"shape", r.WrongShape, []string{"fc.2.weight [4 2], here [2 4]"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	if r.Err() == nil || slices.ContainsFunc(head.State()[0].Value.Float32s(), func(v float32) bool { return v != 0 }) {
		t.Errorf("report %v, weights %v", r.Err(), head.State()[0].Value.Float32s())
	}
	if _, err := LoadWeights(path+"x", "", head.State()); err == nil {
		t.Error("no file, no error")
	}
}

// TestLoadRefuses: another run's file changes nothing.
func TestLoadRefuses(t *testing.T) {
	b := backend(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "head.safetensors")
	head := SwAVHead(b, "projection_head", 3, 4, 2, seeded())
	if err := (&Checkpoint{State: head.State()}).Save(path); err != nil {
		t.Fatal(err)
	}
	other := MLPHead(b, "projection_head", 3, 4, 2, seeded())
	before := other.State()[0].Value.Float32s()
	err := (&Checkpoint{State: other.State(), Trainer: new(int)}).Load(path)
	if err == nil || !strings.Contains(err.Error(), "another run's checkpoint: 2 fit, 2 missing (projection_head.2.weight, projection_head.2.bias), 6 unexpected (") {
		t.Errorf("another head: %v", err)
	}
	golden.Equal(t, "untouched", other.State()[0].Value.Float32s(), before)

	plain := filepath.Join(dir, "plain.safetensors")
	if err := tensor.WriteSafetensors(plain, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := (&Checkpoint{}).Load(plain); err == nil || !strings.Contains(err.Error(), "LoadWeights") {
		t.Errorf("no checkpoint: %v", err)
	}
	twice := append([]*autograd.Param{head.State()[0]}, head.State()...)
	if err := (&Checkpoint{State: twice}).Save(path); err == nil {
		t.Error("a name twice, no error")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("files left behind: %v", left)
	}
}
