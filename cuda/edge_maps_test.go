package cuda

import (
	"fmt"
	"math"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

func TestEdgeMap(t *testing.T) {
	d := emulated(t)
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, inf32, -inf32, nan32, 1e-40, 1e-45, 3e38, -3e38, 88.7, 88.8, 200, -87, -100, -103.5, -110, 0.75, 1.5, 0.9999999, 1.0000001}
	for op := kernels.MapCopy; op <= kernels.MapExpGrad; op++ {
		compareEdge(t, d, fmt.Sprintf("op %d", op), func(e *edge) {
			n := 2049
			a, b := e.draw(n, -20, 20), e.draw(n, 0.5, 2)
			copy(a[1024:], special)
			if op != kernels.MapExp && op != kernels.MapLog {
				copy(b[1024+8:], special)
			}
			if op == kernels.MapExp {
				a[1024+7], a[1024+8] = 0, 0 // exp of denormals is 1
			}
			m := kernels.MapArgs{Op: op, N: n, A: e.hold(a), B: e.hold(b), S: 1.25, T: -3}
			m.Dst = m.A // in place
			e.b.Map(&m)
			e.out("dst", m.Dst, 64)
		})
	}
	// exp and log hold their bounds over their whole range.
	n := 4000
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = -104 + float32(i)*(192.7/float32(n))
		y[i] = float32(math.Exp(float64(x[i]) * 0.84))
	}
	for _, f := range []struct {
		op  kernels.MapOp
		in  []float32
		f   func(float64) float64
		ulp float64
	}{{kernels.MapExp, x, math.Exp, 3}, {kernels.MapLog, y, math.Log, 2}} {
		e := &edge{t: t, b: d}
		m := kernels.MapArgs{Op: f.op, N: n, A: e.hold(f.in), Dst: e.in(n, 0, 1)}
		d.Map(&m)
		got := make([]float32, n)
		e.must(d.Download(got, m.Dst))
		for i, g := range got {
			want := f.f(float64(f.in[i]))
			if err := math.Abs(float64(g) - want); err > f.ulp*math.Max(math.Abs(want)/(1<<24), 0x1p-149) {
				t.Fatalf("op %d of %g is %g, want %g", f.op, f.in[i], g, want)
			}
		}
	}
}

func TestEdgeBroadcast(t *testing.T) {
	d := emulated(t)
	for i, s := range []struct{ dims, sa, sb [4]int }{
		{[4]int{3, 5, 7, 11}, [4]int{385, 77, 11, 1}, [4]int{0, 11, 0, 1}},
		{[4]int{3, 5, 7, 11}, [4]int{0, 0, 0, 0}, [4]int{1, 3, 15, 105}}, // b transposed
		{[4]int{1, 40, 1, 33}, [4]int{0, 33, 33, 1}, [4]int{0, 1, 1, 0}},
		{[4]int{2, 3, 4, 500}, [4]int{6000, 2000, 500, 1}, [4]int{6000, 2000, 500, 1}},
		{[4]int{1, 1, 1, 1}, [4]int{}, [4]int{}},
		{[4]int{4, 1, 300, 2}, [4]int{2, 0, 0, 1}, [4]int{600, 0, 2, 1}},
	} {
		for _, op := range []kernels.MapOp{kernels.MapSub, kernels.MapDiv, kernels.MapAXPBY, kernels.MapCopy} {
			compareEdge(t, d, fmt.Sprintf("%d op %d", i, op), func(e *edge) {
				n, na, nb := 1, 1, 1
				for k, m := range s.dims {
					n *= m
					na += (m - 1) * s.sa[k]
					nb += (m - 1) * s.sb[k]
				}
				a := kernels.BroadcastArgs{Op: op, Dims: s.dims, SA: s.sa, SB: s.sb, Dst: e.in(n, -1, 1), A: e.in(na, -1, 1), B: e.in(nb, 1, 2), S: 2, T: 3, Accumulate: i%2 == 0}
				e.b.Broadcast(&a)
				e.out("dst", a.Dst, 16)
			})
		}
	}
}

func TestEdgeCopyRows(t *testing.T) {
	d := emulated(t)
	for _, s := range [][3]int{{40, 8, 12}, {300, 3, 3}, {2, 1100, 1104}} {
		compareEdge(t, d, fmt.Sprint(s), func(e *edge) {
			rows, c, ld := s[0], s[1], s[2]
			perm := make([]int32, rows)
			for i := range perm {
				perm[i] = int32((i*7 + 1) % rows)
			}
			a := kernels.CopyRowsArgs{Rows: rows, C: c, Dst: kernels.Mat{Mem: e.in(rows*ld, 0, 1), Ld: ld}, Src: kernels.Mat{Mem: e.in(rows*c, 0, 1), Ld: c}, SrcIndex: e.ints(perm...)}
			e.b.CopyRows(&a)
			a.DstIndex, a.SrcIndex, a.Accumulate = a.SrcIndex, kernels.Mem{}, true
			e.b.CopyRows(&a)
			e.out("dst", a.Dst.Mem, 4)
		})
	}
	// 8-byte elements, without indices.
	e := &edge{t: t, b: d}
	src, dst := e.alloc(kernels.Float64, 6), e.alloc(kernels.Float64, 8)
	d.UploadFloat64(src, []float64{1, 2, 3, 4, 5, 6})
	d.UploadFloat64(dst, make([]float64, 8))
	d.CopyRows(&kernels.CopyRowsArgs{Rows: 2, C: 3, Dst: kernels.Mat{Mem: dst, Ld: 4}, Src: kernels.Mat{Mem: src, Ld: 3}})
	got := make([]float64, 8)
	e.must(d.DownloadFloat64(got, dst))
	if fmt.Sprint(got) != "[1 2 3 0 4 5 6 0]" {
		t.Error(got)
	}
}

