package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestConvGuard puts the end of every operand before an unreadable page.
func TestConvGuard(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for i, s := range slices.Concat(convShapes, winogradShapes[:5], polyphaseShapes[:6], fewShapes) {
			if s.N == 0 {
				continue
			}
			surround(s, uint64(i), func(c convCase) {
				d := c.data()
				want, wantPart := c.run(t, cpu, d)
				var frees []func()
				alloc := func(n int) Mem {
					m, free := guarded(t, n)
					frees = append(frees, free)
					return m
				}
				a := c.args(d, func(v []float32) Mem {
					m := alloc(len(v))
					copy(m.F32(), v)
					return m
				})
				c.prepare(cpu, a, alloc)
				runConv(cpu, a)
				if i := differ(want, c.out(a).F32()); i >= 0 {
					t.Errorf("%v: element %d changed", c, i)
				}
				if i := differ(wantPart, a.Epi.Stats.Part.F32()); i >= 0 {
					t.Errorf("%v: statistic %d changed", c, i)
				}
				for _, free := range frees {
					free()
				}
			})
		}
	})
}

// TestConvSpecial: infinities and NaN reach exactly the outputs that the
// reference says; padding taps are products with +0, except that a weight
// gradient may skip them (so its shapes have no padding).
func TestConvSpecial(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for _, s := range []ConvShape{square(2, 7, 3, 10, 3, 1, 1), square(1, 9, 40, 33, 3, 2, 1), square(1, 6, 32, 32, 1, 1, 0)} {
			surround(s, 3, func(c convCase) {
				if c.pass == PassGradWeight {
					c.PadH, c.PadW = 0, 0
				}
				d := c.data()
				r := rand.New(rand.NewPCG(5, 6))
				for _, v := range [][]float32{d.x, d.w, d.y} {
					v[r.IntN(len(v))] = float32(math.NaN())
					v[r.IntN(len(v))] = float32(math.Inf(1))
					v[r.IntN(len(v))] = float32(math.Inf(-1))
				}
				want, _ := c.reference(d)
				got, _ := c.run(t, cpu, d)
				for i, w := range want {
					g := float64(got[i])
					if math.IsNaN(w) != math.IsNaN(g) || math.IsInf(w, 1) != math.IsInf(g, 1) || math.IsInf(w, -1) != math.IsInf(g, -1) {
						t.Fatalf("%v: element %d is %g, want %g", c, i, g, w)
					}
				}
			})
		}
	})
}

// TestConvAllocs: a call allocates nothing once its jobs exist.
func TestConvAllocs(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		for _, threads := range []int{1, 2} {
			cpu := onRow(k, threads)
			defer cpu.team.Close()
			for _, s := range []ConvShape{square(4, 14, 32, 32, 3, 1, 1), square(4, 14, 3, 32, 3, 2, 1), square(4, 9, 64, 64, 3, 1, 1), square(4, 15, 64, 64, 3, 2, 1),
				few(4, 9, 9, 40, 1, 1, 3, 2, 1, 1), few(4, 9, 9, 10, 4, 4, 3, 1, 1, 1)} {
				surround(s, 1, func(c convCase) {
					a := c.args(c.data(), func(v []float32) Mem { return F32Mem(slices.Clone(v)) })
					c.prepare(cpu, a, poisoned)
					if n := testing.AllocsPerRun(5, func() { runConv(cpu, a) }); n > 0 {
						t.Errorf("%v on %d threads: %g allocations", c, threads, n)
					}
				})
			}
		}
	})
}

// TestConvPrepared: prepared weights serve every batch and image size, and
// those of another row are refused.
func TestConvPrepared(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for _, pass := range []Pass{PassForward, PassGradInput} {
			for _, channels := range []int{20, 64} {
				convPrepared(t, cpu, pass, channels)
			}
		}
	})
}

func convPrepared(t *testing.T, cpu *CPU, pass Pass, channels int) {
	small := convCase{ConvShape: square(1, 1, channels, channels+16, 3, 2, 1), pass: pass, prepared: true}
	large := convCase{ConvShape: square(3, 11, channels, channels+16, 3, 2, 1), pass: pass}
	d := large.data()
	want, _ := large.run(t, cpu, d)
	clones := func(v []float32) Mem { return F32Mem(slices.Clone(v)) }
	b := small.args(d, clones)
	small.prepare(cpu, b, poisoned)
	a := large.args(d, clones)
	a.Prepared = b.Prepared
	runConv(cpu, a)
	if i := differ(want, large.out(a).F32()); i >= 0 {
		t.Errorf("pass %d: element %d is %g, want %g", pass, i, large.out(a).F32()[i], want[i])
	}
	a.Prepared = &Prepared{Mem: b.Prepared.Mem, Row: "another"}
	defer func() {
		if _, ok := recover().(*ArgError); !ok {
			t.Errorf("pass %d: weights of another row were taken", pass)
		}
	}()
	runConv(cpu, a)
}
