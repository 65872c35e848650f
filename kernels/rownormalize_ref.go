package kernels

import "math"

func refRowNormalize[F Float](a *RowNormalizeArgs) {
	x, y := vals[F](a.X), vals[F](a.Y)
	for r := range a.Rows {
		xr, yr := x[r*a.C:][:a.C], y[r*a.C:][:a.C]
		var ss F
		for _, v := range xr {
			ss += v * v
		}
		norm := F(math.Sqrt(float64(ss)))
		if norm < minNorm {
			norm = minNorm
		}
		for k, v := range xr {
			yr[k] = v / norm
		}
		if !a.Norm.IsNil() {
			vals[F](a.Norm)[r] = norm
		}
	}
}

func refRowNormalizeGrad[F Float](a *RowNormalizeArgs) {
	y, norm, dy, dx := vals[F](a.Y), vals[F](a.Norm), vals[F](a.DY), vals[F](a.DX)
	for r := range a.Rows {
		yr, dyr := y[r*a.C:][:a.C], dy[r*a.C:][:a.C]
		var along F
		if norm[r] > minNorm {
			for k := range yr {
				along += yr[k] * dyr[k]
			}
		}
		for k := range yr {
			store(dx, r*a.C+k, (dyr[k]-yr[k]*along)/norm[r], a.Accumulate)
		}
	}
}

// RowNormalize is the reference in float64.
func (Ref64) RowNormalize(a *RowNormalizeArgs) { refRowNormalize[float64](a) }

// RowNormalizeGrad is the reference in float64.
func (Ref64) RowNormalizeGrad(a *RowNormalizeArgs) { refRowNormalizeGrad[float64](a) }
