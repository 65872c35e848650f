package kernels

import (
	"math"
	"testing"
)

// TestConvPast: a destination that is stored past the caches, directly and
// through a block's sums, gets the bits that adding to zeros gives. The latter
// never goes past.
func TestConvPast(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		if k.RowPast == nil {
			return // stores nothing past the caches
		}
		cpu := onRow(k, 2)
		for _, c := range []convCase{
			{ConvShape: square(1, 520, 48, 16, 1, 1, 0), pass: PassGradInput},
			{ConvShape: square(1, 520, 16, 48, 1, 1, 0), pass: PassForward},
			{ConvShape: square(1, 521, 16, 16, 3, 2, 1), pass: PassGradInput},
			{ConvShape: square(1, 519, 48, 16, 1, 2, 0), pass: PassGradInput},
			{ConvShape: few(1, 520, 520, 16, 1, 1, 3, 1, 1, 1), pass: PassForward},
			{ConvShape: few(1, 521, 521, 4, 4, 4, 3, 2, 1, 1), pass: PassGradInput},
		} {
			var out [2][]float32
			for i, add := range []bool{false, true} {
				c.acc = add
				d := c.data()
				a := c.args(d, func(v []float32) Mem {
					m, err := cpu.Alloc(Float32, len(v))
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { cpu.Free(m) })
					copy(m.F32(), v)
					return m
				})
				for i, v := 0, c.out(a).F32(); i < len(v); i++ {
					v[i] = 0
					if !add {
						v[i] = float32(math.NaN())
					}
				}
				c.prepare(cpu, a, poisoned)
				runConv(cpu, a)
				out[i] = c.out(a).F32()
			}
			equalBits(t, c.String(), out[0], out[1])
		}
	})
}
