package kernels

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sectile-ml/sectile/asm"
)

// rowCPU is a backend pinned to one row of the table.
func rowCPU(t testing.TB, k *GemmKernel, threads int) *CPU {
	t.Helper()
	pins, err := ParsePins(k.String())
	if err != nil {
		t.Fatal(err)
	}
	team := NewTeam(threads)
	t.Cleanup(team.Close)
	return NewCPU(team, pins)
}

// gemmCase is a product with all its operands as float32 slices.
type gemmCase struct {
	m, n, k        int
	transA, transB bool
	accumulate     bool
	prepared       bool
	stats          bool
	bias, res      bool
	relu           bool
	pro            ProKind
	proReLU, mask  bool
	group          int // of statistics and prologue
	pad            int // elements between rows
}

func (c gemmCase) String() string {
	return fmt.Sprintf("%dx%dx%d,tA=%v,tB=%v,acc=%v,prep=%v,stats=%v,bias=%v,res=%v,relu=%v,pro=%d,proReLU=%v,mask=%v,group=%d,pad=%d",
		c.m, c.n, c.k, c.transA, c.transB, c.accumulate, c.prepared, c.stats, c.bias, c.res, c.relu, c.pro, c.proReLU, c.mask, c.group, c.pad)
}

// gemmData holds a case's operands, named so that each backend can have a copy.
type gemmData struct {
	a, b, c, res            []float32
	bias, shift             []float32
	scale, pshift           []float32
	coefA, coefB, coefC     []float32
	x, mask                 []float32
	lda, ldb, ldc, ldr      int
	statsChunks, statsWidth int
}

func (c gemmCase) data(seed uint64) *gemmData {
	r := rand.New(rand.NewPCG(seed, 7))
	d := &gemmData{lda: c.k + c.pad, ldb: c.n + c.pad, ldc: c.n + c.pad, ldr: c.n + c.pad}
	ra, rb := c.m, c.k
	if c.transA {
		d.lda, ra = c.m+c.pad, c.k
	}
	if c.transB {
		d.ldb, rb = c.k+c.pad, c.n
	}
	sets := 1
	if c.group > 0 {
		sets = c.m / c.group
	}
	d.a, d.b, d.c = randFloats(r, ra*d.lda), randFloats(r, rb*d.ldb), randFloats(r, c.m*d.ldc)
	d.res, d.bias, d.shift = randFloats(r, c.m*d.ldr), randFloats(r, c.n), randFloats(r, c.n)
	d.scale, d.pshift = randFloats(r, sets*c.k), randFloats(r, sets*c.k)
	d.coefA, d.coefB, d.coefC = randFloats(r, sets*c.k), randFloats(r, sets*c.k), randFloats(r, sets*c.k)
	d.x, d.mask = randFloats(r, c.m*c.k), randFloats(r, c.m*c.k)
	d.statsChunks = StatsChunks(c.m, c.group)
	return d
}

// args builds the arguments on a backend whose memory up makes.
func (c gemmCase) args(d *gemmData, up func([]float32) Mem) *GemmArgs {
	a := &GemmArgs{M: c.m, N: c.n, K: c.k, TransA: c.transA, TransB: c.transB, Accumulate: c.accumulate,
		A: Mat{up(d.a), d.lda}, B: Mat{up(d.b), d.ldb}, C: Mat{up(d.c), d.ldc}}
	if c.stats {
		a.Epi.Stats = Stats{Part: up(make([]float32, d.statsChunks*2*c.n)), Shift: up(d.shift), Group: c.group}
	}
	if c.bias {
		a.Epi.Bias = up(d.bias)
	}
	if c.res {
		a.Epi.Residual = Mat{up(d.res), d.ldr}
	}
	a.Epi.ReLU = c.relu
	a.Pro = Prologue{Kind: c.pro, ReLU: c.proReLU, Group: c.group}
	switch c.pro {
	case ProAffine:
		a.Pro.Scale, a.Pro.Shift = up(d.scale), up(d.pshift)
	case ProBNBackward:
		a.Pro.A, a.Pro.B, a.Pro.C, a.Pro.X = up(d.coefA), up(d.coefB), up(d.coefC), up(d.x)
		if c.mask {
			a.Pro.Mask = up(d.mask)
		}
	}
	return a
}

// plain is memory without guards.
func plain(n int) Mem { return F32Mem(make([]float32, n)) }

