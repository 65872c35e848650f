package tensor

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/sectile-ml/sectile/kernels"
)

// MatMul is the matrix product [M,K] [K,N] -> [M,N].
func (t *Tensor) MatMul(o *Tensor) *Tensor {
	t.checkMatMul("MatMul", o, 0)
	y := empty("MatMul", t.Backend(), kernels.Float32, []int{t.shape[0], o.shape[1]})
	t.multiply(y, o, false)
	return y
}

// MatMulT is the product with a transpose, [M,K] [N,K]^T -> [M,N]: all dot
// products of rows.
func (t *Tensor) MatMulT(o *Tensor) *Tensor {
	t.checkMatMul("MatMulT", o, 1)
	y := empty("MatMulT", t.Backend(), kernels.Float32, []int{t.shape[0], o.shape[0]})
	t.multiply(y, o, true)
	return y
}

// MatMulInto writes the product t o to dst, which may not overlap them.
func (t *Tensor) MatMulInto(dst, o *Tensor) {
	t.checkMatMul("MatMulInto", o, 0)
	t.into("MatMulInto", dst, t.shape[0], o.shape[1])
	t.multiply(dst, o, false)
	dst.Bump()
}

// MatMulTInto writes the product of t and the transpose of o to dst, which may
// not overlap them.
func (t *Tensor) MatMulTInto(dst, o *Tensor) {
	t.checkMatMul("MatMulTInto", o, 1)
	t.into("MatMulTInto", dst, t.shape[0], o.shape[0])
	t.multiply(dst, o, true)
	dst.Bump()
}

// checkMatMul panics unless t's columns meet axis inner of o.
func (t *Tensor) checkMatMul(op string, o *Tensor, inner int) {
	t.sameBackend(op, o)
	if len(t.shape) != 2 || len(o.shape) != 2 {
		panic(Misuse(op, "operands are matrices", t.shape, o.shape))
	}
	if t.shape[1] != o.shape[inner] {
		panic(Misuse(op, fmt.Sprintf("inner %d != %d", t.shape[1], o.shape[inner]), t.shape, o.shape))
	}
}

func (t *Tensor) into(op string, dst *Tensor, m, n int) {
	t.sameBackend(op, dst)
	if !slices.Equal(dst.shape, []int{m, n}) {
		panic(Misuse(op, fmt.Sprintf("the product is [%d,%d]", m, n), dst.shape))
	}
}

// multiply runs the product on checked operands, with workspace of its own.
func (t *Tensor) multiply(dst, o *Tensor, trans bool) {
	a := kernels.GemmArgs{M: dst.shape[0], N: dst.shape[1], K: t.shape[1], TransB: trans}
	a.A = kernels.Mat{Mem: t.mem, Ld: t.shape[1]}
	a.B = kernels.Mat{Mem: o.mem, Ld: o.shape[1]}
	a.C = kernels.Mat{Mem: dst.mem, Ld: dst.shape[1]}
	if dst.Len() == 0 {
		return
	}
	if a.K == 0 { // a sum of nothing
		dst.set(0)
		return
	}
	b := t.Backend()
	if n := b.Workspace(&a); n > 0 {
		w := Empty(b, kernels.Float32, (n+3)/4)
		defer w.Release()
		a.Work = w.mem
	}
	b.Gemm(&a)
	runtime.KeepAlive(t)
	runtime.KeepAlive(o)
	runtime.KeepAlive(dst)
}
