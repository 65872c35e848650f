package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// softmaxBound is the relative error of a sum of n exponentials: 2 ulp each,
// the lanes, and logits of magnitude big rounded before they are raised.
func softmaxBound(n int, big float64) float64 {
	return laneBound(n, 1)/float64(n) + 4*eps + 4*eps*big
}

func TestLogSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	for _, c := range vecWidths() {
		rows := 1 + c%17
		x, dy, dx := vecRand(r, rows*c), vecRand(r, rows*c), vecRand(r, rows*c)
		for i := range x {
			x[i] = 5*x[i] + 100
		}
		for _, acc := range []bool{false, true} {
			conform(t, fmt.Sprintf("logsoftmax c=%d acc=%v", c, acc), func(s *stage) {
				rel := softmaxBound(c, 20)
				a := LogSoftmaxArgs{Rows: rows, C: c, X: s.in(x), Y: s.out(nans(rows*c), rel+40*eps, 0), Accumulate: acc}
				s.b.LogSoftmax(&a)
				a.DY, a.DX = s.in(dy), s.out(dx, (rel+80*eps)*2*float64(c)+4*eps, 2*eps)
				s.b.LogSoftmaxGrad(&a)
			})
		}
	}
	inf := float32(math.Inf(1))
	conform(t, "infinite rows", func(s *stage) {
		x := s.out([]float32{-inf, 0, 1, -inf, -inf, -inf, float32(math.NaN()), 0, 1, -inf, 0, 0}, 8*eps, 0)
		s.b.LogSoftmax(&LogSoftmaxArgs{Rows: 4, C: 3, X: x, Y: x})
	})
}

func TestCrossEntropy(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	for _, c := range vecWidths() {
		rows := 1 + c%17
		x, dx := vecRand(r, rows*c), vecRand(r, rows*c)
		labels := make([]int32, rows)
		for i := range labels {
			labels[i] = int32(r.IntN(c+1)) - 1
		}
		for _, acc := range []bool{false, true} {
			conform(t, fmt.Sprintf("crossentropy c=%d acc=%v", c, acc), func(s *stage) {
				rel := softmaxBound(c, 4)
				a := CrossEntropyArgs{Rows: rows, C: c, X: s.in(x), Labels: I32Mem(labels), Accumulate: acc,
					Loss: s.out(nans(1), rel+8*eps, eps), LSE: s.out(nans(rows), rel+8*eps, eps), DLoss: s.in([]float32{1.5})}
				s.b.CrossEntropy(&a)
				a.DX = s.out(dx, 2*rel+40*eps, 2*eps)
				s.b.CrossEntropyGrad(&a)
			})
		}
	}
}

func TestSoftCrossEntropy(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	for _, c := range vecWidths() {
		rows := 1 + c%17
		x, dx, loss := vecRand(r, rows*(c+2)), vecRand(r, rows*(c+1)), vecRand(r, 1)
		q := make([]float32, rows*c)
		for i := range q {
			q[i] = r.Float32() / float32(c)
		}
		for _, acc := range []bool{false, true} {
			conform(t, fmt.Sprintf("softcrossentropy c=%d acc=%v", c, acc), func(s *stage) {
				rel := softmaxBound(c, 20)
				a := SoftCrossEntropyArgs{Rows: rows, C: c, X: Mat{s.in(x), c + 2}, Q: Mat{s.in(q), c}, InvT: 5, Weight: 0.25, AccLoss: acc, Accumulate: acc,
					Loss: s.out(loss, float64(rows)*(2*rel+laneBound(c, 20)/float64(c)), 2*eps), LSE: s.out(nans(rows), rel+40*eps, eps), DLoss: s.in([]float32{2})}
				s.b.SoftCrossEntropy(&a)
				a.DX = Mat{s.out(dx, 8*rel+80*eps, 2*eps), c + 1}
				s.b.SoftCrossEntropyGrad(&a)
			})
		}
	}
}

func TestLSE(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 1))
	shapes := [][2]int{{400, 70}, {17, 1100}, {600, 20}, {200, 300}}
	for _, c := range vecWidths() {
		shapes = append(shapes, [2]int{1 + c%17, c})
	}
	for _, d := range shapes {
		rows, c := d[0], d[1]
		x, u, v := vecRand(r, rows*(c+1)), vecRand(r, rows), vecRand(r, c)
		for mask := range 8 {
			byCol := mask&4 != 0
			lines, n := rows, c
			if byCol {
				lines, n = c, rows
			}
			conform(t, fmt.Sprintf("lse [%d,%d] %b", rows, c, mask), func(s *stage) {
				rel := softmaxBound(n, 60) + float64(min(n, StatsChunk)+n/StatsChunk)*eps
				a := LSEArgs{Rows: rows, C: c, X: Mat{s.in(x), c + 1}, Scale: 20, ByCol: byCol}
				if mask&1 != 0 {
					a.U = s.in(u)
				}
				if mask&2 != 0 {
					a.V = s.in(v)
				}
				a.Out = s.out(nans(lines), rel+60*eps, 2*eps)
				s.b.LSE(&a)
				a.Phase, a.Out = 1, s.out(nans(lines), 120*eps, 0)
				s.b.LSE(&a)
				a.Phase, a.Max, a.Out = 2, a.Out, s.out(nans(lines), 0, rel+240*eps)
				s.b.LSE(&a)
				codes := SinkhornCodesArgs{Rows: rows, C: c, X: a.X, Scale: 20, U: a.U, V: a.V}
				codes.Q = Mat{s.out(nans(rows*c), 0, 200*eps), c}
				s.b.SinkhornCodes(&codes)
			})
		}
	}
	inf := float32(math.Inf(1))
	x := []float32{-inf, -inf, -inf, 1, -inf, 2, inf, -inf, 0}
	for _, byCol := range []bool{false, true} {
		conform(t, fmt.Sprintf("infinite lse by col %v", byCol), func(s *stage) {
			s.b.LSE(&LSEArgs{Rows: 3, C: 3, X: Mat{s.in(x), 3}, Scale: 1, ByCol: byCol, Out: s.out(nans(3), 8*eps, 0)})
		})
	}
}