// runCPU runs the case on a CPU backend, operands and workspace in memory that
// mem makes, and returns C and the statistics.
func (c gemmCase) runCPU(cpu *CPU, d *gemmData, mem func(n int) Mem) (out, part []float32) {
	a := c.args(d, func(s []float32) Mem {
		m := mem(len(s))
		copy(m.F32(), s)
		return m
	})
	if c.prepared {
		p := &PrepareArgs{Pass: PassGemm, N: c.n, K: c.k, TransB: c.transB, B: a.B, Dst: new(Prepared)}
		p.Dst.Mem = mem(cpu.PreparedBytes(p) / 4)
		cpu.Prepare(p)
		a.Prepared = p.Dst
	}
	a.Work = mem(cpu.Workspace(a) / 4)
	for i, s := 0, a.Work.F32(); i < len(s); i++ {
		s[i] = float32(math.NaN())
	}
	cpu.Gemm(a)
	return a.C.F32(), a.Epi.Stats.Part.F32()
}

// bound is the error that a correct float32 product may have at each element
// of C: chunks of k are chains, chunks fold, the prologue and the epilogue
// round a few times more; all relative to the sum of absolute products.
func (c gemmCase) bound(ref *GemmArgs, d *gemmData, i, j int) float64 {
	var abs float64
	sets := 0
	if c.group > 0 {
		sets = i / c.group * c.k
	}
	for k := range c.k {
		at, bt := i*d.lda+k, k*d.ldb+j
		if c.transA {
			at = k*d.lda + i
		}
		if c.transB {
			bt = j*d.ldb + k
		}
		x := math.Abs(float64(d.a[at]))
		switch c.pro {
		case ProAffine:
			x = x*math.Abs(float64(d.scale[sets+k])) + math.Abs(float64(d.pshift[sets+k]))
		case ProBNBackward:
			x = x*math.Abs(float64(d.coefA[sets+k])) + math.Abs(float64(d.coefB[sets+k]*d.x[i*c.k+k])) + math.Abs(float64(d.coefC[sets+k]))
		}
		abs += x * math.Abs(float64(d.b[bt]))
	}
	kc := gemmKC(c.k)
	return 2 * float64(kc+(c.k+kc-1)/kc+10) * 0x1p-24 * (abs + 4)
}

// check compares the case on cpu with the float64 reference.
func (c gemmCase) check(t *testing.T, cpu *CPU, seed uint64) {
	t.Helper()
	d := c.data(seed)
	got, part := c.runCPU(cpu, d, func(n int) Mem {
		m, free := guarded(t, n)
		t.Cleanup(free)
		return m
	})
	var ref Ref64
	a := c.args(d, func(s []float32) Mem {
		m := F64Mem(make([]float64, len(s)))
		ref.Upload(m, s)
		return m
	})
	ref.Gemm(a)
	want := a.C.F64()
	for i := range c.m {
		for j := range d.ldc {
			g, w := float64(got[i*d.ldc+j]), want[i*d.ldc+j]
			if j >= c.n {
				if g != w {
					t.Fatalf("%v: C[%d,%d] beyond N was written", c, i, j)
				}
			} else if e := math.Abs(g - w); !(e <= c.bound(a, d, i, j)) {
				t.Fatalf("%v: C[%d,%d] = %g, want %g, off by %g, may %g", c, i, j, g, w, e, c.bound(a, d, i, j))
			}
		}
	}
	if !c.stats {
		return
	}
	for i, w := range a.Epi.Stats.Part.F64() {
		// 168 values, each of at most bound(K) and |v| <= K+2: sums to the first order.
		v := float64(c.k)*2 + 4
		lim := StatsChunk * (v + 1) * (v + 1) * 2 * float64(gemmKC(c.k)+StatsChunk+20) * 0x1p-24
		if e := math.Abs(float64(part[i]) - w); !(e <= lim) {
			t.Fatalf("%v: Stats.Part[%d] = %g, want %g", c, i, part[i], w)
		}
	}
}

