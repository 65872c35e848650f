package kernels

import "math"

func refLSEOp[F Float](a *LSEArgs) {
	x, out := vals[F](a.X.Mem), vals[F](a.Out)
	lines, n, base := a.Rows, a.C, a.U
	if a.ByCol {
		lines, n, base = a.C, a.Rows, a.V
	}
	for o := range lines {
		l := func(i int) F {
			r, c := o, i
			if a.ByCol {
				r, c = i, o
			}
			return x[r*a.X.Ld+c]*F(a.Scale) - refEntry[F](a.U, r) - refEntry[F](a.V, c)
		}
		switch a.Phase {
		case 1:
			out[o] = refMax(n, l)
		case 2:
			out[o] = refExpSum(n, l, vals[F](a.Max)[o])
		default:
			out[o] = refEntry[F](base, o) + refLSE(n, l)
		}
	}
}

// refEntry is element i of an optional vector.
func refEntry[F Float](m Mem, i int) F {
	if m.IsNil() {
		return 0
	}
	return vals[F](m)[i]
}

func refSinkhornCodes[F Float](a *SinkhornCodesArgs) {
	x, q := vals[F](a.X.Mem), vals[F](a.Q.Mem)
	for r := range a.Rows {
		for c := range a.C {
			l := x[r*a.X.Ld+c]*F(a.Scale) - refEntry[F](a.U, r) - refEntry[F](a.V, c)
			q[r*a.Q.Ld+c] = F(math.Exp(float64(l)))
		}
	}
}

// LSE is the reference in float64.
func (Ref64) LSE(a *LSEArgs) { refLSEOp[float64](a) }

// SinkhornCodes is the reference in float64.
func (Ref64) SinkhornCodes(a *SinkhornCodesArgs) { refSinkhornCodes[float64](a) }
