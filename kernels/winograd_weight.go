package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The weight gradient by Winograd's F(4x4,3x3) (or, pinned, F(2x2,3x3) with 16 for
// 36) is the forward algorithm
// transposed: each stage of Y = out(kern(W) . in(X)) is linear in W, so
//
//	V  = in(X)             [36, tiles, C]
//	E  = spread(dY)        [36, tiles, OC]   spread = transposed out
//	dU = E^T * V           [36, OC, C]       summed over all tiles
//	dW = gather(dU)        [OC, 3, 3, C]     gather = transposed kern
//
// A work item owns a block of output channels by input channels and one lane
// of chunks of tiles. It transforms a chunk of X and dY into its worker's
// scratch, packed in panels as OuterTile reads them, and adds 36 products to
// the block's dU, frequency by frequency: a frequency's panels fit the first
// cache, while V, E and dU stream from the second and third. The lane ends in
// the space of weights, nine values a kernel, where lanes join as those of the
// direct gradient do.

// winogradWeightPlan is how a weight gradient of one shape is cut.
type winogradWeightPlan struct {
	gemm   *GemmKernel
	rows   *winogradTransforms
	freqs  int
	x, y   winogradImages // tiles of 6x6 pixels, of 4x4
	all    int            // tiles
	c, oc  int
	tiles  int // of a chunk
	chunks int
	lanes  int
	oBlock int // output channels of an item
	cBlock int // input channels of an item
	oItems int
	cItems int

	freqV, freqE, freqU int // floats between frequencies
}

func (p *winogradWeightPlan) plan(c *CPU, s *ConvShape) {
	*p = winogradWeightPlan{gemm: c.kernel, rows: c.transforms.by(c.weightTile(s)), c: s.C, oc: s.OC}
	p.freqs = p.rows.freqs()
	p.x = winogradImages{h: s.H, w: s.W, padH: s.PadH, padW: s.PadW}
	p.y = winogradImages{tile: p.rows.tile, h: s.OH(), w: s.OW()}
	p.all = s.N * p.y.cut(&p.x)
	p.tiles, p.chunks = winogradWeightTiles, ceilDiv(p.all, winogradWeightTiles)
	p.oBlock, p.cBlock = winogradWeightBlock(p.oc), winogradWeightBlock(p.c)
	p.oItems, p.cItems = ceilDiv(p.oc, p.oBlock), ceilDiv(p.c, p.cBlock)
	p.lanes = winogradWeightLanes(p.oItems*p.cItems, p.outputs(), p.chunks)
	cols := p.gemm.paddedCols
	p.freqV = p.tiles*cols(p.cBlock) + winogradSkew
	p.freqE = p.tiles*cols(p.oBlock) + winogradSkew
	p.freqU = p.oBlock*cols(p.cBlock) + winogradSkew
}

// lineFloats is the size of the patch of a line of tiles. It is 0, no patches,
// where a line is so long that its pixels would leave the second cache before
// they are transformed, and for many channels in few tiles, where padding would
// be half of a patch and the transforms are little of the work.
func (p *winogradWeightPlan) lineFloats() int {
	n := (winogradTile + 2) * (winogradTile*p.x.tw + 2) * max(p.cBlock, p.oBlock)
	if n > 1<<17 || p.rows.PatchInput == nil || p.x.tw < 4 && max(p.cBlock, p.oBlock) > 64 {
		return 0
	}
	return n
}

func (p *winogradWeightPlan) outputs() int { return p.oc * 9 * p.c }

// winogradWeightJob is one call.
type winogradWeightJob struct {
	winogradWeightPlan
	opX, opY winogradWeightOperand
	out      []float32 // dw, or the lanes in Work
	join     joinJob
}

// winogradWeightOperand is X or dY, cut into tiles of size x size pixels, and
// its transform: from a list of addresses or, when there is one, from patches.
type winogradWeightOperand struct {
	winogradImages
	load    convLoader
	size    int
	listed  func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	patched func(n int, src *float32, row, pixel int, dst *float32, freq int)
}

// winogradWeightWorkspace is the bytes of the lanes.
func (c *CPU) winogradWeightWorkspace(a *ConvArgs) int {
	j := c.winogradWeightJobs.get()
	defer c.winogradWeightJobs.put(j)
	j.plan(c, &a.ConvShape)
	if j.lanes == 1 && !a.Accumulate {
		return 0
	}
	return 4 * j.lanes * j.outputs()
}

