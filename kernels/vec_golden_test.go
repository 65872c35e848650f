package kernels

import (
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

func TestRowNormalizeGolden(t *testing.T) {
	f := golden.Open(t, "layers")
	shape := f.Shape("l2norm.x")
	rows, c := shape[0], shape[1]
	eachVec(t, func(t *testing.T, b *CPU) {
		a := RowNormalizeArgs{Rows: rows, C: c,
			X: F32Mem(f.F32("l2norm.x")), DY: F32Mem(f.F32("l2norm.dy")),
			Y: F32Mem(make([]float32, rows*c)), Norm: F32Mem(make([]float32, rows)), DX: F32Mem(make([]float32, rows*c))}
		b.RowNormalize(&a)
		b.RowNormalizeGrad(&a)
		golden.Close(t, "y", a.Y.F32(), f.F64("l2norm.y"), 1e-6, 0)
		golden.Close(t, "dx", a.DX.F32(), f.F64("l2norm.dx"), 2e-5, 0)
	})
}

func TestCrossEntropyGolden(t *testing.T) {
	f := golden.Open(t, "layers")
	shape := f.Shape("ce.logits")
	rows, c := shape[0], shape[1]
	labels := make([]int32, rows)
	for i, l := range f.Ints("ce.labels") {
		labels[i] = int32(l)
	}
	eachVec(t, func(t *testing.T, b *CPU) {
		x := F32Mem(f.F32("ce.logits"))
		a := CrossEntropyArgs{Rows: rows, C: c, X: x, Labels: I32Mem(labels),
			Loss: F32Mem(make([]float32, 1)), LSE: F32Mem(make([]float32, rows)),
			DLoss: F32Mem([]float32{1}), DX: F32Mem(make([]float32, rows*c))}
		b.CrossEntropy(&a)
		b.CrossEntropyGrad(&a)
		golden.Close(t, "loss", a.Loss.F32(), f.F64("ce.loss"), 1e-6, 1e-5)
		golden.Close(t, "dx", a.DX.F32(), f.F64("ce.dx"), 1e-6, 1e-5)
		l := LogSoftmaxArgs{Rows: rows, C: c, X: x, Y: F32Mem(make([]float32, rows*c))}
		b.LogSoftmax(&l)
		golden.Close(t, "logp", l.Y.F32(), f.F64("ce.logp"), 1e-6, 1e-5)
	})
}

func TestOptimGolden(t *testing.T) {
	f := golden.Open(t, "optim")
	sgd := UpdateArgs{Kind: UpdateSGD, Momentum: 0.9}
	larc := UpdateArgs{Kind: UpdateLARC, Momentum: 0.9, Trust: 0.001, Eps: 1e-8}
	adam := UpdateArgs{Kind: UpdateAdam, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	nesterov, plain, larc2, clip, adamw := sgd, sgd, larc, larc, adam
	nesterov.Nesterov, plain.Momentum, larc2.Trust = true, 0, 0.02
	clip.Trust, clip.Clip, adamw.Kind = 0.02, true, UpdateAdamW
	for _, o := range []struct {
		name    string
		args    UpdateArgs
		decay   float32
		vectors bool // vectors decay and adapt too
	}{
		{"sgd", sgd, 1e-4, true},
		{"sgd_nesterov", nesterov, 1e-4, true},
		{"sgd_plain", plain, 0, true},
		{"larc", larc, 1e-6, true},
		{"larc_wd", larc2, 1e-2, true},
		{"larc_clip", clip, 1e-4, false},
		{"lars_classic", UpdateArgs{Kind: UpdateLARS, Momentum: 0.9, Trust: 0.001}, 1e-4, false},
		{"adam", adam, 1e-2, true},
		{"adamw", adamw, 1e-2, true},
	} {
		t.Run(o.name, func(t *testing.T) {
			eachVec(t, func(t *testing.T, b *CPU) {
				a, names := o.args, []string{"w", "b", "s"}
				for _, n := range names {
					p := f.F32("p0." + n)
					s := Span{P: F32Mem(p), M: F32Mem(nans(len(p))), V: F32Mem(nans(len(p)))}
					if s.Adapt = o.vectors || n == "w"; s.Adapt {
						s.Decay = o.decay
					}
					a.Spans = append(a.Spans, s)
				}
				a.Norms = F64Mem(make([]float64, 2*len(names)))
				rates := f.F32("lr")
				if a.Kind >= UpdateAdam {
					rates = f.F32("lr_adam")
				}
				for a.Step = range 5 {
					a.LR = rates[a.Step]
					for i, n := range names {
						k := a.Spans[i].P.Len
						a.Spans[i].G = F32Mem(f.F32("grad."+n)).At(a.Step*k, k)
					}
					b.SquareNorms(&SquareNormsArgs{Spans: a.Spans, Out: a.Norms, Work: F32Mem(make([]float32, 6))})
					b.Update(&a)
					for i, n := range names {
						k := a.Spans[i].P.Len
						golden.Close(t, n, a.Spans[i].P.F32(), f.F64(o.name + "." + n)[a.Step*k:][:k], 1e-6, 1e-5)
					}
				}
			})
		})
	}
}
