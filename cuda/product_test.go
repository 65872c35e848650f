package cuda

import (
	"fmt"
	"math"
	"testing"

	"github.com/sectile-ml/sectile/cuda/emu"
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// Products of eighths: with few mantissa bits every product and every sum is
// exact, in TF32 too, so that each tile kernel must give the reference's bits.

// eighths is n multiples of 1/8 in [-1, 1).
func (e *edge) eighths(n int) kernels.Mem { return e.hold(rounded(e.draw(n, -1, 1), 8)) }

// quarters is n multiples of 1/4 in [-1, 1).
func (e *edge) quarters(n int) kernels.Mem { return e.hold(rounded(e.draw(n, -1, 1), 4)) }

func rounded(v []float32, unit float64) []float32 {
	for i := range v {
		v[i] = float32(math.Floor(float64(v[i])*unit) / unit)
	}
	return v
}

func (e *edge) prologue(kind kernels.ProKind, rows, c, group int, mask bool) kernels.Prologue {
	sets := rows / group
	p := kernels.Prologue{Kind: kind, Group: group}
	switch kind {
	case kernels.ProAffine:
		p.Scale, p.Shift, p.ReLU = e.quarters(sets*c), e.eighths(sets*c), mask
	case kernels.ProBNBackward:
		p.A, p.B, p.C, p.X = e.quarters(sets*c), e.quarters(sets*c), e.eighths(sets*c), e.eighths(rows*c)
		if mask {
			p.Mask = e.eighths(rows * c)
		} else {
			p.Scale, p.Shift = e.quarters(sets*c), e.eighths(sets*c)
		}
	}
	return p
}

// everything is an epilogue with all its parts.
func (e *edge) everything(m, n, group int) kernels.Epilogue {
	epi := kernels.Epilogue{Bias: e.eighths(n), Residual: kernels.Mat{Mem: e.eighths(m * n), Ld: n}, ReLU: true,
		Stats: kernels.Stats{Part: e.in(kernels.StatsChunks(m, group)*2*n, 0, 1), Shift: e.eighths(n), Group: group}}
	e.out("stats", epi.Stats.Part, 30000)
	return epi
}

// one makes the device run products on kernel k alone; splits over 1 cut k.
func (e *edge) one(d *Device, op string, t tileArgs, k *ptx.Kernel) {
	t.kernels = &ptx.Product{F32: []*ptx.Kernel{k}}
	c := d.plan(&t)
	t.work = e.alloc(kernels.Float32, t.bytes(&c)/4)
	d.product(op, &t)
}

func (e *edge) gemm(a *kernels.GemmArgs, k *ptx.Kernel) {
	if d, ok := e.b.(*Device); ok {
		checkGemm("Gemm", a)
		e.one(d, "Gemm", gemmTile(a), k)
	} else {
		e.b.Gemm(a)
	}
	e.out("C", a.C.Mem, 0)
}

func (e *edge) conv(a *kernels.ConvArgs, k *ptx.Kernel) {
	d, device := e.b.(*Device)
	switch {
	case device && a.Pass == kernels.PassForward:
		e.one(d, "Conv2D", convForward(a), k)
	case device && a.Pass == kernels.PassGradWeight:
		e.one(d, "Conv2DGradWeight", convGradWeight(a), k)
	case device:
		for h := range a.StrideH {
			for w := range a.StrideW {
				e.one(d, "Conv2DGradInput", convGradInput(a, h, w), k)
			}
		}
	case a.Pass == kernels.PassForward:
		e.b.Conv2D(a)
	case a.Pass == kernels.PassGradWeight:
		e.b.Conv2DGradWeight(a)
	default:
		e.b.Conv2DGradInput(a)
	}
	e.out("result", map[kernels.Pass]kernels.Mem{kernels.PassForward: a.Y, kernels.PassGradInput: a.X, kernels.PassGradWeight: a.Wt}[a.Pass], 0)
}

// all are the kernels of a family.
func all(p *ptx.Product) []*ptx.Kernel { return append(append([]*ptx.Kernel{}, p.F32...), p.TF32...) }

// TestGemmKernels runs every tile kernel of Gemm on shapes of several tiles
// with tails, with vectors and without, with all that can stand round a
// product.
func TestGemmKernels(t *testing.T) {
	d := emulated(t)
	for _, f := range []struct {
		p      *ptx.Product
		ta, tb bool
		pro    kernels.ProKind
	}{{ptx.GemmNN, false, false, 0}, {ptx.GemmNT, false, true, 0}, {ptx.GemmTN, true, false, 0}, {ptx.GemmTT, true, true, 0},
		{ptx.GemmNNAffine, false, false, kernels.ProAffine}, {ptx.GemmNTAffine, false, true, kernels.ProAffine},
		{ptx.GemmNNBN, false, false, kernels.ProBNBackward}, {ptx.GemmNTBN, false, true, kernels.ProBNBackward}} {
		for _, k := range all(f.p) {
			n := f.p.Edge(k)
			for i, s := range [][3]int{{n + 12, n + 4, 36}, {n - 3, n + 3, 19}} {
				if i == 1 && n > 32 || i == 0 && n == 128 && testing.Short() {
					continue
				}
				compareEdge(t, d, fmt.Sprintf("%s %v", k.Name, s), func(e *edge) {
					m, n, depth := s[0], s[1], s[2]
					ra, ca := m, depth
					if f.ta {
						ra, ca = ca, ra
					}
					rb, cb := depth, n
					if f.tb {
						rb, cb = cb, rb
					}
					a := &kernels.GemmArgs{M: m, N: n, K: depth, TransA: f.ta, TransB: f.tb, Accumulate: i == 0,
						A: kernels.Mat{Mem: e.eighths(ra * ca), Ld: ca}, B: kernels.Mat{Mem: e.eighths(rb * cb), Ld: cb}, C: kernels.Mat{Mem: e.eighths(m * n), Ld: n},
						Pro: e.prologue(f.pro, m, depth, m/(2-i), i == 0), Epi: e.everything(m, n, m/(2-i))}
					e.gemm(a, k)
				})
			}
		}
	}
}

// TestConvKernels does so for the convolutions: a stride, a dilation, groups,
// channels with and without vectors, and prologues on either operand.
func TestConvKernels(t *testing.T) {
	d := emulated(t)
	for _, f := range []struct {
		p    *ptx.Product
		pass kernels.Pass
		x, y kernels.ProKind
	}{{ptx.ConvForward, kernels.PassForward, 0, 0}, {ptx.ConvForwardAffine, kernels.PassForward, kernels.ProAffine, 0},
		{ptx.ConvGradInput, kernels.PassGradInput, 0, 0}, {ptx.ConvGradInputBN, kernels.PassGradInput, 0, kernels.ProBNBackward},
		{ptx.ConvGradWeight, kernels.PassGradWeight, 0, 0}, {ptx.ConvGradWeightAffine, kernels.PassGradWeight, kernels.ProAffine, 0},
		{ptx.ConvGradWeightBN, kernels.PassGradWeight, 0, kernels.ProBNBackward}, {ptx.ConvGradWeightBNAffine, kernels.PassGradWeight, kernels.ProAffine, kernels.ProBNBackward}} {
		for _, k := range all(f.p) {
			for i, s := range []kernels.ConvShape{
				{N: 2, H: 7, W: 6, C: 8, OC: 12, KH: 3, KW: 2, StrideH: 2, StrideW: 1, PadH: 1, PadW: 0, DilH: 1, DilW: 2, Groups: 2},
				{N: 2, H: 6, W: 7, C: 3, OC: 5, KH: 2, KW: 3, StrideH: 1, StrideW: 3, PadH: 0, PadW: 2, DilH: 2, DilW: 1, Groups: 1},
			} {
				if i == 1 && f.p.Edge(k) > 32 || i == 0 && f.p.Edge(k) == 128 && testing.Short() {
					continue
				}
				compareEdge(t, d, fmt.Sprintf("%s %+v", k.Name, s), func(e *edge) {
					pixels, nx := s.N*s.OH()*s.OW(), s.N*s.H*s.W
					a := &kernels.ConvArgs{ConvShape: s, Pass: f.pass, Accumulate: i == 0,
						X: e.eighths(nx * s.C), Wt: e.eighths(s.OC * s.KH * s.KW * s.C / s.Groups), Y: e.eighths(pixels * s.OC),
						ProX: e.prologue(f.x, nx, s.C, nx/s.N, i == 0), ProY: e.prologue(f.y, pixels, s.OC, pixels/s.N, i == 0)}
					if f.pass == kernels.PassForward {
						a.Epi = e.everything(pixels, s.OC, pixels/s.N)
					}
					e.conv(a, k)
				})
			}
		}
	}
}

// TestSplits cuts a long k: partial products meet in order, then the epilogue
// with statistics over groups.
func TestSplits(t *testing.T) {
	d := emulated(t)
	compareEdge(t, d, "gemm", func(e *edge) {
		const m, n, k = 340, 9, 1030
		a := &kernels.GemmArgs{M: m, N: n, K: k, Accumulate: true, A: kernels.Mat{Mem: e.eighths(m * k), Ld: k}, B: kernels.Mat{Mem: e.eighths(k * n), Ld: n},
			C: kernels.Mat{Mem: e.eighths(m * n), Ld: n}, Epi: e.everything(m, n, 170)}
		if _, ok := e.b.(*Device); ok {
			g := gemmTile(a)
			if c := d.plan(&g); c.splits < 2 {
				t.Fatalf("k = %d is not split", k)
			}
		}
		a.Work = e.alloc(kernels.Float32, (e.b.Workspace(a)+3)/4)
		e.b.Gemm(a)
		e.out("C", a.C.Mem, 0)
	})
	compareEdge(t, d, "conv", func(e *edge) {
		s := kernels.ConvShape{N: 9, H: 8, W: 8, C: 6, OC: 4, KH: 1, KW: 3, StrideH: 1, StrideW: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 2}
		a := &kernels.ConvArgs{ConvShape: s, Pass: kernels.PassGradWeight, Accumulate: true, X: e.eighths(9 * 64 * 6), Wt: e.eighths(4 * 3 * 3), Y: e.eighths(9 * 64 * 4)}
		a.Work = e.alloc(kernels.Float32, (e.b.Workspace(a)+3)/4)
		e.b.Conv2DGradWeight(a)
		e.out("Wt", a.Wt, 0)
	})
}

// TestTF32 shows that the option reaches the tensor cores and rounds inputs,
// and that without it nothing is rounded.
func TestTF32(t *testing.T) {
	for _, on := range []bool{false, true} {
		drv := emu.New(1)
		d, err := Open(drv, 0, Options{NoGraphs: true, TF32: on})
		if err != nil {
			t.Fatal(err)
		}
		x := float32(1) + 1.0/(1<<11) + 1.0/(1<<12) // TF32 keeps 10 bits: rounds up to 1 + 2^-10
		v := make([]float32, 64*64)
		for i := range v {
			v[i] = x
		}
		e := &edge{t: t, b: d}
		a := &kernels.GemmArgs{M: 64, N: 64, K: 64, A: kernels.Mat{Mem: e.hold(v), Ld: 64}, B: kernels.Mat{Mem: e.hold(v), Ld: 64}, C: kernels.Mat{Mem: e.hold(v), Ld: 64}}
		d.Gemm(a)
		got := make([]float32, 64*64)
		e.must(d.Download(got, a.C.Mem))
		want := 64 * float64(x) * float64(x)
		if on {
			want = 64 * (1 + 1.0/1024) * (1 + 1.0/1024)
		}
		if math.Abs(float64(got[77])-want) > 1e-5*want {
			t.Errorf("TF32 %v: %g, want %g", on, got[77], want)
		}
		if m := drv.Counters("gemm_nn_tf32_64").Matrix; (m > 0) != on {
			t.Errorf("TF32 %v: %d matrix instructions", on, m)
		}
		d.Close()
	}
}

// TestBankConflicts holds the loops to their headers: no conflict anywhere in
// products, convolutions and their epilogues.
func TestBankConflicts(t *testing.T) {
	for _, tf32 := range []bool{false, true} {
		drv := emu.New(1)
		d, err := Open(drv, 0, Options{NoGraphs: true})
		if err != nil {
			t.Fatal(err)
		}
		e := &edge{t: t, b: d}
		for _, p := range []*ptx.Product{ptx.GemmNN, ptx.GemmNT, ptx.GemmTN} {
			list := p.F32
			if tf32 {
				list = p.TF32
			}
			for _, k := range list {
				n := p.Edge(k)
				a := &kernels.GemmArgs{M: n, N: n, K: 32, TransA: p == ptx.GemmTN, TransB: p == ptx.GemmNT}
				for _, m := range []*kernels.Mat{&a.A, &a.B, &a.C} {
					*m = kernels.Mat{Mem: e.eighths(n * n), Ld: n}
				}
				if a.A.Ld = 32; a.TransA {
					a.A.Ld = n
				}
				if a.B.Ld = n; a.TransB {
					a.B.Ld = 32
				}
				e.gemm(a, k)
				e.must(d.Sync())
				if c := drv.Counters(k.Name); c.BankConflicts > 0 || c.SharedAccesses == 0 {
					t.Errorf("%s: %d bank conflicts in %d accesses of shared memory", k.Name, c.BankConflicts, c.SharedAccesses)
				}
			}
		}
		d.Close()
	}
}

// TestFastDivide compares with division at the ends of every quotient.
func TestFastDivide(t *testing.T) {
	for d := 1; d < 1<<31; d += 1 + d/3 {
		mul, shift := fastDivide(d)
		for q := uint64(0); q*uint64(d) < 1<<31; q = q*3 + 1 {
			for _, n := range []uint64{q * uint64(d), q*uint64(d) + uint64(d) - 1, 1<<31 - 1} {
				if n < 1<<31 && n*uint64(mul)>>shift != n/uint64(d) {
					t.Fatalf("%d / %d = %d", n, d, n*uint64(mul)>>shift)
				}
			}
		}
	}
}

// TestProductPlantedFaults plants faults into the text of the products.
func TestProductPlantedFaults(t *testing.T) {
	gemm := func(k *ptx.Kernel, m, n, depth int) func(e *edge) {
		return func(e *edge) {
			a := &kernels.GemmArgs{M: m, N: n, K: depth, A: kernels.Mat{Mem: e.eighths(m * depth), Ld: depth}, B: kernels.Mat{Mem: e.eighths(depth * n), Ld: n},
				C: kernels.Mat{Mem: e.eighths(m * n), Ld: n}, Epi: e.everything(m, n, m)}
			e.gemm(a, k)
		}
	}
	tf32 := gemm(ptx.GemmNN.TF32[0], 64, 64, 32)
	simt := gemm(ptx.GemmNN.F32[0], 200, 33, 33)
	stride2 := func(e *edge) {
		s := kernels.ConvShape{N: 1, H: 5, W: 6, C: 4, OC: 4, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1}
		e.conv(&kernels.ConvArgs{ConvShape: s, Pass: kernels.PassGradInput, X: e.eighths(120), Wt: e.eighths(144), Y: e.eighths(36)}, ptx.ConvGradInput.F32[0])
	}
	for _, f := range []struct {
		name, from, to string
		run            func(*edge)
	}{
		{"a turn without its barrier", "bar.sync 0;\n\tbra TURN", "bra TURN", simt},
		{"a fragment's halves exchanged", "{%fa0,%fa1,%fa2,%fa3}, {%fb0,%fb1}", "{%fa1,%fa0,%fa2,%fa3}, {%fb0,%fb1}", tf32},
		{"another swizzle for A", "xor.b32 %ra1, %ra0, 32;", "xor.b32 %ra1, %ra0, 64;", tf32},
		{"the tail of k not cleared", "mov.f32 %bv0, 0f00000000;", "", simt},
		{"chunks of 160 rows", "mad.lo.u32 %t1, %t1, 168, %t0;\n\tadd.u32 %t0, %t1, 168;", "mad.lo.u32 %t1, %t1, 168, %t0;\n\tadd.u32 %t0, %t1, 160;", simt},
		{"parity classes at the wrong column", "mad.lo.u32 %orow, %t0, %outarea, %outw0;", "mul.lo.u32 %orow, %t0, %outarea;", stride2},
		{"a row above the image", "setp.lt.and.u32 %aq0, %ar0, %srch, %aq0;", "", stride2},
	} {
		p := &planted{API: emulator(), from: f.from, to: f.to}
		d, err := Open(p, 0, Options{NoGraphs: true})
		if err != nil {
			t.Fatal(err)
		}
		bad := edgeFaults(d, f.run)
		switch {
		case !p.done:
			t.Errorf("%s: %q is in no kernel that ran", f.name, f.from)
		case len(bad) == 0:
			t.Errorf("%s: not seen", f.name)
		}
		d.Close()
	}
}
