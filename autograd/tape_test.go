package autograd

import (
	"errors"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// mlp is a two-layer classifier with weights on b.
type mlp struct{ w1, b1, w2, b2 *Param }

func newMLP(b kernels.Backend) *mlp {
	m := &mlp{NewParam(b, "w1", 16, 8), NewParam(b, "b1", 16), NewParam(b, "w2", 4, 16), NewParam(b, "b2", 4)}
	for k, p := range []*Param{m.w1, m.w2} {
		v := make([]float32, p.Value.Len())
		for i := range v {
			v[i] = float32((i*37+k*11)%17-8) / 16
		}
		p.Value.SetFloat32s(v)
	}
	return m
}

func (m *mlp) loss(t *Tape, x []float32, labels []int32) *Var {
	n := len(labels)
	h := ReLU(Linear(t.Input(Dims(n, 8), x), t.Use(m.w1), t.Use(m.b1)))
	return CrossEntropy(Linear(h, t.Use(m.w2), t.Use(m.b2)), t.Ints(labels))
}

func batch(n int) ([]float32, []int32) {
	x, l := make([]float32, 8*n), make([]int32, n)
	for i := range x {
		x[i] = float32(i%13) / 7
	}
	for i := range l {
		l[i] = int32(i % 4)
	}
	return x, l
}

// step runs one step and returns its loss and the address of the loss.
func (m *mlp) step(t *testing.T, tape *Tape, kind string, n int) (float32, *Var) {
	t.Helper()
	x, l := batch(n)
	tape.Begin(kind)
	loss := m.loss(tape, x, l)
	tape.Backward(loss)
	if err := tape.Run(); err != nil {
		t.Fatal(err)
	}
	return loss.Item(), loss
}

func TestReplayKeepsAddressesAndValues(t *testing.T) {
	b := tensor.Default()
	m, tape := newMLP(b), NewTape(b)
	x, l := batch(6)
	tape.Begin("train")
	tape.Backward(m.loss(tape, x, l))
	peak := tape.Peak()
	if tape.ArenaBytes() != 0 {
		t.Errorf("Peak took %d bytes of memory", tape.ArenaBytes())
	}
	v0, loss0 := m.step(t, tape, "train", 6)
	if tape.ArenaBytes() != peak {
		t.Errorf("arena %d bytes, Peak said %d", tape.ArenaBytes(), peak)
	}
	at := loss0.Mem().Host
	var places []kernels.Mem
	for _, b := range tape.g.bufs {
		places = append(places, b.mem)
	}
	for range 3 {
		v, loss := m.step(t, tape, "train", 6)
		if v != v0 || loss != loss0 || loss.Mem().Host != at {
			t.Fatalf("replay: loss %g at %p, first %g at %p", v, loss.Mem().Host, v0, at)
		}
		for i, b := range tape.g.bufs {
			if b.mem != places[i] {
				t.Fatalf("replay: buffer %d of %s moved", i, b.what.op.Name())
			}
		}
	}
}

func TestDivergenceIsPlannedAnew(t *testing.T) {
	b := tensor.Default()
	m, tape := newMLP(b), NewTape(b)
	want6, _ := m.step(t, NewTape(b), "train", 6)
	want9, _ := m.step(t, NewTape(b), "train", 9)
	for i, n := range []int{6, 9, 9, 6, 6} {
		want := want6
		if n == 9 {
			want = want9
		}
		if got, _ := m.step(t, tape, "train", n); got != want {
			t.Errorf("step %d with batch %d: loss %g, alone %g", i, n, got, want)
		}
	}
	// A longer, then a shorter step of the same kind.
	x, l := batch(6)
	tape.Begin("train")
	loss := m.loss(tape, x, l)
	twice := Scale(loss, 2)
	if err := tape.Run(); err != nil {
		t.Fatal(err)
	}
	if got := twice.Item(); got != 2*want6 {
		t.Errorf("appended op: %g, want %g", got, 2*want6)
	}
	if got, _ := m.step(t, tape, "train", 6); got != want6 {
		t.Errorf("after dropping the appended op: %g, want %g", got, want6)
	}
}

// TestPlacesNeverOverlap checks the plan itself: buffers alive at one time
// have disjoint places, and the arena is no larger than the sum of all.
func TestPlacesNeverOverlap(t *testing.T) {
	b := kernels.Ref64{}
	tape := NewTape(b)
	w := NewParam(b, "w", 8, 3, 3, 8)
	tape.Begin("train")
	x := tape.Input(Dims(2, 6, 6, 8), make([]float32, 2*6*6*8))
	h := x
	for range 4 {
		h = Add(ReLU(Conv2D(h, tape.Use(w), Square(1, 1))), h)
	}
	tape.Backward(Mean(h, -1))
	peak, sum := tape.Peak(), 0
	for i, p := range tape.g.bufs {
		sum += p.size
		for _, q := range tape.g.bufs[:i] {
			alive := p.first <= q.last && q.first <= p.last
			apart := p.offset+p.size <= q.offset || q.offset+q.size <= p.offset
			if alive && !apart {
				t.Fatalf("%s %v [%d,%d] at %d+%d overlaps %s %v [%d,%d] at %d+%d", p.what.op.Name(), p.shape, p.first, p.last, p.offset, p.size,
					q.what.op.Name(), q.shape, q.first, q.last, q.offset, q.size)
			}
		}
	}
	if peak >= sum {
		t.Errorf("peak %d bytes is no less than the sum of all buffers %d", peak, sum)
	}
}

func TestSteadyStepAllocatesNothing(t *testing.T) {
	b := tensor.Default()
	m, tape := newMLP(b), NewTape(b)
	x, l := batch(6)
	step := func() {
		tape.Begin("train")
		loss := m.loss(tape, x, l)
		tape.Backward(loss)
		if err := tape.Run(); err != nil {
			t.Fatal(err)
		}
		loss.Item()
	}
	step()
	if n := testing.AllocsPerRun(20, step); n != 0 {
		t.Errorf("%v allocations in a steady step", n)
	}
}

// push is a late op: it writes its input into a state tensor.
type push struct {
	LateOp
	cfg struct{ To *Param }
	arg kernels.MapArgs
}

func (o *push) Config() *struct{ To *Param } { return &o.cfg }
func (o *push) Name() string                 { return "push" }
func (o *push) Plan(p *Plan)                 { p.OutFixed(kernels.Float32, Dims(1)) }
func (o *push) Backward(c *Ctx)              {}
func (o *push) Forward(c *Ctx) {
	x := c.In(0)
	o.arg = kernels.MapArgs{Op: kernels.MapCopy, N: x.Len, Dst: c.State(o.cfg.To), A: x}
	c.Backend().Map(&o.arg)
}

// TestLateOpRunsAfterBackward: y = x*s with state s, pushed over by x in the
// same step. dx must be the old s.
func TestLateOpRunsAfterBackward(t *testing.T) {
	b := tensor.Default()
	s := NewState(b, "s", 3)
	s.Value.SetFloat32s([]float32{2, 3, 4})
	tape := NewTape(b)
	tape.Begin("train")
	x := tape.Input(Dims(3), []float32{5, 6, 7}).WithGrad().Keep()
	y := Mul(x, tape.Use(s))
	Apply[*push](tape, struct{ To *Param }{s}, x)
	tape.Backward(Sum(y, -1))
	v := s.Value.Version()
	if err := tape.Run(); err != nil {
		t.Fatal(err)
	}
	g := make([]float32, 3)
	if _, err := x.CopyGrad(g); err != nil {
		t.Fatal(err)
	}
	if g[0] != 2 || g[1] != 3 || g[2] != 4 {
		t.Errorf("gradient %v, want the state before the push", g)
	}
	if got := s.Value.Float32s(); got[0] != 5 || got[2] != 7 {
		t.Errorf("state %v after the step", got)
	}
	if s.Value.Version() == v {
		t.Error("the push did not move the state's version")
	}
}

func TestGradientsAccumulateOnRequest(t *testing.T) {
	b := tensor.Default()
	m, tape := newMLP(b), NewTape(b)
	m.step(t, tape, "train", 6)
	one := m.w1.Grad.Float32s()
	x, l := batch(6)
	tape.Begin("train")
	tape.AccumulateGrads()
	tape.Backward(m.loss(tape, x, l))
	if err := tape.Run(); err != nil {
		t.Fatal(err)
	}
	for i, g := range m.w1.Grad.Float32s() {
		if d := g - 2*one[i]; d > 1e-6 || d < -1e-6 {
			t.Fatalf("element %d: %g after two steps, %g after one", i, g, one[i])
		}
	}
	if !tape.HasGrad(m.w1) {
		t.Error("HasGrad is false for a parameter with a gradient")
	}
}

func TestFrozenParameterGetsNoGradient(t *testing.T) {
	b := tensor.Default()
	m, tape := newMLP(b), NewTape(b)
	m.w2.Frozen = true
	m.step(t, tape, "frozen", 6)
	if tape.HasGrad(m.w2) || !tape.HasGrad(m.w1) {
		t.Errorf("HasGrad: frozen %v, free %v", tape.HasGrad(m.w2), tape.HasGrad(m.w1))
	}
	m.w2.Frozen = false
	m.step(t, tape, "frozen", 6)
	if !tape.HasGrad(m.w2) {
		t.Error("no gradient after thawing")
	}
}

func TestMistakesAreShapeErrors(t *testing.T) {
	b := kernels.Ref64{}
	tape := NewTape(b)
	w := NewParam(b, "w", 3, 4)
	for name, f := range map[string]func(){
		"inner":     func() { tape.Begin("a"); MatMul(tape.Input(Dims(2, 5), make([]float32, 10)), tape.Use(w)) },
		"no step":   func() { v := &Var{t: NewTape(b), shape: Dims(2)}; ReLU(v) },
		"old value": func() { tape.Begin("a"); v := tape.Use(w); tape.Begin("b"); ReLU(v) },
		"not kept": func() {
			tape.Begin("c")
			y := ReLU(tape.Use(w))
			Sum(y, -1)
			if err := tape.Run(); err != nil {
				t.Error(err)
			}
			y.CopyTo(make([]float32, 12))
		},
		"input": func() { tape.Begin("d"); tape.Input(Dims(2, 2), make([]float32, 3)) },
	} {
		err := tensor.Try(f)
		var se *tensor.ShapeError
		if !errors.As(err, &se) {
			t.Errorf("%s: %v, want a *tensor.ShapeError", name, err)
		}
	}
}

func TestOutOfMemoryNamesTheLargest(t *testing.T) {
	b := tensor.Default()
	tape := NewTape(b)
	old := tensor.SetMemoryLimit(tensor.MemoryInUse() + 1<<20)
	defer tensor.SetMemoryLimit(old)
	w := NewParam(b, "w", 64, 3, 3, 3)
	tape.Begin("big")
	x := tape.Input(Dims(16, 64, 64, 3), make([]float32, 16*64*64*3))
	Mean(Conv2D(x, tape.Use(w), Square(1, 1)), -1)
	err := tape.Run()
	var me *tensor.MemoryError
	if !errors.As(err, &me) || !strings.Contains(err.Error(), "Conv2D") {
		t.Errorf("error %v, want a *tensor.MemoryError naming Conv2D", err)
	}
}
