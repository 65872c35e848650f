package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// Edge cases of the ops that kernelstest's first tier does not reach: sizes
// where a block becomes two, operands off 16 bytes, guards round every operand,
// infinities and NaNs. Each case runs on Ref64 and twice on the device.

// edge is one run of a case on one backend.
type edge struct {
	t     *testing.T
	b     kernels.Backend
	shift int // elements by which operands miss 16 bytes
	seed  uint64
	mems  []kernels.Mem
	sizes []int // of the views inside mems
	outs  []edgeOut
	bad   []string // guards that were written
}

type edgeOut struct {
	name  string
	m     kernels.Mem
	scale float64
}

// guard is the elements before and after an operand; they hold a NaN with bits
// that no arithmetic makes.
const guard, guardBits = 16, 0x7fc5a5a5

func (e *edge) alloc(t kernels.DType, n int) kernels.Mem {
	m, err := e.b.Alloc(t, n)
	e.must(err)
	e.mems, e.sizes = append(e.mems, m), append(e.sizes, -1)
	return m
}

// hold is Float32 memory with the given values between guards.
func (e *edge) hold(v []float32) kernels.Mem {
	all := make([]float32, len(v)+2*guard+e.shift)
	for i := range all {
		all[i] = math.Float32frombits(guardBits)
	}
	copy(all[guard+e.shift:], v)
	m := e.alloc(kernels.Float32, len(all))
	e.sizes[len(e.sizes)-1] = len(v)
	e.b.Upload(m, all)
	return m.At(guard+e.shift, len(v))
}

// in is n values in [lo, hi), the same on every backend.
func (e *edge) in(n int, lo, hi float32) kernels.Mem { return e.hold(e.draw(n, lo, hi)) }

func (e *edge) draw(n int, lo, hi float32) []float32 {
	e.seed++
	r := rand.New(rand.NewPCG(e.seed, 11))
	v := make([]float32, n)
	for i := range v {
		v[i] = lo + (hi-lo)*r.Float32()
	}
	return v
}

func (e *edge) ints(v ...int32) kernels.Mem {
	m := e.alloc(kernels.Int32, len(v))
	e.b.UploadInts(m, v)
	return m
}

func (e *edge) out(name string, m kernels.Mem, scale float64) {
	e.outs = append(e.outs, edgeOut{name, m, scale})
}

// values runs a case and gives its outputs; it checks the guards.
func (e *edge) values(run func(*edge)) [][]float64 {
	run(e)
	var all [][]float64
	for _, o := range e.outs {
		v := make([]float64, o.m.Len)
		switch o.m.Type {
		case kernels.Int32:
			s := make([]int32, o.m.Len)
			e.must(e.b.DownloadInts(s, o.m))
			for i := range s {
				v[i] = float64(s[i])
			}
		case kernels.Float64:
			e.must(e.b.DownloadFloat64(v, o.m))
		default:
			s := make([]float32, o.m.Len)
			e.must(e.b.Download(s, o.m))
			for i := range s {
				v[i] = float64(s[i])
			}
		}
		all = append(all, v)
	}
	if _, ref := e.b.(kernels.Ref64); !ref {
		for i, m := range e.mems {
			if e.sizes[i] < 0 {
				continue
			}
			s := make([]float32, m.Len)
			e.must(e.b.Download(s, m))
			for k, x := range s {
				if inside := k >= guard+e.shift && k < guard+e.shift+e.sizes[i]; !inside && math.Float32bits(x) != guardBits {
					e.bad = append(e.bad, fmt.Sprintf("operand %d: guard word %d of %d became %x", i, k, m.Len, math.Float32bits(x)))
				}
			}
		}
	}
	for _, m := range e.mems {
		e.b.Free(m)
	}
	return all
}

// must ends a test, or the case that it is part of.
func (e *edge) must(err error) {
	if err == nil {
		return
	}
	if e.t == nil {
		panic(edgeFailure{err})
	}
	e.t.Helper()
	e.t.Fatal(err)
}

type edgeFailure struct{ error }

// edgeTol is kernelstest's unit: eight Float32 roundings of the scale.
const edgeTol = 8.0 / (1 << 24)

