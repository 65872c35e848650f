package ladder

// The cache blocks: a block of B [KC,NC] for the last level, rows of A [MC,KC]
// for the second, a panel of B [KC,NR] that all MC rows pass by. Chosen by
// `go test -bench Ladder ./bench` on Zen 5.
const (
	blockK = 384
	blockM = 192
	blockN = 2048
)

// Blocks cuts the product so that what the tile reads is in the nearest cache
// that can hold it: the tile in registers, its panel in the first cache, its
// rows of A in the second, the block of B in the third. This is how GotoBLAS
// and BLIS are built; their loops are named jc, pc, ic, jr, ir from the outside
// in, and the micro-kernel is the only part that depends on the CPU.
func Blocks(m, n, k int, a, b, c []float32) { fiveLoops(&goTile, m, n, k, a, b, c) }

func fiveLoops(u *microKernel, m, n, k int, a, b, c []float32) {
	if k == 0 {
		clear(c[:m*n])
		return
	}
	packed := make([]float32, min(k, blockK)*roundUp(min(n, blockN), u.nr))
	scratch := make([]float32, u.mr*u.nr)
	for jc := 0; jc < n; jc += blockN { // 5th loop: columns of C
		nc := min(blockN, n-jc)
		for pc := 0; pc < k; pc += blockK { // 4th loop: chunks of k
			kc := min(blockK, k-pc)
			for jr := 0; jr < nc; jr += u.nr {
				packPanel(packed[jr*kc:], b[pc*n+jc+jr:], kc, min(u.nr, nc-jr), n, u.nr)
			}
			for ic := 0; ic < m; ic += blockM { // 3rd loop: rows of C
				mc := min(blockM, m-ic)
				for jr := 0; jr < nc; jr += u.nr { // 2nd loop: panels of B; strip is the 1st: tiles
					u.strip(mc, min(u.nr, nc-jr), kc, a[ic*k+pc:], k, packed[jr*kc:], c[ic*n+jc+jr:], n, pc > 0, scratch)
				} // 2nd
			} // 3rd
		} // 4th
	} // 5th
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
