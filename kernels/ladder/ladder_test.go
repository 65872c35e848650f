package ladder

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRungs compares every rung with float64 on shapes below, on and above
// the tiles and the blocks.
func TestRungs(t *testing.T) {
	for _, r := range Rungs() {
		t.Run(r.Name, func(t *testing.T) {
			if r.Skip != "" {
				t.Skip(r.Skip)
			}
			for _, s := range [][3]int{
				{1, 1, 1}, {2, 4, 3}, {3, 5, 7}, {12, 32, 16}, {13, 33, 1}, {64, 64, 64}, {7, 100, blockK + 1},
				{blockM + 5, 40, 9}, {5, blockN + 3, 11}, {100, 70, 2*blockK + 3}, {4, 4, 0},
			} {
				t.Run(fmt.Sprintf("m=%d/n=%d/k=%d", s[0], s[1], s[2]), func(t *testing.T) { testProduct(t, r.Product, s[0], s[1], s[2]) })
			}
		})
	}
}

func testProduct(t *testing.T, f Product, m, n, k int) {
	r := rand.New(rand.NewPCG(uint64(m), uint64(n)))
	random := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = 2*r.Float32() - 1
		}
		return s
	}
	const guard = 3
	a, b, c := random(m*k), random(k*n), random(m*n+guard)
	behind := slices.Clone(c[m*n:])
	f(m, n, k, a, b, c[:m*n:m*n])
	for i := range m {
		for j := range n {
			var sum, abs float64
			for p := range k {
				x := float64(a[i*k+p]) * float64(b[p*n+j])
				sum += x
				abs += math.Abs(x)
			}
			if err := math.Abs(float64(c[i*n+j]) - sum); !(err <= float64(k+2)*0x1p-24*abs) {
				t.Fatalf("c[%d][%d] = %v, want %v", i, j, c[i*n+j], sum)
			}
		}
	}
	if !slices.Equal(c[m*n:], behind) {
		t.Fatal("wrote behind C")
	}
}
