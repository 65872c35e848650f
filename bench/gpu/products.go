package main

import "github.com/sectile-ml/sectile/kernels"

// gemm is C = A B with what a training step adds: the prologue on A, and
// statistics of what is stored.
func (b *bag) gemm(l *line) *run {
	m, n, k := l.count(1), l.count(1), l.count(1)
	f := l.flags("nt", "tn", "tt", "affine", "bn", "stats")
	if l.err != nil {
		return nil
	}
	a := kernels.GemmArgs{M: m, N: n, K: k, TransA: f["tn"] || f["tt"], TransB: f["nt"] || f["tt"]}
	a.A, a.B, a.C = kernels.Mat{Mem: b.in(m * k), Ld: k}, kernels.Mat{Mem: b.in(k * n), Ld: n}, kernels.Mat{Mem: b.in(m * n), Ld: n}
	if a.TransA {
		a.A.Ld = m
	}
	if a.TransB {
		a.B.Ld = k
	}
	a.Pro = b.prologue(f, m*k, k)
	outs := b.stats(f, &a.Epi.Stats, m, n, 4*float64(k))
	a.Work = b.work(&a)
	return &run{
		call: func() { b.d.Gemm(&a) }, outs: append(outs, output{"c", a.C.Mem, 4 * float64(k)}),
		flop: 2 * float64(m) * float64(n) * float64(k), bytes: 4 * float64(m*k+k*n+m*n), units: float64(m) * float64(n) * float64(k),
	}
}

// prologue is affine or bn on an operand of n elements, c channels last.
func (b *bag) prologue(f map[string]bool, n, c int) kernels.Prologue {
	switch {
	case f["bn"]:
		return kernels.Prologue{Kind: kernels.ProBNBackward, A: b.in(c), B: b.in(c), C: b.in(c), X: b.in(n), Scale: b.in(c), Shift: b.in(c)}
	case f["affine"]:
		return kernels.Prologue{Kind: kernels.ProAffine, Scale: b.in(c), Shift: b.in(c), ReLU: true}
	}
	return kernels.Prologue{}
}

// stats asks for sums of the stored rows.
func (b *bag) stats(f map[string]bool, s *kernels.Stats, rows, c int, scale float64) []output {
	if !f["stats"] {
		return nil
	}
	s.Part = b.alloc(kernels.Float32, 2*kernels.StatsChunks(rows, 0)*c)
	return []output{{"stats", s.Part, kernels.StatsChunk * scale * scale}}
}

// conv is a pass of a convolution: affine is batch norm and ReLU of the input
// in its loader, bn batch norm's gradient in the loader of dy.
func (b *bag) conv(l *line) *run {
	pass := l.word()
	s := kernels.ConvShape{N: l.count(1), H: l.count(1), W: l.count(1), C: l.count(1), OC: l.count(1), KH: l.count(1), DilH: 1, DilW: 1, Groups: 1}
	s.StrideH, s.PadH = l.count(1), l.count(0)
	s.KW, s.StrideW, s.PadW = s.KH, s.StrideH, s.PadH
	f := l.flags("affine", "bn", "stats")
	if s.KH > min(s.H, s.W)+2*s.PadH {
		l.fail("the kernel does not fit into the padded image")
	}
	if l.err != nil {
		return nil
	}
	x, wt, y := s.N*s.H*s.W*s.C, s.OC*s.KH*s.KW*s.C, s.N*s.OH()*s.OW()*s.OC
	a := kernels.ConvArgs{ConvShape: s, X: b.in(x), Wt: b.in(wt), Y: b.in(y)}
	if f["affine"] {
		a.ProX = b.prologue(map[string]bool{"affine": true}, x, s.C)
	}
	if f["bn"] {
		a.ProY = b.prologue(map[string]bool{"bn": true}, y, s.OC)
	}
	r := &run{flop: float64(s.FLOP()), bytes: 4 * float64(x+wt+y), units: float64(s.FLOP()) / 2}
	switch pass {
	case "fwd":
		scale := 4 * float64(s.KH*s.KW*s.C)
		r.outs = append(b.stats(f, &a.Epi.Stats, y/s.OC, s.OC, scale), output{"y", a.Y, scale})
		a.Pass, r.call = kernels.PassForward, func() { b.d.Conv2D(&a) }
	case "dx":
		r.outs = []output{{"dx", a.X, 12 * float64(s.KH*s.KW*s.OC)}}
		a.Pass, r.call = kernels.PassGradInput, func() { b.d.Conv2DGradInput(&a) }
	case "dw":
		r.outs = []output{{"dw", a.Wt, 12 * float64(y/s.OC)}}
		a.Pass, r.call = kernels.PassGradWeight, func() { b.d.Conv2DGradWeight(&a) }
	default:
		l.fail("pass " + pass + ": fwd, dx or dw")
		return nil
	}
	a.Work = b.work(&a)
	return r
}
