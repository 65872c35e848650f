package kernels

import "unsafe"

// Polyphase Winograd: a 3x3 convolution of stride 2 is the sum of four of
// stride 1, one for each phase of the input's rows and columns, whose kernels
// have 2x2, 2x1, 1x2 and 1x1 of the taps. All four run by F(4x4) at the same 25
// frequencies, so that they meet before the output transform:
//
//	V = in(X)                       [81, tiles, C]   per tile of 9x9 pixels, 8 apart
//	U = kern(Wt)                    [36, C, OC]      prepared
//	M[f] = sum V[plane] * U[k]      [25, tiles, OC]  over the phases that f has
//	Y = out(M)                      4x4 pixels a tile
//
// A kernel of one tap is zero at infinity and the same at the four finite points:
// 16 frequencies have four phases, 8 have two and one has one, 81 products for 16
// outputs where direct sums take 144, and they share 36 planes of kernels.
//
// The input gradient scatters what the forward pass gathers: 5x5 pixels of dY
// become 25 frequencies, their products with the same kernels, rotated and
// transposed, 81 planes, and those 8x8 pixels of dX. Work items are winograd.go's.

const (
	polyphaseStep = 2 * winogradTile // pixels of a tile's side of X
	polyphaseTmp  = 81 * 16          // floats of scratch that a transform needs
	polyphaseCols = 128              // columns of M at once
)

// polyphaseJob is one call. Of the embedded job it fills all but rows, freqV and
// pack.
type polyphaseJob struct {
	winogradJob
	transforms *polyphaseRow
	pass       Pass
	pixelsV    int // read for a tile of V,
	pixelsM    int // written from one of M
	planesV    int
	planesM    int
	kernels    polyphasePackJob
}

func (j *polyphaseJob) plan(c *CPU, s *ConvShape, pass Pass, statGroup int) {
	j.transforms, j.pass = c.phases, pass
	p := &j.winogradPlan
	*p = winogradPlan{gemm: c.kernel, freqs: 36, sc: s.C, dc: s.OC}
	if pass == PassForward {
		p.from = winogradImages{h: s.H, w: s.W, padH: s.PadH, padW: s.PadW}
		p.to = winogradImages{h: s.OH(), w: s.OW()}
		p.all = s.N * p.to.cut(&p.from)
		j.pixelsV, j.pixelsM, j.planesV, j.planesM = 81, 16, 81, 25
	} else {
		p.sc, p.dc = p.dc, p.sc
		p.from = winogradImages{tile: winogradTile, h: s.OH(), w: s.OW()}
		p.to = winogradImages{tile: winogradTile, h: s.H, w: s.W}
		p.from.padH, p.to.padH, p.to.th = polyphaseGrad(s.H, s.PadH)
		p.from.padW, p.to.padW, p.to.tw = polyphaseGrad(s.W, s.PadW)
		p.from.th, p.from.tw = p.to.th, p.to.tw
		p.all = s.N * p.to.th * p.to.tw
		j.pixelsV, j.pixelsM, j.planesV, j.planesM = 25, 64, 25, 81
	}
	p.panels = ceilDiv(p.dc, p.gemm.NR)
	j.cut(c.team.Size())
	if statGroup == 0 {
		statGroup = s.N * p.to.h * p.to.w
	}
	p.statRows, p.chunks = statGroup, StatsChunks(s.N*p.to.h*p.to.w, statGroup)
}

// polyphaseGrad is one dimension of an input gradient: how many pixels before
// the first one of dY its first tile begins, how many before that of dX, and the
// number of tiles. Tap w1 of pixel j of dY lies on pixel 2j+1-pad of dX, where a
// tile begins, w0 and w2 beside it; dX is covered from pixel -1 or 0 on.
func polyphaseGrad(size, pad int) (padY, padX, tiles int) {
	first := (pad - 1) >> 1 // of dY, maybe -1
	padX = pad - 1 - 2*first
	return -first, padX, ceilDiv(size+padX, polyphaseStep)
}

