package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sectile-ml/sectile/asm"
)

// vecBackend is what this room's ops need of a backend.
type vecBackend interface {
	RowNormalize(a *RowNormalizeArgs)
	RowNormalizeGrad(a *RowNormalizeArgs)
	LogSoftmax(a *LogSoftmaxArgs)
	LogSoftmaxGrad(a *LogSoftmaxArgs)
	CrossEntropy(a *CrossEntropyArgs)
	CrossEntropyGrad(a *CrossEntropyArgs)
	SoftCrossEntropy(a *SoftCrossEntropyArgs)
	SoftCrossEntropyGrad(a *SoftCrossEntropyArgs)
	LSE(a *LSEArgs)
	SinkhornCodes(a *SinkhornCodesArgs)
	Map(a *MapArgs)
	Broadcast(a *BroadcastArgs)
	Reduce(a *ReduceArgs)
	CopyRows(a *CopyRowsArgs)
	SquareNorms(a *SquareNormsArgs)
	Update(a *UpdateArgs)
	EMA(a *EMAArgs)
}

// vecPins are the instruction sets that this room's tables have rows for.
// With SECTILE_REQUIRE_ISA a missing one fails.
func vecPins(t testing.TB) (names []string, pins []Pins) {
	for _, name := range []string{"go", "avx2", "avx512"} {
		isa, _ := asm.ParseISA(name)
		if !asm.Has(isa) {
			if requireISA()&isa == isa {
				t.Fatalf("SECTILE_REQUIRE_ISA: %s cannot run", name)
			}
			continue
		}
		p, err := ParsePins(name)
		if err != nil {
			t.Fatal(err)
		}
		names, pins = append(names, name), append(pins, p)
	}
	return names, pins
}

// eachVec runs f on a CPU backend pinned to each instruction set.
func eachVec(t *testing.T, f func(t *testing.T, b *CPU)) {
	names, pins := vecPins(t)
	for i, name := range names {
		t.Run(name, func(t *testing.T) { f(t, NewCPU(NewTeam(1), pins[i])) })
	}
}

// stage is one run of an op: it makes the operands on the backend under test,
// each ending at a guard page, and keeps what the op should have written.
type stage struct {
	t    *testing.T
	b    vecBackend
	ref  bool // b is Ref64
	outs []output
	ins  []input
	free []func()
}

type output struct {
	mem        Mem
	atol, rtol float64
}

type input struct {
	mem  Mem
	want []float32
}

func (s *stage) mem(v []float32) Mem {
	if s.ref {
		d := make([]float64, len(v))
		for i, x := range v {
			d[i] = float64(x)
		}
		return F64Mem(d)
	}
	m, free := guarded(s.t, len(v))
	s.free = append(s.free, free)
	copy(m.F32(), v)
	return m
}

// done unmaps the operands.
func (s *stage) done() {
	for _, f := range s.free {
		f()
	}
}

// in is an operand that the op may only read.
func (s *stage) in(v []float32) Mem {
	m := s.mem(v)
	if !s.ref {
		s.ins = append(s.ins, input{m, v})
	}
	return m
}

// out is an operand that the op reads and writes; every element must come
// within atol + rtol*|want| of the reference.
func (s *stage) out(v []float32, atol, rtol float64) Mem {
	m := s.mem(v)
	s.outs = append(s.outs, output{m, atol, rtol})
	return m
}

// outInts is n elements of Int32 that must come out equal.
func (s *stage) outInts(n int) Mem {
	m := I32Mem(make([]int32, n))
	s.outs = append(s.outs, output{mem: m})
	return m
}

// outF64 is n elements of Float64 that the op writes.
func (s *stage) outF64(n int, atol, rtol float64) Mem {
	m := F64Mem(make([]float64, n))
	s.outs = append(s.outs, output{m, atol, rtol})
	return m
}

