package asm

// MomentumFactors are the scalars of one span's step of SGD, LARC or LARS,
// made in float64 and rounded once:
//
//	d = Rate * fma(WD, p, g)
//	m = fma(Mom, m & Keep, d)
//	p = fma(NegLR, Nesterov ? fma(Mom, m, d) : m, p)
//
// Keep is all ones, or 0 at the first step, when what the moments held before
// counts as zero. Nesterov is all ones or 0.
type MomentumFactors struct {
	WD, Rate, Mom, NegLR float32
	Keep, Nesterov       uint32
}

// AdamFactors are the scalars of one span's step of Adam (Shrink 1) or AdamW
// (WD 0), made in float64 and rounded once:
//
//	d = fma(WD, p, g)
//	m = fma(Beta1, m & Keep, One1*d)
//	v = fma(Beta2, v & Keep, (One2*d)*d)
//	p = fma(NegLR, m / fma(sqrt(v), Root, Eps), Shrink*p)
//
// with One1 = 1-Beta1, One2 = 1-Beta2, NegLR = -lr/(1-Beta1^t) and
// Root = 1/sqrt(1-Beta2^t).
type AdamFactors struct {
	WD, Shrink       float32
	Beta1, One1      float32
	Beta2, One2      float32
	Root, Eps, NegLR float32
	Keep             uint32
}
