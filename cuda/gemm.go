package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// Gemm is C (+)= A B in one launch; a split k or statistics take a second one.
// A batch is one product after the other.
func (d *Device) Gemm(a *kernels.GemmArgs) {
	const op = "Gemm"
	if a.M == 0 || a.N == 0 {
		return
	}
	for i := range a.Products() {
		p := a.Product(i)
		checkGemm(op, &p)
		t := gemmTile(&p)
		d.product(op, &t)
	}
}

// checkGemm panics on operands that are too short.
func checkGemm(op string, a *kernels.GemmArgs) {
	rows, cols := a.M, a.K
	if a.TransA {
		rows, cols = cols, rows
	}
	brows, bcols := a.K, a.N
	if a.TransB {
		brows, bcols = bcols, brows
	}
	matrix(op, a.M, a.N, a.C)
	if a.K > 0 {
		matrix(op, rows, cols, a.A)
		matrix(op, brows, bcols, a.B)
	}
	checkEpilogue(op, &a.Epi, a.M, a.N)
	checkPrologue(op, &a.Pro, a.M, a.K)
	if a.TransA && a.Pro.Kind != kernels.ProNone {
		panic(&kernels.ArgError{Op: op, Rule: "a prologue needs A without TransA"})
	}
}

func checkEpilogue(op string, e *kernels.Epilogue, m, n int) {
	optional(op, n, e.Bias, e.Stats.Shift)
	optional(op, 2*kernels.StatsChunks(m, e.Stats.Group)*n, e.Stats.Part)
	if !e.Residual.IsNil() {
		matrix(op, m, n, e.Residual)
	}
}

func checkPrologue(op string, p *kernels.Prologue, rows, c int) {
	sets := 1
	if p.Group > 0 {
		sets = rows / p.Group
	}
	switch p.Kind {
	case kernels.ProAffine:
		floats(op, sets*c, p.Scale, p.Shift)
	case kernels.ProBNBackward:
		floats(op, sets*c, p.A, p.B, p.C)
		floats(op, rows*c, p.X)
		optional(op, rows*c, p.Mask)
		optional(op, sets*c, p.Scale, p.Shift)
	}
}

// gemmTile is the product of Gemm's arguments.
func gemmTile(a *kernels.GemmArgs) tileArgs {
	t := tileArgs{m: a.M, n: a.N, k: a.K, a: a.A.Mem, b: a.B.Mem, c: a.C.Mem, lda: a.A.Ld, ldb: a.B.Ld, ldc: a.C.Ld,
		groups: 1, accumulate: a.Accumulate, epi: a.Epi, channels: a.N, p: a.Pro, pRows: a.M, pWidth: a.K, work: a.Work}
	switch {
	case a.TransA && a.TransB:
		t.kernels = ptx.GemmTT
	case a.TransA:
		t.kernels = ptx.GemmTN
	default:
		t.kernels = [][2]*ptx.Product{{ptx.GemmNN, ptx.GemmNT}, {ptx.GemmNNAffine, ptx.GemmNTAffine}, {ptx.GemmNNBN, ptx.GemmNTBN}}[a.Pro.Kind][flag(a.TransB)]
	}
	alongA, alongB := a.K, a.N
	if a.TransA {
		alongA = a.M
	}
	if a.TransB {
		alongB = a.K
	}
	t.vecA = vectors(alongA, []int{a.A.Ld}, append(prologueMems(&a.Pro), a.A.Mem)...) == 1
	t.vecB = vectors(alongB, []int{a.B.Ld}, a.B.Mem) == 1
	return t
}

func prologueMems(p *kernels.Prologue) []kernels.Mem {
	return []kernels.Mem{p.Scale, p.Shift, p.A, p.B, p.C, p.X, p.Mask}
}
