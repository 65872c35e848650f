package ladder

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/sectile-ml/sectile/asm"
)

// Threads shares the best tile's loops among GOMAXPROCS threads. B is packed
// once for all; then threads take blocks of C from a counter, so that a slow
// thread takes fewer. Blocks are cut in both dimensions: rows alone would
// leave threads idle where M is small. No two threads write the same element
// and how C is cut depends on its shape alone, so that any number of threads
// gives the same bits.
func Threads(m, n, k int, a, b, c []float32) {
	u := bestTile()
	if k == 0 {
		clear(c[:m*n])
		return
	}
	const columns = 256 // of a block of C; a multiple of every NR
	packed := make([]float32, min(k, blockK)*roundUp(n, u.nr))
	rows, cols := (m+blockM-1)/blockM, (n+columns-1)/columns
	for pc := 0; pc < k; pc += blockK {
		kc := min(blockK, k-pc)
		share(cols, func(next func() int) {
			for t := next(); t < cols; t = next() {
				for j := t * columns; j < min(n, (t+1)*columns); j += u.nr {
					packPanel(packed[j*kc:], b[pc*n+j:], kc, min(u.nr, n-j), n, u.nr)
				}
			}
		})
		share(rows*cols, func(next func() int) {
			scratch := make([]float32, u.mr*u.nr)
			for t := next(); t < rows*cols; t = next() {
				i, j0 := t/cols*blockM, t%cols*columns
				for j := j0; j < min(n, j0+columns); j += u.nr {
					u.strip(min(blockM, m-i), min(u.nr, n-j), kc, a[i*k+pc:], k, packed[j*kc:], c[i*n+j:], n, pc > 0, scratch)
				}
			}
		})
	}
}

// share runs work on all threads; next hands out 0, 1, 2, ... among them.
func share(tiles int, work func(next func() int)) {
	var taken atomic.Int64
	next := func() int { return int(taken.Add(1)) - 1 }
	var wg sync.WaitGroup
	for range min(tiles, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(func() { work(next) })
	}
	work(next)
	wg.Wait()
}

func bestTile() *microKernel {
	switch {
	case asm.Has(asm.AVX512):
		return &avx512Tile
	case asm.Has(asm.AVX2):
		return &avx2Tile
	}
	return &goTile
}
