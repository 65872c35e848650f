package ladder

// Pack copies NR columns of B into a panel, step of k after step of k, before
// all rows of A meet it. The tile then reads one stream from beginning to end
// instead of four elements out of every row of B: 4 of the 16 elements of a
// cache line, and a new page for each step when B is wide. Rows of A are read
// along k as they lie; they need no copy.
func Pack(m, n, k int, a, b, c []float32) {
	u := &goTile
	panel, scratch := make([]float32, k*u.nr), make([]float32, u.mr*u.nr)
	for j := 0; j < n; j += u.nr {
		cols := min(u.nr, n-j)
		packPanel(panel, b[j:], k, cols, n, u.nr)
		u.strip(m, cols, k, a, k, panel, c[j:], n, false, scratch)
	}
}

// packPanel copies k rows of cols columns into rows of nr, zeros behind them.
func packPanel(panel, b []float32, k, cols, ldb, nr int) {
	for p := range k {
		row := panel[p*nr:][:nr]
		clear(row[copy(row, b[p*ldb:][:cols]):])
	}
}

// microKernel is a tile of C and the function that computes one. From here on
// rungs differ in this value and in the loops around it.
type microKernel struct {
	mr, nr int

	// tile is C (+)= A*B for mr rows of A, lda apart and kc deep, and one
	// panel. Where rows is less than mr the last row stands in for those
	// beyond; c holds mr x nr elements all the same.
	tile func(rows, kc int, a []float32, lda int, panel, c []float32, ldc int, add bool)
}

// strip is m x n of C, n at most NR: tiles down one panel (loop ir). A tile
// that would reach over the edge of C is computed in scratch.
func (u *microKernel) strip(m, n, kc int, a []float32, lda int, panel, c []float32, ldc int, add bool, scratch []float32) {
	for i := 0; i < m; i += u.mr {
		rows := min(u.mr, m-i)
		if rows == u.mr && n == u.nr {
			u.tile(rows, kc, a[i*lda:], lda, panel, c[i*ldc:], ldc, add)
			continue
		}
		u.tile(rows, kc, a[i*lda:], lda, panel, scratch, u.nr, false)
		for r := range rows {
			to, from := c[(i+r)*ldc:][:n], scratch[r*u.nr:][:n]
			if !add {
				copy(to, from)
				continue
			}
			for j, v := range from {
				to[j] += v
			}
		}
	}
}

// goTile is Tile's 2 x 4 tile, reading a panel.
var goTile = microKernel{mr: 2, nr: 4, tile: func(rows, kc int, a []float32, lda int, panel, c []float32, ldc int, add bool) {
	var s0, s1, s2, s3, t0, t1, t2, t3 float32
	upper, lower := a[:kc], a[(rows-1)*lda:][:kc]
	for p, x := range upper {
		v := (*[4]float32)(panel[4*p:])
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
	put4((*[4]float32)(c), [4]float32{s0, s1, s2, s3}, add)
	put4((*[4]float32)(c[ldc:]), [4]float32{t0, t1, t2, t3}, add)
}}

func put4(c *[4]float32, sums [4]float32, add bool) {
	if !add {
		*c = sums
		return
	}
	for j, v := range sums {
		c[j] += v
	}
}