func (o output) value(i int) float64 {
	switch o.mem.Type {
	case Float64:
		return o.mem.F64()[i]
	case Int32:
		return float64(o.mem.I32()[i])
	}
	return float64(o.mem.F32()[i])
}

// conform runs an op on Ref64 and on every row with teams of 1, 2 and 7, and
// holds the results to the reference; within go, and within AVX2 and AVX-512
// together, all bits must agree.
func conform(t *testing.T, what string, run func(s *stage)) {
	t.Helper()
	ref := &stage{t: t, b: Ref64{}, ref: true}
	run(ref)
	names, pins := vecPins(t)
	defer ref.done()
	same := map[bool]*stage{} // by whether the row is assembly
	from := map[bool]string{}
	for i, name := range names {
		for _, threads := range []int{1, 2, 7} {
			b := testCPU(threads, name, pins[i])
			b.Enter()
			s := &stage{t: t, b: b}
			defer s.done()
			run(s)
			b.Leave()
			who := fmt.Sprintf("%s: %s, team of %d", what, name, threads)
			for _, in := range s.ins {
				for k, v := range in.mem.F32() {
					if math.Float32bits(v) != math.Float32bits(in.want[k]) {
						t.Fatalf("%s: input overwritten at %d", who, k)
					}
				}
			}
			first, ok := same[name != "go"]
			if !ok {
				same[name != "go"], from[name != "go"] = s, who
			}
			for k, o := range s.outs {
				if threads == 1 && !near(t, who, o, ref.outs[k]) {
					return
				}
				if ok && !sameBits(o.mem, first.outs[k].mem) {
					t.Errorf("%s: output %d has other bits than %s", who, k, from[name != "go"])
					return
				}
			}
		}
	}
}

var testCPUs = map[string]*CPU{}

// testCPU is one backend per row and team size for the whole run.
func testCPU(threads int, name string, p Pins) *CPU {
	key := fmt.Sprint(name, threads)
	if testCPUs[key] == nil {
		testCPUs[key] = NewCPU(NewTeam(threads), p)
	}
	return testCPUs[key]
}

func near(t *testing.T, who string, got, want output) bool {
	t.Helper()
	for i := range got.mem.Len {
		g, w := got.value(i), want.value(i)
		if g == w || g != g && w != w || got.mem.Type == Float32 && g == float64(float32(w)) {
			continue
		}
		if d := math.Abs(g - w); !(d <= got.atol+got.rtol*math.Abs(w)) {
			t.Errorf("%s: [%d] is %.9g, want %.9g: off by %.3g, bound %.3g", who, i, g, w, d, got.atol+got.rtol*math.Abs(w))
			return false
		}
	}
	return true
}

// sameBits compares two results; NaN payloads are excepted.
func sameBits(a, b Mem) bool {
	if a.Type != Float32 {
		return string(hostBytesOf(a)) == string(hostBytesOf(b))
	}
	x, y := a.F32(), b.F32()
	for i := range x {
		if math.Float32bits(x[i]) != math.Float32bits(y[i]) && (x[i] == x[i] || y[i] == y[i]) {
			return false
		}
	}
	return true
}

// vecRand is n values in [-2, 2).
func vecRand(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 4*r.Float32() - 2
	}
	return v
}

// nans is n values that must not be read.
func nans(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(math.NaN())
	}
	return v
}

// vecWidths are the edge sizes of a row.
func vecWidths() []int {
	w, most := []int{100, 300, 1000, 3000}, 40
	if testing.Short() {
		w, most = []int{31, 32, 33, 300, 1000}, 18
	}
	for c := 1; c <= most; c++ {
		w = append(w, c)
	}
	return w
}

// eps is half an ulp of 1: the relative error of one rounding.
const eps = 0x1p-24

// laneBound is the error of a sum of n products in 16 lanes, each at most
// big: every term passes ceil(n/16)+5 roundings.
func laneBound(n int, big float64) float64 {
	return float64(n/Lanes+6) * eps * float64(n) * big
}
