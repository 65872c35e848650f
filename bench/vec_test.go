package bench

import (
	"fmt"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// vecBackends runs f for each instruction set this machine has, on a team of
// one thread and of all.
func vecBackends(b *testing.B, f func(b *testing.B, c *kernels.CPU)) {
	for _, isa := range []string{"avx512", "avx2", "go"} {
		for _, threads := range []int{1, 0} {
			pins, err := kernels.ParsePins(isa)
			if err != nil {
				b.Skip(err)
			}
			c := kernels.NewCPU(kernels.NewTeam(threads), pins)
			b.Run(fmt.Sprintf("impl=%s/threads=%d", isa, c.Team().Size()), func(b *testing.B) {
				c.Enter()
				defer c.Leave()
				b.ReportAllocs()
				f(b, c)
			})
			c.Team().Close()
		}
	}
}

// perSecond reports what one iteration moves or computes.
func perSecond(b *testing.B, elements, bytes int) {
	s := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(1e-9*float64(elements)/s, "Gelem/s")
	b.ReportMetric(1e-9*float64(bytes)/s, "GB/s")
}

func vecFloats(b *testing.B, n int) kernels.Mem {
	c, err := kernels.Default()
	if err != nil {
		b.Fatal(err)
	}
	m, err := c.Alloc(kernels.Float32, n)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Free(m) })
	for i, v := 0, m.F32(); i < n; i++ {
		v[i] = float32(i%1021)/256 - 2
	}
	return m
}

func BenchmarkMap(b *testing.B) {
	ops := []struct {
		name    string
		op      kernels.MapOp
		streams int
	}{
		{"copy", kernels.MapCopy, 2}, {"add", kernels.MapAdd, 3}, {"axpy", kernels.MapAXPY, 3},
		{"relugrad", kernels.MapReLUGrad, 3}, {"exp", kernels.MapExp, 2}, {"log", kernels.MapLog, 2}, {"sqrt", kernels.MapSqrt, 2},
	}
	for _, n := range []int{4096, 1 << 18, 1 << 24} {
		x, y, d := vecFloats(b, n), vecFloats(b, n), vecFloats(b, n)
		for _, o := range ops {
			b.Run(fmt.Sprintf("op=%s/n=%d", o.name, n), func(b *testing.B) {
				vecBackends(b, func(b *testing.B, c *kernels.CPU) {
					for b.Loop() {
						c.Map(&kernels.MapArgs{Op: o.op, N: n, Dst: d, A: x, B: y, S: 1.5})
					}
					perSecond(b, n, 4*n*o.streams)
				})
			})
		}
	}
}

func BenchmarkBroadcast(b *testing.B) {
	const rows, cols = 12544, 256
	x, bias, d := vecFloats(b, rows*cols), vecFloats(b, cols), vecFloats(b, rows*cols)
	b.Run("op=bias/rows=12544/c=256", func(b *testing.B) {
		vecBackends(b, func(b *testing.B, c *kernels.CPU) {
			for b.Loop() {
				c.Broadcast(&kernels.BroadcastArgs{Op: kernels.MapAdd, Dims: [4]int{1, 1, rows, cols},
					SA: [4]int{0, 0, cols, 1}, SB: [4]int{0, 0, 0, 1}, Dst: d, A: x, B: bias})
			}
			perSecond(b, rows*cols, 8*rows*cols)
		})
	})
}

func BenchmarkReduce(b *testing.B) {
	shapes := []struct {
		name               string
		op                 kernels.ReduceOp
		outer, axis, inner int
	}{
		{"spatial-mean", kernels.ReduceMean, 64, 49, 2048},
		{"column-sum", kernels.ReduceSum, 1, 50176, 64},
		{"column-sum", kernels.ReduceSum, 1, 12544, 256},
		{"column-sum", kernels.ReduceSum, 1, 256, 8000},
		{"row-sum", kernels.ReduceSum, 512, 8000, 1},
		{"row-max", kernels.ReduceMax, 512, 8000, 1},
		{"row-argmax", kernels.ReduceArgMax, 512, 8000, 1},
	}
	for _, s := range shapes {
		n := s.outer * s.axis * s.inner
		x, y := vecFloats(b, n), vecFloats(b, s.outer*s.inner)
		if s.op == kernels.ReduceArgMax {
			y = y.As(kernels.Int32)
		}
		b.Run(fmt.Sprintf("op=%s/shape=%dx%dx%d", s.name, s.outer, s.axis, s.inner), func(b *testing.B) {
			vecBackends(b, func(b *testing.B, c *kernels.CPU) {
				for b.Loop() {
					c.Reduce(&kernels.ReduceArgs{Op: s.op, Outer: s.outer, Axis: s.axis, Inner: s.inner, X: x, Y: y})
				}
				perSecond(b, n, 4*n)
			})
		})
	}
}

