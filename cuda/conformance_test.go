package cuda

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels/kernelstest"
)

// TestConformance holds the device, on the emulator, to the suite of all
// backends.
func TestConformance(t *testing.T) {
	kernelstest.Run(t, emulated(t), kernelstest.Tier1, "gemm", "conv", "norm", "pool", "softmax", "elementwise", "reduce", "optim")
}
