package cuda

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// sweepsOf is a step that has everything that changes per step: rates, momenta,
// corrections, the first step's lack of moments, a random counter.
func sweepsOf(d *Device, e *edge) (step func(i int), state func() [][]float32) {
	var spans []kernels.Span
	for _, n := range []int{5000, 40} {
		spans = append(spans, kernels.Span{P: e.in(n, -1, 1), G: e.in(n, -1, 1), M: e.in(n, -1, 1), V: e.in(n, 0, 1), Decay: 0.01, Adapt: true})
	}
	norms, work, noise := e.alloc(kernels.Float64, 4), e.in(6, 0, 1), e.in(100, 0, 1)
	step = func(i int) {
		d.Enter()
		defer d.Leave()
		lr := float32(0.1) / float32(i+1)
		d.Random(noise, 7, 1, i)
		d.SquareNorms(&kernels.SquareNormsArgs{Spans: spans, Out: norms, Work: work})
		for _, kind := range []kernels.UpdateKind{kernels.UpdateLARS, kernels.UpdateLARC, kernels.UpdateAdamW} {
			d.Update(&kernels.UpdateArgs{Kind: kind, Spans: spans, Norms: norms, Step: i, LR: lr, Momentum: 0.9, Trust: 0.1, Eps: 1e-8, Clip: true, Beta1: 0.9, Beta2: 0.99})
		}
		d.EMA(&kernels.EMAArgs{Spans: spans, Momentum: 1 - lr})
	}
	state = func() (all [][]float32) {
		for _, m := range []kernels.Mem{noise, spans[0].P, spans[0].M, spans[0].V, spans[1].P} {
			v := make([]float32, m.Len)
			e.must(d.Download(v, m))
			all = append(all, v)
		}
		return all
	}
	return step, state
}

// TestSweepsReplay shows that sweeps read what changes per step through
// addresses: replayed as graphs, six steps are the six without, to the bit.
func TestSweepsReplay(t *testing.T) {
	var want [][]float32
	for _, graphs := range []bool{false, true} {
		api, n := Tested(t)
		d, err := Open(api, n, Options{NoGraphs: !graphs})
		if err != nil {
			t.Fatal(err)
		}
		step, state := sweepsOf(d, &edge{t: t, b: d})
		for i := range 6 {
			step(i)
		}
		got := state()
		if s := d.Graphs(); graphs && s.Replayed < 2 {
			t.Errorf("%+v: nothing was replayed", s)
		}
		for k := range want {
			for i := range want[k] {
				if got[k][i] != want[k][i] {
					t.Fatalf("memory %d: [%d] is %g, without graphs %g", k, i, got[k][i], want[k][i])
				}
			}
		}
		want = got
		d.Close()
	}
}

// TestOpsAllocateNothing: issuing an op takes nothing from the heap once its
// kernel is loaded and its spans are known.
func TestOpsAllocateNothing(t *testing.T) {
	d := open(t, newFake(), Options{NoGraphs: true})
	d.api = quiet{d.api}
	defer func() { d.api = d.api.(quiet).API }()
	e := &edge{t: t, b: d}
	x, y, c, i := e.in(64, 0, 1), e.in(64, 0, 1), e.in(8, 0, 1), e.ints(make([]int32, 64)...)
	sums := e.alloc(kernels.Float64, 16)
	spans := []kernels.Span{{P: x, G: y, M: e.in(64, 0, 1)}}
	mat := func(m kernels.Mem) kernels.Mat { return kernels.Mat{Mem: m, Ld: 8} }
	ops := func() {
		d.Map(&kernels.MapArgs{Op: kernels.MapAdd, N: 64, Dst: x, A: x, B: y})
		d.Broadcast(&kernels.BroadcastArgs{Op: kernels.MapAdd, Dims: [4]int{1, 1, 8, 8}, SA: [4]int{0, 0, 8, 1}, SB: [4]int{0, 0, 0, 1}, Dst: x, A: x, B: c})
		d.BNApply(&kernels.BNApplyArgs{Rows: 8, C: 8, X: x, Scale: c, Shift: c, Y: y})
		d.BNReduce(&kernels.BNReduceArgs{Rows: 8, C: 8, DY: x, X: y, Mean: c, Sums: sums, Work: y})
		d.BNBackward(&kernels.BNBackwardArgs{Rows: 8, C: 8, DY: x, X: y, CoefA: c, CoefB: c, CoefC: c, DX: x})
		d.CrossEntropy(&kernels.CrossEntropyArgs{Rows: 8, C: 8, X: x, Labels: i, Loss: y.At(0, 1), LSE: c})
		d.SoftCrossEntropy(&kernels.SoftCrossEntropyArgs{Rows: 8, C: 8, X: mat(x), Q: mat(y), InvT: 1, Weight: 1, Loss: c.At(0, 1), LSE: c})
		d.LSE(&kernels.LSEArgs{Rows: 8, C: 8, X: mat(x), Scale: 1, ByCol: true, Out: c})
		d.Reduce(&kernels.ReduceArgs{Outer: 1, Axis: 8, Inner: 8, X: x, Y: c})
		d.CopyRows(&kernels.CopyRowsArgs{Rows: 8, C: 8, Dst: mat(x), Src: mat(y), SrcIndex: i})
		d.Pool(&kernels.PoolArgs{N: 1, H: 2, W: 4, C: 8, KH: 1, KW: 1, StrideH: 1, StrideW: 1, X: x, Y: y, Index: i})
		d.Update(&kernels.UpdateArgs{Spans: spans, LR: 0.1, Momentum: 0.9})
		d.EMA(&kernels.EMAArgs{Spans: spans, Momentum: 0.9})
	}
	d.Enter()
	defer d.Leave()
	ops()
	if n := testing.AllocsPerRun(20, ops); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
