package main

import (
	"slices"

	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/kernels"
)

// pass is an op whose time is that of its bytes: it reads and writes operands
// of [rows, c], bytes an element in all, each once.
type pass struct {
	name  string
	bytes float64
	make  func(b *bag, rows, c int) (call func(), outs []output)
}

func (b *bag) pass(l *line) *run {
	name, rows, c := l.word(), l.count(1), l.count(1)
	l.flags()
	i := slices.IndexFunc(passes, func(p pass) bool { return p.name == name })
	if i < 0 {
		l.fail("no pass " + name)
	}
	if l.err != nil {
		return nil
	}
	r := &run{bytes: passes[i].bytes * float64(rows) * float64(c), units: float64(rows) * float64(c)}
	r.call, r.outs = passes[i].make(b, rows, c)
	return r
}

// passes are all kernels that are not products, in the order of what a
// training step spends on them.
var passes = []pass{
	{"bn_apply", 12, func(b *bag, rows, c int) (func(), []output) { // y = relu(x*scale + shift + residual)
		a := kernels.BNApplyArgs{Rows: rows, C: c, X: b.in(rows * c), Scale: b.in(c), Shift: b.in(c), Residual: b.in(rows * c), ReLU: true, Y: b.alloc(kernels.Float32, rows*c)}
		return func() { b.d.BNApply(&a) }, []output{{"y", a.Y, 4}}
	}},
	{"bn_backward", 12, func(b *bag, rows, c int) (func(), []output) { // dx = A dy' + B x + C
		a := kernels.BNBackwardArgs{Rows: rows, C: c, DY: b.in(rows * c), X: b.in(rows * c), Scale: b.in(c), Shift: b.in(c),
			CoefA: b.in(c), CoefB: b.in(c), CoefC: b.in(c), DX: b.alloc(kernels.Float32, rows*c)}
		return func() { b.d.BNBackward(&a) }, []output{{"dx", a.DX, 4}}
	}},
	{"bn_reduce", 8, func(b *bag, rows, c int) (func(), []output) { // the two sums of batch norm's gradient
		a := kernels.BNReduceArgs{Rows: rows, C: c, DY: b.in(rows * c), X: b.in(rows * c), Scale: b.in(c), Shift: b.in(c), Mean: b.in(c),
			Sums: b.alloc(kernels.Float64, 2*c), Work: b.alloc(kernels.Float32, 2*kernels.StatsChunks(rows, 0)*c)}
		return func() { b.d.BNReduce(&a) }, []output{{"sums", a.Sums, 2 * float64(rows)}}
	}},
	{"channel_stats", 4, func(b *bag, rows, c int) (func(), []output) { // sums and their merge to mean and M2
		s := kernels.Stats{Part: b.alloc(kernels.Float32, 2*kernels.StatsChunks(rows, 0)*c), Shift: b.in(c)}
		a := kernels.ChannelStatsArgs{Rows: rows, C: c, X: b.in(rows * c), Stats: s}
		m := kernels.BNMomentsArgs{Rows: rows, C: c, Stats: s, Moments: b.alloc(kernels.Float64, 2*c)}
		return func() { b.d.ChannelStats(&a); b.d.BNMoments(&m) }, []output{{"moments", m.Moments, 4 * float64(rows)}}
	}},
	{"bn_finalize", 0, func(b *bag, rows, c int) (func(), []output) { // coefficients, and those of the gradient
		out := func() kernels.Mem { return b.alloc(kernels.Float32, c) }
		moments := b.alloc(kernels.Float64, 2*c)
		v := make([]float64, 2*c)
		for j := range c {
			v[j], v[c+j] = float64(j%7)/7, float64(rows)*(1+float64(j%5))
		}
		b.d.UploadFloat64(moments, v)
		f := kernels.BNFinalizeArgs{Groups: 1, C: c, Count: rows, Moments: moments, Gamma: b.in(c), Beta: b.in(c), Eps: 1e-5, Momentum: 0.1,
			RunMean: b.in(c), RunVar: b.between(c, 1, 2), Mean: out(), InvStd: out(), Scale: out(), Shift: out()}
		g := kernels.BNGradFinalizeArgs{Groups: 1, C: c, Count: rows, Sums: moments, LocalSums: moments, Gamma: f.Gamma, Mean: f.Mean, InvStd: f.InvStd,
			CoefA: out(), CoefB: out(), CoefC: out(), DGamma: out(), DBeta: out()}
		return func() { b.d.BNFinalize(&f); b.d.BNGradFinalize(&g) }, []output{{"scale", f.Scale, 4}, {"shift", f.Shift, 4}, {"running mean", f.RunMean, 4},
			{"running variance", f.RunVar, 8}, {"a", g.CoefA, 4}, {"b", g.CoefB, 8}, {"c", g.CoefC, 8}, {"dgamma", g.DGamma, 8 * float64(rows)}}
	}},
	{"add", 12, mapPass(kernels.MapAdd)},
	{"relu", 8, mapPass(kernels.MapReLU)},
	{"exp", 8, mapPass(kernels.MapExp)},
	{"add_row", 8, func(b *bag, rows, c int) (func(), []output) { // a bias: one row is read from cache
		a := kernels.BroadcastArgs{Op: kernels.MapAdd, Dims: [4]int{1, 1, rows, c}, SA: [4]int{0, 0, c, 1}, SB: [4]int{0, 0, 0, 1},
			Dst: b.alloc(kernels.Float32, rows*c), A: b.in(rows * c), B: b.in(c)}
		return func() { b.d.Broadcast(&a) }, []output{{"y", a.Dst, 2}}
	}},
	{"pool_max", 6, poolPass(kernels.PoolMax, false)},
	{"pool_max_grad", 6, poolPass(kernels.PoolMax, true)},
	{"pool_avg", 5, poolPass(kernels.PoolAvg, false)},
	{"pool_avg_grad", 5, poolPass(kernels.PoolAvg, true)},
	{"momentum", 20, sweep(func(b *bag, s []kernels.Span) func() {
		a := kernels.UpdateArgs{Spans: s, Step: 1, LR: 1e-3, Momentum: 0.9}
		return func() { b.d.Update(&a) }
	})},
	{"adam", 28, sweep(func(b *bag, s []kernels.Span) func() {
		a := kernels.UpdateArgs{Kind: kernels.UpdateAdam, Spans: s, Step: 1, LR: 1e-3, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8}
		return func() { b.d.Update(&a) }
	})},
	{"lars", 28, sweep(func(b *bag, s []kernels.Span) func() { // norms, rates, update
		norms, work := b.alloc(kernels.Float64, 2), b.alloc(kernels.Float32, 2*((s[0].P.Len+4095)/4096))
		a := kernels.UpdateArgs{Kind: kernels.UpdateLARS, Spans: s, Norms: norms, Step: 1, LR: 1e-3, Momentum: 0.9, Trust: 1e-3, Eps: 1e-8}
		return func() { b.d.SquareNorms(&kernels.SquareNormsArgs{Spans: s, Out: norms, Work: work}); b.d.Update(&a) }
	})},
	{"ema", 12, sweep(func(b *bag, s []kernels.Span) func() {
		return func() { b.d.EMA(&kernels.EMAArgs{Spans: s, Momentum: 0.999}) }
	})},
	{"row_normalize", 8, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.RowNormalizeArgs{Rows: rows, C: c, X: b.in(rows * c), Y: b.alloc(kernels.Float32, rows*c), Norm: b.alloc(kernels.Float32, rows)}
		return func() { b.d.RowNormalize(&a) }, []output{{"y", a.Y, 1}, {"norm", a.Norm, float64(c)}}
	}},
	{"row_normalize_grad", 12, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.RowNormalizeArgs{Rows: rows, C: c, Y: b.in(rows * c), Norm: b.between(rows, 1, 2), DY: b.in(rows * c), DX: b.alloc(kernels.Float32, rows*c)}
		return func() { b.d.RowNormalizeGrad(&a) }, []output{{"dx", a.DX, float64(c)}}
	}},
	{"log_softmax", 8, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.LogSoftmaxArgs{Rows: rows, C: c, X: b.in(rows * c), Y: b.alloc(kernels.Float32, rows*c)}
		return func() { b.d.LogSoftmax(&a) }, []output{{"y", a.Y, 8}}
	}},
	{"log_softmax_grad", 12, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.LogSoftmaxArgs{Rows: rows, C: c, Y: b.between(rows*c, -6, -4), DY: b.in(rows * c), DX: b.alloc(kernels.Float32, rows*c)}
		return func() { b.d.LogSoftmaxGrad(&a) }, []output{{"dx", a.DX, float64(c)}}
	}},
	{"cross_entropy", 4, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.CrossEntropyArgs{Rows: rows, C: c, X: b.in(rows * c), Labels: b.labels(rows, c), Loss: b.alloc(kernels.Float32, 1), LSE: b.alloc(kernels.Float32, rows)}
		return func() { b.d.CrossEntropy(&a) }, []output{{"loss", a.Loss, 8}, {"lse", a.LSE, 8}}
	}},
	{"cross_entropy_grad", 8, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.CrossEntropyArgs{Rows: rows, C: c, X: b.in(rows * c), Labels: b.labels(rows, c), LSE: b.between(rows, 4, 6), DLoss: b.in(1), DX: b.alloc(kernels.Float32, rows*c)}
		return func() { b.d.CrossEntropyGrad(&a) }, []output{{"dx", a.DX, 1 / float64(rows)}}
	}},
	{"soft_cross_entropy", 8, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.SoftCrossEntropyArgs{Rows: rows, C: c, X: b.mat(rows, c), Q: b.mat(rows, c), InvT: 10, Weight: 1 / float32(rows), Loss: b.alloc(kernels.Float32, 1), LSE: b.alloc(kernels.Float32, rows)}
		return func() { b.d.SoftCrossEntropy(&a) }, []output{{"loss", a.Loss, 20 * float64(c)}, {"lse", a.LSE, 20}}
	}},
	{"soft_cross_entropy_grad", 12, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.SoftCrossEntropyArgs{Rows: rows, C: c, X: b.mat(rows, c), Q: b.mat(rows, c), InvT: 10, Weight: 1, LSE: b.between(rows, 10, 12), DLoss: b.in(1),
			DX: kernels.Mat{Mem: b.alloc(kernels.Float32, rows*c), Ld: c}}
		return func() { b.d.SoftCrossEntropyGrad(&a) }, []output{{"dx", a.DX.Mem, 40 * float64(c)}}
	}},
	{"lse_rows", 4, lsePass(false)},
	{"lse_cols", 4, lsePass(true)},
	{"sinkhorn_codes", 8, func(b *bag, rows, c int) (func(), []output) {
		a := kernels.SinkhornCodesArgs{Rows: rows, C: c, X: b.mat(rows, c), Scale: 20, U: b.between(rows, 10, 20), V: b.in(c), Q: kernels.Mat{Mem: b.alloc(kernels.Float32, rows*c), Ld: c}}
		return func() { b.d.SinkhornCodes(&a) }, []output{{"q", a.Q.Mem, 40 * 2.2e4}} // e^10, whose argument is rounded at 40
	}},
	{"sum_rows", 4, reducePass(kernels.ReduceSum, false)},
	{"sum_cols", 4, reducePass(kernels.ReduceSum, true)},
	{"argmax_rows", 4, reducePass(kernels.ReduceArgMax, false)},
	{"argmax_cols", 4, reducePass(kernels.ReduceArgMax, true)},
	{"copy_rows", 8, func(b *bag, rows, c int) (func(), []output) { // rows gathered by index
		a := kernels.CopyRowsArgs{Rows: rows, C: c, Dst: kernels.Mat{Mem: b.alloc(kernels.Float32, rows*c), Ld: c}, Src: b.mat(rows, c),
			SrcIndex: b.ints(rows, func(i int) int { return i * 7919 % rows })}
		return func() { b.d.CopyRows(&a) }, []output{{"rows", a.Dst.Mem, 0}}
	}},
	{"to_bf16", 6, func(b *bag, rows, c int) (func(), []output) { // and back in the small run: what is looked at is Float32
		half, x, y := b.alloc(kernels.BFloat16, rows*c), b.in(rows*c), b.alloc(kernels.Float32, rows*c)
		b.d.ToBFloat16(half, x)
		b.d.FromBFloat16(y, half)
		return func() { b.d.ToBFloat16(half, x) }, []output{{"y", y, 0}}
	}},
	{"from_bf16", 6, func(b *bag, rows, c int) (func(), []output) {
		half, x, y := b.alloc(kernels.BFloat16, rows*c), b.in(rows*c), b.alloc(kernels.Float32, rows*c)
		b.d.ToBFloat16(half, x)
		return func() { b.d.FromBFloat16(y, half) }, []output{{"y", y, 0}}
	}},
	{"random", 4, func(b *bag, rows, c int) (func(), []output) {
		y := b.alloc(kernels.Float32, rows*c)
		return func() { b.d.Random(y, 1, 2, 3) }, []output{{"y", y, 0}}
	}},
	{"nearest", 0, func(b *bag, rows, c int) (func(), []output) { // 1000 centroids of c; bound by arithmetic
		k := min(1000, rows)
		a := cuda.NearestArgs{Rows: rows, Centroids: k, D: c, X: b.in(rows * c), Y: b.in(k * c), Index: b.alloc(kernels.Int32, rows), Score: b.alloc(kernels.Float32, rows)}
		return func() { b.d.Nearest(&a) }, []output{{"score", a.Score, 2 * float64(c)}}
	}},
	{"queue", 0, func(b *bag, rows, c int) (func(), []output) { // 64 queries against rows keys, loss and gradient
		const n = 64
		a := cuda.QueueArgs{Rows: n, Keys: rows, D: c, Q: b.in(n * c), Queue: b.in(rows * c), Pos: b.in(n), InvT: 0.1, Loss: b.alloc(kernels.Float32, 1), LSE: b.alloc(kernels.Float32, n),
			DLoss: b.in(1), DQ: b.alloc(kernels.Float32, n*c), DPos: b.alloc(kernels.Float32, n)}
		return func() { b.d.QueueCrossEntropy(&a); b.d.QueueCrossEntropyGrad(&a) }, []output{{"loss", a.Loss, float64(c)}, {"lse", a.LSE, float64(c)}, {"dq", a.DQ, float64(c)}, {"dpos", a.DPos, float64(c)}}
	}},
}

