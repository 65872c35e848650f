package ladder

// Tile computes 2 x 4 elements of C at a time. Their sums stay in registers
// over all of k, and each element that is loaded is used two or four times: 6
// loads for 8 multiply-adds. The tile is a little larger than Go's 15 scalar
// registers allow: 8 sums, 4 elements of B, 2 of A and products under way; one
// sum is spilled, and a smaller tile loads more.
func Tile(m, n, k int, a, b, c []float32) {
	for i := 0; i < m; i += 2 {
		for j := 0; j < n; j += 4 {
			if i+2 <= m && j+4 <= n {
				tile2x4(n, k, a[i*k:], b[j:], c[i*n+j:])
			} else {
				edge(min(2, m-i), min(4, n-j), n, k, a[i*k:], b[j:], c[i*n+j:])
			}
		}
	}
}

func tile2x4(n, k int, a, b, c []float32) {
	var s0, s1, s2, s3, t0, t1, t2, t3 float32
	upper, lower := a[:k], a[k:][:k]
	for p, x := range upper {
		v := (*[4]float32)(b[p*n:])
		y := lower[p]
		s0 += x * v[0]
		s1 += x * v[1]
		s2 += x * v[2]
		s3 += x * v[3]
		t0 += y * v[0]
		t1 += y * v[1]
		t2 += y * v[2]
		t3 += y * v[3]
	}
	*(*[4]float32)(c) = [4]float32{s0, s1, s2, s3}
	*(*[4]float32)(c[n:]) = [4]float32{t0, t1, t2, t3}
}

// edge is the part of C that whole tiles leave over, rows x cols of it.
func edge(rows, cols, n, k int, a, b, c []float32) {
	for i := range rows {
		for j := range cols {
			var sum float32
			for p := range k {
				sum += a[i*k+p] * b[p*n+j]
			}
			c[i*n+j] = sum
		}
	}
}
