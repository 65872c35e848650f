package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The weight gradient with few channels a group: lanes are input channels, and a
// kernel keeps the sums of some taps in registers while it passes over the
// pixels of a chunk, a run of them after the other. Chunks, lanes of chunks and
// their tree are the contract's, and so is the order within a chunk; taps in the
// padding are products with +0, as they are in the direct path's wide columns.
//
// Sums lie as [taps, OC/Groups, C] until the lanes are joined; both are filled
// up to whole calls of the kernel.

// groupedWeightPlan is how one weight gradient is cut.
type groupedWeightPlan struct {
	weightPlan
	row      *depthwiseRow // nil: many has more channels a group
	many     *groupedRow
	glanes   asm.GroupLanes // of dy to x
	perCall  int            // taps of a call
	rows     int            // of C sums each: taps by output channels of a group
	ogPad    int
	perItem  int // groups of an item
	colItems int
	zeroRun  int // pixels of a run that reads zeros
	lineRuns int // runs of a line at most
}

// fewWeightFits reports whether a kernel over channels serves the weight
// gradient of a shape: where the direct path does not skip taps in the padding.
func (s *convState) fewWeightFits(shape *ConvShape) bool {
	if !s.fewFits(shape) {
		return false
	}
	var p weightPlan
	perPixel := p.sums(shape)
	return (p.wide || p.taps == 1 && shape.PadH+shape.PadW == 0) && perPixel*p.cg*16 <= 2*regionFloats
}

func (p *groupedWeightPlan) plan(c *CPU, s *ConvShape, proX, proY ProKind) {
	*p = groupedWeightPlan{row: c.depthwise, perCall: depthwiseTaps, ogPad: 1}
	p.GemmKernel = c.kernel
	perPixel := p.sums(s)
	if p.cg > 1 || p.og > 1 {
		p.row, p.many, p.perCall = nil, c.grouped, groupedTaps
		p.ogPad = ceilDiv(p.og, groupedOutputs) * groupedOutputs
		p.many.groupLanes(&p.glanes, p.og, p.cg)
	}
	p.rows = ceilDiv(p.taps, p.perCall) * p.perCall * p.ogPad

	// Operands of a chunk take half of the second cache; 32 items feed threads.
	const floats, wanted = 1 << 17, 32
	px := p.lines * p.pixels
	cols := ceilDiv(s.Groups, max(16, floats/(px*(p.cg+p.og))))
	cols = max(cols, min(wanted/p.lanes, s.C/64))
	p.perItem = ceilDiv(ceilDiv(s.Groups, cols), 16) * 16
	if proX != ProNone {
		if perPixel*p.perItem*p.cg > 2*regionFloats {
			p.perItem = 16
		}
		p.copyX = perPixel * p.perItem * p.cg
	}
	if proY != ProNone {
		p.copyY = px * p.perItem * p.og
	}
	p.colItems = ceilDiv(s.Groups, p.perItem)
	p.zeroRun = zeroFloats/(s.StrideW*s.C) + 1
	p.lineRuns = min(p.pixels, 2*p.perCall+2+p.pixels/p.zeroRun)
}

func (p *groupedWeightPlan) sumsFloats() int { return p.rows * p.s.C }

// groupedWeightJob is one call.
type groupedWeightJob struct {
	groupedWeightPlan
	x, y   convLoader
	out    []float32 // the lanes
	join   joinJob
	spread spreadJob
}

// fewWeightWorkspace is the bytes of the lanes.
func (c *CPU) fewWeightWorkspace(a *ConvArgs) int {
	j := c.groupedWeightJobs.get()
	defer c.groupedWeightJobs.put(j)
	j.plan(c, &a.ConvShape, a.ProX.Kind, a.ProY.Kind)
	return 4 * j.lanes * j.sumsFloats()
}

