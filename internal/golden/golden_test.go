package golden

import (
	"math"
	"testing"
)

// TestGoldenFiles opens every file, which checks that each tensor fills its
// bytes, and reads one value of each dtype.
func TestGoldenFiles(t *testing.T) {
	for _, name := range []string{"sinkhorn", "swav_loss", "pcl", "moco", "ntxent", "optim", "layers", "resnet",
		"swav_step", "image", "schedule", "evaluation"} {
		if len(Open(t, name).Names()) == 0 {
			t.Errorf("%s holds no tensors", name)
		}
	}
	f := Open(t, "sinkhorn")
	Close(t, "epsilon, iterations", f.F64("basic.eps_iters"), []float64{0.05, 3}, 0, 0)
	Equal(t, "shape", f.Shape("basic.scores"), []int{64, 30})
	if n := len(f.F32("basic.scores")); n != 64*30 {
		t.Errorf("basic.scores has %d elements", n)
	}
	Equal(t, "finite", f.U8("basic.plain_f32_finite"), []byte{1})
	Equal(t, "config", Open(t, "schedule").Ints("swav.cfg"), []int{7, 10, 2})
	if f.Meta("distributed") == "" || f.Has("nothing") {
		t.Error("metadata or names are wrong")
	}
}

// recorder takes Errorf instead of failing.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestGoldenClose(t *testing.T) {
	for _, c := range []struct {
		name       string
		got        []float32
		want       []float64
		atol, rtol float64
		fails      bool
	}{
		{"equal", []float32{1, 2}, []float64{1, 2}, 0, 0, false},
		{"at the bound", []float32{1.5}, []float64{1}, 0.5, 0, false},
		{"relative", []float32{11}, []float64{10}, 0, 0.1, false},
		{"past", []float32{1.5}, []float64{1}, 0.25, 0.125, true},
		{"NaN got", []float32{float32(math.NaN())}, []float64{1}, 9, 9, true},
		{"NaN wanted", []float32{1}, []float64{math.NaN()}, 9, 9, true},
		{"infinite", []float32{float32(math.Inf(1))}, []float64{math.Inf(1)}, 0, 0, false},
		{"opposite infinities", []float32{float32(math.Inf(1))}, []float64{math.Inf(-1)}, 1, 1, true},
		{"finite for infinite", []float32{1}, []float64{math.Inf(1)}, 1, 1, true},
		{"length", []float32{1}, []float64{1, 1}, 9, 9, true},
	} {
		r := &recorder{TB: t}
		Close(r, c.name, c.got, c.want, c.atol, c.rtol)
		if r.failed != c.fails {
			t.Errorf("%s: failed = %v, want %v", c.name, r.failed, c.fails)
		}
	}
}