func (b *bag) labels(rows, c int) kernels.Mem {
	return b.ints(rows, func(i int) int { return i * 31 % c })
}

func (b *bag) mat(rows, c int) kernels.Mat { return kernels.Mat{Mem: b.in(rows * c), Ld: c} }

func mapPass(op kernels.MapOp) func(b *bag, rows, c int) (func(), []output) {
	return func(b *bag, rows, c int) (func(), []output) {
		a := kernels.MapArgs{Op: op, N: rows * c, Dst: b.alloc(kernels.Float32, rows*c), A: b.in(rows * c)}
		if op == kernels.MapAdd {
			a.B = b.in(rows * c)
		}
		return func() { b.d.Map(&a) }, []output{{"y", a.Dst, 4}}
	}
}

// poolPass is the 3x3 pool of stride 2 behind ResNet's stem; rows are pixels of
// images of 112, 4 or, where neither fits, rows by 1 pixels.
func poolPass(kind kernels.PoolKind, grad bool) func(b *bag, rows, c int) (func(), []output) {
	return func(b *bag, rows, c int) (func(), []output) {
		a := kernels.PoolArgs{Kind: kind, N: 1, H: rows, W: 1, C: c, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1}
		for _, side := range []int{4, 112} {
			if rows%(side*side) == 0 {
				a.N, a.H, a.W = rows/side/side, side, side
			}
		}
		n := a.N * a.OH() * a.OW() * c
		a.X, a.Y = b.in(rows*c), b.in(n)
		if kind == kernels.PoolMax {
			a.Index = b.alloc(kernels.Int32, n)
			b.d.Pool(&a) // the gradient's index
		}
		if grad {
			return func() { b.d.PoolGrad(&a) }, []output{{"dx", a.X, 16}}
		}
		return func() { b.d.Pool(&a) }, []output{{"y", a.Y, 9}}
	}
}

