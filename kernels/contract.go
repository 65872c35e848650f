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
