package tensor

import (
	"runtime"
	"slices"

	"github.com/sectile-ml/sectile/kernels"
)

// Add is t + o, elementwise. Shapes are equal, or of equal rank (at most 4)
// with size 1 where one of them is repeated; so for Sub, Mul and Div.
func (t *Tensor) Add(o *Tensor) *Tensor { return t.pair("Add", kernels.MapAdd, o) }

// Sub is t - o, elementwise, broadcast like Add.
func (t *Tensor) Sub(o *Tensor) *Tensor { return t.pair("Sub", kernels.MapSub, o) }

// Mul is t * o, elementwise, broadcast like Add.
func (t *Tensor) Mul(o *Tensor) *Tensor { return t.pair("Mul", kernels.MapMul, o) }

// Div is t / o, elementwise, broadcast like Add.
func (t *Tensor) Div(o *Tensor) *Tensor { return t.pair("Div", kernels.MapDiv, o) }

// Scale is s * t.
func (t *Tensor) Scale(s float32) *Tensor { return t.each("Scale", kernels.MapScale, s, 0) }

// AddScalar is t + s.
func (t *Tensor) AddScalar(s float32) *Tensor { return t.each("AddScalar", kernels.MapAffine, 1, s) }

// Exp is e^t, elementwise, by the polynomial of the numeric contract.
func (t *Tensor) Exp() *Tensor { return t.each("Exp", kernels.MapExp, 0, 0) }

// Log is the natural logarithm, elementwise, likewise.
func (t *Tensor) Log() *Tensor { return t.each("Log", kernels.MapLog, 0, 0) }

// Sqrt is the square root, elementwise, correctly rounded.
func (t *Tensor) Sqrt() *Tensor { return t.each("Sqrt", kernels.MapSqrt, 0, 0) }

// ReLU is t > 0 ? t : 0, elementwise; NaN stays NaN.
func (t *Tensor) ReLU() *Tensor { return t.each("ReLU", kernels.MapReLU, 0, 0) }

// AddInPlace is t += s*o for a tensor of equal shape, each element one fused
// multiply-add.
func (t *Tensor) AddInPlace(s float32, o *Tensor) {
	t.sameBackend("AddInPlace", o)
	if !slices.Equal(t.shape, o.shape) {
		panic(Misuse("AddInPlace", "shapes differ", t.shape, o.shape))
	}
	t.run(&kernels.MapArgs{Op: kernels.MapAXPY, N: t.Len(), Dst: t.mem, A: o.mem, B: t.mem, S: s})
	t.Bump()
	runtime.KeepAlive(o)
}

// ScaleInPlace is t *= s.
func (t *Tensor) ScaleInPlace(s float32) {
	t.float("ScaleInPlace")
	t.run(&kernels.MapArgs{Op: kernels.MapScale, N: t.Len(), Dst: t.mem, A: t.mem, S: s})
	t.Bump()
}

// each is a one-operand function of every element, in new memory.
func (t *Tensor) each(name string, op kernels.MapOp, s, u float32) *Tensor {
	t.float(name)
	y := empty(name, t.Backend(), kernels.Float32, t.shape)
	t.run(&kernels.MapArgs{Op: op, N: t.Len(), Dst: y.mem, A: t.mem, S: s, T: u})
	return y
}

func (t *Tensor) run(a *kernels.MapArgs) {
	if a.N > 0 {
		t.Backend().Map(a)
	}
	runtime.KeepAlive(t)
}

// pair is a two-operand function, in new memory.
func (t *Tensor) pair(name string, op kernels.MapOp, o *Tensor) *Tensor {
	t.sameBackend(name, o)
	if slices.Equal(t.shape, o.shape) {
		y := empty(name, t.Backend(), kernels.Float32, t.shape)
		t.run(&kernels.MapArgs{Op: op, N: t.Len(), Dst: y.mem, A: t.mem, B: o.mem})
		runtime.KeepAlive(o)
		return y
	}
	if len(t.shape) != len(o.shape) || len(t.shape) > 4 {
		panic(Misuse(name, "shapes are equal, or of equal rank up to 4", t.shape, o.shape))
	}
	a := kernels.BroadcastArgs{Op: op, Dims: [4]int{1, 1, 1, 1}, A: t.mem, B: o.mem}
	shape := make([]int, len(t.shape))
	stepA, stepB := 1, 1
	for i := len(shape) - 1; i >= 0; i-- {
		da, db, k := t.shape[i], o.shape[i], i+4-len(shape)
		if da != db && da != 1 && db != 1 {
			panic(Misuse(name, "sizes of an axis are equal, or one of them is 1", t.shape, o.shape))
		}
		shape[i] = da
		if da == 1 {
			shape[i] = db
		}
		a.Dims[k] = shape[i]
		if da > 1 {
			a.SA[k] = stepA
		}
		if db > 1 {
			a.SB[k] = stepB
		}
		stepA, stepB = stepA*da, stepB*db
	}
	y := empty(name, t.Backend(), kernels.Float32, shape)
	a.Dst = y.mem
	if y.Len() > 0 {
		t.Backend().Broadcast(&a)
	}
	runtime.KeepAlive(t)
	runtime.KeepAlive(o)
	return y
}

// sameBackend panics unless both are live float tensors of one backend.
func (t *Tensor) sameBackend(op string, o *Tensor) {
	t.float(op)
	o.float(op)
	if t.Backend() != o.Backend() {
		panic(Misuse(op, "operands on "+t.Backend().Name()+" and "+o.Backend().Name(), t.shape, o.shape))
	}
}
