package main

import (
	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// goLibraries are the peers written in Go.
var goLibraries = []string{"gonum", "gomlx", "vek"}

func gonum(o *operands) (func(), error) {
	matrix := func(rows, cols int, trans bool, data []float32) (blas32.General, blas.Transpose) {
		if trans {
			return blas32.General{Rows: cols, Cols: rows, Stride: rows, Data: data}, blas.Trans
		}
		return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}, blas.NoTrans
	}
	a, ta := matrix(o.m, o.k, o.ta, o.a)
	b, tb := matrix(o.k, o.n, o.tb, o.b)
	c, _ := matrix(o.m, o.n, false, o.c)
	return func() { blas32.Gemm(ta, tb, 1, a, b, 0, c) }, nil
}

func gomlx(o *operands) (func(), error) {
	backend, err := simplego.New("")
	if err != nil {
		return nil, err
	}
	// matrix is the tensor as stored and the axis that is summed over.
	matrix := func(rows, cols int, trans bool, sum int, data []float32) (*tensors.Tensor, int) {
		if trans {
			return tensors.FromFlatDataAndDimensions(data, cols, rows), 1 - sum
		}
		return tensors.FromFlatDataAndDimensions(data, rows, cols), sum
	}
	a, aAxis := matrix(o.m, o.k, o.ta, 1, o.a)
	b, bAxis := matrix(o.k, o.n, o.tb, 0, o.b)
	exec, err := graph.NewExec(backend, func(l, r *graph.Node) *graph.Node {
		return graph.DotGeneral(l, []int{aAxis}, nil, r, []int{bAxis}, nil)
	})
	if err != nil {
		return nil, err
	}
	return func() { exec.MustExec(a, b)[0].MustFinalizeAll() }, nil
}

// vek multiplies square matrices as they lie.
func vek(o *operands) (func(), error) {
	if o.m != o.n || o.n != o.k || o.ta || o.tb {
		return nil, nil
	}
	return func() { vek32.MatMul_Into(o.c, o.a, o.b, o.n) }, nil
}
