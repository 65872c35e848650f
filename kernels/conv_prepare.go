package kernels

// Prepared weights of a convolution: for every group and grid the panels of
// NR destination channels (the last one maybe Narrow), depth-major with depth
// in the order of k: (kh, kw, c) forward, (kh, kw, oc) over the taps of its
// parity class in the input gradient.

// convPreparedBytes is the size of the prepared weights.
func (c *CPU) convPreparedBytes(a *PrepareArgs) int {
	if c.polyphased(&a.Conv, a.Pass) {
		return c.polyphasePreparedBytes(a)
	}
	if c.fast(&a.Conv) {
		return c.winogradPreparedBytes(a)
	}
	if c.fewFits(&a.Conv) {
		return c.groupedPreparedBytes(a)
	}
	j := c.convJobs.get()
	defer c.convJobs.put(j)
	j.plan(c, &a.Conv, a.Pass, ProNone, 0)
	return 4 * j.preparedFloats()
}

// convPrepare lays the weights out for the row that will run.
func (c *CPU) convPrepare(a *PrepareArgs) {
	if c.polyphased(&a.Conv, a.Pass) {
		c.polyphasePrepare(a)
		return
	}
	if c.fast(&a.Conv) {
		c.winogradPrepare(a)
		return
	}
	if c.fewFits(&a.Conv) {
		c.groupedPrepare(a)
		return
	}
	j := c.convJobs.get()
	defer c.convJobs.put(j)
	j.plan(c, &a.Conv, a.Pass, ProNone, 0)
	j.pack.run(c, &j.convPlan, &a.Conv, a.Pass, a.Wt.F32(), a.Dst.As(Float32).F32())
	a.Dst.Row = j.Name
}

// convWorkspace is the size of Work: the panels, or a weight gradient's lanes.
func (c *CPU) convWorkspace(a *ConvArgs) int {
	if a.Pass == PassGradWeight {
		return c.weightWorkspace(a)
	}
	if c.fast(&a.ConvShape) {
		return c.winogradWorkspace(a)
	}
	if a.Prepared != nil {
		return 0
	}
	return c.convPreparedBytes(&PrepareArgs{Pass: a.Pass, Conv: a.ConvShape})
}

// checkPrepared panics when prepared weights are not those of this row and
// size.
func (p *convPlan) checkPrepared(w *Prepared) {
	if w.Row != p.Name || w.Bytes() < 4*p.preparedFloats() {
		panic(&ArgError{"Conv2D", "weights prepared for row " + w.Row + ", not for " + p.Name + " and this shape"})
	}
}

// convPackJob packs panels; a tile is one panel of one grid and group.
type convPackJob struct {
	plan   *convPlan
	pass   Pass
	w, dst []float32
	cg, og int
	kh, kw int
}

func (j *convPackJob) run(c *CPU, p *convPlan, s *ConvShape, pass Pass, w, dst []float32) {
	*j = convPackJob{plan: p, pass: pass, w: w, dst: dst, cg: s.C / s.Groups, og: s.OC / s.Groups, kh: s.KH, kw: s.KW}
	c.team.Do(len(p.grids)*p.groups*p.panels, p.preparedFloats(), j)
	j.plan, j.w, j.dst = nil, nil, nil
}

// Tile packs one panel.
func (j *convPackJob) Tile(_ *Worker, i int) {
	p := j.plan
	g := &p.grids[i/p.panels/p.groups]
	group := i / p.panels % p.groups
	n0 := i % p.panels * p.NR
	n := min(p.NR, p.dc-n0)
	dst, width := p.panel(j.dst, group, g, i%p.panels), p.width(n)
	if j.pass == PassForward {
		depth := j.kh * j.kw * j.cg
		w := Mat{F32Mem(j.w[group*j.og*depth:]), depth}
		p.packB(w, true, 0, depth, n0, n0+n, dst)
		return
	}
	taps := j.kh * j.kw
	for ty := range g.y.taps {
		for tx := range g.x.taps {
			tap := (g.y.k0+ty*g.y.dk)*j.kw + g.x.k0 + tx*g.x.dk
			w := Mat{F32Mem(j.w[(group*j.og*taps+tap)*j.cg:]), taps * j.cg}
			p.packB(w, false, 0, j.og, n0, n0+n, dst)
			dst = dst[j.og*width:]
		}
	}
}
