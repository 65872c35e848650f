package kernels

// The numeric contract: everything here is a function of the shape alone, so
// that neither the number of threads nor the instruction set can move a bit.
// Rows of the dispatch table choose MR, NR, MC, NC and schedule, never these.

const (
	// StatsChunk is the rows of one statistics chunk; 4, 6, 8, 12 and 14
	// divide it, so that micro-tiles never straddle two chunks.
	StatsChunk = 168

	// Lanes is the number of virtual lanes of a sum along a row: element i
	// goes to lane i mod 16, lanes fold 8-4-2-1.
	Lanes = 16

	// NormChunk is the elements of one chunk of SquareNorms.
	NormChunk = 4096
)

// StatsChunks is the number of statistics chunks of rows rows in groups of
// group rows (0: one group). rows is a multiple of group.
func StatsChunks(rows, group int) int {
	if group == 0 {
		group = rows
	}
	if rows == 0 {
		return 0
	}
	return rows / group * ((group + StatsChunk - 1) / StatsChunk)
}

// groups is the number of statistics groups and the rows of each.
func groups(rows, group int) (n, size int) {
	if group == 0 || rows == 0 {
		return 1, rows
	}
	return rows / group, group
}

// gemmKC is the depth of one chunk of k: the largest chunk is 768 deep and
// chunks are of equal size up to a multiple of 16. On Zen 5 limits of 256, 384
// and 768 reach 94, 94 and 95 % of the peak (BenchmarkGemm/shape=cube/m=1024,
// best of 45): a panel of B comes from the second cache in time, and the
// deepest chunks pass over C least often.
func gemmKC(k int) int {
	const most = 768
	n := (k + most - 1) / most
	if n <= 1 {
		return max(k, 1)
	}
	return ((k+n-1)/n + 15) &^ 15
}

// convTaps says how k = (kh, kw, c) of a convolution with taps taps of c
// channels is cut: a chunk is either taps whole taps (kc = taps*c) or, when c
// alone passes the limit, gemmKC(c) channels of one tap.
func convTaps(taps, c int) (perChunk, kc int) {
	const most = 768
	if c > most {
		return 1, gemmKC(c)
	}
	per := max(1, most/c)
	if per >= taps {
		return taps, c
	}
	n := (taps + per - 1) / per
	return (taps + n - 1) / n, c
}

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
// shape run by Winograd's F(4x4,3x3), unless conv:direct is pinned. Batch and
// image size do not count, since prepared weights serve all of them. The
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

// weightPixels says how the sum over the pixels of a weight gradient is cut:
// a chunk is lines whole output rows, counted over all images (about 256
// pixels: two operand blocks of 64 channels then take 128 KB of L2), or, when
// a row is longer than 512, pixels of one row. Within a chunk pixels follow
// each other in memory order, and a tap skips the pixels that it reads in the
// padding (weightWide: multiplies them by +0).
func weightPixels(ow int) (lines, pixels int) {
	const wanted, most = 256, 512
	if ow > most {
		pieces := (ow + most - 1) / most
		return 1, (ow + pieces - 1) / pieces
	}
	return (wanted + ow - 1) / ow, ow
}

// weightWide reports whether a weight gradient of taps taps of c channels
// treats (kh, kw, c) as one axis: few channels that are no multiple of 16 would
// leave most of a tile empty.
func weightWide(taps, c int) bool { return taps > 1 && c < 32 && c%16 != 0 }

// weightLanes is the number of lanes that the sum over pixels of a weight
// gradient (or of a long, small product) is cut into: lane l takes chunks of
// pixels [l*ceil(chunks/lanes), ...); lanes join in a balanced tree. Few
// outputs need lanes to feed many threads (a 64 to 64 channel 3x3 gradient is
// one block of tiles: 16 lanes); beyond 4 MB of lanes the join would cost more
// than it brings, and many outputs have tiles enough.
func weightLanes(outputs, chunks int) int {
	l := 1
	for l < 32 && l*2 <= chunks && outputs*l*2 <= 1<<20 {
		l *= 2
	}
	return l
}