// compareEdge runs a case on the oracle and on d, aligned and not, twice each.
func compareEdge(t *testing.T, d kernels.Backend, name string, run func(*edge)) {
	t.Run(name, func(t *testing.T) {
		for _, s := range edgeFaults(d, run) {
			t.Error(s)
		}
	})
}

// edgeFaults says what a case shows to be wrong.
func edgeFaults(d kernels.Backend, run func(*edge)) (bad []string) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(edgeFailure)
			if !ok {
				panic(r)
			}
			bad = append(bad, f.Error())
		}
	}()
	ref := &edge{b: kernels.Ref64{}}
	want := ref.values(run)
	for _, shift := range []int{0, 1} {
		one, two := &edge{b: d, shift: shift}, &edge{b: d, shift: shift}
		first, again := one.values(run), two.values(run)
		bad = append(append(bad, one.bad...), two.bad...)
		for i, o := range ref.outs {
			if s := differ(first[i], want[i], o.scale); s != "" {
				bad = append(bad, fmt.Sprintf("shift %d: %s%s", shift, o.name, s))
			}
			for k, v := range first[i] {
				if math.Float64bits(v) != math.Float64bits(again[i][k]) {
					bad = append(bad, fmt.Sprintf("shift %d: %s[%d] is %g, then %g", shift, o.name, k, v, again[i][k]))
					break
				}
			}
		}
	}
	return bad
}

// differ names the first value beyond its bound.
func differ(got, want []float64, scale float64) string {
	for k, w := range want {
		g := got[k]
		if math.Abs(w) > math.MaxFloat32 {
			w = math.Inf(int(math.Copysign(1, w)))
		}
		if g == w || math.Abs(g-w) <= edgeTol*(scale+math.Abs(w)) && !math.IsInf(w, 0) || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		return fmt.Sprintf("[%d] = %g, reference %g", k, g, w)
	}
	return ""
}

func TestEdgeNorm(t *testing.T) {
	d := emulated(t)
	type shape struct {
		rows, c, group int
		more           bool // residual, ReLU, masks
	}
	shapes := []shape{{1, 1, 0, true}, {5, 6, 0, false}, {175, 36, 0, true}, {12, 130, 4, true}, {510, 4, 170, true}}
	if !testing.Short() {
		shapes = append(shapes, shape{6, 1100, 3, false})        // two tiles of columns
		shapes = append(shapes, shape{168*600 + 1, 3, 0, false}) // a merge's lanes go round twice
	}
	for _, s := range shapes {
		compareEdge(t, d, fmt.Sprintf("%dx%d group %d", s.rows, s.c, s.group), func(e *edge) {
			n, size := groupsOf(s.rows, s.group)
			chunks, b := kernels.StatsChunks(s.rows, s.group), e.b
			x := e.in(s.rows*s.c, 3, 5)
			st := kernels.Stats{Part: e.in(2*chunks*s.c, 0, 1), Group: s.group}
			if s.more {
				st.Shift = e.in(s.c, 3, 5)
			}
			b.ChannelStats(&kernels.ChannelStatsArgs{Rows: s.rows, C: s.c, X: x, Stats: st})
			moments := e.alloc(kernels.Float64, 2*n*s.c)
			b.BNMoments(&kernels.BNMomentsArgs{Rows: s.rows, C: s.c, Stats: st, Moments: moments})
			e.out("moments", moments, 200*float64(size))
			coef := func() kernels.Mem { return e.in(n*s.c, 0.5, 1) }
			f := kernels.BNFinalizeArgs{Groups: n, C: s.c, Count: size, Moments: moments, Gamma: e.in(s.c, -1, 1), Beta: e.in(s.c, -1, 1), Eps: 1, Momentum: 0.25,
				Mean: coef(), InvStd: coef(), Scale: coef(), Shift: coef()}
			if s.more {
				f.RunMean, f.RunVar = e.in(s.c, -1, 1), e.in(s.c, 1, 2)
				e.out("running mean", f.RunMean, 16)
				e.out("running variance", f.RunVar, 400)
			}
			b.BNFinalize(&f)
			a := kernels.BNApplyArgs{Rows: s.rows, C: s.c, Group: s.group, X: x, Scale: f.Scale, Shift: f.Shift, Y: x, ReLU: s.more}
			if s.more {
				a.Residual = e.in(s.rows*s.c, -1, 1)
			}
			b.BNApply(&a) // in place
			e.out("y", x, 2000)
		})
		for _, kind := range []string{"open", "mask", "gate"} {
			compareEdge(t, d, fmt.Sprintf("%dx%d group %d backward %s", s.rows, s.c, s.group, kind), func(e *edge) {
				n, size := groupsOf(s.rows, s.group)
				coef := func() kernels.Mem { return e.in(n*s.c, -1, 1) }
				val := func() kernels.Mem { return e.in(s.rows*s.c, -1, 1) }
				r := kernels.BNReduceArgs{Rows: s.rows, C: s.c, Group: s.group, DY: val(), X: val(), Mean: coef(),
					Sums: e.alloc(kernels.Float64, 2*n*s.c), Work: e.in(2*kernels.StatsChunks(s.rows, s.group)*s.c, 0, 1)}
				switch kind {
				case "mask":
					r.Mask, r.DResid, r.AccResid = val(), val(), s.more
					e.out("dresidual", r.DResid, 4)
				case "gate":
					r.Scale, r.Shift = coef(), coef()
				}
				e.b.BNReduce(&r)
				e.out("sums", r.Sums, 16*float64(size))
				g := kernels.BNGradFinalizeArgs{Groups: n, C: s.c, Count: size, Sums: r.Sums, LocalSums: r.Sums, Gamma: e.in(s.c, -1, 1), Mean: r.Mean, InvStd: coef(),
					CoefA: coef(), CoefB: coef(), CoefC: coef(), Eval: kind == "open"}
				if s.more {
					g.DGamma, g.DBeta, g.AccBeta = e.in(s.c, -1, 1), e.in(s.c, -1, 1), true
					e.out("dgamma", g.DGamma, 64*float64(size*n))
					e.out("dbeta", g.DBeta, 64*float64(size*n))
				}
				e.b.BNGradFinalize(&g)
				dx := r.DY
				if kind == "mask" {
					dx = val()
				}
				e.b.BNBackward(&kernels.BNBackwardArgs{Rows: s.rows, C: s.c, Group: s.group, DY: r.DY, X: r.X, Mask: r.Mask, Scale: r.Scale, Shift: r.Shift,
					CoefA: g.CoefA, CoefB: g.CoefB, CoefC: g.CoefC, DX: dx, Accumulate: kind == "mask"})
				e.out("dx", dx, 200)
			})
		}
	}
}