// BenchmarkSoftmax has SwAV's sizes: 64 images, 8 crops, 3000 prototypes, and a
// queue of 3840.
func BenchmarkSoftmax(b *testing.B) {
	const rows, cols = 512, 3000
	x, y, q := vecFloats(b, rows*cols), vecFloats(b, rows*cols), vecFloats(b, rows*cols)
	lse, one, v := vecFloats(b, rows), vecFloats(b, 1), vecFloats(b, cols)
	labels := kernels.I32Mem(make([]int32, rows))
	mat := func(m kernels.Mem) kernels.Mat { return kernels.Mat{Mem: m, Ld: cols} }
	for _, o := range []struct {
		name string
		run  func(c *kernels.CPU)
	}{
		{"logsoftmax", func(c *kernels.CPU) {
			c.LogSoftmax(&kernels.LogSoftmaxArgs{Rows: rows, C: cols, X: x, Y: y})
		}},
		{"crossentropy", func(c *kernels.CPU) {
			c.CrossEntropy(&kernels.CrossEntropyArgs{Rows: rows, C: cols, X: x, Labels: labels, Loss: one, LSE: lse})
		}},
		{"crossentropy-grad", func(c *kernels.CPU) {
			c.CrossEntropyGrad(&kernels.CrossEntropyArgs{Rows: rows, C: cols, X: x, Labels: labels, DLoss: one, LSE: lse, DX: y})
		}},
		{"softcrossentropy", func(c *kernels.CPU) {
			c.SoftCrossEntropy(&kernels.SoftCrossEntropyArgs{Rows: rows, C: cols, X: mat(x), Q: mat(q), InvT: 10, Weight: 1, Loss: one, LSE: lse})
		}},
		{"softcrossentropy-grad", func(c *kernels.CPU) {
			c.SoftCrossEntropyGrad(&kernels.SoftCrossEntropyArgs{Rows: rows, C: cols, X: mat(x), Q: mat(q), InvT: 10, Weight: 1, DLoss: one, LSE: lse, DX: mat(y)})
		}},
		{"sinkhorn-rows", func(c *kernels.CPU) {
			c.LSE(&kernels.LSEArgs{Rows: rows, C: cols, X: mat(x), Scale: 20, V: v, Out: lse})
		}},
		{"sinkhorn-cols", func(c *kernels.CPU) {
			c.LSE(&kernels.LSEArgs{Rows: rows, C: cols, X: mat(x), Scale: 20, U: lse, ByCol: true, Out: v})
		}},
		{"sinkhorn-codes", func(c *kernels.CPU) {
			c.SinkhornCodes(&kernels.SinkhornCodesArgs{Rows: rows, C: cols, X: mat(x), Scale: 20, U: lse, V: v, Q: mat(y)})
		}},
	} {
		b.Run(fmt.Sprintf("op=%s/shape=%dx%d", o.name, rows, cols), func(b *testing.B) {
			vecBackends(b, func(b *testing.B, c *kernels.CPU) {
				o.run(c)
				for b.Loop() {
					o.run(c)
				}
				perSecond(b, rows*cols, 4*rows*cols)
			})
		})
	}
}

// BenchmarkOptim sweeps ResNet-50's parameters: 161 tensors, 25.6 million.
func BenchmarkOptim(b *testing.B) {
	var spans []kernels.Span
	total := 0
	for i := range 161 {
		n := 64 << (i % 6)
		if i%3 == 0 {
			n = 465_000
		}
		spans = append(spans, kernels.Span{P: vecFloats(b, n), G: vecFloats(b, n), M: vecFloats(b, n), V: vecFloats(b, n), Decay: 1e-6, Adapt: true})
		total += n
	}
	norms := kernels.F64Mem(make([]float64, 2*len(spans)))
	work := vecFloats(b, 1<<15)
	for _, o := range []struct {
		name    string
		streams int // reads and writes of each parameter
		run     func(c *kernels.CPU)
	}{
		{"norms", 2, func(c *kernels.CPU) {
			c.SquareNorms(&kernels.SquareNormsArgs{Spans: spans, Out: norms, Work: work})
		}},
		{"larc", 5, func(c *kernels.CPU) {
			c.Update(&kernels.UpdateArgs{Kind: kernels.UpdateLARC, Spans: spans, Norms: norms, LR: 1e-9, Momentum: 0.9, Trust: 1e-3})
		}},
		{"adam", 7, func(c *kernels.CPU) {
			c.Update(&kernels.UpdateArgs{Kind: kernels.UpdateAdam, Spans: spans, LR: 1e-9, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8})
		}},
		{"ema", 3, func(c *kernels.CPU) { c.EMA(&kernels.EMAArgs{Spans: spans, Momentum: 0.999}) }},
	} {
		b.Run("op="+o.name, func(b *testing.B) {
			vecBackends(b, func(b *testing.B, c *kernels.CPU) {
				o.run(c)
				for b.Loop() {
					o.run(c)
				}
				perSecond(b, total, 4*total*o.streams)
			})
		})
	}
}
