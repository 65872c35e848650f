package kernelstest

import (
	"fmt"
	"math/rand/v2"

	"github.com/sectile-ml/sectile/kernels"
)

func softmaxCases(tier Tier, r *rand.Rand) []testCase {
	var cases []testCase
	add := func(rows, c int) {
		name := fmt.Sprintf("%dx%d", rows, c)
		cases = append(cases,
			testCase{name + " normalize", func(h *harness) { runNormalize(h, rows, c) }},
			testCase{name + " log-softmax", func(h *harness) { runLogSoftmax(h, rows, c) }},
			testCase{name + " cross-entropy", func(h *harness) { runCrossEntropy(h, rows, c) }},
			testCase{name + " soft cross-entropy", func(h *harness) { runSoft(h, rows, c) }},
			testCase{name + " lse", func(h *harness) { runLSE(h, rows, c) }})
	}
	for _, c := range []int{1, 2, 15, 16, 17, 33, 100, 300} {
		add(3, c)
	}
	add(1, 10)
	add(170, 40)
	if tier >= Tier2 {
		for range 40 {
			add(1+r.IntN(400), 1+r.IntN(200))
		}
	}
	if tier >= Tier3 {
		add(512, 3000)
	}
	return cases
}

func runNormalize(h *harness, rows, c int) {
	a := kernels.RowNormalizeArgs{Rows: rows, C: c, X: h.in(rows * c), Y: h.in(rows * c), Norm: h.in(rows)}
	h.b.RowNormalize(&a)
	h.out("y", a.Y, 4)
	h.out("norm", a.Norm, 2*depth(c))
	for _, acc := range []bool{false, true} {
		g := a
		g.DY, g.DX, g.Accumulate = h.in(rows*c), h.in(rows*c), acc
		g.Norm = h.between(rows, 0.5, 2)
		h.b.RowNormalizeGrad(&g)
		h.out("dx", g.DX, 4*depth(c))
	}
}

func runLogSoftmax(h *harness, rows, c int) {
	a := kernels.LogSoftmaxArgs{Rows: rows, C: c, X: h.between(rows*c, -8, 8), Y: h.in(rows * c)}
	h.b.LogSoftmax(&a)
	h.out("y", a.Y, 32)
	for _, acc := range []bool{false, true} {
		g := kernels.LogSoftmaxArgs{Rows: rows, C: c, Y: h.between(rows*c, -8, 0), DY: h.in(rows * c), DX: h.in(rows * c), Accumulate: acc}
		h.b.LogSoftmaxGrad(&g)
		h.out("dx", g.DX, 8*depth(c))
	}
}

func runCrossEntropy(h *harness, rows, c int) {
	labels := make([]int32, rows)
	for i := range labels {
		if labels[i] = int32(i*7) % int32(c); i%5 == 4 {
			labels[i] = -100
		}
	}
	a := kernels.CrossEntropyArgs{Rows: rows, C: c, X: h.between(rows*c, -8, 8), Labels: h.ints(labels...), Loss: h.in(1), LSE: h.in(rows)}
	h.b.CrossEntropy(&a)
	h.out("loss", a.Loss, 64)
	h.out("lse", a.LSE, 32)
	for _, acc := range []bool{false, true} {
		g := a
		g.LSE, g.DLoss, g.DX, g.Accumulate = h.between(rows, 8, 9), h.in(1), h.in(rows*c), acc
		h.b.CrossEntropyGrad(&g)
		h.out("dx", g.DX, 32)
	}
}

func runSoft(h *harness, rows, c int) {
	mat := func(pad int, lo, hi float32) kernels.Mat {
		return kernels.Mat{Mem: h.between(rows*(c+pad), lo, hi), Ld: c + pad}
	}
	a := kernels.SoftCrossEntropyArgs{Rows: rows, C: c, X: mat(2, -1, 1), Q: mat(0, 0, 1), InvT: 10, Weight: 0.25, Loss: h.in(1), LSE: h.in(rows)}
	for _, acc := range []bool{false, true} {
		a.AccLoss = acc
		h.b.SoftCrossEntropy(&a)
	}
	h.out("loss", a.Loss, 16*float64(rows*c))
	h.out("lse", a.LSE, 64)
	g := a
	g.LSE, g.DLoss, g.DX = h.between(rows, 10, 11), h.in(1), mat(1, -1, 1)
	h.b.SoftCrossEntropyGrad(&g)
	g.Accumulate = true
	h.b.SoftCrossEntropyGrad(&g)
	h.out("dx", g.DX.Mem, 64*depth(c))
}

func runLSE(h *harness, rows, c int) {
	x := kernels.Mat{Mem: h.in(rows * (c + 1)), Ld: c + 1}
	u, v := h.in(rows), h.in(c)
	for _, byCol := range []bool{false, true} {
		n := rows
		if byCol {
			n = c
		}
		a := kernels.LSEArgs{Rows: rows, C: c, X: x, Scale: 20, U: u, V: v, ByCol: byCol, Out: h.in(n)}
		h.b.LSE(&a)
		h.out("lse", a.Out, 128)
		m := a
		m.Phase, m.Out = 1, h.in(n)
		h.b.LSE(&m)
		h.out("max", m.Out, 128)
		s := a
		s.Phase, s.Max, s.Out, s.U = 2, h.between(n, 22, 23), h.in(n), kernels.Mem{}
		h.b.LSE(&s)
		h.out("sum", s.Out, 128*float64(rows+c))
	}
	q := kernels.Mat{Mem: h.in(rows * (c + 3)), Ld: c + 3}
	h.b.SinkhornCodes(&kernels.SinkhornCodesArgs{Rows: rows, C: c, X: x, Scale: 2, U: u, V: v, Q: q})
	h.out("codes", q.Mem, 512)
}
