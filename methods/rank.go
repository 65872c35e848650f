package methods

import "math"

// EffectiveRank is how many directions rows x [N, D] really span: exp of the
// entropy of the eigenvalues of their covariance, taken as shares of its trace
// (Roy and Vetterli, "The Effective Rank", EUSIPCO 2007, on eigenvalues). It is
// min(D, N-1) at most, 1 for rows on a line, and 0 where all rows are equal.
//
// Of N < D rows the N x N matrix of centred inner products is used: it has the
// same eigenvalues. It costs about 40 min(N, D)³ operations.
func EffectiveRank(x Features) float64 {
	n, d := x.N(), x.D
	centred, mean := make([]float64, len(x.X)), x.mean()
	for i, v := range x.X {
		centred[i] = float64(v) - mean[i%d]
	}
	size, rowStep, step, depth := n, d, 1, d // inner products of rows
	if d <= n {
		size, rowStep, step, depth = d, 1, d, n // of columns
	}
	a := make([]float64, size*size)
	for i := range size {
		for j := range i + 1 {
			sum := 0.0
			for k := range depth {
				sum += centred[i*rowStep+k*step] * centred[j*rowStep+k*step]
			}
			a[i*size+j], a[j*size+i] = sum, sum
		}
	}
	trace := 0.0
	values := eigenvalues(a, size)
	for _, v := range values {
		trace += max(v, 0)
	}
	if trace <= 1e-12*float64(n) {
		return 0
	}
	entropy := 0.0
	for _, v := range values {
		if p := v / trace; p > 1e-12 {
			entropy -= p * math.Log(p)
		}
	}
	return math.Exp(entropy)
}

// eigenvalues of a symmetric matrix [n, n], in no order, by cyclic Jacobi
// rotations (Golub and Van Loan, "Matrix Computations", section 8.5): each
// makes one pair of off-diagonal elements 0, and sweeps over all pairs shrink
// the rest quadratically. a is overwritten.
func eigenvalues(a []float64, n int) []float64 {
	const sweeps, small = 30, 1e-18
	for range sweeps {
		off, all := 0.0, 0.0
		for i, v := range a {
			all += v * v
			if i/n != i%n {
				off += v * v
			}
		}
		if off <= small*all {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, n, p, q)
			}
		}
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = a[i*n+i]
	}
	return values
}

// rotate turns axes p and q so that a[p,q] becomes 0.
func rotate(a []float64, n, p, q int) {
	apq := a[p*n+q]
	if apq == 0 {
		return
	}
	theta := (a[q*n+q] - a[p*n+p]) / (2 * apq)
	t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	rowP, rowQ := a[p*n:(p+1)*n], a[q*n:(q+1)*n]
	for k, x := range rowP {
		y := rowQ[k]
		rowP[k], rowQ[k] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
	for k := 0; k < n*n; k += n {
		x, y := a[k+p], a[k+q]
		a[k+p], a[k+q] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
}
