package kernels

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGemmBatch: a batch has the bits of its products one by one, on every row
// and team, whether a product is a tile or shared by the team; what lies between
// two C stays.
func TestGemmBatch(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		for _, threads := range []int{1, 3} {
			pins, err := ParsePins("gemm:" + k.Name)
			if err != nil {
				t.Fatal(err)
			}
			b := NewCPU(NewTeam(threads), pins)
			for _, s := range [][4]int{{2, 40, 50, 60}, {7, 1, 1, 1}, {9, 17, 70, 33}, {12, 180, 40, 20}, {8, 5, 3, 1000}, {7, 12, 64, 0}, {6, 200, 300, 129}} {
				for v := range 16 {
					ta, tb, acc, shared := v&1 != 0, v&2 != 0, v&4 != 0, v&8 != 0
					n, r := s[0], rand.New(rand.NewPCG(uint64(v), uint64(s[1])))
					a := GemmArgs{M: s[1], N: s[2], K: s[3], TransA: ta, TransB: tb, Accumulate: acc, Batch: n, StepC: s[1]*s[2] + 5}
					a.StepA = s[1]*s[3] + 1
					if !shared {
						a.StepB = s[2]*s[3] + 2
					}
					a.A = Mat{F32Mem(randFloats(r, n*a.StepA)), s[3]}
					a.B = Mat{F32Mem(randFloats(r, max(1, s[2]*s[3])+n*a.StepB)), s[2]}
					if ta {
						a.A.Ld = s[1]
					}
					if tb {
						a.B.Ld = s[3]
					}
					c := randFloats(r, n*a.StepC)
					a.Epi = Epilogue{Bias: F32Mem(randFloats(r, s[2])), ReLU: v%3 == 0}
					run := func(one bool) []float32 {
						out := slices.Clone(c)
						x := a
						x.C = Mat{F32Mem(out), s[2]}
						x.Work = F32Mem(make([]float32, b.Workspace(&x)/4+1))
						if !one {
							b.Gemm(&x)
							return out
						}
						for i := range n {
							p := x.Product(i)
							b.Gemm(&p)
						}
						return out
					}
					equalBits(t, fmt.Sprint(k.Name, " ", threads, " threads ", s, " variant ", v), run(false), run(true))
				}
			}
		}
	})
}

// TestGemmBatchRefuses: what only a single product may have.
func TestGemmBatchRefuses(t *testing.T) {
	for name, a := range map[string]GemmArgs{
		"prologue":   {Batch: 2, Pro: Prologue{Kind: ProAffine}},
		"residual":   {Batch: 2, Epi: Epilogue{Residual: Mat{F32Mem([]float32{1}), 1}}},
		"statistics": {Batch: 2, Epi: Epilogue{Stats: Stats{Part: F32Mem([]float32{1})}}},
	} {
		func() {
			defer func() {
				err, _ := recover().(error)
				var arg *ArgError
				if !errors.As(err, &arg) {
					t.Errorf("%s: %v", name, err)
				}
			}()
			a.Products()
		}()
	}
}

// BenchmarkGemmBatch is 64 products of 28 x 28 x 64 against the same one by
// one: what a batch saves is the team's barrier.
func BenchmarkGemmBatch(b *testing.B) {
	c := NewCPU(NewTeam(0), Pins{})
	r := rand.New(rand.NewPCG(1, 2))
	a := GemmArgs{M: 28, N: 28, K: 64, Batch: 64, StepA: 28 * 64, StepB: 28 * 64, StepC: 28 * 28}
	a.A, a.B, a.C = Mat{F32Mem(randFloats(r, 64*a.StepA)), 64}, Mat{F32Mem(randFloats(r, 64*a.StepB)), 28}, Mat{F32Mem(randFloats(r, 64*a.StepC)), 28}
	a.Work = F32Mem(make([]float32, c.Workspace(&a)/4+1))
	c.Enter()
	defer c.Leave()
	b.Run("batch", func(b *testing.B) {
		for b.Loop() {
			c.Gemm(&a)
		}
	})
	b.Run("one by one", func(b *testing.B) {
		for b.Loop() {
			for i := range a.Batch {
				p := a.Product(i)
				c.Gemm(&p)
			}
		}
	})
}
