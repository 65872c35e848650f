package kernels

// Which of Winograd's algorithms runs is a function of the shape alone, unless
// a row of convTable is pinned.

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

// tile is the tile of a forward pass or an input gradient that writes maps of
// h x w.
func (s *convState) tile(h, w int) int {
	if s.winogradPin > 0 {
		return s.winogradPin
	}
	return winogradTileOf(h, w)
}

// weightTile is that of a weight gradient, 0 where it is direct.
func (s *convState) weightTile(shape *ConvShape) int {
	switch {
	case s.transforms == nil:
	case s.winogradPin == winogradSmall:
		if winograd2WeightFits(shape) {
			return winogradSmall
		}
	case winogradWeightFits(shape):
		return winogradTile
	}
	return 0
}

// winogradName is the row of weights prepared for a tile.
func (s *convState) winogradName(tile int) string {
	if tile == winogradSmall {
		return s.winogradNames[1]
	}
	return s.winogradNames[0]
}
