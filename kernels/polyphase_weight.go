package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// The weight gradient by polyphase Winograd is the forward algorithm transposed
// (see winograd_weight.go):
//
//	V     = in(X)                          [81, tiles, C]
//	E     = spread(dY)                     [25, tiles, OC]  spread = transposed out
//	dU[k] = sum E[f]^T * V[plane]          [36, OC, C]      over its products and all tiles
//	dW    = gather(dU)                     [OC, 3, 3, C]    gather = transposed kern
//
// 81 products a tile, but the kernel of one tap, the same at all finite points,
// gathers 16 or 4 of them in one chain: segments of one call of OuterTile. Work
// items, chunks, lanes and their join are those of winograd_weight.go.

// polyphaseWeightJob is one call. Of the embedded job it fills all but rows.
type polyphaseWeightJob struct {
	winogradWeightJob
	transforms *polyphaseRow
}

func (j *polyphaseWeightJob) plan(c *CPU, s *ConvShape) {
	j.transforms = c.phases
	p := &j.winogradWeightPlan
	*p = winogradWeightPlan{gemm: c.kernel, c: s.C, oc: s.OC}
	p.x = winogradImages{h: s.H, w: s.W, padH: s.PadH, padW: s.PadW}
	p.y = winogradImages{h: s.OH(), w: s.OW()}
	p.all = s.N * p.y.cut(&p.x)
	p.tiles, p.chunks = polyphaseWeightTiles, ceilDiv(p.all, polyphaseWeightTiles)
	p.oBlock, p.cBlock = winogradWeightBlock(p.oc), winogradWeightBlock(p.c)
	p.oItems, p.cItems = ceilDiv(p.oc, p.oBlock), ceilDiv(p.c, p.cBlock)
	p.lanes = winogradWeightLanes(p.oItems*p.cItems, p.outputs(), p.chunks)
	cols := p.gemm.paddedCols
	p.freqV = p.tiles*cols(p.cBlock) + winogradSkew
	p.freqE = p.tiles*cols(p.oBlock) + winogradSkew
	p.freqU = p.oBlock*cols(p.cBlock) + winogradSkew
}

// polyphaseWeightWorkspace is the bytes of the lanes.
func (c *CPU) polyphaseWeightWorkspace(a *ConvArgs) int {
	j := c.polyphaseWeightJobs.get()
	defer c.polyphaseWeightJobs.put(j)
	j.plan(c, &a.ConvShape)
	if j.lanes == 1 && !a.Accumulate {
		return 0
	}
	return 4 * j.lanes * j.outputs()
}

// polyphaseWeight is Wt (+)= the gradient of the weights of a shape that the
// contract gives to this algorithm, with prologues on both operands.
func (c *CPU) polyphaseWeight(a *ConvArgs) {
	j := c.polyphaseWeightJobs.get()
	j.plan(c, &a.ConvShape)
	j.opX = winogradWeightOperand{winogradImages: j.x, load: convLoader{c.kernel.Rows, &a.ProX, a.X.F32(), a.C}}
	j.opY = winogradWeightOperand{winogradImages: j.y, load: convLoader{c.kernel.Rows, &a.ProY, a.Y.F32(), a.OC}, size: winogradTile, listed: j.transforms.Spread}
	j.opX.open(j.opX.load.val, a.C)
	j.opY.open(j.opY.load.val, a.OC)
	dw, n := a.Wt.F32(), j.outputs()
	j.out = dw
	split := j.lanes > 1 || a.Accumulate
	if split {
		j.out = a.Work.As(Float32).F32()[:j.lanes*n]
	}
	c.team.Do(j.lanes*j.oItems*j.cItems, j.all*81*j.c*j.oc/64, j)
	if split {
		j.join = joinJob{rows: c.kernel.Rows, dst: dw, lanes: j.out, n: n, accumulate: a.Accumulate}
		c.team.Do(ceilDiv(n, joinBlock), j.lanes*n/4, &j.join)
	}
	j.opX, j.opY, j.join, j.out = winogradWeightOperand{}, winogradWeightOperand{}, joinJob{}, nil
	c.polyphaseWeightJobs.put(j)
}

