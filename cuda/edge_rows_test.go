package cuda

import (
	"fmt"
	"math"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

var (
	nan32 = float32(math.NaN())
	inf32 = float32(math.Inf(1))
)

func TestEdgeRows(t *testing.T) {
	d := emulated(t)
	for _, s := range [][2]int{{1, 1}, {9, 130}, {3, 600}, {2, 1030}, {70, 200}} {
		rows, c := s[0], s[1]
		n := rows * c
		compareEdge(t, d, fmt.Sprintf("normalize %dx%d", rows, c), func(e *edge) {
			v := e.draw(n, -1, 1)
			for i := range c {
				v[i] *= 1e-20 // the first row is clamped
			}
			a := kernels.RowNormalizeArgs{Rows: rows, C: c, X: e.hold(v), Norm: e.in(rows, 0, 1)}
			a.Y = a.X
			e.b.RowNormalize(&a)
			e.out("y", a.Y, 16)
			e.out("norm", a.Norm, 16)
			g := kernels.RowNormalizeArgs{Rows: rows, C: c, Y: e.in(n, -0.1, 0.1), DY: e.in(n, -1, 1), DX: e.in(n, -1, 1), Norm: e.in(rows, 1, 2), Accumulate: true}
			e.b.RowNormalizeGrad(&g)
			e.out("dx", g.DX, 64)
			clamped := g
			clamped.Rows, clamped.Norm, clamped.DX, clamped.Accumulate = 1, e.hold([]float32{1e-12}), e.in(n, 0, 1), false
			e.b.RowNormalizeGrad(&clamped)
			e.out("dx of a clamped row", clamped.DX, 1)
		})
		compareEdge(t, d, fmt.Sprintf("softmax %dx%d", rows, c), func(e *edge) {
			v := e.draw(n, -30, 30)
			v[0] = -inf32
			v[n-1] += 60
			a := kernels.LogSoftmaxArgs{Rows: rows, C: c, X: e.hold(v), Y: e.in(n, 0, 1)}
			if n > 1 {
				e.b.LogSoftmax(&a)
				e.out("y", a.Y, 128)
			}
			g := kernels.LogSoftmaxArgs{Rows: rows, C: c, Y: e.in(n, -120, 0), DY: e.in(n, -1, 1), DX: e.in(n, -1, 1), Accumulate: true}
			e.b.LogSoftmaxGrad(&g)
			e.out("dx", g.DX, 16*float64(c))
		})
		compareEdge(t, d, fmt.Sprintf("cross-entropy %dx%d", rows, c), func(e *edge) {
			labels, none := make([]int32, rows), make([]int32, rows)
			for i := range labels {
				labels[i], none[i] = int32((i*31+c-1)%c), -1
			}
			x := e.in(n, -50, 50)
			for _, l := range [][]int32{labels, none} {
				a := kernels.CrossEntropyArgs{Rows: rows, C: c, X: x, Labels: e.ints(l...), Loss: e.in(1, 0, 1), LSE: e.in(rows, 0, 1)}
				e.b.CrossEntropy(&a)
				e.out("loss", a.Loss, 256)
				e.out("lse", a.LSE, 128)
				a.DLoss, a.DX, a.Accumulate = e.in(1, 1, 2), e.in(n, -1, 1), true
				e.b.CrossEntropyGrad(&a)
				e.out("dx", a.DX, 256)
			}
		})
	}
}

// TestLogSumExpOfInfinities holds the running pair to the definitions of the
// backend where differences of infinities appear, in all three phases.
func TestLogSumExpOfInfinities(t *testing.T) {
	d := emulated(t)
	rows := [][]float32{
		{-inf32, -inf32, -inf32, -inf32, -inf32},
		{inf32, 1, inf32, 2, -inf32},
		{1, nan32, 2, 3, 4},
		{-inf32, 5, -inf32, -200, 6},
		{3e38, -3e38, 1, 0, 3e38},
		{-200, -200, -201, -199, -200},
	}
	n, c := len(rows), len(rows[0])
	for _, byCol := range []bool{false, true} {
		for phase := range 3 {
			compareEdge(t, d, fmt.Sprintf("by column %v phase %d", byCol, phase), func(e *edge) {
				m := make([]float32, n*c)
				for r, row := range rows {
					for k, v := range row {
						if byCol {
							m[k*n+r] = v
						} else {
							m[r*c+k] = v
						}
					}
				}
				a := kernels.LSEArgs{Rows: n, C: c, Scale: 1, ByCol: byCol, Phase: phase, Out: e.in(n, 0, 1)}
				if byCol {
					a.Rows, a.C = c, n
				}
				a.X = kernels.Mat{Mem: e.hold(m), Ld: a.C}
				if phase == 2 {
					a.Max = e.hold([]float32{-inf32, inf32, 4, 6, 3e38, -199})
				}
				e.b.LSE(&a)
				e.out("out", a.Out, 64)
			})
		}
	}
}

func TestEdgeLSE(t *testing.T) {
	d := emulated(t)
	for _, s := range [][2]int{{300, 7}, {2, 700}, {65, 66}, {1, 1}} {
		rows, c := s[0], s[1]
		for _, with := range []string{"", "u", "v", "uv"} {
			compareEdge(t, d, fmt.Sprintf("%dx%d %s", rows, c, with), func(e *edge) {
				var u, v kernels.Mem
				if with == "u" || with == "uv" {
					u = e.in(rows, -3, 3)
				}
				if with == "v" || with == "uv" {
					v = e.in(c, -3, 3)
				}
				x := kernels.Mat{Mem: e.in(rows*(c+4), -1, 1), Ld: c + 4}
				for _, byCol := range []bool{false, true} {
					n := rows
					if byCol {
						n = c
					}
					a := kernels.LSEArgs{Rows: rows, C: c, X: x, Scale: -20, U: u, V: v, ByCol: byCol, Out: e.in(n, 0, 1)}
					e.b.LSE(&a)
					e.out("lse", a.Out, 128)
					a.Phase, a.Out = 1, e.in(n, 0, 1)
					e.b.LSE(&a)
					e.out("max", a.Out, 128)
					a.Phase, a.Max, a.Out = 2, e.in(n, 15, 16), e.in(n, 0, 1)
					e.b.LSE(&a)
					e.out("sum", a.Out, 1e5*float64(n))
				}
				q := kernels.Mat{Mem: e.in(rows*(c+8), 0, 1), Ld: c + 8}
				e.b.SinkhornCodes(&kernels.SinkhornCodesArgs{Rows: rows, C: c, X: x, Scale: 5, U: u, V: v, Q: q})
				e.out("codes", q.Mem, 1e6)
			})
		}
	}
}

func TestEdgeReduce(t *testing.T) {
	d := emulated(t)
	for _, s := range [][3]int{{1, 40000, 1}, {2, 700, 1}, {1, 1000, 3}, {3, 130, 40}, {70, 5, 2}} {
		for op := kernels.ReduceSum; op <= kernels.ReduceArgMax; op++ {
			compareEdge(t, d, fmt.Sprintf("op %d %v", op, s), func(e *edge) {
				n := s[0] * s[2]
				v := e.draw(n*s[1], -1, 1)
				if op >= kernels.ReduceMax {
					for i := range v {
						v[i] = float32(int(v[i]*3)) - 5 // many equal maxima
					}
					if len(v) > 50 {
						v[len(v)-3], v[len(v)-40] = nan32, nan32
						for i := range s[1] {
							v[i*s[2]] = -inf32 // nothing above -Inf
						}
					}
				}
				a := kernels.ReduceArgs{Op: op, Outer: s[0], Axis: s[1], Inner: s[2], X: e.hold(v), Accumulate: op < kernels.ReduceArgMax}
				if op == kernels.ReduceArgMax {
					a.Y = e.ints(make([]int32, n)...)
				} else {
					a.Y = e.in(n, -1, 1)
				}
				e.b.Reduce(&a)
				e.out("y", a.Y, 4*float64(s[1]))
			})
		}
	}
}