func TestEdgePool(t *testing.T) {
	d := emulated(t)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, a := range []kernels.PoolArgs{
		{N: 1, H: 5, W: 6, C: 1100, KH: 2, KW: 3, StrideH: 2, StrideW: 1, PadW: 1},
		{N: 9, H: 7, W: 5, C: 8, KH: 7, KW: 5, StrideH: 1, StrideW: 1},
		{N: 2, H: 6, W: 6, C: 5, KH: 3, KW: 3, StrideH: 4, StrideW: 5, PadH: 1, PadW: 1}, // pixels in no window
		{N: 1, H: 8, W: 8, C: 6, KH: 5, KW: 5, StrideH: 1, StrideW: 1, PadH: 2, PadW: 2},
	} {
		for kind := kernels.PoolMax; kind <= kernels.PoolAvgValid; kind++ {
			compareEdge(t, d, fmt.Sprintf("kind %d %+v", kind, a), func(e *edge) {
				a := a
				a.Kind = kind
				nx, ny := a.N*a.H*a.W*a.C, a.N*a.OH()*a.OW()*a.C
				v := e.draw(nx, -1, 1)
				if kind == kernels.PoolMax {
					v[nx/2], v[nx/3], v[nx/4], v[nx/4+1] = nan, nan, -inf, inf
					for i := range a.C {
						v[i] = -inf // the first pixel
					}
				}
				a.X, a.Y = e.hold(v), e.in(ny, 0, 1)
				if kind == kernels.PoolMax {
					a.Index = e.ints(make([]int32, ny)...)
					e.out("index", a.Index, 0)
				}
				e.b.Pool(&a)
				e.out("y", a.Y, 16)
				for _, acc := range []bool{false, true} {
					g := a
					g.X, g.Y, g.Accumulate = e.in(nx, -1, 1), e.in(ny, -1, 1), acc
					e.b.PoolGrad(&g)
					e.out("dx", g.X, 32)
				}
			})
		}
	}
}