// polyphaseWeightItem is a work item being computed.
type polyphaseWeightItem struct {
	winogradWeightItem
	transforms *polyphaseRow
}

// Tile sums one lane of one block.
func (j *polyphaseWeightJob) Tile(w *Worker, item int) {
	i := polyphaseWeightItem{winogradWeightItem{winogradWeightJob: &j.winogradWeightJob}, j.transforms}
	i.c0 = item % j.cItems * j.cBlock
	i.o0 = item / j.cItems % j.oItems * j.oBlock
	i.cn, i.on = min(j.cBlock, j.c-i.c0), min(j.oBlock, j.oc-i.o0)
	lane := item / j.cItems / j.oItems

	scratch := winogradScratch(w.Scratch(ScratchFloats))
	i.tmp, i.edge = scratch.take(polyphaseTmp), scratch.take(j.gemm.edgeFloats())
	i.segs = unsafe.Slice((*seg)(unsafe.Pointer(&scratch.take(6 * 16)[0])), 16)
	i.from = rowAddresses(scratch.take(2*81*(j.tiles+1)), 81*(j.tiles+1))
	i.pixels = scratch.take(81 * max(j.cBlock, j.oBlock))
	i.v, i.e, i.u = scratch.take(81*j.freqV), scratch.take(25*j.freqE), scratch.take(36*j.freqU)

	per := ceilDiv(j.chunks, j.lanes)
	first, end := lane*per, min(j.chunks, (lane+1)*per)
	for q := first; q < end; q++ {
		t0 := q * j.tiles
		n := min(j.tiles, j.all-t0)
		i.input(t0, n)
		i.operand(&j.opY, t0, n, i.o0, i.on, i.e, j.freqE)
		i.multiply(n, q > first)
	}
	i.store(j.out[lane*j.outputs():], first < end, i.transforms.Gather)
}

// input transforms n tiles of x from t0 on to V, as operand does.
func (i *polyphaseWeightItem) input(t0, n int) {
	i.opX.listEvery(polyphaseStep, i.from, t0, min(n+1, i.all-t0), polyphaseStep+1, uintptr(unsafe.Pointer(&zeroTap)))
	for t := range n {
		src := i.from[t*81:][:81]
		if i.opX.load.pro.Kind != ProNone {
			i.load(&i.opX.load, src, i.c0, i.cn)
		}
		for c := 0; c < i.cn; c += i.gemm.NR {
			w := min(i.gemm.NR, i.cn-c)
			i.transforms.Input(w, address(src), i.c0+c, &i.v[c*i.tiles+t*i.gemm.width(w)], i.freqV, &i.tmp[0])
		}
	}
}

// multiply adds the products of n tiles to dU, whose panels follow each other as
// those of V do, a row an output channel.
func (i *polyphaseWeightItem) multiply(n int, load bool) {
	k := i.gemm
	for plane, products := range polyphaseProducts {
		segs := i.segs[:len(products)]
		u := i.u[plane*i.freqU:]
		for c := 0; c < i.cn; c += k.NR {
			cols := min(k.NR, i.cn-c)
			ldb := k.width(cols)
			for o := 0; o < i.on; o += k.OuterMR {
				lda := k.width(min(k.NR, i.on-o/k.NR*k.NR))
				for s, p := range products {
					a := &i.e[p.freq*i.freqE+o/k.NR*k.NR*i.tiles+o%k.NR]
					b := &i.v[p.plane*i.freqV+c*i.tiles]
					segs[s] = seg{uintptr(unsafe.Pointer(a)), uintptr(unsafe.Pointer(b)), n}
				}
				k.outerTile(min(k.OuterMR, i.on-o), cols, unsafe.Slice((*asm.Seg)(unsafe.Pointer(&segs[0])), len(segs)),
					lda, ldb, &u[c*i.on+o*ldb], ldb, load, i.edge)
			}
		}
	}
}
