package kernels

// The error of polyphase Winograd F(4x4). In one dimension an output is
// sum_f A[k,f] * (kern(w)[f] * in(d)[f] + w1 * finite(d')[f]), over both phases;
// with |d|, |w| <= 1 the sums of absolute values give 17.9 for the last output, the
// largest (points 0, +-1 and 2 would give 25.7, +-sqrt(1/2) and +-sqrt(2) 25.6), and
// its square in two dimensions, where a direct sum has 9. An element passes
// through four chains of c fused products, one for each phase, which fold in the
// order of the taps (both phases of two taps, of the columns' one tap, of the
// rows', of both), 6 roundings of the input transform, 1 of the weights and 8 of
// the output transform, so that
//
//	|error| <= (c+18) * 2^-24 * polyphaseGrowth * c * max|x| * max|w|
//
// if all roundings conspire. Where they do not, (c+18)*c becomes about sqrt(c);
// TestPolyphaseError holds the algorithm to that and finds 0.01 to 0.4 of it. In
// an input gradient an output has one phase, one chain and less than the half of
// the sums in one dimension. An infinity or NaN reaches all outputs of the tiles
// that read it, and so do roundings: where stride and padding leave pixels that
// no window reads their gradient may be some 1e-7 of the others instead of 0.
const polyphaseGrowth = 17.9 * 17.9

// polyphaseFits reports whether the forward pass and the input gradient of a
// shape run by polyphase Winograd F(4x4), unless a pin forbids it. Batch and image
// size do not count, since prepared weights serve all of them. BenchmarkWinograd
// finds 1.35 to 1.6 times the speed of the direct path from 64 channels on where
// images are whole tiles of 4x4 outputs, 1.1 to 1.25 where 7x7 and 14x14 fill 77 %
// of them; 32 to 64 channels would gain 1.05, 16 to 32 lose.
func polyphaseFits(s *ConvShape) bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == 2 && s.StrideW == 2 && s.DilH == 1 && s.DilW == 1 && s.Groups == 1 &&
		s.C%16 == 0 && s.OC%16 == 0 && min(s.C, s.OC) >= 64 && max(s.C, s.OC) <= 512
}

// polyphaseWeightGrowth is the growth of the weight gradient's error: with the
// transposed transforms the sums of absolute values give 21.4 for the tap w2, the
// largest, per tile and its square in two dimensions, where a direct sum has the
// 16 products of a tile. An element passes through a chain of up to 16 times
// polyphaseWeightTiles products, the folds of a lane's chunks and of the lanes,
// and 18 roundings of transforms, so that over t tiles
//
//	|error| <= (16*48+folds+18) * 2^-24 * polyphaseWeightGrowth * t * max|x| * max|dy|
//
// if all roundings conspire. Where they do not, the product with t becomes about
// sqrt(t); TestPolyphaseWeightError holds the algorithm to that and finds 0.1 to
// 0.16 of it. An infinity or NaN in x or dy reaches all nine taps of its channel.
const polyphaseWeightGrowth = 21.4 * 21.4

// polyphaseWeightTiles is the tiles of a chunk of a weight gradient: 48 of
// 128 + 128 channels are 2.6 MB of V and E. 64 are 5 to 10 % slower from 256
// channels on, 32 and 96 up to 5 %.
const polyphaseWeightTiles = 48

// polyphaseWeightFits reports whether the weight gradient of a shape runs by
// polyphase Winograd F(4x4), unless a pin forbids it: the forward pass does, at
// least 12 tiles share the transform of dU, and 9 products an output would be a
// quarter more than 81 a tile. BenchmarkWinograd finds 1.25 to 1.4 times the speed
// of the direct path on whole tiles, 1.1 to 1.2 where 7x7 and 14x14 fill 77 %.
func polyphaseWeightFits(s *ConvShape) bool {
	tiles := s.N * ceilDiv(s.OH(), winogradTile) * ceilDiv(s.OW(), winogradTile)
	return polyphaseFits(s) && tiles >= 12 && s.N*s.OH()*s.OW()*9 > tiles*81*5/4
}
