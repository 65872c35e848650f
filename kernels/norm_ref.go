package kernels

// The references of batch norm's passes over memory; their chunks and orders
// are those of the contract.

// ChannelStats computes the chunk sums of a.X.
func (Ref64) ChannelStats(a *ChannelStatsArgs) { refChannelStats[float64](a) }

// BNMoments merges chunk sums.
func (Ref64) BNMoments(a *BNMomentsArgs) { refMoments[float64](a) }

// BNApply applies the affine form, a residual and ReLU.
func (Ref64) BNApply(a *BNApplyArgs) { refBNApply[float64](a) }

// BNReduce computes the sums of the backward pass.
func (Ref64) BNReduce(a *BNReduceArgs) { refBNReduce[float64](a) }

// BNBackward computes the input gradient.
func (Ref64) BNBackward(a *BNBackwardArgs) { refBNBackward[float64](a) }

func refChannelStats[F Float](a *ChannelStatsArgs) {
	x, shift := vals[F](a.X), vals[F](a.Stats.Shift)
	chunkSums(a.Rows, a.C, a.Stats.Group, vals[F](a.Stats.Part), func(g, r, c int) (s, d F) {
		d = x[r*a.C+c]
		if shift != nil {
			d -= shift[c]
		}
		return d, d
	})
}

func refBNReduce[F Float](a *BNReduceArgs) {
	dy, x, mean := vals[F](a.DY), vals[F](a.X), vals[F](a.Mean)
	open := gateRef(a.Mask, a.Scale, a.Shift, x)
	resid, work := vals[F](a.DResid), vals[F](a.Work)
	chunkSums(a.Rows, a.C, a.Group, work, func(g, r, c int) (s, d F) {
		i := r*a.C + c
		if s = 0; open(i, g*a.C+c) {
			s = dy[i]
		}
		if resid != nil {
			if a.AccResid {
				resid[i] += s
			} else {
				resid[i] = s
			}
		}
		return s, x[i] - mean[g*a.C+c]
	})
	eachGroup(a.Rows, a.C, a.Group, work, a.Sums.F64(), func(rows int, part []F, out []float64) {
		mergeSums(0, a.C, a.C, rows, part, nil, out)
	})
}

func refMoments[F Float](a *BNMomentsArgs) {
	shift := vals[F](a.Stats.Shift)
	eachGroup(a.Rows, a.C, a.Stats.Group, vals[F](a.Stats.Part), a.Moments.F64(), func(rows int, part []F, out []float64) {
		mergeMoments(0, a.C, a.C, rows, part, shift, out)
	})
}

// chunkSums writes for each chunk and channel the sums of s and of s*d over
// the chunk's rows, where s, d = f(group, row, channel).
func chunkSums[F Float](rows, ch, group int, part []F, f func(g, r, c int) (s, d F)) {
	n, size := groups(rows, group)
	k := 0
	for g := range n {
		for r0 := 0; r0 < size; r0 += StatsChunk {
			for c := range ch {
				var sum, q F
				for r := r0; r < min(r0+StatsChunk, size); r++ {
					s, d := f(g, g*size+r, c)
					sum += s
					q += F(s * d)
				}
				part[2*k*ch+c], part[(2*k+1)*ch+c] = sum, q
			}
			k++
		}
	}
}

// eachGroup calls f with the chunks and the result of each group.
func eachGroup[F Float](rows, ch, group int, part []F, out []float64, f func(rows int, part []F, out []float64)) {
	n, size := groups(rows, group)
	len := 2 * ch * StatsChunks(size, 0)
	for g := range n {
		f(size, part[g*len:(g+1)*len], out[2*g*ch:2*(g+1)*ch])
	}
}

// gateRef says whether the ReLU after a batch norm let element i through,
// whose coefficients are number k.
func gateRef[F Float](mask, scale, shift Mem, x []F) func(i, k int) bool {
	m, s, t := vals[F](mask), vals[F](scale), vals[F](shift)
	switch {
	case m != nil:
		return func(i, k int) bool { return m[i] > 0 }
	case s != nil:
		return func(i, k int) bool { return F(x[i]*s[k])+t[k] > 0 }
	}
	return func(i, k int) bool { return true }
}

func refBNApply[F Float](a *BNApplyArgs) {
	x, res, y := vals[F](a.X), vals[F](a.Residual), vals[F](a.Y)
	scale, shift := vals[F](a.Scale), vals[F](a.Shift)
	_, size := groups(a.Rows, a.Group)
	for r := range a.Rows {
		for c := range a.C {
			i, k := r*a.C+c, r/size*a.C+c
			v := F(x[i]*scale[k]) + shift[k]
			if res != nil {
				v += res[i]
			}
			if a.ReLU && v <= 0 {
				v = 0
			}
			y[i] = v
		}
	}
}

func refBNBackward[F Float](a *BNBackwardArgs) {
	dy, x, dx := vals[F](a.DY), vals[F](a.X), vals[F](a.DX)
	open := gateRef(a.Mask, a.Scale, a.Shift, x)
	coefA, coefB, coefC := vals[F](a.CoefA), vals[F](a.CoefB), vals[F](a.CoefC)
	_, size := groups(a.Rows, a.Group)
	for r := range a.Rows {
		for c := range a.C {
			i, k := r*a.C+c, r/size*a.C+c
			v := F(coefB[k]*x[i]) + coefC[k]
			if open(i, k) {
				v += F(coefA[k] * dy[i])
			}
			if a.Accumulate {
				v += dx[i]
			}
			dx[i] = v
		}
	}
}
