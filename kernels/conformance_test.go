package kernels_test

import (
	"fmt"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/kernels/kernelstest"
)

// TestConformance holds the CPU to the suite of all backends: every instruction
// set that this machine has, alone and with three threads.
func TestConformance(t *testing.T) {
	tier := kernelstest.Tier3
	if testing.Short() {
		tier = kernelstest.Tier1
	}
	for _, isa := range []string{"go", "avx2", "avx512"} {
		pins, err := kernels.ParsePins(isa)
		if err != nil {
			t.Logf("not tested here: %v", err)
			continue
		}
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/threads=%d", isa, threads), func(t *testing.T) {
				tier := tier
				if isa == "go" && threads == 1 {
					tier = kernelstest.Tier1 // the slowest rows, once is enough
				}
				team := kernels.NewTeam(threads)
				defer team.Close()
				kernelstest.Run(t, kernels.NewCPU(team, pins), tier)
			})
		}
	}
}
