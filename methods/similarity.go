package methods

import (
	"runtime"
	"sync"
)

// A search holds one tile of similarities at a time: tileQueries rows of the
// one side by tileBank rows of the other, 2 MiB.
const (
	tileQueries = 512
	tileBank    = 1024
)

// similarities sets dst[i·n + j] = queries_i · bank_j, n the bank's rows: the
// one matrix product under kNN and k-means. Each element is one sum over
// ascending columns, so its bits do not depend on how rows are split.
func similarities(dst []float32, queries, bank Features) {
	n, d := bank.N(), bank.D
	split(queries.N(), func(lo, hi int) {
		for i := lo; i < hi; i += 2 {
			// Past the end the last row is computed again and written to its own place.
			i0, i1 := i, min(i+1, hi-1)
			q0, q1 := queries.Row(i0), queries.Row(i1)[:d]
			s0, s1 := dst[i0*n:][:n], dst[i1*n:][:n]
			for j := 0; j < n; j += 4 {
				j0, j1, j2, j3 := j, min(j+1, n-1), min(j+2, n-1), min(j+3, n-1)
				b0, b1, b2, b3 := bank.Row(j0)[:d], bank.Row(j1)[:d], bank.Row(j2)[:d], bank.Row(j3)[:d]
				var s00, s01, s02, s03, s10, s11, s12, s13 float32
				for p, x := range q0 {
					y := q1[p]
					v0, v1, v2, v3 := b0[p], b1[p], b2[p], b3[p]
					s00 += float32(x * v0)
					s01 += float32(x * v1)
					s02 += float32(x * v2)
					s03 += float32(x * v3)
					s10 += float32(y * v0)
					s11 += float32(y * v1)
					s12 += float32(y * v2)
					s13 += float32(y * v3)
				}
				s0[j0], s0[j1], s0[j2], s0[j3] = s00, s01, s02, s03
				s1[j0], s1[j1], s1[j2], s1[j3] = s10, s11, s12, s13
			}
		}
	})
}

// split cuts [0, n) into one range for each thread and calls f with all of
// them at once. Its callers compute each element in one way whatever range it
// lies in.
func split(n int, f func(lo, hi int)) {
	parts := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for p := 1; p < parts; p++ {
		wg.Go(func() { f(n*p/parts, n*(p+1)/parts) })
	}
	if parts > 0 {
		f(0, n/parts)
	}
	wg.Wait()
}
