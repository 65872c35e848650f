package emu

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/sectile-ml/sectile/cuda/driver"
)

func gemmText(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/gemm.ptx")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// gemm runs C[M,N] = A[M,K] B[N,K]ᵀ in bf16 and gives the relative error
// against float64.
func (r *rig) gemm(ptx string, m, n, k int) (float64, error) {
	f := r.kernel(ptx)
	rng := rand.New(rand.NewPCG(1, 2))
	matrix := func(rows int) ([]uint16, []float64) {
		u, v := make([]uint16, rows*k), make([]float64, rows*k)
		for i := range u {
			u[i] = bf16(float32(rng.NormFloat64()))
			v[i] = types["bf16"].unpack(uint64(u[i]))
		}
		return u, v
	}
	ua, a := matrix(m)
	ub, b := matrix(n)
	pc := r.empty(4 * m * n)
	err := r.try(f, driver.Dim3{X: uint32(n / 128), Y: uint32(m / 128), Z: 1}, x(128), 0,
		r.buffer(ua), r.buffer(ub), pc, uint32(k), uint32(k), uint32(k), uint32(n))
	if err != nil {
		return 0, err
	}
	c := make([]float32, m*n)
	r.read(c, pc)
	var num, den float64
	for i := range m {
		for j := range n {
			var s float64
			for p := range k {
				s += a[i*k+p] * b[j*k+p]
			}
			d := float64(c[i*n+j]) - s
			num, den = num+d*d, den+s*s
		}
	}
	return math.Sqrt(num / den), nil
}

func TestGemm(t *testing.T) {
	for _, s := range [][3]int{{128, 128, 64}, {128, 128, 96}, {256, 128, 160}, {256, 256, 128}} {
		r := newRig(t, Config{})
		t0 := time.Now()
		e, err := r.gemm(gemmText(t), s[0], s[1], s[2])
		if err != nil {
			t.Fatal(err)
		}
		el := time.Since(t0)
		c := r.Counters("gemm_bf16_128x128x32")
		t.Logf("%v rel err %.2e, %v, %.2f M/s, %+v", s, e, el, float64(c.Instructions)/el.Seconds()/1e6, c)
		if !(e < 1e-6) {
			t.Errorf("%v: relative error %g", s, e)
		}
	}
}