// winogradWeight is Wt (+)= the gradient of the weights of a shape that the
// contract gives to this algorithm, with prologues on both operands.
func (c *CPU) winogradWeight(a *ConvArgs) {
	j := c.winogradWeightJobs.get()
	j.plan(c, &a.ConvShape)
	r := j.rows
	j.opX = winogradWeightOperand{j.x, convLoader{c.kernel.Rows, &a.ProX, a.X.F32(), a.C}, r.side(), r.Input, r.PatchInput}
	j.opY = winogradWeightOperand{j.y, convLoader{c.kernel.Rows, &a.ProY, a.Y.F32(), a.OC}, r.tile, r.GradOutput, r.PatchSpread}
	if j.lineFloats() == 0 {
		j.opX.patched, j.opY.patched = nil, nil
	}
	j.opX.open(j.opX.load.val, a.C)
	j.opY.open(j.opY.load.val, a.OC)
	dw, n := a.Wt.F32(), j.outputs()
	j.out = dw
	split := j.lanes > 1 || a.Accumulate
	if split {
		j.out = a.Work.As(Float32).F32()[:j.lanes*n]
	}
	c.team.Do(j.lanes*j.oItems*j.cItems, j.all*j.freqs*j.c*j.oc/64, j)
	if split {
		j.join = joinJob{rows: c.kernel.Rows, dst: dw, lanes: j.out, n: n, accumulate: a.Accumulate}
		c.team.Do(ceilDiv(n, joinBlock), j.lanes*n/4, &j.join)
	}
	j.opX, j.opY, j.join, j.out = winogradWeightOperand{}, winogradWeightOperand{}, joinJob{}, nil
	c.winogradWeightJobs.put(j)
}

// winogradWeightItem is a work item being computed.
type winogradWeightItem struct {
	*winogradWeightJob
	o0, on, c0, cn int // its block
	tmp, edge      []float32
	segs           []seg     // one
	from           []uintptr // the pixels of a chunk's tiles
	pixels         []float32 // copies of a tile's or a line of tiles', taken through a prologue
	v, e, u        []float32
}

// Tile sums one lane of one block.
func (j *winogradWeightJob) Tile(w *Worker, item int) {
	i := winogradWeightItem{winogradWeightJob: j}
	i.c0 = item % j.cItems * j.cBlock
	i.o0 = item / j.cItems % j.oItems * j.oBlock
	i.cn, i.on = min(j.cBlock, j.c-i.c0), min(j.oBlock, j.oc-i.o0)
	lane := item / j.cItems / j.oItems

	scratch := winogradScratch(w.Scratch(ScratchFloats))
	i.tmp, i.edge = scratch.take(winogradTmp), scratch.take(j.gemm.edgeFloats())
	i.segs = unsafe.Slice((*seg)(unsafe.Pointer(&scratch.take(16)[0])), 1)
	i.from = rowAddresses(scratch.take(2*j.freqs*(j.tiles+1)), j.freqs*(j.tiles+1))
	i.pixels = scratch.take(max(j.freqs*max(j.cBlock, j.oBlock), j.lineFloats()))
	i.v, i.e, i.u = scratch.take(j.freqs*j.freqV), scratch.take(j.freqs*j.freqE), scratch.take(j.freqs*j.freqU)

	per := ceilDiv(j.chunks, j.lanes)
	first, end := lane*per, min(j.chunks, (lane+1)*per)
	for q := first; q < end; q++ {
		t0 := q * j.tiles
		n := min(j.tiles, j.all-t0)
		i.operand(&j.opX, t0, n, i.c0, i.cn, i.v, j.freqV)
		i.operand(&j.opY, t0, n, i.o0, i.on, i.e, j.freqE)
		var next streams
		if m := min(j.tiles, j.all-t0-n); q+1 < end && j.fetches(m*(i.cn+i.on)) {
			next = streams{j.opX.ahead(t0+n, m, i.c0, i.cn), j.opY.ahead(t0+n, m, i.o0, i.on)}
		}
		i.multiply(n, q > first, &next)
	}
	i.store(j.out[lane*j.outputs():], first < end, j.rows.GradWeights)
}

// fetches reports whether the products of a chunk fetch the pixels of the lane's
// next, n channels in all its tiles: as long as they and V and E do not drive each
// other out of the second cache.
func (p *winogradWeightPlan) fetches(n int) bool {
	return n*winogradTile*winogradTile <= l2Floats*3/8
}

