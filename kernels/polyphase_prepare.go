package kernels

// Prepared weights of polyphase Winograd: for every panel of NR destination
// channels (the last maybe Narrow) 36 packed panels, one of each plane,
// depth-major over the source channels. They grow from 9 to 36 values a kernel
// and are made in float64, each rounded once.

// polyphasePreparedBytes is the size of the prepared weights.
func (c *CPU) polyphasePreparedBytes(a *PrepareArgs) int {
	j := c.polyphaseJobs.get()
	defer c.polyphaseJobs.put(j)
	j.plan(c, &a.Conv, a.Pass, 0)
	return 4 * j.preparedFloats()
}

// polyphasePrepare transforms the weights for the row that will run.
func (c *CPU) polyphasePrepare(a *PrepareArgs) {
	j := c.polyphaseJobs.get()
	defer c.polyphaseJobs.put(j)
	j.plan(c, &a.Conv, a.Pass, 0)
	j.kernels.run(c, j, a.Wt.F32(), a.Dst.As(Float32).F32())
	a.Dst.Row = c.phasesName
}

// plane is plane k of the panel of destination channels from q on.
func (j *polyphaseJob) plane(u []float32, k, q int) []float32 {
	size := j.freqU(j.gemm.width(min(j.gemm.NR, j.dc-q)))
	return u[36*q/j.gemm.NR*j.freqU(j.gemm.NR)+k*size:][:size-winogradSkew]
}

// polyphasePackJob transforms and packs; a tile is one panel and winogradDepth
// source channels.
type polyphasePackJob struct {
	job    *polyphaseJob
	w, dst []float32
	pieces int
}

func (p *polyphasePackJob) run(c *CPU, j *polyphaseJob, w, dst []float32) {
	*p = polyphasePackJob{job: j, w: w, dst: dst, pieces: ceilDiv(j.sc, winogradDepth)}
	c.team.Do(j.panels*p.pieces, j.preparedFloats()/8, p)
	p.job, p.w, p.dst = nil, nil, nil
}

// Tile transforms the kernels between a panel's channels and a few source
// channels, as winogradPackJob does: to scratch, whose planes are skewed, and
// from there to the panel.
func (p *polyphasePackJob) Tile(w *Worker, i int) {
	j := p.job
	k0 := i % p.pieces * winogradDepth
	kc := min(winogradDepth, j.sc-k0)
	n0 := i / p.pieces * j.gemm.NR
	n := min(j.gemm.NR, j.dc-n0)
	width := j.gemm.width(n)
	plane := winogradDepth*j.gemm.NR + winogradSkew
	s := w.Scratch(polyphaseTmp + 36*plane)
	tmp, s := &s[0], s[polyphaseTmp:]
	if j.pass == PassGradInput {
		for k := range kc {
			last := ((k0+k)*9 + 8) * j.dc
			j.transforms.Weights(n, &p.w[last+n0], -j.dc, &s[k*width], plane, tmp)
		}
		for f := range 36 {
			copy(j.plane(p.dst, f, n0)[k0*width:][:kc*width], s[f*plane:])
		}
		return
	}
	for r := range n {
		j.transforms.Weights(kc, &p.w[(n0+r)*9*j.sc+k0], j.sc, &s[r*winogradDepth], plane, tmp)
	}
	for f := range 36 {
		j.gemm.transpose(kc, n, &s[f*plane], winogradDepth, &j.plane(p.dst, f, n0)[k0*width], width)
	}
}