// fewWeight is Wt (+)= the gradient of the weights.
func (c *CPU) fewWeight(a *ConvArgs) {
	j := c.groupedWeightJobs.get()
	s := &a.ConvShape
	j.plan(c, s, a.ProX.Kind, a.ProY.Kind)
	j.x = convLoader{j.Rows, &a.ProX, a.X.F32(), s.C}
	j.y = convLoader{j.Rows, &a.ProY, a.Y.F32(), s.OC}
	n := j.sumsFloats()
	j.out = a.Work.As(Float32).F32()[:j.lanes*n]
	c.team.Do(j.lanes*j.colItems, s.FLOP()/64, j)
	if j.lanes > 1 {
		j.join = joinJob{rows: j.Rows, dst: j.out[:n], lanes: j.out, n: n}
		c.team.Do(ceilDiv(n, joinBlock), j.lanes*n/4, &j.join)
	}
	j.spread = spreadJob{plan: &j.groupedWeightPlan, sums: j.out, dw: a.Wt.F32(), accumulate: a.Accumulate}
	c.team.Do(ceilDiv(s.OC, spreadBlock), n, &j.spread)
	j.x, j.y, j.join, j.spread, j.out = convLoader{}, convLoader{}, joinJob{}, spreadJob{}, nil
	c.groupedWeightJobs.put(j)
}

// spreadBlock is the output channels that one tile of a spreadJob takes.
const spreadBlock = 64

// spreadJob moves or adds the joined sums to dw.
type spreadJob struct {
	plan       *groupedWeightPlan
	sums, dw   []float32
	accumulate bool
}

// Tile serves a block of output channels.
func (j *spreadJob) Tile(_ *Worker, i int) {
	p := j.plan
	for o := i * spreadBlock; o < min(p.s.OC, (i+1)*spreadBlock); o++ {
		for t := range p.taps {
			from := j.sums[(t*p.ogPad+o%p.og)*p.s.C+o/p.og*p.cg:][:p.cg]
			to := j.dw[(o*p.taps+t)*p.cg:][:p.cg]
			for k, v := range from {
				if j.accumulate {
					v += to[k]
				}
				to[k] = v
			}
		}
	}
}

// groupedWeightBlock is a work item being computed.
type groupedWeightBlock struct {
	*groupedWeightJob
	s0, sn, d0, dn int // its channels of x and dy
	out            []float32
	segs           []uintptr
	bounds         []int
	bufX, bufY     []float32
	line0, line1   int
	x0, x1         int
	window         convWindow
	yBase          uintptr
	ldy            int
}

// Tile sums one lane of some groups.
func (j *groupedWeightJob) Tile(w *Worker, item int) {
	b := groupedWeightBlock{groupedWeightJob: j}
	group := item % j.colItems * j.perItem
	n := min(j.perItem, j.s.Groups-group)
	b.s0, b.sn, b.d0, b.dn = group*j.cg, n*j.cg, group*j.og, n*j.og
	lane := item / j.colItems
	b.out = j.out[lane*j.sumsFloats():][:j.sumsFloats()]

	segs, bounds := (2*j.lines*j.lineRuns*(j.perCall+2)+15)&^15, (4*j.s.KW+15)&^15
	scratch := w.Scratch(segs + bounds + j.copyX + j.copyY)
	b.segs, scratch = rowAddresses(scratch, segs/2), scratch[segs:]
	b.bounds, scratch = unsafe.Slice((*int)(unsafe.Pointer(&scratch[0])), bounds/2), scratch[bounds:]
	b.bufX, b.bufY = scratch[:j.copyX], scratch[j.copyX:]

	per := ceilDiv(j.chunks, j.lanes)
	first, end := lane*per, min(j.chunks, (lane+1)*per)
	if first >= end {
		for r := range j.rows {
			clear(b.out[r*j.s.C+b.s0:][:b.sn])
		}
	}
	for q := first; q < end; q++ {
		b.open(q)
		nextX, nextY := 0, 0 // from the operands in place to those of the next chunk
		if q+1 < end && j.x.pro.Kind == ProNone && j.y.pro.Kind == ProNone {
			nextX, nextY = j.lines*j.s.StrideH*j.s.W*j.s.C, j.lines*j.ow*j.s.OC
		}
		step := j.s.StrideW * int(b.window.pixel) / 4
		for t := 0; t < j.taps; t += j.perCall {
			segs := b.runs(t)
			out, ld := b.out[t*j.ogPad*j.s.C+b.s0:], j.s.C
			if j.row != nil {
				j.row.Grad(segs, &b.segs[0], b.sn, b.ldy, step, &out[0], ld, q > first, nextY, nextX)
				continue
			}
			for o := 0; o < j.og; o += groupedOutputs {
				j.many.Grad(segs, &b.segs[0], b.dn, b.sn, b.ldy, step, &out[o*ld], ld, j.ogPad*ld, q > first, nextY, nextX, &j.glanes, o)
			}
		}
	}
}

