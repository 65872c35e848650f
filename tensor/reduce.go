package tensor

import (
	"runtime"
	"slices"

	"github.com/sectile-ml/sectile/kernels"
)

// Sum adds along an axis, which stays with size 1. The order of additions is
// fixed by the shape alone. Of nothing it is 0.
func (t *Tensor) Sum(axis int) *Tensor { return t.reduce("Sum", kernels.ReduceSum, axis) }

// Mean is Sum over the size of the axis, which is at least 1.
func (t *Tensor) Mean(axis int) *Tensor { return t.reduce("Mean", kernels.ReduceMean, axis) }

// Max is the maximum along an axis of size at least 1, which stays with size
// 1; NaN wins.
func (t *Tensor) Max(axis int) *Tensor { return t.reduce("Max", kernels.ReduceMax, axis) }

// ArgMax is the position of the first maximum along an axis of size at least
// 1, which stays with size 1, as Int32; NaN wins.
func (t *Tensor) ArgMax(axis int) *Tensor { return t.reduce("ArgMax", kernels.ReduceArgMax, axis) }

func (t *Tensor) reduce(name string, op kernels.ReduceOp, axis int) *Tensor {
	t.float(name)
	t.checkAxis(name, axis)
	shape := slices.Clone(t.shape)
	shape[axis] = 1
	d := kernels.Float32
	if op == kernels.ReduceArgMax {
		d = kernels.Int32
	}
	y := empty(name, t.Backend(), d, shape)
	outer, n, inner := split(t.shape, axis)
	switch {
	case y.Len() == 0:
	case n == 0 && op != kernels.ReduceSum:
		panic(Misuse(name, "of an axis of size 0", t.shape))
	case n == 0:
		y.set(0)
	default:
		t.Backend().Reduce(&kernels.ReduceArgs{Op: op, Outer: outer, Axis: n, Inner: inner, X: t.mem, Y: y.mem})
	}
	runtime.KeepAlive(t)
	return y
}
