package tensor

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

func TestTensorCreation(t *testing.T) {
	b := Default()
	if x := New(b); x.Len() != 1 || x.Rank() != 0 || x.Float32s()[0] != 0 {
		t.Errorf("scalar: %v %v", x, x.Float32s())
	}
	x := From(b, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if got := x.Float32s(); !slices.Equal(got, []float32{1, 2, 3, 4, 5, 6}) {
		t.Errorf("From: %v", got)
	}
	if x.String() != "float32 [2,3]" || x.Dim(1) != 3 || x.Type() != kernels.Float32 {
		t.Errorf("x = %v", x)
	}
	if got := Ints(b, []int32{7, -1}, 2).Mem().I32(); !slices.Equal(got, []int32{7, -1}) {
		t.Errorf("Ints: %v", got)
	}
	if e := New(b, 3, 0, 2); e.Len() != 0 || len(e.Float32s()) != 0 {
		t.Errorf("empty: %v", e)
	}
	arena := make([]float32, 4)
	o := Of(b, kernels.F32Mem(arena), 2, 2)
	o.SetFloat32s([]float32{1, 2, 3, 4})
	if arena[3] != 4 {
		t.Error("Of does not write where it was told")
	}
}

func TestTensorViews(t *testing.T) {
	b := Default()
	x := From(b, []float32{1, 2, 3, 4, 5, 6}, 3, 2)
	r := x.Rows(1, 3)
	if got := r.Float32s(); !slices.Equal(got, []float32{3, 4, 5, 6}) {
		t.Fatalf("Rows: %v", got)
	}
	v := x.Version()
	r.Reshape(-1).SetFloat32s([]float32{30, 40, 50, 60})
	if got := x.Float32s(); !slices.Equal(got, []float32{1, 2, 30, 40, 50, 60}) {
		t.Errorf("write through a view: %v", got)
	}
	if x.Version() <= v || x.Version() != r.Version() {
		t.Errorf("version %d -> %d, view %d", v, x.Version(), r.Version())
	}
	c := x.Clone()
	c.Fill(9)
	if x.Float32s()[0] != 1 || c.Float32s()[5] != 9 {
		t.Error("Clone shares memory")
	}
	if got := x.Rows(3, 3); got.Len() != 0 {
		t.Errorf("no rows: %v", got)
	}
}

func TestTensorMistakes(t *testing.T) {
	b := Default()
	x := New(b, 2, 3)
	gone := New(b, 4)
	view := gone.Reshape(2, 2)
	gone.Release()
	gone.Release()
	for name, c := range map[string]struct {
		f    func()
		want string
	}{
		"values":   {func() { From(b, make([]float32, 5), 2, 3) }, "From [2,3]: 5 values"},
		"negative": {func() { New(b, 2, -3) }, "New [2,-3]: dimensions"},
		"overflow": {func() { New(b, math.MaxInt32, math.MaxInt32, 8) }, "product fits an int"},
		"axis":     {func() { x.Dim(2) }, "Dim [2,3]: no axis 2"},
		"reshape":  {func() { x.Reshape(4, -1) }, "Reshape [2,3]: 6 elements do not make [4,-1]"},
		"rows":     {func() { x.Rows(1, 3) }, "Rows [2,3]: no rows 1 to 3"},
		"released": {func() { view.Float32s() }, "CopyTo [2,2]: use after Release"},
		"type":     {func() { Ints(b, []int32{1}, 1).Float32s() }, "of int32"},
	} {
		err := Try(c.f)
		var se *ShapeError
		if !errors.As(err, &se) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		} else if !strings.HasPrefix(se.At, "tensor_test.go:") {
			t.Errorf("%s: raised at %q", name, se.At)
		}
	}
}