// gemmCases visits every branch once, then random combinations.
func gemmCases(k *GemmKernel) []gemmCase {
	var cs []gemmCase
	for m := 1; m <= 17; m += 4 {
		for n := 1; n <= 17; n += 4 {
			cs = append(cs, gemmCase{m: m, n: n, k: 5})
		}
	}
	for _, e := range []int{-1, 0, 1} {
		cs = append(cs,
			gemmCase{m: 2*k.MR + e, n: k.NR + e, k: 16 + e, pad: 1},
			gemmCase{m: StatsChunk + e, n: 2*k.NR + k.Narrow + e, k: 8 + e, transB: true},
			gemmCase{m: 3*k.OuterMR + e, n: 64 + e, k: 24 + e, transA: true},
			gemmCase{m: 2*StatsChunk + e, n: 3*k.NR + e, k: 33, accumulate: true, transA: true, transB: true, pad: 3})
	}
	for _, depth := range []int{0, 1, 768, 769, 1600} {
		for trans := range 4 {
			cs = append(cs, gemmCase{m: 13, n: 35, k: depth, transA: trans&1 != 0, transB: trans&2 != 0, accumulate: depth&1 != 0, bias: true})
		}
	}
	cs = append(cs,
		gemmCase{m: 700, n: 400, k: 1000, accumulate: true, relu: true}, // chunks fold aside
		gemmCase{m: 40, n: 30, k: 9000, accumulate: true, stats: true, res: true},
		gemmCase{m: 40, n: 30, k: 20000, transA: true},
		gemmCase{m: 340, n: 32, k: 100}, // B is one panel as it lies
		gemmCase{m: 336, n: 70, k: 512, prepared: true, stats: true, group: 84},
		gemmCase{m: 100, n: 70, k: 1024, prepared: true, transB: true},
		gemmCase{m: 400, n: 2700, k: 100, transB: true, stats: true}, gemmCase{m: 200, n: 333, k: 800}, // units pack for several row chunks,
		gemmCase{m: 700, n: 170, k: 1600, stats: true, bias: true},                                                                          // and chunks of k
		gemmCase{m: 5, n: 67, k: 300, accumulate: true}, gemmCase{m: 24, n: 96, k: 900, stats: true, pad: 5}, gemmCase{m: 64, n: 64, k: 64}, // B as it lies
		gemmCase{m: 103, n: 40, k: 2048}, gemmCase{m: 103, n: 8, k: 300, pad: 212}, // rows of A that crowd the second cache
		gemmCase{m: 22000, n: 25, k: 769, accumulate: true}, // units of several row chunks that fold aside
		gemmCase{m: 2100, n: 250, k: 769, accumulate: true, transA: true},
		gemmCase{m: 168, n: 256, k: 1500, transA: true}, // pieces of a chunk, its second one aside
		gemmCase{m: 1, n: 1000, k: 512}, gemmCase{m: 256, n: 10, k: 512}, gemmCase{m: 12000, n: 3, k: 4})
	r := rand.New(rand.NewPCG(11, 12))
	bit := func() bool { return r.IntN(2) == 0 }
	for range 120 {
		c := gemmCase{n: 1 + r.IntN(100), k: r.IntN(60), group: []int{0, 7, 168, 200}[r.IntN(4)], pad: r.IntN(3),
			transB: bit(), accumulate: bit(), prepared: bit(), stats: bit(), bias: bit(), res: bit(), relu: bit(), proReLU: bit(), mask: bit()}
		c.m = max(1, c.group) * (1 + r.IntN(4))
		if c.pro = ProKind(r.IntN(3)); c.pro == ProNone {
			c.transA = bit()
		} else {
			c.pad = 0
		}
		if c.group == 0 {
			c.m = 1 + r.IntN(400)
		}
		cs = append(cs, c)
	}
	return cs
}

func TestGemm(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := rowCPU(t, k, 2)
		for i, c := range gemmCases(k) {
			if testing.Short() && c.m*c.n*c.k > 1<<22 {
				continue
			}
			c.check(t, cpu, uint64(i))
		}
	})
}

// TestGemmBits: AVX2 and AVX-512, and teams of 1, 2 and 7, give the same bits.
func TestGemmBits(t *testing.T) {
	if !asm.Has(asm.AVX2 | asm.AVX512) {
		if requireISA()&asm.AVX512 != 0 {
			t.Fatal("AVX-512 was promised and is not there")
		}
		t.Skip("needs avx512")
	}
	narrow, wide := &gemmTable[1], &gemmTable[0]
	cpus := []*CPU{rowCPU(t, wide, 1), rowCPU(t, wide, 2), rowCPU(t, wide, 7), rowCPU(t, narrow, 1), rowCPU(t, narrow, 7)}
	for i, c := range gemmCases(wide) {
		d := c.data(uint64(i))
		want, wantPart := c.runCPU(cpus[0], d, plain)
		for u, cpu := range cpus[1:] {
			got, part := c.runCPU(cpu, d, plain)
			equalBits(t, fmt.Sprintf("%v: C on backend %d", c, u+1), got, want)
			equalBits(t, fmt.Sprintf("%v: Part on backend %d", c, u+1), part, wantPart)
		}
	}
}

