package tensor

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

func want(t *testing.T, name string, got *Tensor, shape []int, values ...float32) {
	t.Helper()
	if !slices.Equal(got.Shape(), shape) {
		t.Errorf("%s: shape %v, want %v", name, got.Shape(), shape)
	}
	v := got.Float32s()
	for i := range v {
		if math.Abs(float64(v[i]-values[i])) > 1e-6*math.Abs(float64(values[i])) {
			t.Errorf("%s: %v, want %v", name, v, values)
			return
		}
	}
}

// onBoth runs a test on the CPU and on the float64 reference.
func onBoth(t *testing.T, test func(t *testing.T, b kernels.Backend)) {
	for _, b := range []kernels.Backend{Default(), kernels.Ref64{}} {
		t.Run(b.Name(), func(t *testing.T) { test(t, b) })
	}
}

func TestElementwise(t *testing.T) { onBoth(t, testElementwise) }

func testElementwise(t *testing.T, b kernels.Backend) {
	x := From(b, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	y := From(b, []float32{6, 5, 4, 3, 2, 1}, 2, 3)
	want(t, "Add", x.Add(y), []int{2, 3}, 7, 7, 7, 7, 7, 7)
	want(t, "Sub", x.Sub(y), []int{2, 3}, -5, -3, -1, 1, 3, 5)
	want(t, "Mul", x.Mul(y), []int{2, 3}, 6, 10, 12, 12, 10, 6)
	want(t, "Div", x.Div(From(b, []float32{2, 4}, 2, 1)), []int{2, 3}, .5, 1, 1.5, 1, 1.25, 1.5)
	want(t, "row", x.Add(From(b, []float32{10, 20, 30}, 1, 3)), []int{2, 3}, 11, 22, 33, 14, 25, 36)
	want(t, "outer", From(b, []float32{1, 2}, 2, 1).Mul(From(b, []float32{3, 4, 5}, 1, 3)), []int{2, 3}, 3, 4, 5, 6, 8, 10)
	want(t, "middle", From(b, []float32{1, 2, 3, 4}, 2, 1, 2).Sub(From(b, []float32{1, 2, 3}, 1, 3, 1)), []int{2, 3, 2},
		0, 1, -1, 0, -2, -1, 2, 3, 1, 2, 0, 1)
	want(t, "Scale", x.Scale(-2), []int{2, 3}, -2, -4, -6, -8, -10, -12)
	want(t, "AddScalar", x.AddScalar(1), []int{2, 3}, 2, 3, 4, 5, 6, 7)
	want(t, "Exp", From(b, []float32{0, 1, -1}, 3).Exp(), []int{3}, 1, math.E, 1/math.E)
	want(t, "Log", From(b, []float32{1, math.E}, 2).Log(), []int{2}, 0, 1)
	want(t, "Sqrt", From(b, []float32{4, 2}, 2).Sqrt(), []int{2}, 2, math.Sqrt2)
	want(t, "ReLU", From(b, []float32{-1, 0, 2}, 3).ReLU(), []int{3}, 0, 0, 2)
	v := x.Version()
	x.AddInPlace(2, y)
	want(t, "AddInPlace", x, []int{2, 3}, 13, 12, 11, 10, 9, 8)
	x.ScaleInPlace(.5)
	want(t, "ScaleInPlace", x, []int{2, 3}, 6.5, 6, 5.5, 5, 4.5, 4)
	if x.Version() != v+2 {
		t.Errorf("version %d after two writes at %d", x.Version(), v)
	}
	want(t, "empty", New(b, 0, 3).Add(New(b, 1, 3)), []int{0, 3})
}

func TestMatMul(t *testing.T) { onBoth(t, testMatMul) }

func testMatMul(t *testing.T, b kernels.Backend) {
	x := From(b, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	w := From(b, []float32{1, 0, 2, 1, 0, 3}, 3, 2)
	want(t, "MatMul", x.MatMul(w), []int{2, 2}, 5, 11, 14, 23)
	want(t, "MatMulT", x.MatMulT(w.T()), []int{2, 2}, 5, 11, 14, 23)
	d := New(b, 2, 2)
	x.MatMulInto(d, w)
	want(t, "MatMulInto", d, []int{2, 2}, 5, 11, 14, 23)
	x.MatMulTInto(d, x)
	want(t, "MatMulTInto", d, []int{2, 2}, 14, 32, 32, 77)
	want(t, "T", w.T(), []int{2, 3}, 1, 2, 0, 0, 1, 3)
	want(t, "no depth", New(b, 2, 0).MatMul(New(b, 0, 2)), []int{2, 2}, 0, 0, 0, 0)
	want(t, "no rows", New(b, 0, 3).MatMul(w), []int{0, 2})
}

func TestReductions(t *testing.T) { onBoth(t, testReductions) }

func testReductions(t *testing.T, b kernels.Backend) {
	x := From(b, []float32{1, 5, 3, 4, 2, 6}, 2, 3)
	want(t, "Sum(0)", x.Sum(0), []int{1, 3}, 5, 7, 9)
	want(t, "Sum(1)", x.Sum(1), []int{2, 1}, 9, 12)
	want(t, "Mean(1)", x.Mean(1), []int{2, 1}, 3, 4)
	want(t, "Max(0)", x.Max(0), []int{1, 3}, 4, 5, 6)
	if got := x.ArgMax(1).Mem().I32(); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("ArgMax(1): %v", got)
	}
	want(t, "middle", From(b, []float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2).Sum(1), []int{2, 1, 2}, 4, 6, 12, 14)
	want(t, "sum of nothing", New(b, 2, 0).Sum(1), []int{2, 1}, 0, 0)
}

func TestConcat(t *testing.T) { onBoth(t, testConcat) }

func testConcat(t *testing.T, b kernels.Backend) {
	x := From(b, []float32{1, 2, 3, 4}, 2, 2)
	want(t, "rows", Concat(0, x, New(b, 0, 2), x.Rows(0, 1)), []int{3, 2}, 1, 2, 3, 4, 1, 2)
	want(t, "columns", Concat(1, x, From(b, []float32{9, 8}, 2, 1)), []int{2, 3}, 1, 2, 9, 3, 4, 8)
	if got := Concat(0, Ints(b, []int32{1}, 1), Ints(b, []int32{2, 3}, 2)).Mem().I32(); !slices.Equal(got, []int32{1, 2, 3}) {
		t.Errorf("ints: %v", got)
	}
}

func TestMathMistakes(t *testing.T) {
	b := Default()
	x := New(b, 64, 128)
	for name, c := range map[string]struct {
		f    func()
		want string
	}{
		"inner":     {func() { x.MatMul(New(b, 256, 10)) }, "MatMul [64,128] x [256,10]: inner 128 != 256"},
		"rank":      {func() { x.MatMul(New(b, 128)) }, "MatMul [64,128] x [128]: operands are matrices"},
		"into":      {func() { x.MatMulInto(New(b, 64, 64), New(b, 128, 10)) }, "MatMulInto [64,64]: the product is [64,10]"},
		"broadcast": {func() { x.Add(New(b, 64, 2)) }, "Add [64,128] x [64,2]: sizes of an axis"},
		"ranks":     {func() { x.Add(New(b, 128)) }, "of equal rank up to 4"},
		"in place":  {func() { x.AddInPlace(1, New(b, 1, 128)) }, "AddInPlace [64,128] x [1,128]: shapes differ"},
		"axis":      {func() { x.Sum(2) }, "Sum [64,128]: no axis 2"},
		"nothing":   {func() { New(b, 3, 0).Max(1) }, "Max [3,0]: of an axis of size 0"},
		"concat":    {func() { Concat(0, x, New(b, 64, 127)) }, "Concat [64,128] x [64,127]: one backend"},
		"ints":      {func() { x.Add(Ints(b, make([]int32, 64*128), 64, 128)) }, "of int32"},
	} {
		err := Try(c.f)
		var se *ShapeError
		if !errors.As(err, &se) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
