package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

type gemmShape struct {
	name    string
	m, n, k int
	ta, tb  bool
}

var gemmShapes = []gemmShape{
	{"cube", 64, 64, 64, false, false},
	{"cube", 128, 128, 128, false, false},
	{"cube", 256, 256, 256, false, false},
	{"cube", 512, 512, 512, false, false},
	{"cube", 1024, 1024, 1024, false, false},
	{"cube", 2048, 2048, 2048, false, false},
	{"cube", 1024, 1024, 1024, false, true},
	{"cube", 1024, 1024, 1024, true, false},
	{"r50", 100352, 64, 64, false, false},
	{"r50", 25088, 128, 512, false, false},
	{"r50", 6272, 256, 1024, false, false},
	{"queue", 256, 65536, 128, false, true},
	{"protos", 512, 3000, 128, false, true},
	{"wgrad", 256, 64, 100352, true, false},
	{"dgrad", 100352, 256, 64, false, true},
	{"r50", 1568, 2048, 512, false, false},
	{"skinny", 1, 1000, 512, false, false},
	{"skinny", 4, 1000, 512, false, false},
	{"skinny", 16, 1000, 2048, false, true},
}

// BenchmarkGemm is the product of every shape that the methods use.
func BenchmarkGemm(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, s := range gemmShapes {
			name := fmt.Sprintf("shape=%s/m=%d/n=%d/k=%d/trans=%s/threads=%d", s.name, s.m, s.n, s.k, trans(s), threads)
			b.Run(name, func(b *testing.B) { benchGemm(b, s, threads) })
		}
	}
}

func trans(s gemmShape) string {
	t := []byte("NN")
	if s.ta {
		t[0] = 'T'
	}
	if s.tb {
		t[1] = 'T'
	}
	return string(t)
}

func benchGemm(b *testing.B, s gemmShape, threads int) {
	team := kernels.NewTeam(threads)
	defer team.Close()
	c := kernels.NewCPU(team, kernels.Pins{})
	lda, ldb := s.k, s.n
	if s.ta {
		lda = s.m
	}
	if s.tb {
		ldb = s.k
	}
	a := &kernels.GemmArgs{M: s.m, N: s.n, K: s.k, TransA: s.ta, TransB: s.tb,
		A: kernels.Mat{Mem: random(b, c, s.m*s.k), Ld: lda},
		B: kernels.Mat{Mem: random(b, c, s.k*s.n), Ld: ldb},
		C: kernels.Mat{Mem: random(b, c, s.m*s.n), Ld: s.n},
	}
	a.Work = random(b, c, c.Workspace(a)/4)
	defer func() {
		for _, m := range []kernels.Mem{a.A.Mem, a.B.Mem, a.C.Mem, a.Work} {
			c.Free(m)
		}
	}()
	c.Enter()
	defer c.Leave()
	reportRates(b, threads, 2*float64(s.m)*float64(s.n)*float64(s.k), func() { c.Gemm(a) })
}

func random(b *testing.B, c *kernels.CPU, n int) kernels.Mem {
	m, err := c.Alloc(kernels.Float32, n)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i, s := 0, m.F32(); i < n; i++ {
		s[i] = 2*r.Float32() - 1
	}
	return m
}
