package methods

import (
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// bare is an encoder of d features without a network.
type bare struct {
	nn.Sequential
	d int
}

func (e bare) Features() int { return e.d }

func TestSwAVLossGolden(t *testing.T) {
	f := golden.Open(t, "swav_loss")
	for _, name := range []string{"v8", "v2", "v8q", "v5a3"} {
		cfg := f.F64(name + ".cfg")
		v, b, d, k, rows := int(cfg[0]), int(cfg[1]), int(cfg[2]), int(cfg[3]), int(cfg[4])
		c := SwAVConfig{
			Crops: data.MultiCrop{{Count: v, Size: 1, Scale: [2]float64{1, 1}}}, Batch: b, Assign: f.Ints(name + ".assign"),
			Hidden: 1, Dim: d, Prototypes: k, Temperature: cfg[5], Sinkhorn: Sinkhorn{cfg[6], int(cfg[7])}, Queue: rows,
		}
		for backend, be := range backends(t) {
			t.Run(name+"/"+backend, func(t *testing.T) { swavLossGolden(t, f, name, be, c, d) })
		}
	}
}

func swavLossGolden(t *testing.T, f *golden.File, name string, b kernels.Backend, c SwAVConfig, d int) {
	m, err := NewSwAV(b, bare{d: d}, c, tensor.NewRNG(1, "test"))
	if err != nil {
		t.Fatal(err)
	}
	m.c.Weight.Value.SetFloat32s(f.F32(name + ".proto_raw"))
	if m.queues != nil {
		q := f.F32(name + ".queue")
		for i, p := range m.queues {
			n := p.Value.Len()
			p.Value.SetFloat32s(q[i*n : (i+1)*n])
		}
		if err := m.Loaded(); err != nil {
			t.Fatal(err)
		}
	}
	tape := autograd.NewTape(b)
	defer tape.Release()
	for range 2 { // planned, then replayed; the queue moves on, so only once with it
		tape.Begin(m.BeforeStep(Step{}))
		raw := tape.Input(autograd.Dims(f.Shape(name+".emb_raw")...), f.F32(name+".emb_raw")).WithGrad().Keep()
		z, S, Q, loss := m.swap(tape, raw)
		z.Keep()
		S.Keep()
		Q.Keep()
		tape.Backward(loss)
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		check := func(what string, v *autograd.Var, read func([]float32) error, atol, rtol float64) {
			t.Helper()
			got := make([]float32, v.Shape().Len())
			if err := read(got); err != nil {
				t.Fatal(err)
			}
			golden.Close(t, what, got, f.F64(name+"."+what), atol, rtol)
		}
		grad := func(v *autograd.Var) func([]float32) error {
			return func(dst []float32) error { _, err := v.CopyGrad(dst); return err }
		}
		check("scores", S, S.CopyTo, 2e-6, 0)
		check("q", Q, Q.CopyTo, 5e-5, 0)
		check("loss", loss, loss.CopyTo, 0, 1e-5)
		check("g_scores", S, grad(S), 2e-5, 0)
		check("g_emb", z, grad(z), 5e-5, 0)
		check("g_emb_raw", raw, grad(raw), 5e-5, 0)
		golden.Close(t, "g_proto", m.c.Weight.Grad.Float32s(), f.F64(name+".g_proto"), 5e-5, 0)
		if m.queues != nil {
			var after []float32
			for _, q := range m.queues {
				after = append(after, q.Value.Float32s()...)
			}
			golden.Close(t, "queue_after", after, f.F64(name+".queue_after"), 1e-6, 0)
			return
		}
	}
}

func TestSwAVValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*SwAVConfig)
		want   string
	}{
		{func(c *SwAVConfig) { c.Batch = 1 }, "batch 1"},
		{func(c *SwAVConfig) { c.Crops = c.Crops[:0] }, "0 crops"},
		{func(c *SwAVConfig) { c.Assign = nil }, "no assigning crop"},
		{func(c *SwAVConfig) { c.Assign = []int{0, 8} }, "assigning crop 8: there are crops 0 to 7"},
		{func(c *SwAVConfig) { c.Assign = []int{1, 1} }, "named twice"},
		{func(c *SwAVConfig) { c.Assign = []int{0, 1, 2, 3} }, "pairs of crops"},
		{func(c *SwAVConfig) { c.Temperature = 0 }, "temperature 0"},
		{func(c *SwAVConfig) { c.Sinkhorn.Epsilon = -1 }, "epsilon is -1"},
		{func(c *SwAVConfig) { c.Prototypes = 1 }, "1 prototypes"},
		{func(c *SwAVConfig) { c.Queue = 10 }, "queue of 10"},
		{func(c *SwAVConfig) { c.Freeze = -1 }, "-1 iterations"},
		{func(c *SwAVConfig) { c.Dim = 0 }, "embeddings of 0"},
	} {
		cfg := DefaultSwAV()
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	cfg := DefaultSwAV()
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if w := cfg.Warnings(); len(w) != 1 || !strings.Contains(w[0], "3000 prototypes share 64 samples") {
		t.Errorf("one rank of 64: %q", w)
	}
	cfg.Queue, cfg.Batch = 4000, 256
	if w := cfg.Warnings(); len(w) != 1 || !strings.Contains(w[0], "rounded down to 3840") {
		t.Errorf("queue of 4000: %q", w)
	}
}
