package cuda

import (
	"math"

	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// operands keeps of a and b what op reads. MapExpGrad is a product.
func operands(op kernels.MapOp, a, b kernels.Mem) (kernels.MapOp, kernels.Mem, kernels.Mem) {
	switch op {
	case kernels.MapFill:
		return op, kernels.Mem{}, kernels.Mem{}
	case kernels.MapCopy, kernels.MapScale, kernels.MapReLU, kernels.MapExp, kernels.MapLog, kernels.MapSqrt, kernels.MapAffine:
		return op, a, kernels.Mem{}
	case kernels.MapExpGrad:
		op = kernels.MapMul
	}
	return op, a, b
}

// Map computes Dst (+)= f(A, B).
func (d *Device) Map(args *kernels.MapArgs) {
	f, a, b := operands(args.Op, args.A, args.B)
	floats("Map", args.N, args.Dst)
	optional("Map", args.N, a, b)
	l := d.op(ptx.Map)
	l.mem(args.Dst)
	l.mem(a)
	l.mem(b)
	l.u64(args.N)
	l.i32(vectors(0, nil, args.Dst, a, b))
	l.i32(int(f))
	l.f32(args.S)
	l.f32(args.T)
	l.i32(flag(args.Accumulate))
	l.run(d.fill(ceil(args.N, chunkSize)), 1, 1, 0)
}

// Broadcast computes Dst (+)= f(A, B) with broadcast axes; Dst has less than
// 2^31 elements.
func (d *Device) Broadcast(args *kernels.BroadcastArgs) {
	const op = "Broadcast"
	f, a, b := operands(args.Op, args.A, args.B)
	n, endA, endB := 1, 1, 1
	for k, m := range args.Dims {
		n *= m
		endA += (m - 1) * args.SA[k]
		endB += (m - 1) * args.SB[k]
	}
	if n == 0 {
		return
	}
	if n > math.MaxInt32 {
		panic(&kernels.ArgError{Op: op, Rule: "2^31 elements or more"})
	}
	floats(op, n, args.Dst)
	optional(op, endA, a)
	optional(op, endB, b)
	dims, sa, sb := mergeAxes(args.Dims, args.SA, args.SB)
	l := d.op(ptx.Broadcast)
	l.mem(args.Dst)
	l.mem(a)
	l.mem(b)
	l.u64(n)
	for _, v := range dims[1:] {
		l.i32(v)
	}
	for _, v := range sa {
		l.i32(v)
	}
	for _, v := range sb {
		l.i32(v)
	}
	l.i32(int(f))
	l.f32(args.S)
	l.f32(args.T)
	l.i32(flag(args.Accumulate))
	l.run(d.fill(ceil(n, chunkSize)), 1, 1, 0)
}

// mergeAxes joins neighbours that lie one after the other in both operands
// (stride = inner dim times inner stride, which holds of a broadcast pair
// too) and moves what is left to the inner end.
func mergeAxes(dims, sa, sb [4]int) (d, a, b [4]int) {
	d, k := [4]int{1, 1, 1, 1}, 4
	for i := 3; i >= 0; i-- {
		switch {
		case dims[i] == 1:
		case k < 4 && sa[i] == d[k]*a[k] && sb[i] == d[k]*b[k]:
			d[k] *= dims[i]
		default:
			k--
			d[k], a[k], b[k] = dims[i], sa[i], sb[i]
		}
	}
	return d, a, b
}
