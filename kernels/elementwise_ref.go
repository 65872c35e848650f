package kernels

import "math"

// refApply is one element of a MapOp.
func refApply[F Float](op MapOp, a, b, s, t F) F {
	switch op {
	case MapCopy:
		return a
	case MapFill:
		return s
	case MapScale:
		return s * a
	case MapAdd:
		return a + b
	case MapSub:
		return a - b
	case MapMul, MapExpGrad:
		return a * b
	case MapDiv:
		return a / b
	case MapAXPY:
		return s*a + b
	case MapAXPBY:
		return s*a + t*b
	case MapReLU:
		if a < 0 {
			return 0
		}
		return a
	case MapReLUGrad:
		if b > 0 {
			return a
		}
		return 0
	case MapExp:
		return F(math.Exp(float64(a)))
	case MapLog:
		return F(math.Log(float64(a)))
	case MapSqrt:
		return F(math.Sqrt(float64(a)))
	case MapAffine:
		return s*a + t
	}
	panic(&ArgError{"Map", "unknown MapOp"})
}

func refMap[F Float](a *MapArgs) {
	dst, x, y := vals[F](a.Dst), vals[F](a.A), vals[F](a.B)
	for i := range a.N {
		var p, q F
		if a.Op.operands() > 0 {
			p = x[i]
		}
		if a.Op.operands() > 1 {
			q = y[i]
		}
		store(dst, i, refApply(a.Op, p, q, F(a.S), F(a.T)), a.Accumulate)
	}
}

// store is dst[i] (+)= v.
func store[F Float](dst []F, i int, v F, acc bool) {
	if acc {
		v += dst[i]
	}
	dst[i] = v
}

// Map is the reference in float64.
func (Ref64) Map(a *MapArgs) { refMap[float64](a) }
