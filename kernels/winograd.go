package kernels

import "sync/atomic"

// Winograd's minimal filtering F(4x4,3x3) (Lavin and Gray 2015): 36 products
// stand for the 144 of a 3x3 kernel over 4x4 outputs. A 6x6 tile of the input,
// the kernel and their product live in the space of 36 frequencies, and there
// a convolution is 36 matrix products over channels:
//
//	V = in(X)   [36, tiles, C]      per tile of 6x6 pixels, 4 apart
//	M = V * U   [36, tiles, OC]     U = kern(Wt), prepared
//	Y = out(M)                      4x4 pixels a tile
//
// F(2x2,3x3), for small maps and where it is pinned (winograd_choice.go), is the
// same with 4x4 tiles, 2x2 outputs and 16 frequencies: a plan's transforms say
// which it is.
//
// Three schedules serve all shapes. Narrow layers go by strips
// (winograd_strip.go). Fused, a work item does all three stages for a
// block of tiles and some destination channels in its worker's scratch: V and
// the M of winogradCols channels stay near the core while U streams, and nothing
// but X and Y crosses memory. Shared (winograd_shared.go), a team transforms many
// tiles to one V in Work, then each item owns winogradCols channels of U and
// reads or makes them once. The input gradient is the same over dY with rotated,
// transposed kernels.

const (
	winogradTile = 4       // outputs of a tile's side
	winogradTmp  = 36 * 16 // floats of scratch that a transform needs
	winogradCols = 32      // columns of M at once
	winogradSkew = 16      // floats between rows and frequencies: not in one set of a cache
)

// winogradPlan is how a pass of one shape is cut.
type winogradPlan struct {
	gemm   *GemmKernel
	rows   *winogradTransforms
	freqs  int
	from   winogradImages // the source
	to     winogradImages // the destination
	all    int            // tiles
	sc, dc int
	panels int

	shared   bool // the schedule
	lines    int  // of tiles in a block, by strips (else 0)
	tiles    int  // of a block
	blocks   int
	perItem  int // columns of a work item
	colItems int

	ldv, freqV, freqM int
	statRows, chunks  int // rows of a statistics group, chunks of all groups
}

func (p *winogradPlan) plan(c *CPU, s *ConvShape, pass Pass, statGroup int) {
	*p = winogradPlan{gemm: c.kernel}
	p.sc, p.dc = s.C, s.OC
	p.from = winogradImages{h: s.H, w: s.W, padH: s.PadH, padW: s.PadW}
	p.to = winogradImages{h: s.OH(), w: s.OW()}
	if pass == PassGradInput {
		p.sc, p.dc = p.dc, p.sc
		p.from.h, p.from.w, p.to.h, p.to.w = p.to.h, p.to.w, p.from.h, p.from.w
		p.from.padH, p.from.padW = 2-s.PadH, 2-s.PadW
	}
	p.to.tile = c.tile(p.to.h, p.to.w)
	p.rows = c.transforms.by(p.to.tile)
	p.freqs = p.rows.freqs()
	p.all = s.N * p.to.cut(&p.from)
	p.panels = ceilDiv(p.dc, p.gemm.NR)
	p.ldv = p.sc + winogradSkew
	switch {
	case p.cutStrips(s.N):
	case winogradShares(p.sc, p.dc) && p.all > 0:
		p.cutShared(winogradRound)
	default:
		p.cutFused()
	}
	if statGroup == 0 {
		statGroup = s.N * p.to.h * p.to.w
	}
	p.statRows, p.chunks = statGroup, StatsChunks(s.N*p.to.h*p.to.w, statGroup)
}

// cutFused chooses the blocks of the fused schedule. U is read once a block: 48
// tiles are 24 FLOP a byte of it, and between 12 and 144 tiles up to 256
// channels differ by 5 % (two threads on Zen 5). Few blocks are cut by columns,
// 64 at least: each item transforms the input for itself, 9 % of the work at 64
// columns.
func (p *winogradPlan) cutFused() {
	const block, wanted, columns = 48, 16, 64
	p.shared = false
	p.tiles, p.blocks = block, ceilDiv(p.all, block)
	cols := max(1, min(ceilDiv(wanted, max(1, p.blocks)), p.dc/columns))
	p.perItem = ceilDiv(ceilDiv(p.dc, cols), winogradCols) * winogradCols
	p.lay()
}

// lay derives the strides of a block.
func (p *winogradPlan) lay() {
	p.colItems = ceilDiv(p.dc, p.perItem)
	p.freqV = p.tiles*p.ldv + winogradSkew
	p.freqM = p.tiles*winogradCols + winogradSkew
}

