package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
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
func seeded() *rand.PCG { return rand.NewPCG(1, 2) }
