package kernels

import "math"

// What batch norm computes per channel and not per value: a few thousand
// numbers on one thread, in float64. Products are converted explicitly so that
// no compiler fuses them.

// BNFinalize turns moments into the affine form.
func (c *CPU) BNFinalize(a *BNFinalizeArgs) { bnFinalize[float32](a) }

// BNFinalize turns moments into the affine form.
func (Ref64) BNFinalize(a *BNFinalizeArgs) { bnFinalize[float64](a) }

// BNGradFinalize turns sums into the coefficients of dx, and into dgamma and
// dbeta.
func (c *CPU) BNGradFinalize(a *BNGradFinalizeArgs) { bnGradFinalize[float32](a) }

// BNGradFinalize turns sums into the coefficients of dx, and into dgamma and
// dbeta.
func (Ref64) BNGradFinalize(a *BNGradFinalizeArgs) { bnGradFinalize[float64](a) }

func bnFinalize[F Float](a *BNFinalizeArgs) {
	if a.Eval {
		bnFinalizeEval[F](a)
		return
	}
	moments := a.Moments.F64()
	gamma, beta := vals[F](a.Gamma), vals[F](a.Beta)
	mean, invStd := vals[F](a.Mean), vals[F](a.InvStd)
	scale, shift := vals[F](a.Scale), vals[F](a.Shift)
	for g := range a.Groups {
		for c := range a.C {
			m, m2 := moments[2*g*a.C+c], moments[(2*g+1)*a.C+c]
			inv := 1 / math.Sqrt(m2/float64(a.Count)+float64(a.Eps))
			s := float64(float64(gamma[c]) * inv)
			i := g*a.C + c
			mean[i], invStd[i] = F(m), F(inv)
			scale[i], shift[i] = F(s), F(float64(beta[c])-float64(m*s))
		}
	}
	if !a.RunMean.IsNil() {
		moveRunning(vals[F](a.RunMean), moments, a, 1)
	}
	if !a.RunVar.IsNil() {
		moveRunning(vals[F](a.RunVar), moments[a.C:], a, 1/float64(max(a.Count-1, 1)))
	}
}

// bnFinalizeEval takes mean and variance from the running statistics.
func bnFinalizeEval[F Float](a *BNFinalizeArgs) {
	gamma, beta := vals[F](a.Gamma), vals[F](a.Beta)
	mean, invStd := vals[F](a.Mean), vals[F](a.InvStd)
	scale, shift := vals[F](a.Scale), vals[F](a.Shift)
	runMean, runVar := vals[F](a.RunMean), vals[F](a.RunVar)
	for c := range a.C {
		m := float64(runMean[c])
		inv := 1 / math.Sqrt(float64(runVar[c])+float64(a.Eps))
		s := float64(float64(gamma[c]) * inv)
		mean[c], invStd[c] = F(m), F(inv)
		scale[c], shift[c] = F(s), F(float64(beta[c])-float64(m*s))
	}
}

// moveRunning moves r towards scale times the mean over groups of the moments at m.
func moveRunning[F Float](r []F, m []float64, a *BNFinalizeArgs, scale float64) {
	for c := range r[:a.C] {
		sum := 0.0
		for g := range a.Groups {
			sum += m[2*g*a.C+c]
		}
		now := float64(sum*scale) / float64(a.Groups)
		old := float64(r[c])
		r[c] = F(old + float64(float64(a.Momentum)*(now-old)))
	}
}

func bnGradFinalize[F Float](a *BNGradFinalizeArgs) {
	sums, local := a.Sums.F64(), a.LocalSums.F64()
	if a.LocalSums.IsNil() {
		local = sums
	}
	gamma, mean, invStd := vals[F](a.Gamma), vals[F](a.Mean), vals[F](a.InvStd)
	coefA, coefB, coefC := vals[F](a.CoefA), vals[F](a.CoefB), vals[F](a.CoefC)
	for g := range a.Groups {
		for c := range a.C {
			i := g*a.C + c
			inv := float64(invStd[i])
			k := float64(float64(gamma[c]) * inv)
			coefA[i], coefB[i], coefC[i] = F(k), 0, 0
			if a.Eval {
				continue
			}
			k /= float64(a.Count)
			b := -float64(float64(k*float64(inv*inv)) * sums[(2*g+1)*a.C+c])
			coefB[i] = F(b)
			coefC[i] = F(-float64(k*sums[2*g*a.C+c]) - float64(b*float64(mean[i])))
		}
	}
	if !a.DGamma.IsNil() {
		d := vals[F](a.DGamma)
		for c := range d[:a.C] {
			sum := 0.0
			for g := range a.Groups {
				sum += float64(local[(2*g+1)*a.C+c] * float64(invStd[g*a.C+c]))
			}
			putSum(d, c, sum, a.AccGamma)
		}
	}
	if !a.DBeta.IsNil() {
		d := vals[F](a.DBeta)
		for c := range d[:a.C] {
			sum := 0.0
			for g := range a.Groups {
				sum += local[2*g*a.C+c]
			}
			putSum(d, c, sum, a.AccBeta)
		}
	}
}

// putSum is d[i] (+)= v, rounded before it is added.
func putSum[F Float](d []F, i int, v float64, acc bool) {
	if acc {
		d[i] += F(v)
	} else {
		d[i] = F(v)
	}
}