// operand transforms n tiles from t0 on in channels [c0, c0+cn) to dst: for
// every frequency panels of NR channels (the last maybe Narrow), a row a tile.
func (i *winogradWeightItem) operand(o *winogradWeightOperand, t0, n, c0, cn int, dst []float32, freq int) {
	if o.patched != nil {
		i.lines(o, t0, n, c0, cn, dst, freq)
		return
	}
	taps := o.size * o.size
	zero := uintptr(unsafe.Pointer(&zeroTap))
	o.list(i.from, t0, min(n+1, i.all-t0), o.size, zero)
	for t := range n {
		src := i.from[t*taps:][:taps]
		if o.load.pro.Kind != ProNone {
			i.load(&o.load, src, c0, cn)
		}
		for c := 0; c < cn; c += i.gemm.NR {
			w := min(i.gemm.NR, cn-c)
			o.listed(w, address(src), c0+c, &dst[c*i.tiles+t*i.gemm.width(w)], freq, &i.tmp[0])
		}
	}
}

// ahead is what n tiles from t on read of channels [c, c+cn).
func (o *winogradWeightOperand) ahead(t, n, c, cn int) stream {
	return lineStream(o.load.val, o.load.c, o.w, o.line(t/o.tw), o.line((t+n-1)/o.tw+1), c, cn)
}

// lines is operand by way of patches, each a line of tiles.
func (i *winogradWeightItem) lines(o *winogradWeightOperand, t0, n, c0, cn int, dst []float32, freq int) {
	pixels := winogradTile*(o.tw-1) + o.size
	for t := 0; t < n; {
		line := (t0 + t) / o.tw
		o.patch(i.pixels, &o.load, line/o.th, line%o.th*winogradTile, o.size, pixels, c0, cn)
		for x := (t0 + t) % o.tw; x < o.tw && t < n; x++ {
			for c := 0; c < cn; c += i.gemm.NR {
				w := min(i.gemm.NR, cn-c)
				o.patched(w, &i.pixels[winogradTile*x*cn+c], pixels*cn, cn, &dst[c*i.tiles+t*i.gemm.width(w)], freq)
			}
			t++
		}
	}
}

// load replaces a tile's pixels by copies of channels [c0, c0+n) taken through
// the prologue; the addresses are those of channel 0 as before.
func (i *winogradWeightItem) load(l *convLoader, src []uintptr, c0, n int) {
	zero := uintptr(unsafe.Pointer(&zeroTap))
	base := uintptr(unsafe.Pointer(unsafe.SliceData(l.val)))
	pixel := uintptr(4 * l.c)
	for k := 0; k < len(src); {
		p := src[k]
		if p == zero {
			k++
			continue
		}
		run := 1 // pixels side by side
		for k+run < len(src) && src[k+run] == p+uintptr(run)*pixel {
			run++
		}
		l.load(i.pixels[k*n:], int((p-base)/pixel), run, c0, n, n)
		for range run {
			src[k] = uintptr(unsafe.Pointer(&i.pixels[k*n])) - uintptr(4*c0)
			k++
		}
	}
}

// multiply adds E^T * V over n tiles to dU, whose panels follow each other as
// those of V do, a row an output channel.
func (i *winogradWeightItem) multiply(n int, load bool, next *streams) {
	k, s := i.gemm, &i.segs[0]
	segs := unsafe.Slice((*asm.Seg)(unsafe.Pointer(s)), 1)
	s.k = n
	for f := range i.freqs {
		v, e, u := i.v[f*i.freqV:], i.e[f*i.freqE:], i.u[f*i.freqU:]
		for c := 0; c < i.cn; c += k.NR {
			cols := min(k.NR, i.cn-c)
			ldb := k.width(cols)
			s.b = uintptr(unsafe.Pointer(&v[c*i.tiles]))
			for o := 0; o < i.on; o += k.OuterMR {
				lda := k.width(min(k.NR, i.on-o/k.NR*k.NR))
				s.a = uintptr(unsafe.Pointer(&e[o/k.NR*k.NR*i.tiles+o%k.NR]))
				k.outerOn(min(k.OuterMR, i.on-o), cols, segs, lda, ldb, &u[c*i.on+o*ldb], ldb, load, false, i.edge, next)
			}
		}
	}
}

// store gathers dU to the block's weights in out, zeros for a lane without
// tiles.
func (i *winogradWeightItem) store(out []float32, some bool, gather func(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)) {
	for o := range i.on {
		row := out[(i.o0+o)*9*i.winogradWeightPlan.c+i.c0:]
		if !some {
			for t := range 9 {
				clear(row[t*i.winogradWeightPlan.c:][:i.cn])
			}
			continue
		}
		for c := 0; c < i.cn; c += i.gemm.NR {
			n := min(i.gemm.NR, i.cn-c)
			gather(n, &i.u[c*i.on+o*i.gemm.width(n)], i.freqU, &row[c], i.winogradWeightPlan.c, &i.tmp[0])
		}
	}
}
