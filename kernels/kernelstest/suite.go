// Package kernelstest is the one correctness suite for backends: every op of
// kernels.Backend, on shapes that take each branch once and in which any two
// choices of a convolution meet (tier 1), on seeded random shapes (tier 2) and
// on large ones (tier 3), compared with the float64 reference. CPU rows, emulated and real devices and third parties run the
// same cases.
//
//	func TestConformance(t *testing.T) { kernelstest.Run(t, backend, kernelstest.Tier2) }
//
// A case is a function that makes operands, calls one op and names its
// outputs; it runs first on kernels.Ref64, then on the backend under test. An
// output may differ by Tol times (its magnitude + a scale that the case derives
// from the sums that flowed into it), and must be equal where it is an integer.
//
// Read next: cases_gemm.go for the form of a case.
package kernelstest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// Tier says how much of the suite runs; a tier includes those below it.
type Tier int

// Tier1 takes every branch once, Tier2 adds seeded random shapes, Tier3 large
// shapes.
const (
	Tier1 Tier = 1 + iota
	Tier2
	Tier3
)

// testCase is one call of one op.
type testCase struct {
	name string
	run  func(h *harness)
}

// family makes the cases of one group of ops for a tier.
type family struct {
	name  string
	cases func(tier Tier, r *rand.Rand) []testCase
}

var families = []family{
	{"gemm", gemmCases}, {"conv", convCases}, {"norm", normCases}, {"pool", poolCases},
	{"softmax", softmaxCases}, {"elementwise", elementwiseCases}, {"reduce", reduceCases}, {"optim", optimCases},
}

// Run holds b to the suite up to the given tier; only, when named, are the
// families of ops that a backend in the making has: gemm, conv, norm, pool,
// softmax, elementwise, reduce, optim.
func Run(t *testing.T, b kernels.Backend, tier Tier, only ...string) {
	for _, f := range families {
		if len(only) > 0 && !slices.Contains(only, f.name) {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			for _, c := range f.cases(tier, rand.New(rand.NewPCG(1, uint64(len(f.name))))) {
				want := reference(f.name, c)
				got := execute(c, b)
				compare(t, c.name, got, want)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// references keeps what Ref64 gave for a case: it is slow, and several
// backends of one test run ask for the same.
var references sync.Map

func reference(family string, c testCase) []output {
	key := family + " " + c.name
	if v, ok := references.Load(key); ok {
		return v.([]output)
	}
	v := execute(c, kernels.Ref64{})
	references.Store(key, v)
	return v
}

// output is one result of a case.
type output struct {
	name  string
	vals  []float64
	ints  []int32
	scale float64 // the bound is Tol*(scale+|value|)
}

// Tol is the unit of all bounds: eight float32 roundings of the scale.
const Tol = 8.0 / (1 << 24)

// harness makes operands on one backend and collects outputs.
type harness struct {
	b    kernels.Backend
	seed uint64
	mems []kernels.Mem
	outs []func() output
}

func execute(c testCase, b kernels.Backend) []output {
	h := &harness{b: b}
	defer func() {
		for _, m := range h.mems {
			b.Free(m)
		}
	}()
	c.run(h)
	if err := b.Sync(); err != nil {
		panic(fmt.Errorf("%s on %s: %w", c.name, b.Name(), err))
	}
	var outs []output
	for _, f := range h.outs {
		outs = append(outs, f())
	}
	return outs
}

func (h *harness) alloc(t kernels.DType, n int) kernels.Mem {
	m, err := h.b.Alloc(t, n)
	if err != nil {
		panic(err)
	}
	h.mems = append(h.mems, m)
	return m
}

// values draws n float32 in [lo, hi), the same on every backend.
func (h *harness) values(n int, lo, hi float32) []float32 {
	h.seed++
	r := rand.New(rand.NewPCG(h.seed, 7))
	v := make([]float32, n)
	for i := range v {
		v[i] = lo + (hi-lo)*r.Float32()
	}
	return v
}

// in is memory with values in [-1, 1).
func (h *harness) in(n int) kernels.Mem { return h.between(n, -1, 1) }

func (h *harness) between(n int, lo, hi float32) kernels.Mem {
	m := h.alloc(kernels.Float32, n)
	h.b.Upload(m, h.values(n, lo, hi))
	return m
}

// ints is Int32 memory with the given values.
func (h *harness) ints(v ...int32) kernels.Mem {
	m := h.alloc(kernels.Int32, len(v))
	h.b.UploadInts(m, v)
	return m
}

// work is the workspace of arguments a.
func (h *harness) work(a any) kernels.Mem {
	return h.alloc(kernels.Float32, (h.b.Workspace(a)+3)/4)
}

// out names memory as an output whose bound is Tol*(scale+|value|). It may be called
// before the op: values are read when all is done.
func (h *harness) out(name string, m kernels.Mem, scale float64) {
	h.outs = append(h.outs, func() output {
		o := output{name: name, scale: scale}
		switch {
		case m.Type == kernels.Int32:
			o.ints = make([]int32, m.Len)
			must(h.b.DownloadInts(o.ints, m))
		case m.Type == kernels.Float64:
			o.vals = make([]float64, m.Len)
			must(h.b.DownloadFloat64(o.vals, m))
		default:
			v := make([]float32, m.Len)
			must(h.b.Download(v, m))
			for _, x := range v {
				o.vals = append(o.vals, float64(x))
			}
		}
		return o
	})
}

// must ends a case whose device failed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func compare(t *testing.T, name string, got, want []output) {
	t.Helper()
	for i, w := range want {
		g := got[i]
		for j := range w.ints {
			if g.ints[j] != w.ints[j] {
				t.Errorf("%s: %s[%d] = %d, reference %d", name, w.name, j, g.ints[j], w.ints[j])
				return
			}
		}
		for j := range w.vals {
			d, bound := math.Abs(g.vals[j]-w.vals[j]), Tol*(w.scale+math.Abs(w.vals[j]))
			if g.vals[j] == w.vals[j] || d <= bound || math.IsNaN(g.vals[j]) && math.IsNaN(w.vals[j]) {
				continue
			}
			t.Errorf("%s: %s[%d] = %g, reference %g, bound %g", name, w.name, j, g.vals[j], w.vals[j], bound)
			return
		}
	}
}
