package asm

// Constants of the one exponential and the one logarithm that every row
// evaluates, the Go rows without fused multiply-adds.
//
// exp(x), x clamped to [ExpMin, ExpMax]: n = round(x*Log2E) to even,
// r = x - n*Ln2Hi - n*Ln2Lo (Cody and Waite: Ln2Hi has 9 bits, so n*Ln2Hi is
// exact), 1 + r + r^2 (ExpC2 + r ExpC3 + ... + r^4 ExpC6) by Horner's rule from
// ExpC6 down to 1, 1; then times 2^n, rounded once also where the result is
// denormal. The polynomial is minimax on |r| <= ln(2)/2: 3.1e-9 relative
// (own fit, Remez).
//
// log(x), x = 2^n (1+f) with 1+f in [3/4, 3/2):
// (f + (f^2 (LogC2 + f LogC3 + ... + f^8 LogC10) + n*Ln2Lo)) + n*Ln2Hi. The
// polynomial is minimax in relative error: 4.8e-9 (own fit, Remez).
const (
	ExpMin = -104 // exp rounds to 0 from here down
	ExpMax = 89   // and to +Inf from here up

	Log2E = 0x1.715476p+0
	Ln2Hi = 0.693359375
	Ln2Lo = -0.00021219444170128554

	ExpC2 = 0.4999999403953552
	ExpC3 = 0.1666652113199234
	ExpC4 = 0.04166838899254799
	ExpC5 = 0.00836874544620514
	ExpC6 = 0.0013814540579915047

	LogC2  = -0.5
	LogC3  = 0.3333345353603363
	LogC4  = -0.250000536441803
	LogC5  = 0.19990606606006622
	LogC6  = -0.16647766530513763
	LogC7  = 0.14482061564922333
	LogC8  = -0.1316223293542862
	LogC9  = 0.10448334366083145
	LogC10 = -0.044909633696079254
)
