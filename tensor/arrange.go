package tensor

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/sectile-ml/sectile/kernels"
)

// T is the transpose of a matrix, [M,N] -> [N,M], in new memory.
func (t *Tensor) T() *Tensor {
	t.float("T")
	if len(t.shape) != 2 {
		panic(Misuse("T", "the operand is a matrix", t.shape))
	}
	m, n := t.shape[0], t.shape[1]
	y := empty("T", t.Backend(), kernels.Float32, []int{n, m})
	one := From(t.Backend(), []float32{1})
	if y.Len() > 0 {
		t.Backend().Broadcast(&kernels.BroadcastArgs{
			Op: kernels.MapMul, Dims: [4]int{1, 1, n, m},
			Dst: y.mem, A: t.mem, SA: [4]int{0, 0, 1, n}, B: one.mem,
		})
	}
	one.Release()
	runtime.KeepAlive(t)
	return y
}

// Concat joins tensors of one type along an axis; their other sizes are equal.
func Concat(axis int, ts ...*Tensor) *Tensor {
	if len(ts) == 0 {
		panic(Misuse("Concat", "at least one operand"))
	}
	first := ts[0]
	first.live("Concat")
	first.checkAxis("Concat", axis)
	shape := slices.Clone(first.shape)
	shape[axis] = 0
	for _, t := range ts {
		t.live("Concat")
		same := len(t.shape) == len(shape) && t.mem.Type == first.mem.Type && t.Backend() == first.Backend()
		for i := range shape {
			same = same && (i == axis || t.shape[i] == shape[i])
		}
		if !same {
			panic(Misuse("Concat", fmt.Sprintf("one backend and type, sizes equal but for axis %d", axis), first.shape, t.shape))
		}
		shape[axis] += t.shape[axis]
	}
	y := empty("Concat", first.Backend(), first.mem.Type, shape)
	outer, _, inner := split(shape, axis)
	width := shape[axis] * inner
	at := 0
	for _, t := range ts {
		c := t.shape[axis] * inner
		if c > 0 && outer > 0 {
			first.Backend().CopyRows(&kernels.CopyRowsArgs{
				Rows: outer, C: c,
				Dst: kernels.Mat{Mem: y.mem.At(at, y.Len()-at), Ld: width},
				Src: kernels.Mat{Mem: t.mem, Ld: c},
			})
		}
		at += c
		runtime.KeepAlive(t)
	}
	return y
}

// split sees a shape as [outer, axis, inner].
func split(shape []int, axis int) (outer, n, inner int) {
	outer, inner = 1, 1
	for _, d := range shape[:axis] {
		outer *= d
	}
	for _, d := range shape[axis+1:] {
		inner *= d
	}
	return outer, shape[axis], inner
}
