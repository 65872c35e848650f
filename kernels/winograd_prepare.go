package kernels

// Prepared weights of Winograd's algorithm: for every panel of NR destination
// channels (the last maybe Narrow) 36 packed panels, one of each frequency,
// depth-major over the source channels. They grow from 9 to 36 values a kernel
// and are made in float64, each rounded once.

// winogradPreparedBytes is the size of the prepared weights.
func (c *CPU) winogradPreparedBytes(a *PrepareArgs) int {
	j := c.winogradJobs.get()
	defer c.winogradJobs.put(j)
	j.plan(c, &a.Conv, a.Pass, 0)
	return 4 * j.preparedFloats()
}

// winogradPrepare transforms the weights for the row that will run.
func (c *CPU) winogradPrepare(a *PrepareArgs) {
	j := c.winogradJobs.get()
	defer c.winogradJobs.put(j)
	j.plan(c, &a.Conv, a.Pass, 0)
	j.pack.run(c, &j.winogradPlan, a.Pass, a.Wt.F32(), a.Dst.As(Float32).F32())
	a.Dst.Row = c.winogradName
}

// winogradPackJob transforms and packs; a tile is one panel and winogradDepth
// source channels.
type winogradPackJob struct {
	plan   *winogradPlan
	pass   Pass
	w, dst []float32
	pieces int
}

// winogradDepth is the source channels of a tile of the job: 36 frequencies of
// 32 x 32 float32 are 147 KB of scratch. The frequencies of a panel lie whole
// pages apart, in one set of the first cache, so that the transform writes to
// scratch, where they are skewed, and a run of 4 KB goes on to the panel.
const winogradDepth = 32

func (j *winogradPackJob) run(c *CPU, p *winogradPlan, pass Pass, w, dst []float32) {
	*j = winogradPackJob{plan: p, pass: pass, w: w, dst: dst, pieces: ceilDiv(p.sc, winogradDepth)}
	c.team.Do(p.panels*j.pieces, p.preparedFloats()/8, j)
	j.plan, j.w, j.dst = nil, nil, nil
}

// Tile transforms the kernels between a panel's channels and a few source
// channels. Forward they lie source-major and are turned on their way to the
// panel; for an input gradient, whose kernels are rotated, a tap's destination
// channels lie side by side as they do there.
func (j *winogradPackJob) Tile(w *Worker, i int) {
	p := j.plan
	k0 := i % j.pieces * winogradDepth
	kc := min(winogradDepth, p.sc-k0)
	n0 := i / j.pieces * p.gemm.NR
	n := min(p.gemm.NR, p.dc-n0)
	width := p.gemm.width(n)
	dst, freqU := p.panel(j.dst, i/j.pieces), p.freqU(width)
	freq := winogradDepth*p.gemm.NR + winogradSkew
	s := w.Scratch(winogradTmp + 36*freq)
	tmp, s := &s[0], s[winogradTmp:]
	if j.pass == PassGradInput {
		for k := range kc {
			last := ((k0+k)*9 + 8) * p.dc
			p.rows.Weights(n, &j.w[last+n0], -p.dc, &s[k*width], freq, tmp)
		}
		for f := range 36 {
			copy(dst[f*freqU+k0*width:][:kc*width], s[f*freq:])
		}
		return
	}
	for r := range n {
		p.rows.Weights(kc, &j.w[(n0+r)*9*p.sc+k0], p.sc, &s[r*winogradDepth], freq, tmp)
	}
	for f := range 36 {
		p.gemm.transpose(kc, n, &s[f*freq], winogradDepth, &dst[f*freqU+k0*width], width)
	}
}
