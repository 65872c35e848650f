package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

type matMulConfig struct {
	TransA, TransB bool
	Bias           bool
}

// matMul is y = op(a) op(b) (+ bias). With y = a b:
// da = dy bᵀ, db = aᵀ dy, dbias = the column sums of dy.
type matMul struct {
	matMulConfig
	m, n, k      int
	work, wa, wb Buf
	fwd, da, db  kernels.GemmArgs
	prepF, prepA kernels.PrepareArgs
	bias         kernels.ReduceArgs
}

// MatMul is a [M,K] times b [K,N], giving [M,N].
//
//go:noinline
func MatMul(a, b *Var) *Var { return Apply[*matMul](a.t, matMulConfig{}, a, b) }

// MatMulT is a [M,K] times the transpose of b [N,K], giving [M,N].
//
//go:noinline
func MatMulT(a, b *Var) *Var { return Apply[*matMul](a.t, matMulConfig{TransB: true}, a, b) }

// TMatMul is the transpose of a [K,M] times b [K,N], giving [M,N].
//
//go:noinline
func TMatMul(a, b *Var) *Var { return Apply[*matMul](a.t, matMulConfig{TransA: true}, a, b) }

// Linear is x [N,in] times the transpose of w [out,in], plus b [out].
//
//go:noinline
func Linear(x, w, b *Var) *Var {
	return Apply[*matMul](x.t, matMulConfig{TransB: true, Bias: true}, x, w, b)
}

func (o *matMul) Config() *matMulConfig { return &o.matMulConfig }
func (o *matMul) Name() string          { return fmt.Sprintf("MatMul %dx%dx%d", o.m, o.n, o.k) }

func (o *matMul) Plan(p *Plan) {
	a, b := p.In(0), p.In(1)
	if a.Rank != 2 || b.Rank != 2 {
		panic(&tensor.ShapeError{Op: "MatMul", Operands: [][]int{a.Slice(), b.Slice()}, Rule: "two matrices"})
	}
	o.m, o.k, o.n = a.Dim[0], a.Dim[1], b.Dim[1]
	kb := b.Dim[0]
	if o.TransA {
		o.m, o.k = o.k, o.m
	}
	if o.TransB {
		o.n, kb = b.Dim[0], b.Dim[1]
	}
	if o.k != kb {
		panic(&tensor.ShapeError{Op: "MatMul", Operands: [][]int{a.Slice(), b.Slice()}, Rule: fmt.Sprintf("inner %d != %d", o.k, kb)})
	}
	if o.Bias && (p.In(2).Rank != 1 || p.In(2).Dim[0] != o.n) {
		panic(&tensor.ShapeError{Op: "Linear", Operands: [][]int{a.Slice(), b.Slice(), p.In(2).Slice()}, Rule: fmt.Sprintf("bias [%d]", o.n)})
	}
	p.Out(Dims(o.m, o.n))
	mat := func(s Shape) kernels.Mat { return kernels.Mat{Ld: s.Dim[1]} }
	y := kernels.Mat{Ld: o.n}
	o.fwd = kernels.GemmArgs{M: o.m, N: o.n, K: o.k, TransA: o.TransA, TransB: o.TransB, A: mat(a), B: mat(b), C: y}
	o.prepF = kernels.PrepareArgs{Pass: kernels.PassGemm, N: o.n, K: o.k, TransB: o.TransB, B: mat(b)}
	o.work = p.WorkFor(&o.fwd)
	if p.Wants(0) {
		p.SaveIn(1)
		if o.TransA { // da [K,M] = op(b) dyᵀ
			o.da = kernels.GemmArgs{M: o.k, N: o.m, K: o.n, TransA: o.TransB, TransB: true, A: mat(b), B: y, C: mat(a)}
		} else { // da [M,K] = dy op(b)ᵀ
			o.da = kernels.GemmArgs{M: o.m, N: o.k, K: o.n, TransB: !o.TransB, A: y, B: mat(b), C: mat(a)}
			o.prepA = kernels.PrepareArgs{Pass: kernels.PassGemm, N: o.k, K: o.n, TransB: !o.TransB, B: mat(b)}
		}
		o.da.Accumulate = true // the larger workspace: another op may have written first
		o.wa = p.BackWorkFor(&o.da)
	}
	if p.Wants(1) {
		p.SaveIn(0)
		if o.TransB { // db [N,K] = dyᵀ op(a)
			o.db = kernels.GemmArgs{M: o.n, N: o.k, K: o.m, TransA: true, TransB: o.TransA, A: y, B: mat(a), C: mat(b)}
		} else { // db [K,N] = op(a)ᵀ dy
			o.db = kernels.GemmArgs{M: o.k, N: o.n, K: o.m, TransA: !o.TransA, A: mat(a), B: y, C: mat(b)}
		}
		o.db.Accumulate = true
		o.wb = p.BackWorkFor(&o.db)
	}
}

func (o *matMul) Forward(c *Ctx) {
	a := &o.fwd
	a.A.Mem, a.B.Mem, a.C.Mem, a.Work = c.In(0), c.In(1), c.Out(0), c.Buf(o.work)
	if o.Bias {
		a.Epi.Bias = c.In(2)
	}
	o.prepF.B.Mem = a.B.Mem
	a.Prepared = nil
	if !o.TransA {
		a.Prepared = c.Prepared(1, &o.prepF)
	}
	c.Backend().Gemm(a)
}

func (o *matMul) Backward(c *Ctx) {
	dy := c.GradOut(0)
	if g, acc, ok := c.GradIn(1); ok {
		a := &o.db
		a.C.Mem, a.Work, a.Accumulate = g, c.Buf(o.wb), acc
		if o.TransB {
			a.A.Mem, a.B.Mem = dy, c.In(0)
		} else {
			a.A.Mem, a.B.Mem = c.In(0), dy
		}
		c.Backend().Gemm(a)
	}
	if o.Bias {
		if g, acc, ok := c.GradIn(2); ok {
			o.bias = kernels.ReduceArgs{Op: kernels.ReduceSum, Outer: 1, Axis: o.m, Inner: o.n, X: dy, Y: g, Accumulate: acc}
			c.Backend().Reduce(&o.bias)
		}
	}
	if g, acc, ok := c.GradIn(0); ok {
		a := &o.da
		a.C.Mem, a.Work, a.Accumulate = g, c.Buf(o.wa), acc
		if o.TransA {
			a.A.Mem, a.B.Mem = c.In(1), dy
		} else {
			a.A.Mem, a.B.Mem = dy, c.In(1)
			o.prepA.B.Mem = a.B.Mem
			a.Prepared = c.Prepared(1, &o.prepA)
		}
		c.Backend().Gemm(a)
	}
}

// Cost counts the multiply-adds and each operand once.
func (o *matMul) Cost(backward bool) (flop, bytes float64) {
	f, b := 2*float64(o.m)*float64(o.n)*float64(o.k), 4*float64(o.m*o.n+o.m*o.k+o.k*o.n)
	if backward {
		return 2 * f, 2 * b
	}
	return f, b
}