// cut chooses the blocks. V of 24 tiles of 64 channels is 620 KB, of 256 already
// 2.1 MB, which the third cache must stream; but the sixteen frequencies of four
// phases share kernels, so that blocks as small as 16 tiles are as fast, while 48
// are 10 % slower. M of 128 channels at once, 310 KB, is 4 % faster than of 32: V
// is read less often. Planes of a tile lie side by side, so that its transform
// writes to few pages (5 % at 128 channels). Blocks are cut by columns only where
// they alone would not occupy the threads, for V is made anew for each cut: 5 % of
// the time of 512 channels.
func (j *polyphaseJob) cut(threads int) {
	const block, most, perThread = 24, 16, 4
	wanted := min(most, perThread*threads)
	p := &j.winogradPlan
	p.tiles = block
	p.ldv = p.sc + winogradSkew
	p.freqM = p.tiles*polyphaseCols + winogradSkew
	p.blocks = ceilDiv(p.all, p.tiles)
	cols := max(1, min(ceilDiv(wanted, max(1, p.blocks)), p.dc/polyphaseCols))
	p.perItem = ceilDiv(ceilDiv(p.dc, cols), polyphaseCols) * polyphaseCols
	p.colItems = ceilDiv(p.dc, p.perItem)
}

// polyphase runs a pass of a shape that the contract gives to this algorithm.
func (c *CPU) polyphase(a *ConvArgs, pass Pass) {
	j := c.polyphaseJobs.get()
	s := &a.ConvShape
	j.accumulate, j.epi = a.Accumulate, nil
	if pass == PassForward {
		j.plan(c, s, pass, a.Epi.Stats.group())
		j.loader = convLoader{c.kernel.Rows, &a.ProX, a.X.F32(), s.C}
		j.src, j.dst = a.X.F32(), a.Y.F32()
		if !a.Epi.empty() {
			j.epi = &a.Epi
			j.count()
		}
	} else {
		j.plan(c, s, pass, 0)
		j.loader = convLoader{c.kernel.Rows, &a.ProY, a.Y.F32(), s.OC}
		j.src, j.dst = a.Y.F32(), a.X.F32()
	}
	if a.Prepared != nil {
		if a.Prepared.Row != c.phasesName || a.Prepared.Bytes() < 4*j.preparedFloats() {
			panic(&ArgError{"Conv2D", "weights prepared for row " + a.Prepared.Row + ", not for " + c.phasesName + " and this shape"})
		}
		j.weights = a.Prepared.As(Float32).F32()
	} else {
		j.weights = a.Work.As(Float32).F32()[:j.preparedFloats()]
		j.kernels.run(c, j, a.Wt.F32(), j.weights)
	}
	j.from.open(j.src, j.sc)
	j.to.open(j.dst, j.dc)
	c.team.Do(j.blocks*j.colItems, j.all*81*j.sc*j.dc/64, j)
	j.loader = convLoader{}
	j.src, j.dst, j.weights, j.epi = nil, nil, nil, nil
	c.polyphaseJobs.put(j)
}

// polyphaseItem is a work item being computed.
type polyphaseItem struct {
	*polyphaseJob
	m0, n  int       // its tiles
	c0, c1 int       // its destination channels
	whole  int       // rows of its tiles of the micro-kernel
	at     []uintptr // rows of V, [planes][whole]
	to     []uintptr // pixels of the destination
	tmp    *float32
	edge   []float32
	v      []float32 // [tiles][planes][ldv]
	m      []float32 // [planes][tiles][polyphaseCols]
}

