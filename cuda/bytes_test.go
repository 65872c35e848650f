package cuda

import (
	"testing"

	"github.com/sectile-ml/sectile/cuda/emu"
	"github.com/sectile-ml/sectile/kernels"
)

// TestBytes holds the passes over memory to the bytes that their headers
// promise, counted by the emulator: what lanes ask for, and the 32-byte sectors
// that it takes. Passes along rows are listed with both their readings, the
// second of which a GPU takes from L1. Grids are so large here that a thread of
// bn_apply and bn_backward has one row: each element then comes with its
// coefficients.
func TestBytes(t *testing.T) {
	e := emu.New(1)
	d, err := Open(e, 0, Options{NoGraphs: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	const rows, c = 336, 128 // two chunks of statistics
	const n = rows * c
	b := &edge{t: t, b: d}
	plain := func(n int) kernels.Mem { // on 16 bytes
		m := b.alloc(kernels.Float32, n)
		d.Upload(m, b.draw(n, -1, 1))
		return m
	}
	x, y, z, w := plain(n), plain(n), plain(n), plain(n)
	u, v := plain(c), plain(rows)
	ints := b.ints(make([]int32, n)...)
	labels := b.ints(make([]int32, rows)...)
	sums := b.alloc(kernels.Float64, 2*c)
	part := plain(4 * c)
	one := plain(1)
	mat := func(m kernels.Mem) kernels.Mat { return kernels.Mat{Mem: m, Ld: c} }
	spans := []kernels.Span{{P: x, G: y, M: z, V: w}}
	pool := kernels.PoolArgs{N: 21, H: 4, W: 4, C: c, KH: 2, KW: 2, StrideH: 2, StrideW: 2, X: x, Y: y, Index: ints}
	half := b.alloc(kernels.BFloat16, n)

	for _, k := range []struct {
		kernel string
		bytes  float64 // an element
		run    func()
	}{
		{"map", 12, func() { d.Map(&kernels.MapArgs{Op: kernels.MapAdd, N: n, Dst: z, A: x, B: y}) }},
		{"broadcast", 12, func() {
			d.Broadcast(&kernels.BroadcastArgs{Op: kernels.MapAdd, Dims: [4]int{1, 1, rows, c}, SA: [4]int{0, 0, c, 1}, SB: [4]int{0, 0, 0, 1}, Dst: z, A: x, B: u})
		}},
		{"channel_stats", 4, func() {
			d.ChannelStats(&kernels.ChannelStatsArgs{Rows: rows, C: c, X: x, Stats: kernels.Stats{Part: part}})
		}},
		{"bn_apply", 12 + 8, func() {
			d.BNApply(&kernels.BNApplyArgs{Rows: rows, C: c, X: x, Scale: u, Shift: u, Residual: y, ReLU: true, Y: z})
		}},
		{"bn_reduce", 8, func() {
			d.BNReduce(&kernels.BNReduceArgs{Rows: rows, C: c, DY: x, X: y, Scale: u, Shift: u, Mean: u, Sums: sums, Work: part})
		}},
		{"bn_backward", 12 + 20, func() {
			d.BNBackward(&kernels.BNBackwardArgs{Rows: rows, C: c, DY: x, X: y, Scale: u, Shift: u, CoefA: u, CoefB: u, CoefC: u, DX: z})
		}},
		{"pool_max", 6, func() { p := pool; d.Pool(&p) }},
		{"pool_max_grad", 12, func() { p := pool; p.X = z; d.PoolGrad(&p) }},
		{"row_normalize", 12, func() { d.RowNormalize(&kernels.RowNormalizeArgs{Rows: rows, C: c, X: x, Y: z}) }},
		{"row_normalize_grad", 20, func() {
			d.RowNormalizeGrad(&kernels.RowNormalizeArgs{Rows: rows, C: c, Y: x, DY: y, DX: z, Norm: v})
		}},
		{"log_softmax", 12, func() { d.LogSoftmax(&kernels.LogSoftmaxArgs{Rows: rows, C: c, X: x, Y: z}) }},
		{"cross_entropy", 4, func() {
			d.CrossEntropy(&kernels.CrossEntropyArgs{Rows: rows, C: c, X: x, Labels: labels, Loss: one, LSE: v})
		}},
		{"cross_entropy_grad", 8, func() {
			d.CrossEntropyGrad(&kernels.CrossEntropyArgs{Rows: rows, C: c, X: x, Labels: labels, LSE: v, DLoss: one, DX: z})
		}},
		{"soft_cross_entropy", 8, func() {
			d.SoftCrossEntropy(&kernels.SoftCrossEntropyArgs{Rows: rows, C: c, X: mat(x), Q: mat(y), InvT: 1, Weight: 1, Loss: one, LSE: v})
		}},
		{"lse_rows", 4, func() { d.LSE(&kernels.LSEArgs{Rows: rows, C: c, X: mat(x), Scale: 1, Out: v}) }},
		{"lse_cols", 4, func() { d.LSE(&kernels.LSEArgs{Rows: rows, C: c, X: mat(x), Scale: 1, ByCol: true, Out: u}) }},
		{"sinkhorn_codes", 8, func() { d.SinkhornCodes(&kernels.SinkhornCodesArgs{Rows: rows, C: c, X: mat(x), Scale: 1, Q: mat(z)}) }},
		{"reduce_rows", 4, func() { d.Reduce(&kernels.ReduceArgs{Outer: rows, Axis: c, Inner: 1, X: x, Y: v}) }},
		{"reduce_cols", 4, func() { d.Reduce(&kernels.ReduceArgs{Outer: 1, Axis: rows, Inner: c, X: x, Y: u}) }},
		{"copy_rows", 8, func() { d.CopyRows(&kernels.CopyRowsArgs{Rows: rows, C: c, Dst: mat(z), Src: mat(x)}) }},
		{"squares", 8, func() {
			d.SquareNorms(&kernels.SquareNormsArgs{Spans: spans, Out: sums.At(0, 2), Work: part})
		}},
		{"momentum", 20, func() { d.Update(&kernels.UpdateArgs{Spans: spans, Step: 1, LR: 0.1, Momentum: 0.9}) }},
		{"adam", 28, func() {
			d.Update(&kernels.UpdateArgs{Kind: kernels.UpdateAdam, Spans: spans, Step: 1, LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8})
		}},
		{"ema", 12, func() { d.EMA(&kernels.EMAArgs{Spans: spans, Momentum: 0.9}) }},
		{"cast_to_bf16", 6, func() { d.ToBFloat16(half, x) }},
		{"cast_from_bf16", 6, func() { d.FromBFloat16(z, half) }},
		{"philox", 4, func() { d.Random(z, 1, 2, 3) }},
	} {
		k.run()
		b.must(d.Sync())
		got := e.Counters(k.kernel)
		asked, sectors := float64(got.LoadBytes+got.StoreBytes)/n, 32*float64(got.LoadSectors+got.StoreSectors)/n
		// A byte besides for what rows, channels and blocks need: labels, norms,
		// scalars, parts.
		if asked < k.bytes || sectors > k.bytes+1 {
			t.Errorf("%s asks for %.2f bytes an element in %.2f bytes of sectors, its header says %g", k.kernel, asked, sectors, k.bytes)
		}
		if got.BankConflicts > 0 {
			t.Errorf("%s has %d bank conflicts in %d wavefronts", k.kernel, got.BankConflicts, got.SharedWavefronts)
		}
	}
}