// TestBadIndex shows that an index outside its matrix stops the device.
func TestBadIndex(t *testing.T) {
	for _, bad := range []int32{-1, 5} {
		d := emulated(t)
		e := &edge{t: t, b: d}
		d.CopyRows(&kernels.CopyRowsArgs{Rows: 2, C: 1, Dst: kernels.Mat{Mem: e.in(2, 0, 1), Ld: 1}, Src: kernels.Mat{Mem: e.in(5, 0, 1), Ld: 1}, SrcIndex: e.ints(0, bad)})
		if err := d.Sync(); err == nil {
			t.Errorf("index %d: no error", bad)
		}
	}
}

// TestLabelThatIsNoClass shows that it makes the loss NaN.
func TestLabelThatIsNoClass(t *testing.T) {
	d := emulated(t)
	e := &edge{t: t, b: d}
	a := kernels.CrossEntropyArgs{Rows: 2, C: 3, X: e.in(6, -1, 1), Labels: e.ints(1, 3), Loss: e.in(1, 0, 1), LSE: e.in(2, 0, 1)}
	d.CrossEntropy(&a)
	loss := make([]float32, 1)
	if e.must(d.Download(loss, a.Loss)); loss[0] == loss[0] {
		t.Errorf("loss %g", loss[0])
	}
}

func TestEdgeOptim(t *testing.T) {
	d := emulated(t)
	sizes := []int{1, 3, 4096, 4097, 9000, 64}
	spans := func(e *edge) []kernels.Span {
		var s []kernels.Span
		for i, n := range sizes {
			p := kernels.Span{P: e.in(n, -1, 1), G: e.in(n, -1, 1), M: e.in(n, -1, 1), V: e.in(n, 0.1, 1), Decay: 0.01 * float32(i), Adapt: i != 1}
			if i == 5 {
				p.G = kernels.Mem{}
			}
			for _, m := range []kernels.Mem{p.P, p.M, p.V} {
				e.out(fmt.Sprintf("span %d", i), m, 64)
			}
			s = append(s, p)
		}
		return s
	}
	for kind := kernels.UpdateSGD; kind <= kernels.UpdateAdamW; kind++ {
		compareEdge(t, d, fmt.Sprintf("update %d", kind), func(e *edge) {
			s := spans(e)
			norms := e.alloc(kernels.Float64, 2*len(s))
			e.b.SquareNorms(&kernels.SquareNormsArgs{Spans: s, Out: norms, Work: e.in(2*9, 0, 1)})
			e.out("norms", norms, 16*9000)
			for step := range 3 {
				e.b.Update(&kernels.UpdateArgs{Kind: kind, Spans: s, Norms: norms, Step: step, LR: 0.05, Momentum: 0.9, Nesterov: true, Trust: 0.02, Eps: 1e-8, Clip: true, Beta1: 0.9, Beta2: 0.999})
			}
			e.b.EMA(&kernels.EMAArgs{Spans: s, Momentum: 0.7})
		})
	}
	compareEdge(t, d, "no moments, zero weights and gradients", func(e *edge) {
		zero := make([]float32, 5)
		s := []kernels.Span{{P: e.in(5, -1, 1), G: e.in(5, -1, 1), Decay: 0.1, Adapt: true}, {P: e.hold(zero), G: e.in(5, -1, 1), Decay: 0.1, Adapt: true}, {P: e.in(5, -1, 1), G: e.hold(zero), Adapt: true}}
		norms := e.alloc(kernels.Float64, 6)
		e.b.SquareNorms(&kernels.SquareNormsArgs{Spans: s, Out: norms, Work: e.in(6, 0, 1)})
		for _, kind := range []kernels.UpdateKind{kernels.UpdateSGD, kernels.UpdateLARC, kernels.UpdateLARS} {
			e.b.Update(&kernels.UpdateArgs{Kind: kind, Spans: s, Norms: norms, LR: 0.1, Trust: 0.1, Eps: 1e-8})
		}
		for _, p := range s {
			e.out("p", p.P, 8)
		}
	})
}

// TestSweepsAreKept shows that a list of spans is uploaded once, and that the
// number of lists is bounded.
func TestSweepsAreKept(t *testing.T) {
	d := emulated(t)
	e := &edge{t: t, b: d}
	p, g := e.in(4100, 0, 1), e.in(4100, 0, 1)
	for range 3 {
		d.EMA(&kernels.EMAArgs{Spans: []kernels.Span{{P: p, G: g}}, Momentum: 0.5})
	}
	if len(d.sweeps.list) != 1 {
		t.Errorf("%d lists after one", len(d.sweeps.list))
	}
	for i := range 3 * sweepsKept {
		d.EMA(&kernels.EMAArgs{Spans: []kernels.Span{{P: p.At(i, 10), G: g.At(i, 10)}}, Momentum: 0.5})
	}
	if len(d.sweeps.list) != sweepsKept {
		t.Errorf("%d lists", len(d.sweeps.list))
	}
	e.must(d.Sync())
}
