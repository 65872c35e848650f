package ladder

// Order puts the loop over columns innermost: row i of C gathers the rows of B,
// each scaled by one element of A. All walks are along rows now, which caches
// and prefetchers like; but every multiply-add loads and stores an element of C.
func Order(m, n, k int, a, b, c []float32) {
	for i := range m {
		row := c[i*n:][:n]
		clear(row)
		for p, x := range a[i*k:][:k] {
			for j, y := range b[p*n:][:n] {
				row[j] += x * y
			}
		}
	}
}
