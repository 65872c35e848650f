package tensor

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

func TestShapeErrorMessage(t *testing.T) {
	e := &ShapeError{Op: "MatMul", Operands: [][]int{{64, 128}, {256, 10}}, Rule: "inner 128 != 256"}
	if got, want := e.Error(), "MatMul [64,128] x [256,10]: inner 128 != 256"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTryConvertsOnlyMistakes(t *testing.T) {
	shape := Misuse("Op", "rule")
	memory := &MemoryError{Want: 1 << 20}
	for name, v := range map[string]any{
		"shape": shape, "memory": memory,
		"shape in a worker":  &kernels.WorkerPanic{Value: shape},
		"memory in a worker": &kernels.WorkerPanic{Value: memory},
		"wrapped":            fmt.Errorf("layer 3: %w", shape),
	} {
		err := Try(func() { panic(v) })
		if !errors.Is(err, shape) && !errors.Is(err, memory) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Try(func() {}); err != nil {
		t.Error(err)
	}
	for name, v := range map[string]any{
		"string": "boom", "other error": errors.New("boom"),
		"in a worker": &kernels.WorkerPanic{Value: "boom"},
		"bounds":      &kernels.BoundsError{},
	} {
		func() {
			defer func() {
				if recover() != v {
					t.Errorf("%s did not pass through", name)
				}
			}()
			err := Try(func() { panic(v) })
			t.Errorf("%s became %v", name, err)
		}()
	}
}