// TestGemmBitsRandom is TestGemmBits over shapes that no branch was looked up
// for, larger than a unit, and a few threads.
func TestGemmBitsRandom(t *testing.T) {
	var rows []*GemmKernel
	for i := range gemmTable[:len(gemmTable)-1] { // Go's row rounds products
		if gemmTable[i].Usable() {
			rows = append(rows, &gemmTable[i])
		}
	}
	if len(rows) == 0 {
		t.Skip("needs avx2")
	}
	var cpus []*CPU
	for _, k := range rows {
		for _, threads := range []int{1, 2, 7} {
			cpus = append(cpus, rowCPU(t, k, threads))
		}
	}
	r := rand.New(rand.NewPCG(21, 22))
	n := 40
	if testing.Short() {
		n = 8
	}
	for i := range n {
		size := func() int { return int(math.Exp2(10.5 * r.Float64())) }
		c := gemmCase{m: size(), n: size(), k: size(), transA: r.IntN(2) == 0, transB: r.IntN(2) == 0, accumulate: r.IntN(3) == 0, pad: r.IntN(2) * 3}
		d := c.data(uint64(i))
		want, _ := c.runCPU(cpus[0], d, plain)
		for u, cpu := range cpus[1:] {
			got, _ := c.runCPU(cpu, d, plain)
			equalBits(t, fmt.Sprintf("%v: backend %d", c, u+1), got, want)
		}
	}
}

// TestGemmFixedBits: the bits of a few products are part of the contract: no
// instruction set, GOAMD64 or later version may change them.
func TestGemmFixedBits(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		want := uint64(0xf53ba7b06e434c34)
		if k.Needs == 0 {
			want = 0x3b749c9544a246bf
		}
		h := fnv.New64a()
		for i, c := range []gemmCase{{m: 1, n: 1, k: 1}, {m: 17, n: 35, k: 70}, {m: 30, n: 40, k: 2000}, {m: 30, n: 40, k: 2000, transA: true, accumulate: true},
			{m: 16, n: 16, k: 20000, transB: true}, {m: 200, n: 70, k: 800, accumulate: true, bias: true, relu: true}} {
			d := c.data(uint64(i))
			out, _ := c.runCPU(rowCPU(t, k, 1), d, plain)
			for _, v := range out {
				binary.Write(h, binary.LittleEndian, math.Float32bits(v))
			}
		}
		if got := h.Sum64(); got != want {
			t.Errorf("bits hash to %#x, want %#x", got, want)
		}
	})
}

// equalBits compares two results; NaN payloads are excepted.
func equalBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
			t.Fatalf("%s: element %d is %g (%#x), want %g (%#x)", what, i, g, math.Float32bits(g), w, math.Float32bits(w))
		}
	}
}

// TestGemmNonFinite: NaN and infinities of A and B reach C, also where the
// other factor is 0.
func TestGemmNonFinite(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := rowCPU(t, k, 1)
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for _, ta := range []bool{false, true} {
				c := gemmCase{m: 30, n: 37, k: 20, transA: ta, relu: bad != bad}
				d := c.data(5)
				clear(d.b)
				d.a[0] = bad // row 0, k 0
				out, _ := c.runCPU(cpu, d, plain)
				for j := range c.n {
					if out[j] == out[j] || out[c.n+j] != 0 {
						t.Fatalf("A[0,0] = %g: C[0,%d] = %g, C[1,%d] = %g", bad, j, out[j], j, out[c.n+j])
					}
				}
			}
		}
	})
}

// TestGemmAllocs: no allocation in steady state, whatever the way through the
// driver.
func TestGemmAllocs(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := rowCPU(t, k, 2)
		for _, c := range []gemmCase{{m: 64, n: 64, k: 64}, {m: 300, n: 200, k: 70, transA: true, transB: true}, {m: 30, n: 30, k: 4000, transA: true},
			{m: 30, n: 30, k: 4000, accumulate: true, bias: true}, {m: 336, n: 64, k: 32, pro: ProAffine, stats: true, relu: true}} {
			a := c.args(c.data(1), F32Mem)
			a.Work = plain(cpu.Workspace(a) / 4)
			if n := testing.AllocsPerRun(20, func() { cpu.Gemm(a) }); n != 0 {
				t.Errorf("%v: %g allocations a call", c, n)
			}
		}
	})
}

// FuzzGemm compares small products of any shape and flags with the reference.
func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint8(13), uint8(33), uint16(70), uint16(0))
	f.Add(uint64(2), uint8(170), uint8(5), uint16(800), uint16(0x3f))
	f.Fuzz(func(t *testing.T, seed uint64, m, n uint8, depth, flags uint16) {
		c := gemmCase{m: int(m) + 1, n: int(n) + 1, k: int(depth % 2000), transA: flags&1 != 0, transB: flags&2 != 0, accumulate: flags&4 != 0,
			prepared: flags&8 != 0, stats: flags&16 != 0, bias: flags&32 != 0, res: flags&64 != 0, relu: flags&128 != 0}
		if flags&256 != 0 && !c.transA {
			c.pro, c.proReLU, c.mask = ProKind(1+flags>>9&1), flags&1024 != 0, flags&2048 != 0
		}
		for i := range gemmTable {
			if gemmTable[i].Usable() {
				c.check(t, rowCPU(t, &gemmTable[i], 1), seed)
			}
		}
	})
}
