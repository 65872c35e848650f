package methods

import (
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/internal/golden"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// transpose is x [r, c] as [c, r].
func transpose[F float32 | float64](x []F, r, c int) []F {
	y := make([]F, len(x))
	for i := range r {
		for j := range c {
			y[j*r+i] = x[i*c+j]
		}
	}
	return y
}

// bareMoCo is the method without networks for n embeddings of d numbers.
func bareMoCo(t *testing.T, b kernels.Backend, n, d, queue int, tau float64) *MoCo {
	t.Helper()
	m, err := NewMoCo(b, bare{d: d}, bare{d: d}, MoCoConfig{
		Crops: data.MultiCrop{{Count: 2, Size: 1, Scale: [2]float64{1, 1}}}, Batch: n, Head: HeadLinear, Dim: d,
		Temperature: tau, Queue: queue, Momentum: 0.999, Groups: 1,
	}, tensor.NewRNG(1, "test"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// setRing fills a queue given as columns [D, L].
func setRing(t *testing.T, q *Ring, columns []float32, next int) {
	t.Helper()
	q.Rows.Value.SetFloat32s(transpose(columns, q.Rows.Value.Dim(1), q.Rows.Value.Dim(0)))
	q.Ptr.Value.SetFloat32s([]float32{float32(next)})
	if err := q.Loaded(); err != nil {
		t.Fatal(err)
	}
}

// values reads a kept value.
func values(t *testing.T, v *autograd.Var) []float32 {
	t.Helper()
	x := make([]float32, v.Shape().Len())
	if err := v.CopyTo(x); err != nil {
		t.Fatal(err)
	}
	return x
}

// gradient reads the gradient of a kept value.
func gradient(t *testing.T, v *autograd.Var) []float32 {
	t.Helper()
	x := make([]float32, v.Shape().Len())
	if ok, err := v.CopyGrad(x); !ok || err != nil {
		t.Fatal(ok, err)
	}
	return x
}

func TestMoCoGolden(t *testing.T) {
	f := golden.Open(t, "moco")
	n, d, l := 8, 16, 32
	cfg := f.F64("T_ptr")
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			m := bareMoCo(t, b, n, d, l, cfg[0])
			tape := autograd.NewTape(b)
			defer tape.Release()
			for range 2 { // planned, then replayed from the same queue
				setRing(t, m.queue, f.F32("queue"), int(cfg[1]))
				tape.Begin("moco")
				q0 := tape.Input(autograd.Dims(n, d), f.F32("q_raw")).WithGrad().Keep()
				q, k, logits, loss := m.contrast(q0, tape.Input(autograd.Dims(n, d), f.F32("k_raw")))
				m.enqueue(k)
				logits.Keep()
				tape.Backward(loss)
				if err := tape.Run(); err != nil {
					t.Fatal(err)
				}
				golden.Close(t, "logits", values(t, logits), f.F64("logits"), 1e-4, 0)
				golden.Close(t, "loss", values(t, loss), f.F64("loss"), 0, 1e-5)
				golden.Close(t, "g_q", gradient(t, q), f.F64("g_q"), 1e-4, 0)
				golden.Close(t, "g_q_raw", gradient(t, q0), f.F64("g_q_raw"), 1e-4, 0)
				golden.Close(t, "queue_after", transpose(m.queue.Rows.Value.Float32s(), l, d), f.F64("queue_after"), 1e-6, 0)
				golden.Equal(t, "ptr_after", []int{int(m.queue.Ptr.Value.Float32s()[0])}, f.Ints("ptr_after"))
			}
		})
	}
}

func TestMoCoMomentumGolden(t *testing.T) {
	f := golden.Open(t, "moco")
	for name, b := range backends(t) {
		side := func(prefix string, x []float32) bare {
			p := autograd.NewParam(b, prefix, len(x))
			p.Value.SetFloat32s(x)
			return bare{nn.Sequential{oneWeight{p}}, 1}
		}
		key, query := side("key", f.F32("ema.theta_q")), side("query", f.F32("ema.theta_q"))
		ema := nn.NewEMA(b, key, query)
		k := key.State()[0]
		k.Value.SetFloat32s(f.F32("ema.theta_k"))
		tape := autograd.NewTape(b)
		tape.BeginNoGrad("momentum")
		follow(tape, ema, 0.999)
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		golden.Close(t, name, k.Value.Float32s(), f.F64("ema.theta_k_after"), 1e-6, 0)
		tape.Release()
	}
}

// oneWeight is a module of one weight and no ops.
type oneWeight struct{ p *autograd.Param }

func (m oneWeight) Forward(p *nn.Pass, x *autograd.Var) *autograd.Var { return x }
func (m oneWeight) State() []*autograd.Param                          { return []*autograd.Param{m.p} }

// TestRing: rows are written in a circle, a checkpoint's pointer is taken up,
// and what cannot be a queue is refused.
func TestRing(t *testing.T) {
	b := backends(t)["cpu"]
	q := NewRing(b, "queue", 6, 2, tensor.NewRNG(1, "test"))
	if err := (Features{q.Rows.Value.Float32s(), 2}).checkUnit("start"); err != nil {
		t.Error(err)
	}
	tape := autograd.NewTape(b)
	defer tape.Release()
	for i := range 4 {
		x := float32(i)
		tape.BeginNoGrad("ring")
		q.Enqueue(tape.Input(autograd.Dims(2, 2), []float32{x, 0, x, 1}))
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := q.Rows.Value.Float32s(), []float32{3, 0, 3, 1, 1, 0, 1, 1, 2, 0, 2, 1}; !slices.Equal(got, want) || q.Ptr.Value.Float32s()[0] != 2 {
		t.Errorf("%v, pointer %v", got, q.Ptr.Value.Float32s())
	}
	if err := q.Loaded(); err == nil || !strings.Contains(err.Error(), "row 0 of queue has length 3: similarities are cosines") {
		t.Errorf("rows that are not unit: %v", err)
	}
	q.Ptr.Value.SetFloat32s([]float32{6})
	if err := q.Loaded(); err == nil || !strings.Contains(err.Error(), "queue_ptr is 6") {
		t.Errorf("pointer outside: %v", err)
	}
}

func TestMoCoValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*MoCoConfig)
		want   string
	}{
		{func(c *MoCoConfig) { c.Batch, c.Groups = 1, 1 }, "batch 1: batch norm takes statistics"},
		{func(c *MoCoConfig) { c.Temperature = 0 }, "temperature 0: it divides cosines"},
		{func(c *MoCoConfig) { c.Queue = 65000 }, "queue of 65000: keys of 256 images join at a time, so it is a multiple of that, 64768 for instance"},
		{func(c *MoCoConfig) { c.Queue = 0 }, "256 for instance"},
		{func(c *MoCoConfig) { c.Momentum = 1 }, "momentum 1"},
		{func(c *MoCoConfig) { c.Groups = 7 }, "7 groups of key statistics: they divide the batch of 256"},
		{func(c *MoCoConfig) { c.Groups = 256 }, "each needs at least 2 images"},
		{func(c *MoCoConfig) { c.Crops[0].Count = 3 }, "3 views: two of one size"},
		{func(c *MoCoConfig) { c.Head = "deep" }, `moco: head "deep"`},
		{func(c *MoCoConfig) { c.Dim = 0 }, "embeddings of 0"},
	} {
		cfg := DefaultMoCoV1()
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %q alone", err, c.want)
		}
	}
	for _, c := range []MoCoConfig{DefaultMoCoV1(), DefaultMoCoV2()} {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
}