// Tile computes a block of tiles by some destination channels.
func (j *polyphaseJob) Tile(w *Worker, item int) {
	i := polyphaseItem{polyphaseJob: j}
	i.m0 = item / j.colItems * j.tiles
	i.n = min(j.tiles, j.all-i.m0)
	i.c0 = item % j.colItems * j.perItem
	i.c1 = min(j.dc, i.c0+j.perItem)
	i.whole = ceilDiv(i.n, j.gemm.MR) * j.gemm.MR
	scratch := winogradScratch(w.Scratch(ScratchFloats))
	i.tmp = &scratch.take(polyphaseTmp)[0]
	i.at = rowAddresses(scratch.take(2*j.planesV*i.whole), j.planesV*i.whole)
	i.to = rowAddresses(scratch.take(2*j.pixelsM*i.n), j.pixelsM*i.n)
	from := rowAddresses(scratch.take(2*j.pixelsV*(i.n+1)), j.pixelsV*(i.n+1))
	i.edge = scratch.take(j.gemm.edgeFloats())
	dump, pixels := scratch.take(j.dc), scratch.take(j.pixelsV*j.sc)
	i.v, i.m = scratch.take(j.tiles*j.planesV*j.ldv), scratch.take(j.planesM*j.freqM)

	i.input(from, pixels)
	for k := range i.at {
		i.at[k] = uintptr(unsafe.Pointer(&i.v[(min(k%i.whole, i.n-1)*j.planesV+k/i.whole)*j.ldv]))
	}
	outside := uintptr(unsafe.Pointer(&dump[0]))
	if j.pass == PassForward {
		i.winogradJob.to.list(i.to, i.m0, i.n, winogradTile, outside)
	} else {
		i.winogradJob.to.listEvery(polyphaseStep, i.to, i.m0, i.n, polyphaseStep, outside)
	}
	for c := i.c0; c < i.c1; c += polyphaseCols {
		i.multiply(c, min(polyphaseCols, i.c1-c))
	}
	if j.epi != nil {
		j.finish(i.m0, i.m0+i.n, item%j.colItems, i.c0, i.c1-i.c0)
	}
}

// input transforms the tiles to V. from is room for the addresses of their
// pixels, pixels for those of one tile taken through a prologue.
func (i *polyphaseItem) input(from []uintptr, pixels []float32) {
	transform, outside := i.transforms.Input, uintptr(unsafe.Pointer(&zeroTap))
	if i.pass == PassForward {
		i.from.listEvery(polyphaseStep, from, i.m0, i.n, polyphaseStep+1, outside)
	} else {
		transform = i.transforms.GradY
		i.from.list(from, i.m0, i.n, winogradTile+1, outside)
	}
	for t := range i.n {
		src := from[i.pixelsV*t:][:i.pixelsV]
		if i.loader.pro.Kind != ProNone {
			i.load(src, pixels)
		}
		transform(i.sc, address(src), 0, &i.v[t*i.planesV*i.ldv], i.ldv, i.tmp)
	}
}

// multiply makes M of cols destination channels from c on, and their pixels.
func (i *polyphaseItem) multiply(c, cols int) {
	for k, products := range polyphaseProducts {
		for _, p := range products {
			v, m, load := p.freq, p.plane, false
			if i.pass == PassForward {
				v, m, load = p.plane, p.freq, k/6 == 5 || k%6 == 5 // the phase with two taps each way came first
			}
			for q := c; q < c+cols; q += i.gemm.NR {
				nr := min(i.gemm.NR, c+cols-q)
				var next streams
				if k+1 < len(polyphaseProducts) {
					u := i.plane(i.weights, k+1, q)
					next[0] = rowStream(&u[0], 1, len(u), len(u))
				}
				i.gemm.strip(i.gemm.Row, i.n, nr, 1, i.sc, i.at[v*i.whole:], &i.plane(i.weights, k, q)[0], i.gemm.width(nr),
					&i.m[m*i.freqM+q-c], polyphaseCols, load, i.edge, &next)
			}
		}
	}
	transform := i.transforms.Output
	if i.pass != PassForward {
		transform = i.transforms.GradX
	}
	for t := range i.n {
		transform(cols, &i.m[t*polyphaseCols], i.freqM, address(i.to[i.pixelsM*t:]), c, i.tmp, i.accumulate)
	}
}
