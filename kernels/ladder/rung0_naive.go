package ladder

// Naive is the definition: c[i][j] is the dot product of row i of A and column
// j of B. The walk down a column of B touches a new cache line, and for wide B
// a new page, at every step.
func Naive(m, n, k int, a, b, c []float32) {
	for i := range m {
		for j := range n {
			var sum float32
			for p := range k {
				sum += a[i*k+p] * b[p*n+j]
			}
			c[i*n+j] = sum
		}
	}
}
