package kernels

import (
	"testing"
	"time"

	"github.com/sectile-ml/sectile/asm"
)

func TestPeak(t *testing.T) {
	for _, isa := range []asm.ISA{asm.AVX2, asm.AVX512, asm.AVX512BF16} {
		for _, threads := range []int{1, 2} {
			p := Peak(threads, isa, 20*time.Millisecond)
			if (p > 0) != asm.Has(isa) {
				t.Errorf("%v: peak %g GFLOP/s", isa, p)
			}
			t.Logf("%v, %d threads: %.1f GFLOP/s", isa, threads, p)
		}
	}
	if p := Peak(0, asm.AVX2, time.Millisecond); p != 0 {
		t.Errorf("no threads: peak %g", p)
	}
}