// freqU is the floats from one frequency of a panel of U to the next.
func (p *winogradPlan) freqU(width int) int { return p.sc*width + winogradSkew }

func (p *winogradPlan) preparedFloats() int {
	whole, rest := p.dc/p.gemm.NR, p.dc%p.gemm.NR
	n := p.freqs * whole * p.freqU(p.gemm.NR)
	if rest > 0 {
		n += p.freqs * p.freqU(p.gemm.width(rest))
	}
	return n
}

// panel is panel i of all frequencies in u, whose first panel is number first.
func (p *winogradPlan) panel(u []float32, first, i int) []float32 {
	width := p.gemm.width(min(p.gemm.NR, p.dc-i*p.gemm.NR))
	return u[p.freqs*(i-first)*p.freqU(p.gemm.NR):][:p.freqs*p.freqU(width)]
}

// winogradJob is one forward or input-gradient call.
type winogradJob struct {
	winogradPlan
	pass       Pass
	loader     convLoader
	src, dst   []float32
	kernel     []float32 // the weights, where items make U for themselves
	weights    []float32 // U elsewhere
	v          []float32 // of the round, shared
	first      int       // its first tile
	threads    int       // of the team
	epi        *Epilogue // nil when there is nothing to do
	accumulate bool
	left       []atomic.Int32 // pixels missing from each statistics chunk, by column item
	pack       winogradPackJob
	input      winogradInputJob
}

// winograd runs a pass whose shape the contract gives to this algorithm.
func (c *CPU) winograd(a *ConvArgs, pass Pass) {
	j := c.winogradJobs.get()
	j.open(c, a, pass)
	j.run(c, a)
	j.loader = convLoader{}
	j.src, j.dst, j.kernel, j.weights, j.v, j.epi = nil, nil, nil, nil, nil, nil
	c.winogradJobs.put(j)
}

// open plans a call and takes its operands.
func (j *winogradJob) open(c *CPU, a *ConvArgs, pass Pass) {
	s := &a.ConvShape
	j.pass, j.accumulate, j.epi, j.threads = pass, a.Accumulate, nil, c.team.Size()
	if pass == PassForward {
		j.plan(c, s, pass, a.Epi.Stats.group())
		j.loader = convLoader{c.kernel.Rows, &a.ProX, a.X.F32(), s.C}
		j.src, j.dst = a.X.F32(), a.Y.F32()
		if !a.Epi.empty() {
			j.epi = &a.Epi
		}
	} else {
		j.plan(c, s, pass, 0)
		j.loader = convLoader{c.kernel.Rows, &a.ProY, a.Y.F32(), s.OC}
		j.src, j.dst = a.Y.F32(), a.X.F32()
	}
	j.from.open(j.src, j.sc)
	j.to.open(j.dst, j.dc)
}

// run computes the call by the schedule of the plan.
func (j *winogradJob) run(c *CPU, a *ConvArgs) {
	if j.epi != nil {
		j.count()
	}
	var work []float32
	if !a.Work.IsNil() {
		work = a.Work.As(Float32).F32()
	}
	switch {
	case a.Prepared != nil:
		if name := c.winogradName(j.rows.tile); a.Prepared.Row != name || a.Prepared.Bytes() < 4*j.preparedFloats() {
			panic(&ArgError{"Conv2D", "weights prepared for row " + a.Prepared.Row + ", not for " + name + " and this shape"})
		}
		j.weights = a.Prepared.As(Float32).F32()
	case j.shared:
		j.kernel = a.Wt.F32()
	default:
		j.weights = work[:j.preparedFloats()]
		j.pack.run(c, &j.winogradPlan, j.pass, a.Wt.F32(), j.weights)
	}
	switch {
	case j.shared:
		j.v = work[:j.sharedFloats()]
		j.rounds(c)
	case j.lines > 0:
		c.team.Do(j.blocks, j.cost(j.all), (*winogradStrip)(j))
	default:
		c.team.Do(j.blocks*j.colItems, j.cost(j.all), j)
	}
}

// winogradWorkspace is the bytes of U or of a shared V.
func (c *CPU) winogradWorkspace(a *ConvArgs) int {
	j := c.winogradJobs.get()
	defer c.winogradJobs.put(j)
	j.plan(c, &a.ConvShape, a.Pass, 0)
	switch {
	case j.shared:
		return 4 * j.sharedFloats()
	case a.Prepared != nil:
		return 0
	}
	return 4 * j.preparedFloats()
}

// cost is the nanoseconds of the products of n tiles.
func (p *winogradPlan) cost(n int) int { return n * p.freqs * p.sc * p.dc / 64 }
