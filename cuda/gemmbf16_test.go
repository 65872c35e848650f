package cuda

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/cuda/emu"
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// bf16Case is a product of BFloat16. Operands lie in NaNs: before, after, and
// between their rows.
type bf16Case struct {
	m, n, k    int
	transB     bool
	accumulate bool
	fine       bool // all bits of BFloat16, to a bound; else eighths, whose sums are exact
}

func (c bf16Case) String() string {
	return fmt.Sprintf("%d x %d x %d, TransB %v, accumulate %v, fine %v", c.m, c.n, c.k, c.transB, c.accumulate, c.fine)
}

// values are rows x cols numbers that BFloat16 holds.
func (c bf16Case) values(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		if v[i] = float32(r.IntN(16)-8) / 8; c.fine {
			v[i] = math.Float32frombits(math.Float32bits(float32(r.NormFloat64())) &^ 0xffff)
		}
	}
	return v
}

// bf16Device keeps no memory of its own, so that the emulator knows where each
// operand ends.
func bf16Device(t *testing.T) *Device {
	t.Helper()
	api, n := Tested(t)
	d, err := Open(api, n, Options{NoGraphs: true, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// lay puts rows of cols values into a matrix with ld, from element off on, and
// NaNs elsewhere.
func lay(v []float32, rows, cols, ld, off int) []float32 {
	all := make([]float32, rows*ld+2*off)
	for i := range all {
		all[i] = math.Float32frombits(guardBits)
	}
	for r := range rows {
		copy(all[off+r*ld:], v[r*cols:(r+1)*cols])
	}
	return all
}

// run gives the bits of C with all that lies around it, and what is wrong with
// them.
func (c bf16Case) run(d *Device) (bits []uint32, bad error) {
	r := rand.New(rand.NewPCG(7, uint64(c.m*c.n+c.k)))
	a, b, old := c.values(r, c.m*c.k), c.values(r, c.k*c.n), c.values(r, c.m*c.n)
	brows, bcols := c.k, c.n
	if c.transB {
		brows, bcols = bcols, brows
	}
	var made []kernels.Mem
	defer func() {
		for _, m := range made {
			d.Free(m)
		}
	}()
	memory := func(t kernels.DType, n int) kernels.Mem {
		m, err := d.Alloc(t, n)
		if err != nil {
			panic(err)
		}
		made = append(made, m)
		return m
	}
	narrow := func(v []float32, rows, cols int) kernels.Mat {
		all := lay(v, rows, cols, cols+8, 8)
		wide, m := memory(kernels.Float32, len(all)), memory(kernels.BFloat16, len(all))
		d.Upload(wide, all)
		d.ToBFloat16(m, wide)
		return kernels.Mat{Mem: m.At(8, (rows-1)*(cols+8)+cols), Ld: cols + 8}
	}
	start := make([]float32, c.m*c.n)
	for i := range start {
		if start[i] = math.Float32frombits(guardBits); c.accumulate {
			start[i] = old[i]
		}
	}
	ldc := c.n + 2
	around := lay(start, c.m, c.n, ldc, 2)
	all := memory(kernels.Float32, len(around))
	d.Upload(all, around)
	args := &GemmBFloat16Args{M: c.m, N: c.n, K: c.k, TransB: c.transB, Accumulate: c.accumulate,
		C: kernels.Mat{Mem: all.At(2, (c.m-1)*ldc+c.n), Ld: ldc}}
	if c.k > 0 {
		args.A, args.B = narrow(a, c.m, c.k), narrow(b, brows, bcols)
	}
	d.GemmBFloat16(args)
	got := make([]float32, len(around))
	if err := d.Download(got, all); err != nil {
		return nil, err
	}
	bits = make([]uint32, len(got))
	for i, v := range got {
		bits[i] = math.Float32bits(v)
	}
	for i, v := range bits {
		row, col := (i-2)/ldc, (i-2)%ldc
		if i < 2 || row >= c.m || col >= c.n {
			if v != guardBits {
				return bits, fmt.Errorf("wrote %g outside C, at %d", got[i], i)
			}
			continue
		}
		want, size := 0.0, 0.0
		if c.accumulate {
			want = float64(old[row*c.n+col])
			size = math.Abs(want)
		}
		for p := range c.k {
			at := p*c.n + col
			if c.transB {
				at = col*c.k + p
			}
			x := float64(a[row*c.k+p]) * float64(b[at])
			want, size = want+x, size+math.Abs(x)
		}
		bound := 0.0
		if c.fine {
			bound = size * float64(c.k+1) / (1 << 24)
		}
		if !(math.Abs(float64(got[i])-want) <= bound) {
			return bits, fmt.Errorf("C[%d,%d] = %g, want %g +- %g", row, col, got[i], want, bound)
		}
	}
	return bits, nil
}

// bf16Cases have one tile and several, tails of M, N and K, fewer steps than
// stages, more than eight row tiles, and no k at all.
var bf16Cases = []bf16Case{
	{m: 128, n: 128, k: 64},
	{m: 128, n: 128, k: 128, fine: true},
	{m: 1, n: 8, k: 8},
	{m: 72, n: 136, k: 40, accumulate: true},
	{m: 131, n: 264, k: 168},
	{m: 96, n: 56, k: 520, fine: true, accumulate: true},
	{m: 1160, n: 136, k: 8},
	{m: 9, n: 16, k: 0},
	{m: 9, n: 16, k: 0, accumulate: true},
}

// TestGemmBFloat16 compares with sums in Float64, and a second run with the
// first.
func TestGemmBFloat16(t *testing.T) {
	d := bf16Device(t)
	for _, c := range bf16Cases {
		for _, c.transB = range []bool{false, true} {
			one, err := c.run(d)
			if err != nil {
				t.Fatalf("%v: %v", c, err)
			}
			two, err := c.run(d)
			if err != nil || !slices.Equal(one, two) {
				t.Errorf("%v: a second run gives other bits (%v)", c, err)
			}
		}
	}
	d.GemmBFloat16(&GemmBFloat16Args{M: 0, N: 8, K: 8})
	d.GemmBFloat16(&GemmBFloat16Args{M: 8, N: 0, K: 8})
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
}

// TestGemmBFloat16Refuses: what the kernel cannot read in 16 bytes, and what
// is too short.
func TestGemmBFloat16Refuses(t *testing.T) {
	d := emulated(t)
	half, full := alloc(t, d, kernels.BFloat16, 4096), alloc(t, d, kernels.Float32, 4096)
	good := func() *GemmBFloat16Args {
		return &GemmBFloat16Args{M: 5, N: 16, K: 24, A: kernels.Mat{Mem: half, Ld: 24}, B: kernels.Mat{Mem: half, Ld: 24}, C: kernels.Mat{Mem: full, Ld: 16}}
	}
	refused := func(f func(a *GemmBFloat16Args)) (r any) {
		defer func() { r = recover() }()
		a := good()
		f(a)
		a.check()
		return nil
	}
	if r := refused(func(a *GemmBFloat16Args) {}); r != nil {
		t.Fatal(r)
	}
	for name, f := range map[string]func(a *GemmBFloat16Args){
		"K":          func(a *GemmBFloat16Args) { a.K = 20 },
		"N":          func(a *GemmBFloat16Args) { a.N = 12 },
		"N, TransB":  func(a *GemmBFloat16Args) { a.N, a.TransB = 12, true },
		"negative M": func(a *GemmBFloat16Args) { a.M = -8 },
		"A.Ld":       func(a *GemmBFloat16Args) { a.A.Ld = 28 },
		"narrow A":   func(a *GemmBFloat16Args) { a.A.Ld = 16 },
		"narrow B":   func(a *GemmBFloat16Args) { a.TransB, a.B.Ld = true, 16 },
		"C.Ld":       func(a *GemmBFloat16Args) { a.C.Ld = 17 },
		"A askew":    func(a *GemmBFloat16Args) { a.A.Mem = half.At(4, 1000) },
		"C askew":    func(a *GemmBFloat16Args) { a.C.Mem = full.At(1, 1000) },
		"short A":    func(a *GemmBFloat16Args) { a.A.Mem = half.At(0, 119) },
		"short B":    func(a *GemmBFloat16Args) { a.B.Mem = half.At(0, 23*24+15) },
		"short C":    func(a *GemmBFloat16Args) { a.C.Mem = full.At(0, 79) },
	} {
		var e *kernels.ArgError
		if err, _ := refused(f).(error); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e *kernels.TypeError
	if err, _ := refused(func(a *GemmBFloat16Args) { a.A.Mem = full }).(error); !errors.As(err, &e) {
		t.Errorf("Float32 for A: %v", err)
	}
	if err, _ := refused(func(a *GemmBFloat16Args) { a.C.Mem = half }).(error); !errors.As(err, &e) {
		t.Errorf("BFloat16 for C: %v", err)
	}
}

// TestGemmBFloat16Counts holds the kernels to their header: no bank conflict
// where cp.async writes or ldmatrix reads, and the products of each step.
func TestGemmBFloat16Counts(t *testing.T) {
	drv := emu.New(1)
	d, err := Open(drv, 0, Options{NoGraphs: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, k := range []*ptx.Kernel{ptx.GemmBF16NN, ptx.GemmBF16NT} {
		if _, err := (bf16Case{m: 128, n: 256, k: 96, transB: k == ptx.GemmBF16NT}).run(d); err != nil {
			t.Fatal(err)
		}
		c := drv.Counters(k.Name)
		// Of 2 blocks of 4 warps: 3 steps and 2 beyond k are copied, half a step beyond is read.
		if want := int64(2 * 4 * (5*8 + 3*16 + 8)); c.BankConflicts != 0 || c.SharedAccesses != want {
			t.Errorf("%s: %d bank conflicts in %d accesses of shared memory, want %d", k.Name, c.BankConflicts, c.SharedAccesses, want)
		}
		if want := int64(2 * 4 * 3 * 64); c.Matrix != want {
			t.Errorf("%s: %d products of matrices, want %d", k.Name, c.Matrix, want)
		}
	}
}

// TestGemmBFloat16PlantedFaults plants faults into the text and shows that the
// cases, or the emulator under them, see each.
func TestGemmBFloat16PlantedFaults(t *testing.T) {
	tails := bf16Case{m: 131, n: 136, k: 168}
	short := bf16Case{m: 72, n: 136, k: 8}
	many := bf16Case{m: 1160, n: 8, k: 8}
	turned := bf16Case{m: 136, n: 136, k: 168, transB: true}
	for _, c := range []bf16Case{tails, short, many, turned} {
		if _, err := c.run(bf16Device(t)); err != nil {
			t.Errorf("%v, without a fault: %v", c, err)
		}
	}
	const load, product = "ldmatrix.sync.aligned.m8n8.x4", "{%fa0_0,%fa0_1,%fa0_2,%fa0_3}, {%fb0_0,%fb0_1}"
	for _, f := range []struct {
		name, from, to string
		c              bf16Case
	}{
		{"the first wait is for a group too few", "cp.async.wait_group 1", "cp.async.wait_group 2", tails},
		{"the loop's wait is for a group too few", "cp.async.wait_group 1;\n\tbar.sync 0;\n\tadd.u32 %stage", "cp.async.wait_group 2;\n\tbar.sync 0;\n\tadd.u32 %stage", tails},
		{"no first wait", "\tcp.async.wait_group 1;\n", "", tails},
		{"no first barrier", "\tbar.sync 0;\n", "", tails},
		{"no barrier in the loop", "\tbar.sync 0;\n\tadd.u32 %stage", "\tadd.u32 %stage", tails},
		{"a group not committed", "\tcp.async.commit_group;\n", "", tails},
		{"a ring too short for the reader", "setp.eq.u32 %p, %stage, 49152", "setp.eq.u32 %p, %stage, 32768", tails},
		{"writer's swizzle of A", "xor.b32 %t0, %t0, %chunk;", "or.b32 %t0, %t0, %chunk;", tails},
		{"writer's swizzle of B", "xor.b32 %t0, %row, %chunk;", "add.u32 %t0, %row, %chunk;", tails},
		{"reader's swizzle of A", "xor.b32 %t0, %t0, %t1;", "add.u32 %t0, %t0, %t1;", tails},
		{"reader's swizzle of B", "and.b32 %t1, %lane, 7;", "and.b32 %t1, %lane, 3;", tails},
		{"the second half by a sum", "xor.b32 %t0, %t0, 32;", "add.u32 %t0, %t0, 32;", tails},
		{"columns by a sum", "xor.b32 %t1, %t0, 64;", "add.u32 %t1, %t0, 64;", tails},
		{"fragments of A exchanged", product, "{%fa0_0,%fa0_2,%fa0_1,%fa0_3}, {%fb0_0,%fb0_1}", tails},
		{"fragments of B exchanged", product, "{%fa0_0,%fa0_1,%fa0_2,%fa0_3}, {%fb0_1,%fb0_0}", tails},
		{"fragments of the other half", product, "{%fa0_0,%fa0_1,%fa0_2,%fa0_3}, {%fb1_0,%fb1_1}", tails},
		{"B not turned", load + ".trans.shared.b16 {%fb1_4", load + ".shared.b16 {%fb1_4", tails},
		{"B^T turned", load + ".shared.b16 {%fb0_0", load + ".trans.shared.b16 {%fb0_0", turned},
		{"chunks of B^T exchanged", "shr.u32 %t1, %lane, 3;", "shr.u32 %t1, %lane, 4;", turned},
		{"k outside of A", "setp.gt.s32 %p, %lefta, 0;", "setp.gt.s32 %p, %lefta, -32;", short},
		{"k outside of B", "setp.gt.s32 %p, %leftb, 8;", "setp.gt.s32 %p, %leftb, 0;", short},
		{"rows of A outside", "min.u32 %t0, %t0, %t1;", "", tails},
		{"columns of B outside", "min.u32 %chunk, %chunk, %t1;", "", tails},
		{"a step too few", "add.u32 %steps, %k, 31;", "mov.u32 %steps, %k;", tails},
		{"B goes on by half a stage", "mul.wide.u32 %stepb, %ldb, 64;", "mul.wide.u32 %stepb, %ldb, 32;", tails},
		{"a sum not zeroed", "\tmov.f32 %acc5, 0f00000000;\n", "", tails},
		{"a row too many stored", "setp.ge.u32 %p, %crow, %m;", "setp.gt.u32 %p, %crow, %m;", tails},
		{"columns too many stored", "setp.gt.s32 %inside, %cleft, 8;", "setp.ge.s32 %inside, %cleft, 8;", tails},
		{"C always added", "setp.gt.and.s32 %inside, %cleft, 0, %add;", "setp.gt.s32 %inside, %cleft, 0;", tails},
		{"bands of four", "min.u32 %bandrows, %bandrows, 8;", "min.u32 %bandrows, %bandrows, 4;", many},
	} {
		p := &planted{API: emulator(), from: f.from, to: f.to}
		d, err := Open(p, 0, Options{NoGraphs: true, NoCache: true})
		if err != nil {
			t.Fatal(err)
		}
		_, bad := f.c.run(d)
		switch {
		case !p.done:
			t.Errorf("%s: %q is in no kernel that ran", f.name, f.from)
		case bad == nil:
			t.Errorf("%s: not seen", f.name)
		default:
			t.Logf("%s: %.200s", f.name, bad)
		}
		d.Close()
	}
}
