package kernels

import "math"

// refLSE is log-sum-exp of n values, the maximum taken out first.
func refLSE[F Float](n int, l func(int) F) F {
	m := refMax(n, l)
	return m + F(math.Log(float64(refExpSum(n, l, m))))
}

func refMax[F Float](n int, l func(int) F) F {
	m := F(math.Inf(-1))
	for i := range n {
		m = max(m, l(i))
	}
	return m
}

// refExpSum is the sum of exp(l - m), infinite m taken as 0.
func refExpSum[F Float](n int, l func(int) F, m F) F {
	if math.IsInf(float64(m), 0) {
		m = 0
	}
	var s F
	for i := range n {
		s += F(math.Exp(float64(l(i) - m)))
	}
	return s
}

func refLogSoftmax[F Float](a *LogSoftmaxArgs) {
	x, y := vals[F](a.X), vals[F](a.Y)
	for r := range a.Rows {
		row := x[r*a.C:][:a.C]
		lse := refLSE(a.C, func(i int) F { return row[i] })
		for i, v := range row {
			y[r*a.C+i] = v - lse
		}
	}
}

func refLogSoftmaxGrad[F Float](a *LogSoftmaxArgs) {
	y, dy, dx := vals[F](a.Y), vals[F](a.DY), vals[F](a.DX)
	for r := range a.Rows {
		var s F
		for _, v := range dy[r*a.C:][:a.C] {
			s += v
		}
		for i := r * a.C; i < (r+1)*a.C; i++ {
			store(dx, i, dy[i]-F(math.Exp(float64(y[i])))*s, a.Accumulate)
		}
	}
}

// LogSoftmax is the reference in float64.
func (Ref64) LogSoftmax(a *LogSoftmaxArgs) { refLogSoftmax[float64](a) }

// LogSoftmaxGrad is the reference in float64.
func (Ref64) LogSoftmaxGrad(a *LogSoftmaxArgs) { refLogSoftmaxGrad[float64](a) }
