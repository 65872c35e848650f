package data

import "math"

// exp is e^x within one unit in the last place for |x| <= 700. math.Exp is
// assembly on some machines and differs between them in the last bit; a view
// must not. x = k ln 2 + r with |r| <= ln 2 / 2, and e^r is its Taylor series up
// to r^13, whose rest is below 2^-57.
func exp(x float64) float64 {
	k := math.RoundToEven(x * math.Log2E)
	const hi, lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10 // ln 2; k*hi is exact
	r := (x - float64(k*hi)) - float64(k*lo)
	// The even and the odd terms are two chains, as long as one of 7.
	s := r * r
	even := 1.0 / 479001600
	even = float64(even*s) + 1.0/3628800
	even = float64(even*s) + 1.0/40320
	even = float64(even*s) + 1.0/720
	even = float64(even*s) + 1.0/24
	even = float64(even*s) + 1.0/2
	odd := 1.0 / 6227020800
	odd = float64(odd*s) + 1.0/39916800
	odd = float64(odd*s) + 1.0/362880
	odd = float64(odd*s) + 1.0/5040
	odd = float64(odd*s) + 1.0/120
	odd = float64(odd*s) + 1.0/6
	p := float64(s*even) + float64(float64(s*r)*odd)
	return (1 + (r + p)) * math.Float64frombits(uint64(1023+int64(k))<<52)
}

// ln is the natural logarithm of x > 0: Halley's iteration on exp, which
// triples the correct digits, from a start that is right within a factor 2.
func ln(x float64) float64 {
	_, e := math.Frexp(x)
	y := float64(float64(e) * math.Ln2)
	for range 5 {
		z := exp(y)
		y += 2 * (x - z) / (x + z)
	}
	return y
}
