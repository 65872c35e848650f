package kernels

// Chunks merge left to right in float64, in parallel over channels.

// momentsJob merges the chunks of one block of channels of one group.
type momentsJob struct {
	merge            func(c0, c1, ch, rows int, part, shift []float32, out []float64)
	ch, blocks, size int
	part, shift      []float32
	out              []float64
}

// momentsBlock is the channels of a tile.
const momentsBlock = 32

// Tile merges one block.
func (j *momentsJob) Tile(w *Worker, i int) {
	g, b := i/j.blocks, i%j.blocks
	c0 := b * momentsBlock
	n := 2 * j.ch * StatsChunks(j.size, 0)
	j.merge(c0, min(c0+momentsBlock, j.ch), j.ch, j.size, j.part[g*n:(g+1)*n], j.shift, j.out[2*g*j.ch:2*(g+1)*j.ch])
}

func (c *CPU) merge(merge func(c0, c1, ch, rows int, part, shift []float32, out []float64),
	rows, ch, group int, part, shift, out Mem) {
	n, size := groups(rows, group)
	j := c.momentsJobs.get()
	*j = momentsJob{merge: merge, ch: ch, blocks: (ch + momentsBlock - 1) / momentsBlock, size: size,
		part: part.F32(), shift: shift.F32(), out: out.F64()}
	c.team.Do(n*j.blocks, 4*ch*StatsChunks(rows, group), j)
	*j = momentsJob{}
	c.momentsJobs.put(j)
}

// BNMoments merges chunk sums into mean and M2.
func (c *CPU) BNMoments(a *BNMomentsArgs) {
	const op = "BNMoments"
	n, _ := groups(a.Rows, a.Stats.Group)
	needMem(op, "Part", a.Stats.Part, Float32, 2*StatsChunks(a.Rows, a.Stats.Group)*a.C)
	needMem(op, "Moments", a.Moments, Float64, 2*n*a.C)
	if !a.Stats.Shift.IsNil() {
		needMem(op, "Shift", a.Stats.Shift, Float32, a.C)
	}
	c.merge(mergeMoments[float32], a.Rows, a.C, a.Stats.Group, a.Stats.Part, a.Stats.Shift, a.Moments)
}

// mergeMoments is Chan, Golub and LeVeque's update (1979, eq. 2.1) of (n, mean,
// M2) by each chunk in turn, for channels c0..c1-1 of a group of rows rows. A
// chunk's own M2 = q - s*s/n is the square of a rounding error when all its
// values are equal; what falls below zero counts as zero.
func mergeMoments[F Float](c0, c1, ch, rows int, part, shift []F, out []float64) {
	mean, m2 := out[c0:c1], out[ch+c0:ch+c1]
	clear(mean)
	clear(m2)
	for k, n := 0, 0; n < rows; k++ {
		more := min(StatsChunk, rows-n)
		inv := 1 / float64(more)
		wMean := float64(more) / float64(n+more)
		wM2 := float64(n) * wMean
		s := part[2*k*ch+c0:][:len(mean)]
		q := part[(2*k+1)*ch+c0:][:len(mean)]
		for c := range mean {
			sum := float64(s[c])
			chunkMean := float64(sum * inv)
			chunkM2 := float64(q[c]) - float64(sum*chunkMean)
			if chunkM2 < 0 {
				chunkM2 = 0
			}
			d := chunkMean - mean[c]
			mean[c] += float64(d * wMean)
			m2[c] += chunkM2 + float64(float64(d*d)*wM2)
		}
		n += more
	}
	if shift != nil {
		for c := range mean {
			mean[c] += float64(shift[c0+c])
		}
	}
}

// mergeSums adds up the chunks' sums.
func mergeSums[F Float](c0, c1, ch, rows int, part, _ []F, out []float64) {
	s0, s1 := out[c0:c1], out[ch+c0:ch+c1]
	clear(s0)
	clear(s1)
	for k := range StatsChunks(rows, 0) {
		a := part[2*k*ch+c0:][:len(s0)]
		b := part[(2*k+1)*ch+c0:][:len(s0)]
		for c := range s0 {
			s0[c] += float64(a[c])
			s1[c] += float64(b[c])
		}
	}
}
