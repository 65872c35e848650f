package kernels

import "unsafe"

// winogradBlock is a work item being computed: some tiles by some destination
// channels.
type winogradBlock struct {
	*winogradJob
	scratch winogradScratch
	m0, n   int // tiles
	c0, c1  int // channels
	tmp     []float32
	at      []uintptr // rows of V, by frequency, whole micro-tiles
	to      []uintptr // pixels of the destination
	edge    []float32
	v, m    []float32
	panels  []float32 // U of winogradCols channels, made here
}

// winogradScratch is what is left of a worker's scratch.
type winogradScratch []float32

// take is the next n floats, whole cache lines.
func (s *winogradScratch) take(n int) []float32 {
	n = (n + 15) &^ 15
	t := (*s)[:n:n]
	*s = (*s)[n:]
	return t
}

// Tile computes a block of tiles by some destination channels.
func (j *winogradJob) Tile(w *Worker, item int) {
	b := winogradBlock{winogradJob: j, scratch: w.Scratch(ScratchFloats)}
	b.m0 = j.first + item/j.colItems*j.tiles
	b.n = min(j.tiles, j.all-b.m0)
	col := item % j.colItems
	b.c0 = col * j.perItem
	b.c1 = min(j.dc, b.c0+j.perItem)
	b.v = j.v
	if !j.shared {
		b.v = b.scratch.take(j.freqs * j.freqV)
		j.transform(&b.scratch, b.m0, b.n, b.v)
	}
	b.open()
	for c := b.c0; c < b.c1; c += winogradCols {
		b.multiply(c, min(winogradCols, b.c1-c))
	}
	if j.epi != nil {
		j.finish(b.m0, b.m0+b.n, col, b.c0, b.c1-b.c0)
	}
}

// transform is V of n tiles from m0 on, from v on.
func (j *winogradJob) transform(s *winogradScratch, m0, n int, v []float32) {
	side, taps := j.rows.side(), j.freqs
	tmp := s.take(winogradTmp)
	list := rowAddresses(s.take(2*taps*(n+1)), taps*(n+1))
	j.from.list(list, m0, n, side, uintptr(unsafe.Pointer(&zeroTap)))
	var pixels []float32
	if j.loader.pro.Kind != ProNone {
		pixels = s.take(taps * j.sc)
	}
	for t := range n {
		src := list[taps*t:][:taps]
		if pixels != nil {
			j.load(src, pixels)
		}
		j.rows.Input(j.sc, address(src), 0, &v[t*j.ldv], j.freqV, &tmp[0])
	}
}

// address sees a list of addresses as the assembly does.
func address(l []uintptr) *unsafe.Pointer { return (*unsafe.Pointer)(unsafe.Pointer(&l[0])) }

// load replaces a tile's pixels by copies taken through the prologue.
func (j *winogradJob) load(src []uintptr, pixels []float32) {
	zero := uintptr(unsafe.Pointer(&zeroTap))
	base := uintptr(unsafe.Pointer(unsafe.SliceData(j.src)))
	step := uintptr(4 * j.sc)
	for i := 0; i < len(src); {
		p := src[i]
		if p == zero {
			i++
			continue
		}
		run := 1 // pixels side by side
		for i+run < len(src) && src[i+run] == p+uintptr(run)*step {
			run++
		}
		to := pixels[i*j.sc:]
		j.loader.load(to, int((p-base)/step), run, 0, j.sc, j.sc)
		for range run {
			src[i] = uintptr(unsafe.Pointer(&pixels[i*j.sc]))
			i++
		}
	}
}

// open lists the rows of V and the pixels of the destination.
func (b *winogradBlock) open() {
	outs, n := b.rows.tile*b.rows.tile, b.n
	whole := ceilDiv(n, b.gemm.MR) * b.gemm.MR
	b.tmp, b.edge = b.scratch.take(winogradTmp), b.scratch.take(b.gemm.edgeFloats())
	b.at = rowAddresses(b.scratch.take(2*b.freqs*whole), b.freqs*whole)
	for f := range b.freqs {
		for t := range whole {
			b.at[f*whole+t] = uintptr(unsafe.Pointer(&b.v[f*b.freqV+min(t, n-1)*b.ldv]))
		}
	}
	dump := b.scratch.take(b.dc)
	b.to = rowAddresses(b.scratch.take(2*outs*n), outs*n)
	b.winogradJob.to.list(b.to, b.m0, n, b.rows.tile, uintptr(unsafe.Pointer(&dump[0])))
	b.m = b.scratch.take(b.freqs * b.freqM)
	if b.kernel != nil {
		b.panels = b.scratch.take(b.freqs * winogradCols / b.gemm.NR * b.freqU(b.gemm.NR))
	}
}

// multiply computes n channels from c on of the block's pixels.
func (b *winogradBlock) multiply(c, n int) {
	u, first := b.weights, 0
	if b.kernel != nil {
		u, first = b.panels, c/b.gemm.NR
		b.make(first, ceilDiv(c+n, b.gemm.NR))
	}
	whole := len(b.at) / b.freqs
	for q := c; q < c+n; q += b.gemm.NR {
		nr := min(b.gemm.NR, c+n-q)
		u, size := b.panel(u, first, q/b.gemm.NR), b.freqU(b.gemm.width(nr))
		for f := range b.freqs {
			ahead := streams{b.fetch(f + 1)}
			b.gemm.strip(b.gemm.Row, b.n, nr, 1, b.sc, b.at[f*whole:], &u[f*size], b.gemm.width(nr), &b.m[f*b.freqM+q-c], winogradCols, false, b.edge, &ahead)
		}
	}
	outs := b.rows.tile * b.rows.tile
	for t := range b.n {
		b.rows.Output(n, &b.m[t*winogradCols], b.freqM, address(b.to[outs*t:]), c, &b.tmp[0], b.accumulate)
	}
}

// fetch is V of frequency f, which tiles of the one before it call: their rows
// are too short for the prefetchers of the core (512 channels at 7x7, batch 32,
// then take 34 ms instead of 40 on one thread).
func (b *winogradBlock) fetch(f int) stream {
	if f == b.freqs {
		return stream{}
	}
	return rowStream(&b.v[f*b.freqV], b.n, b.ldv, b.ldv)
}

// make transforms the weights of panels [p0, p1).
func (b *winogradBlock) make(p0, p1 int) {
	s := b.scratch
	tmp := s.take(b.packFloats())
	for i := p0; i < p1; i++ {
		for k := 0; k < b.sc; k += winogradDepth {
			b.packPiece(b.pass, b.kernel, i, k, b.panel(b.panels, p0, i), tmp)
		}
	}
}
