package kernels

// Gemm is C (+)= A*B by the definition.
func (Ref64) Gemm(a *GemmArgs) {
	for i := range a.Products() {
		p := a.Product(i)
		gemmRef[float64](&p)
	}
}

// gemmRef is the product in F, one row of C after the other, k ascending, with
// the prologue on A and the epilogue on the finished rows.
func gemmRef[F Float](a *GemmArgs) {
	A, B, C := vals[F](a.A.Mem), vals[F](a.B.Mem), vals[F](a.C.Mem)
	sum := make([]F, a.N)
	stats := newStatsRef[F](&a.Epi.Stats, a.M, a.N)
	for i := range a.M {
		clear(sum)
		for k := range a.K {
			at := i*a.A.Ld + k
			if a.TransA {
				at = k*a.A.Ld + i
			}
			x := prologueRef(&a.Pro, i, k, a.K, A[at])
			for j := range sum {
				if a.TransB {
					sum[j] += x * B[j*a.B.Ld+k]
				} else {
					sum[j] += x * B[k*a.B.Ld+j]
				}
			}
		}
		row := C[i*a.C.Ld:][:a.N]
		for j, v := range sum {
			if a.Accumulate {
				v += row[j]
			}
			row[j] = epilogueRef(&a.Epi, stats, i, j, v)
		}
	}
}

// prologueRef is element (r, c) of an operand of width columns, x as stored.
func prologueRef[F Float](p *Prologue, r, c, width int, x F) F {
	set := c
	if p.Group > 0 {
		set += r / p.Group * width
	}
	switch p.Kind {
	case ProAffine:
		x = x*vals[F](p.Scale)[set] + vals[F](p.Shift)[set]
		if p.ReLU && x <= 0 {
			x = 0
		}
	case ProBNBackward:
		if !gateRef(p.Mask, p.Scale, p.Shift, vals[F](p.X))(r*width+c, set) {
			x = 0
		}
		x = vals[F](p.A)[set]*x + (vals[F](p.B)[set]*vals[F](p.X)[r*width+c] + vals[F](p.C)[set])
	}
	return x
}

// statsRef gathers the chunks of Stats as rows come.
type statsRef[F Float] struct {
	part, shift []F
	group, c    int
}

func newStatsRef[F Float](s *Stats, rows, c int) *statsRef[F] {
	if s.Part.IsNil() {
		return nil
	}
	_, group := groups(rows, s.Group)
	clear(vals[F](s.Part))
	return &statsRef[F]{vals[F](s.Part), vals[F](s.Shift), group, c}
}

func (s *statsRef[F]) add(i, j int, v F) {
	perGroup := (s.group + StatsChunk - 1) / StatsChunk
	chunk := i/s.group*perGroup + i%s.group/StatsChunk
	if s.shift != nil {
		v -= s.shift[j]
	}
	s.part[2*chunk*s.c+j] += v
	s.part[(2*chunk+1)*s.c+j] += v * v
}

// epilogueRef is what is stored at (i, j) for the finished value v.
func epilogueRef[F Float](e *Epilogue, stats *statsRef[F], i, j int, v F) F {
	if stats != nil {
		stats.add(i, j, v)
	}
	if !e.Bias.IsNil() {
		v += vals[F](e.Bias)[j]
	}
	if !e.Residual.IsNil() {
		v += vals[F](e.Residual.Mem)[i*e.Residual.Ld+j]
	}
	if e.ReLU && v <= 0 {
		v = 0
	}
	return v
}
