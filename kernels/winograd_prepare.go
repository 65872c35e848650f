package kernels

// Prepared weights of Winograd's algorithm: for every panel of NR destination
// channels (the last maybe Narrow) 36 packed panels (16 for F(2x2,3x3)), one of
// each frequency, depth-major over the source channels. They grow from 9 values a
// kernel to as many and are made in float64, each rounded once.

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
	a.Dst.Row = c.winogradName(j.rows.tile)
}

// winogradPackJob transforms and packs; a tile is one panel and winogradDepth
// source channels.
type winogradPackJob struct {
	plan   *winogradPlan
	pass   Pass
	w, dst []float32
	pieces int
}

// winogradDepth is the source channels of a tile of the job: nine taps of
// 128 x 32 float32 are 147 KB of scratch.
const winogradDepth = 128

func (j *winogradPackJob) run(c *CPU, p *winogradPlan, pass Pass, w, dst []float32) {
	*j = winogradPackJob{plan: p, pass: pass, w: w, dst: dst, pieces: ceilDiv(p.sc, winogradDepth)}
	c.team.Do(p.panels*j.pieces, p.preparedFloats()/8, j)
	j.plan, j.w, j.dst = nil, nil, nil
}

// Tile packs one piece.
func (j *winogradPackJob) Tile(w *Worker, i int) {
	p := j.plan
	panel := i / j.pieces
	p.packPiece(j.pass, j.w, panel, i%j.pieces*winogradDepth, p.panel(j.dst, 0, panel), w.Scratch(p.packFloats()))
}

// packFloats is the scratch of packPiece.
func (p *winogradPlan) packFloats() int {
	return winogradTmp + 9*(winogradDepth*p.gemm.NR+winogradSkew)
}

// packPiece transforms the kernels between panel i's channels and winogradDepth
// source channels from k0 on to their place in dst, the panel. Forward they lie
// source-major and are turned first, when they are 9 values and not 36; for an
// input gradient, whose kernels are rotated, a tap's destination channels lie
// side by side as they do in the panel.
func (p *winogradPlan) packPiece(pass Pass, weights []float32, i, k0 int, dst, s []float32) {
	kc := min(winogradDepth, p.sc-k0)
	n0 := i * p.gemm.NR
	n := min(p.gemm.NR, p.dc-n0)
	width := p.gemm.width(n)
	freqU := p.freqU(width)
	tmp, s := &s[0], s[winogradTmp:]
	if pass == PassGradInput {
		for k := k0; k < k0+kc; k++ {
			p.rows.Weights(n, &weights[(k*9+8)*p.dc+n0], -p.dc, &dst[k*width], freqU, tmp)
		}
		return
	}
	tap := kc*width + winogradSkew
	for t := range 9 {
		p.gemm.transpose(kc, n, &weights[(n0*9+t)*p.sc+k0], 9*p.sc, &s[t*tap], width)
	}
	p.rows.Weights(kc*width, &s[0], tap, &dst[k0*width], freqU, tmp)
}
