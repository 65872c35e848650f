package kernels

// The error of polyphase Winograd F(4x4). In one dimension an output is
// sum_f A[k,f] * (kern(w)[f] * in(d)[f] + kern(w1)[f] * in(d')[f]), over both
// phases; with |d|, |w| <= 1 the sums of absolute values give 17.9 for the last
// output, the largest (points 0, +-1 and 2 would give 25.7, +-sqrt(1/2) and
// +-sqrt(2) 25.6), and its square in two dimensions, where a direct sum has 9. An
// element passes through a chain of 4c fused products, 6 roundings of the input
// transform, 1 of the weights and 8 of the output transform, so that
//
//	|error| <= (4c+15) * 2^-24 * polyphaseGrowth * c * max|x| * max|w|
//
// if all roundings conspire. Where they do not, (4c+15)*c becomes about
// 2*sqrt(c). The chain of a frequency is not cut: phases in the order of the taps
// (even rows and columns, even and odd, odd and even, odd), channels within.
// An infinity or NaN reaches all 16 outputs of the tiles that read it.
const polyphaseGrowth = 17.9 * 17.9

// polyphaseFits reports whether the forward pass of a shape runs by polyphase
// Winograd F(4x4), unless a pin forbids it. Batch and image size do not count,
// since prepared weights serve all of them.
func polyphaseFits(s *ConvShape) bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == 2 && s.StrideW == 2 && s.DilH == 1 && s.DilW == 1 && s.Groups == 1 &&
		s.C%16 == 0 && s.OC%16 == 0 && max(s.C, s.OC) <= 512
}
