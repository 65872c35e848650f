package autograd

import (
	"fmt"
	"math"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Sample is a small step for checking an op: Build makes a value of any shape
// from inputs of the given shapes. Ints are label inputs, in order behind the
// others.
type Sample struct {
	Inputs []Shape
	Ints   [][]int32
	Build  func(t *Tape, in []*Var) *Var
	// Positive draws inputs from [0.5, 1.5) instead of [-1, 1).
	Positive bool
	// Const names inputs that are not differentiated (targets, statistics).
	Const []int
	// Setup makes the parameters and state that Build uses on a backend.
	Setup func(b kernels.Backend)
}

// Outcome is a step's value and gradients, by input.
type Outcome struct {
	Value []float32
	Grads [][]float32
}

// gradStep is the step of the central difference: with inputs that are
// multiples of 2^-12 below 2, x ± gradStep is exact in float32.
const gradStep = 1.0 / 1024

// data draws the inputs of s.
func (s *Sample) data(seed uint64) [][]float32 {
	r := tensor.NewRNG(seed, "gradcheck")
	var d [][]float32
	for _, sh := range s.Inputs {
		x := make([]float32, sh.Len())
		for i := range x {
			k := float32(int(r.Uint64()>>51)) / 8192 // multiples of 2^-13 in [0, 1)
			k = float32(math.Floor(float64(k)*4096)) / 4096
			if x[i] = 2*k - 1; s.Positive {
				x[i] = k + 0.5
			}
		}
		d = append(d, x)
	}
	return d
}

// run builds and runs the sample on t, with loss sum(coef * y).
func (s *Sample) run(t *Tape, d [][]float32) (loss float64, vars []*Var, y *Var, err error) {
	t.Begin("sample")
	var in []*Var
	for i, sh := range s.Inputs {
		v := t.Input(sh, d[i])
		if !contains(s.Const, i) {
			v = v.WithGrad().Keep()
		}
		in = append(in, v)
	}
	vars = append(vars, in...)
	for _, l := range s.Ints {
		in = append(in, t.Ints(l))
	}
	y = s.Build(t, in).Keep()
	coef := make([]float32, y.Shape().Len())
	for i := range coef {
		coef[i] = float32(1+i%7) / 4
	}
	sum := Sum(Mul(y, t.Input(y.Shape(), coef)), -1).Keep()
	t.Backward(sum)
	if err := t.Run(); err != nil {
		return 0, nil, nil, err
	}
	return hostScalar(sum.Mem()), vars, y, nil
}

// hostScalar reads a one-element host value in full precision.
func hostScalar(m kernels.Mem) float64 {
	if m.Type == kernels.Float64 {
		return m.F64()[0]
	}
	return float64(m.F32()[0])
}

func contains(s []int, v int) bool {
	for _, x := range s {
		if x == v {
			return true
		}
	}
	return false
}

// Eval runs the sample on b.
func (s *Sample) Eval(b kernels.Backend, seed uint64) (*Outcome, error) {
	if s.Setup != nil {
		s.Setup(b)
	}
	t := NewTape(b)
	defer t.Release()
	_, vars, y, err := s.run(t, s.data(seed))
	if err != nil {
		return nil, err
	}
	o := &Outcome{Value: make([]float32, y.Shape().Len())}
	if err := y.CopyTo(o.Value); err != nil {
		return nil, err
	}
	for i, v := range vars {
		if contains(s.Const, i) {
			o.Grads = append(o.Grads, nil)
			continue
		}
		g := make([]float32, v.Shape().Len())
		ok, err := v.CopyGrad(g)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("input %d got no gradient", i)
		}
		o.Grads = append(o.Grads, g)
	}
	return o, nil
}

// GradCheck compares the gradients of sample s on the float64 backend with
// central differences of step 2^-10: |analytic - numeric| may be at most
// 1e-4 (1 + |numeric|). The error names the worst input and element.
func GradCheck(s *Sample, seed uint64) error {
	o, err := s.Eval(kernels.Ref64{}, seed)
	if err != nil {
		return err
	}
	t := NewTape(kernels.Ref64{})
	defer t.Release()
	d := s.data(seed)
	at := func(i, j int, x float32) (float64, error) {
		old := d[i][j]
		d[i][j] = x
		if s.Setup != nil {
			s.Setup(kernels.Ref64{})
			t.Begin("none") // new parameters: forget the recorded step
			delete(t.graphs, "sample")
		}
		l, _, _, err := s.run(t, d)
		d[i][j] = old
		return l, err
	}
	for i := range d {
		if contains(s.Const, i) {
			continue
		}
		for j, x := range d[i] {
			up, err := at(i, j, x+gradStep)
			if err != nil {
				return err
			}
			down, err := at(i, j, x-gradStep)
			if err != nil {
				return err
			}
			num := (up - down) / (2 * gradStep)
			if got := float64(o.Grads[i][j]); !(math.Abs(got-num) <= 1e-4*(1+math.Abs(num))) {
				return fmt.Errorf("input %d %v element %d: gradient %g, central difference %g", i, s.Inputs[i], j, got, num)
			}
		}
	}
	return nil
}
