package kernels

// Prepared weights of a convolution with few channels a group: for every grid,
// tap and source channel of a group a row of the destination's channels,
// [taps, C/Groups, OC] forward and [taps, OC/Groups, C] in the input gradient.
// All rows of the tables read the same.

// groupedPreparedBytes is the size of the prepared weights.
func (c *CPU) groupedPreparedBytes(a *PrepareArgs) int {
	return 4 * a.Conv.KH * a.Conv.KW * a.Conv.C / a.Conv.Groups * a.Conv.OC
}

// groupedPrepare lays the weights out.
func (c *CPU) groupedPrepare(a *PrepareArgs) {
	j := c.groupedJobs.get()
	defer c.groupedJobs.put(j)
	j.plan(c, &a.Conv, a.Pass, ProNone, 0)
	j.pack.run(c, &j.groupedPlan, &a.Conv, a.Pass, a.Wt.F32(), a.Dst.As(Float32).F32())
	a.Dst.Row = j.name
}

// groupedPackJob lays weights out; a tile is one tap.
type groupedPackJob struct {
	plan   *groupedPlan
	pass   Pass
	w, dst []float32
	cg, og int
	kh, kw int
}

func (j *groupedPackJob) run(c *CPU, p *groupedPlan, s *ConvShape, pass Pass, w, dst []float32) {
	*j = groupedPackJob{plan: p, pass: pass, w: w, dst: dst, cg: s.C / s.Groups, og: s.OC / s.Groups, kh: s.KH, kw: s.KW}
	c.team.Do(s.KH*s.KW, p.preparedFloats(), j)
	j.plan, j.w, j.dst = nil, nil, nil
}

// Tile lays tap i out, which is a tap of one grid.
func (j *groupedPackJob) Tile(_ *Worker, i int) {
	p := j.plan
	g := &p.grids[0]
	for k := range p.grids {
		if n := &p.grids[k]; n.y.taps*n.x.taps > 0 && n.weights <= i*p.sc {
			g = n
		}
	}
	t := i - g.weights/p.sc
	tap := (g.y.k0+t/g.x.taps*g.y.dk)*j.kw + g.x.k0 + t%g.x.taps*g.x.dk
	taps, dst := j.kh*j.kw, j.dst[i*p.sc*p.groups*p.dc:]
	for k := range p.sc {
		row := dst[k*p.groups*p.dc:][:p.groups*p.dc]
		for c := range row {
			if j.pass == PassForward {
				row[c] = j.w[(c*taps+tap)*j.cg+k]
			} else {
				row[c] = j.w[((c/j.cg*j.og+k)*taps+tap)*j.cg+c%j.cg]
			}
		}
	}
}