// sweep is a pass over parameters.
func sweep(make func(b *bag, s []kernels.Span) func()) func(b *bag, rows, c int) (func(), []output) {
	return func(b *bag, rows, c int) (func(), []output) {
		n := rows * c
		s := []kernels.Span{{P: b.in(n), G: b.in(n), M: b.in(n), V: b.between(n, 0, 1), Decay: 1e-4, Adapt: true}}
		return make(b, s), []output{{"p", s[0].P, 2}, {"m", s[0].M, 2}}
	}
}

func lsePass(byCol bool) func(b *bag, rows, c int) (func(), []output) {
	return func(b *bag, rows, c int) (func(), []output) {
		a := kernels.LSEArgs{Rows: rows, C: c, X: b.mat(rows, c), Scale: 20, U: b.in(rows), V: b.in(c), ByCol: byCol}
		a.Out = b.alloc(kernels.Float32, rows)
		if byCol {
			a.Out = b.alloc(kernels.Float32, c)
		}
		return func() { b.d.LSE(&a) }, []output{{"lse", a.Out, 40}}
	}
}

func reducePass(op kernels.ReduceOp, cols bool) func(b *bag, rows, c int) (func(), []output) {
	return func(b *bag, rows, c int) (func(), []output) {
		a := kernels.ReduceArgs{Op: op, Outer: rows, Axis: c, Inner: 1, X: b.in(rows * c)}
		if cols {
			a.Outer, a.Axis, a.Inner = 1, rows, c
		}
		t := kernels.Float32
		if op == kernels.ReduceArgMax {
			t = kernels.Int32
		}
		a.Y = b.alloc(t, a.Outer*a.Inner)
		return func() { b.d.Reduce(&a) }, []output{{"y", a.Y, float64(a.Axis)}}
	}
}
