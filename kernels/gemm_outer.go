package kernels

// outerMost bounds the columns of a product with A transposed that runs on
// OuterTile, which reads both operands where they lie; with more of them
// transposing A through scratch for RowTile costs less than OuterTile's
// smaller tile.
const outerMost = 256

// outerRows bounds the rows of a unit on OuterTile, which reads A as it lies: the
// more rows, the less often B is read (a 256 x 64 weight gradient has 76 % of the
// peak with two row chunks and 88 % with one).
const outerRows = 512

// outer reports whether the product reads both operands k-major as they are:
// weight gradients.
func (k *GemmKernel) outer(a *GemmArgs) bool {
	return a.TransA && !a.TransB && a.Prepared == nil && a.N <= outerMost
}

// outerDepth is how deep a piece of a chunk is, so that both operands of it and
// of the next one, which is fetched meanwhile, take half of the second cache.
func outerDepth(m, n int) int { return max(64, l2Sets*16*64/2/(2*4*(m+n))&^15) }

// outerChunk adds a chunk of k to m rows from i on and columns j0..j1-1 of C.
// Pieces of a chunk go on with one chain, in C or, where C holds earlier chunks,
// aside.
func (j *gemmJob) outerChunk(s *gemmScratch, i, m, j0, j1, k0, kc int, c *float32, ldc int, load bool) {
	depth := outerDepth(m, j1-j0)
	if kc <= depth {
		j.outerPiece(s, i, m, j0, j1, k0, kc, c, ldc, load, false)
		return
	}
	chain, ld := c, ldc
	if load {
		chain, ld = &s.part[outerRows*outerMost], j1-j0
	}
	for at := 0; at < kc; at += depth {
		j.outerPiece(s, i, m, j0, j1, k0+at, min(depth, kc-at), chain, ld, false, at > 0)
	}
	if load {
		j.k.Rows.add(m, j1-j0, c, ldc, chain, ld)
	}
}

// outerPiece is tile after tile over kc steps of k. Tiles that would read past
// M or N read a copy padded with zeros.
func (j *gemmJob) outerPiece(s *gemmScratch, i, m, j0, j1, k0, kc int, c *float32, ldc int, load, on bool) {
	k := j.k
	var next streams
	if end := k0 + kc; end < j.K {
		next[0] = rowStream(elem(j.B.Mem, end*j.B.Ld+j0), min(kc, j.K-end), j1-j0, j.B.Ld)
		next[1] = rowStream(elem(j.A.Mem, end*j.A.Ld+i), min(kc, j.K-end), m, j.A.Ld)
	}
	last := j1 - (j1-j0)%k.NR // columns of the panel that is not full
	if n := j1 - last; n > 0 && n != k.width(n) && kc > 0 {
		padCopy(kc, n, elem(j.B.Mem, k0*j.B.Ld+last), j.B.Ld, s.panels, k.width(n))
	}
	for r := 0; r < m; r += k.OuterMR {
		rows := min(k.OuterMR, m-r)
		a, lda := elem(j.A.Mem, k0*j.A.Ld+i+r), j.A.Ld
		if rows < k.OuterMR {
			padCopy(kc, rows, a, lda, s.a, k.OuterMR)
			a, lda = &s.a[0], k.OuterMR
		}
		for jr := j0; jr < j1; jr += k.NR {
			n := min(k.NR, j1-jr)
			b, ldb := &s.panels[0], k.width(n)
			if n == ldb {
				b, ldb = elem(j.B.Mem, k0*j.B.Ld+jr), j.B.Ld
			}
			k.outerOn(rows, n, s.segment(a, b, kc), lda, ldb, advance(c, r*ldc+jr-j0), ldc, load, on, s.edge, &next)
		}
	}
}