// open finds or copies the operands of chunk q.
func (b *groupedWeightBlock) open(q int) {
	b.line0, b.line1, b.x0, b.x1 = b.chunk(q)
	pixel := b.line0*b.ow + b.x0
	if b.y.pro.Kind == ProNone {
		b.ldy = b.s.OC
		b.yBase = uintptr(unsafe.Pointer(&b.y.val[pixel*b.s.OC+b.d0]))
	} else {
		b.ldy = b.dn
		b.yBase = uintptr(unsafe.Pointer(unsafe.SliceData(b.bufY)))
		b.y.load(b.bufY, pixel, (b.line1-b.line0)*(b.x1-b.x0), b.d0, b.dn, b.dn)
	}
	if b.x.pro.Kind == ProNone {
		b.window = b.grid.window(b.x.val, b.s.C, b.s0)
	} else {
		r := b.grid.region(pixel, (b.line1-1)*b.ow+b.x1)
		b.window = r.load(b.bufX[:r.height()*(r.x1-r.x0)*b.sn], &b.x, &b.grid, b.s0, b.sn, b.sn)
	}
	for tx := range b.s.KW {
		b.bounds[2*tx], b.bounds[2*tx+1] = b.grid.x.inside(tx, b.window.x0, b.window.x1)
	}
}

// runs lists the runs of pixels of the open chunk whose taps [t0, t0+perCall)
// lie inside of the image together, and returns how many there are.
func (b *groupedWeightBlock) runs(t0 int) int {
	words, n := b.segs, 0
	for l := b.line0; l < b.line1; l++ {
		for x := b.x0; x < b.x1; {
			run := b.run(words[:b.perCall+2], t0, l, x)
			words[0] = uintptr(run)
			words[1] = b.yBase + uintptr(4*((l-b.line0)*(b.x1-b.x0)+x-b.x0)*b.ldy)
			words = words[b.perCall+2:]
			x += run
			n++
		}
	}
	return n
}

// run lists the taps of pixel x of line l and returns how many pixels read the
// same ones.
func (b *groupedWeightBlock) run(words []uintptr, t0, l, x int) int {
	g, w := &b.grid, &b.window
	end, zero := b.x1, false
	img, iy0 := l/b.oh, l%b.oh*g.y.step+g.y.off
	ty, tx := t0/b.s.KW, t0%b.s.KW
	at := w.base + uintptr(img)*w.image + uintptr(x*g.x.step+g.x.off)*w.pixel
	for i := range b.perCall {
		iy := iy0 + ty*g.y.tapStep
		from, to := b.bounds[2*tx], b.bounds[2*tx+1]
		switch {
		case ty >= b.s.KH || iy < 0 || iy >= g.y.src || x >= to:
			words[2+i], zero = uintptr(unsafe.Pointer(&zeroLine)), true
		case x < from:
			words[2+i], zero, end = uintptr(unsafe.Pointer(&zeroLine)), true, min(end, from)
		default:
			words[2+i], end = at+uintptr(iy)*w.row+uintptr(tx*g.x.tapStep)*w.pixel, min(end, to)
		}
		if tx++; tx == b.s.KW {
			tx, ty = 0, ty+1
		}
	}
	if zero {
		end = min(end, x+b.zeroRun)
	}
	return end - x
}
