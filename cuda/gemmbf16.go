package cuda

import (
	"fmt"

	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// bf16Tile is the rows, and the columns, of C that a block computes; rows of
// BFloat16 are read bf16Chunk elements (16 bytes) at a time.
const (
	bf16Tile  = 128
	bf16Chunk = 8
)

// GemmBFloat16Args asks for C (+)= A B. A and B are BFloat16, C is Float32, all
// row-major; Ld is the elements from one row to the next.
type GemmBFloat16Args struct {
	M, N, K    int
	A          kernels.Mat // BFloat16 [M, K]
	B          kernels.Mat // BFloat16 [K, N]; with TransB [N, K]
	TransB     bool
	C          kernels.Mat // Float32 [M, N]
	Accumulate bool        // add to C
}

// GemmBFloat16 is C[i,j] (+)= sum over k of A[i,k] B[k,j] on the tensor cores:
// products of BFloat16 are exact, sums are Float32, in an order that depends on
// K alone, so that every run and every card of one generation gives the same
// bits. No op of kernels.Backend calls it yet.
//
// A and B are read 16 bytes at a time, fragments of C are 8 columns wide: K, N,
// A.Ld and B.Ld are multiples of 8, C.Ld is even, A and B lie on 16 bytes, C on
// 8. M is free. It panics with a *kernels.ArgError on other arguments and on
// operands that are too short, with a *kernels.TypeError on other element types.
func (d *Device) GemmBFloat16(a *GemmBFloat16Args) {
	if a.M == 0 || a.N == 0 {
		return
	}
	a.check()
	k := ptx.GemmBF16NN
	if a.TransB {
		k = ptx.GemmBF16NT
	}
	tilesM, tilesN := ceil(a.M, bf16Tile), ceil(a.N, bf16Tile)
	l := d.op(k)
	l.mem(a.C.Mem)
	l.mem(a.A.Mem)
	l.mem(a.B.Mem)
	for _, v := range []int{a.M, a.N, a.K, tilesM, tilesN, a.A.Ld, a.B.Ld, a.C.Ld, flag(a.Accumulate)} {
		l.i32(v)
	}
	l.run(tilesM*tilesN, 1, 1, 0)
}

func (a *GemmBFloat16Args) check() {
	const op = "GemmBFloat16"
	if a.M < 0 || a.N < 0 || a.K < 0 {
		panic(&kernels.ArgError{Op: op, Rule: fmt.Sprintf("negative size %d x %d x %d", a.M, a.N, a.K)})
	}
	rows, cols := a.K, a.N
	if a.TransB {
		rows, cols = cols, rows
	}
	for _, o := range []struct {
		name       string
		m          kernels.Mat
		t          kernels.DType
		rows, cols int
		align      uint64
	}{{"A", a.A, kernels.BFloat16, a.M, a.K, 16}, {"B", a.B, kernels.BFloat16, rows, cols, 16}, {"C", a.C, kernels.Float32, a.M, a.N, 8}} {
		if o.cols%bf16Chunk != 0 {
			panic(&kernels.ArgError{Op: op, Rule: fmt.Sprintf("%s has rows of %d elements, not a multiple of %d: pad them with zeros", o.name, o.cols, bf16Chunk)})
		}
		if o.rows == 0 || o.cols == 0 {
			continue
		}
		need(op, o.name, o.m.Mem, o.t, (o.rows-1)*o.m.Ld+o.cols)
		if size := o.t.Size(); o.m.Ld < o.cols || uint64(o.m.Ld*size)%o.align != 0 || o.m.Dev%o.align != 0 {
			panic(&kernels.ArgError{Op: op, Rule: fmt.Sprintf("rows of %s (%d elements, Ld %d) do not begin on %d bytes each", o.name, o.cols, o.m.Ld, o.align)})
		}
	}
}
