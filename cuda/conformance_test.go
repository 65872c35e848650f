package cuda

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels/kernelstest"
)

// TestConformance holds the device, on the emulator, to the suite of all
// backends: every op that is not a product or a convolution.
func TestConformance(t *testing.T) {
	kernelstest.Run(t, emulated(t), kernelstest.Tier1, "norm", "pool", "softmax", "elementwise", "reduce", "optim")
}
