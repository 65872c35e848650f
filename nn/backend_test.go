package nn

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// backend is the CPU's, with the rows that SECTILE_KERNELS pins.
func backend(t testing.TB) kernels.Backend {
	t.Helper()
	b, err := kernels.Default()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seeded is the tests' random stream.
func seeded() *tensor.RNG { return tensor.NewRNG(1, "nn test") }
