package kernels

// The part of the numeric contract that Winograd's convolutions of stride 1 have.

// The error of Winograd's F(4x4,3x3). In one dimension an output is
// sum_f A[k,f] * kern(w)[f] * in(d)[f]; with |d|, |w| <= 1 the sums of absolute
// values give sum_f |A[k,f]| * (sum_i |G[f,i]|) * (sum_i |B[f,i]|) = 24.9 for the
// first and last outputs, the largest, and its square in two dimensions, where
// a direct sum has 9. An element passes through c fused products, 8 roundings
// of the input transform, 1 of the weights and 10 of the output transform, so
// that
//
//	|error| <= (c+19) * 2^-24 * winogradGrowth * c * max|d| * max|w|
//
// if all roundings conspire. Where they do not, (c+19)*c becomes about sqrt(c);
// TestWinogradError holds the algorithm to that and finds 0.1 to 0.3 of it. An
// infinity or NaN reaches all 16 outputs of the tiles that read it.
const winogradGrowth = 24.9 * 24.9

// winogradFits reports whether the forward pass and the input gradient of a
// shape run by Winograd, unless conv:direct is pinned: winogradTileOf says by which
// tiles. The batch does not count, since prepared weights serve every one. The
// transforms take 9/C of the products' time and 9/OC: BenchmarkWinograd finds
// 1.25 to 1.4 times the speed of the direct path from 16 to 16 channels, 1.3 to
// 2 from 16 to 32, 1.5 to 2.1 at 32 and 1.8 to 3.1 from 64 on.
func winogradFits(s *ConvShape) bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == 1 && s.StrideW == 1 && s.DilH == 1 && s.DilW == 1 && s.Groups == 1 &&
		s.C%16 == 0 && s.OC%16 == 0 && max(s.C, s.OC) <= 768
}

// winogradWeightGrowth is the growth of the weight gradient's error: with the
// transposed transforms the sums of absolute values give 30.7 for the outer
// taps, the largest, per tile and its square in two dimensions, where a direct
// sum has the 16 products of a tile. An element passes through a chain of
// winogradWeightTiles products, the folds of a lane's chunks and of the lanes,
// and 22 roundings of transforms, so that over t tiles
//
//	|error| <= (64+folds+22) * 2^-24 * winogradWeightGrowth * t * max|x| * max|dy|
//
// if all roundings conspire. Where they do not, (64+folds+22)*t becomes about
// sqrt(t); TestWinogradWeightError holds the algorithm to that and finds 0.04
// to 0.15 of it. An infinity or NaN in x or dy reaches all nine taps of its
// channel.
const winogradWeightGrowth = 30.7 * 30.7

// winogradWeightTiles is the tiles of a chunk of a Winograd weight gradient: 64
// of 128 + 128 channels are 4.7 MB of V and E that stream through the second
// cache, one frequency of them 64 KB. Between 32 and 128 tiles BenchmarkWinograd
// finds differences below 5 %; fewer pass over dU too often.
const winogradWeightTiles = 64

// winogradWeightFits reports whether the weight gradient of a shape runs by
// Winograd's F(4x4,3x3), unless conv:direct is pinned: the forward pass does,
// at least 12 tiles share the transform of dU, and their outputs, of which each
// would cost 9 products, are more than half of what 36 a tile cost. One 14x14
// image of 256 channels (16 tiles) is 1.5 times as fast as the direct path, one
// 7x7 image of 512 (4 tiles) would be 0.6 times.
func winogradWeightFits(s *ConvShape) bool {
	tiles := s.N * ceilDiv(s.OH(), winogradTile) * ceilDiv(s.OW(), winogradTile)
	return winogradFits(s) && tiles >= 12 && s.N*s.OH()*s.OW()*9 > tiles*36*3/2
}

// winogradWeightBlock is the channels of one side of a block of dU when there
// are c: at most 128, since a block transforms its operands for itself (10 % of
// the work at 128, 20 % at 64), and equal up to a multiple of 32.
func winogradWeightBlock(c int) int {
	n := (c + 127) / 128
	return min(c, ((c+n-1)/n+31)&^31)
}

// winogradWeightLanes is the number of lanes that the sum over tiles is cut
// into: enough for 16 work items with the blocks of dU, and no more than 16 MB.
// Lane l takes chunks [l*ceil(chunks/lanes), ...), in each of which tiles follow
// each other by image, row and column; chunks fold left to right, lanes are
// transformed to weights and join in a balanced tree.
func winogradWeightLanes(blocks, outputs, chunks int) int {
	l := 1
	for l*blocks < 16 && l*2 <= chunks && outputs*l*2 <= 1<<22 {
		l *= 2
	}
	return l
}

// winograd2Growth and winograd2WeightGrowth are to F(2x2,3x3) what winogradGrowth
// and winogradWeightGrowth are to F(4x4,3x3). In one dimension the sums of
// absolute values give 1*2 + 3/2*2 + 3/2*2 = 8 for both outputs; for a weight
// gradient 1*2 + 1/2*2*2 + 1/2*2*2 = 6 for the outer taps and 4 for the middle
// one. An element passes through c fused products, 2 roundings of the input
// transform, 1 of the weights and 4 of the output transform:
//
//	|error| <= (c+7) * 2^-24 * winograd2Growth * c * max|d| * max|w|
//
// over c channels, and over t tiles, with 2 + 2 + 4 roundings of transforms,
//
//	|error| <= (64+folds+8) * 2^-24 * winograd2WeightGrowth * t * max|x| * max|dy|
//
// if all roundings conspire, with square roots as there where they do not:
// TestWinogradError finds 0.02 to 0.46 of the former, TestWinogradWeightError 0.02
// to 0.2 of the latter. An infinity or NaN reaches all 4 outputs of the tiles that read it.
const (
	winograd2Growth       = 8 * 8
	winograd2WeightGrowth = 6 * 6
)

// winogradSmall is the tile of F(2x2,3x3).
const winogradSmall = 2

// winogradTileOf is the side of the tiles of a forward pass or an input gradient
// that writes maps of h x w: F(2x2,3x3) where it needs no more products a map and
// pair of channels than F(4x4,3x3), 16 or 36 a tile. These are maps of 2x2 (16
// and 36; direct 36), 5x5 and 6x6 (144 and 144; direct 225 and 324) and strips
// of two lines. BenchmarkWinograd finds 2x2 maps 2.3 times and 5x5 and 6x6 maps
// 1.15 times as fast as F(4x4,3x3), whose transforms cost more.
func winogradTileOf(h, w int) int {
	if winogradProducts(winogradSmall, h, w) <= winogradProducts(winogradTile, h, w) {
		return winogradSmall
	}
	return winogradTile
}

// winogradProducts is the products of a map of h x w by tiles of a size.
func winogradProducts(tile, h, w int) int {
	return (tile + 2) * (tile + 2) * ceilDiv(h, tile) * ceilDiv(w, tile)
}

// winograd2WeightFits reports whether a weight gradient runs by F(2x2,3x3) where
// it is pinned: at least 12 tiles share the transform of dU. By itself the
// contract never takes it: at 5x5 and 6x6 it is within 7 % of F(4x4,3x3), and at
// 2x2, where direct sums skip the padding and have 16 products as well, it is
// ahead at 512 channels alone (96 images 5.5 ms and not 6.6; 24 of 256 channels
// 0.58 and not 0.52).
func winograd2WeightFits(s *ConvShape) bool {
	return winogradFits(s) && s.N*ceilDiv(s.OH(), winogradSmall)*ceilDiv(s.OW(), winogradSmall) >= 12
}
