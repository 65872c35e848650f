package kernels

import "math"

func refCrossEntropy[F Float](a *CrossEntropyArgs) {
	labels, count := a.labels()
	x, lse := vals[F](a.X), vals[F](a.LSE)
	var sum F
	for r, l := range labels {
		row := x[r*a.C:][:a.C]
		lse[r] = refLSE(a.C, func(i int) F { return row[i] })
		if l >= 0 {
			sum += lse[r] - row[l]
		}
	}
	vals[F](a.Loss)[0] = 0
	if count > 0 {
		vals[F](a.Loss)[0] = sum / F(count)
	}
}

func refCrossEntropyGrad[F Float](a *CrossEntropyArgs) {
	labels, count := a.labels()
	x, lse, dx := vals[F](a.X), vals[F](a.LSE), vals[F](a.DX)
	for r, l := range labels {
		for i := range a.C {
			var v F
			if l >= 0 {
				v = F(math.Exp(float64(x[r*a.C+i] - lse[r])))
				if i == int(l) {
					v--
				}
				v *= vals[F](a.DLoss)[0] / F(count)
			}
			store(dx, r*a.C+i, v, a.Accumulate)
		}
	}
}

func refSoftCrossEntropy[F Float](a *SoftCrossEntropyArgs) {
	x, q, lse := vals[F](a.X.Mem), vals[F](a.Q.Mem), vals[F](a.LSE)
	var sum F
	for r := range a.Rows {
		xr, qr := x[r*a.X.Ld:][:a.C], q[r*a.Q.Ld:][:a.C]
		lse[r] = refLSE(a.C, func(i int) F { return xr[i] * F(a.InvT) })
		for i := range qr {
			sum += qr[i] * (lse[r] - xr[i]*F(a.InvT))
		}
	}
	store(vals[F](a.Loss), 0, F(a.Weight)*sum, a.AccLoss)
}

func refSoftCrossEntropyGrad[F Float](a *SoftCrossEntropyArgs) {
	x, q, lse, dx := vals[F](a.X.Mem), vals[F](a.Q.Mem), vals[F](a.LSE), vals[F](a.DX.Mem)
	w := vals[F](a.DLoss)[0] * F(a.Weight) * F(a.InvT)
	for r := range a.Rows {
		xr, qr := x[r*a.X.Ld:][:a.C], q[r*a.Q.Ld:][:a.C]
		var s F
		for _, v := range qr {
			s += v
		}
		for i := range qr {
			p := F(math.Exp(float64(xr[i]*F(a.InvT) - lse[r])))
			store(dx, r*a.DX.Ld+i, w*(p*s-qr[i]), a.Accumulate)
		}
	}
}

// CrossEntropy is the reference in float64.
func (Ref64) CrossEntropy(a *CrossEntropyArgs) { refCrossEntropy[float64](a) }

// CrossEntropyGrad is the reference in float64.
func (Ref64) CrossEntropyGrad(a *CrossEntropyArgs) { refCrossEntropyGrad[float64](a) }

// SoftCrossEntropy is the reference in float64.
func (Ref64) SoftCrossEntropy(a *SoftCrossEntropyArgs) { refSoftCrossEntropy[float64](a) }

// SoftCrossEntropyGrad is the reference in float64.
func (Ref64) SoftCrossEntropyGrad(a *SoftCrossEntropyArgs) { refSoftCrossEntropyGrad[float64](a) }
