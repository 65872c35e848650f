package bench

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/sectile-ml/sectile/kernels/ladder"
)

// BenchmarkLadder is every rung of kernels/ladder on one product of 512 cubed.
func BenchmarkLadder(b *testing.B) {
	const n = 512
	r := rand.New(rand.NewPCG(1, 2))
	x, y, z := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	for i := range x {
		x[i], y[i] = r.Float32()-0.5, r.Float32()-0.5
	}
	for _, rung := range ladder.Rungs() {
		b.Run("rung="+rung.Name, func(b *testing.B) {
			if rung.Skip != "" {
				b.Skip(rung.Skip)
			}
			threads := 1
			if rung.Threaded {
				threads = runtime.GOMAXPROCS(0)
			}
			reportRates(b, threads, 2*n*n*n, func() { rung.Product(n, n, n, x, y, z) })
		})
	}
}
