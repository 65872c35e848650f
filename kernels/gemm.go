package kernels

import "unsafe"

// The product of two matrices in five loops. With BLIS's names: a unit is a
// block of rows (ic) and of columns (jc); inside it chunks of k (pc) follow one
// another, in a chunk the panels of B (jr), and RowTile runs down the block's
// rows (ir). B is packed once for all units, or by the unit when no other reads
// it; A is read where it lies, or through scratch when a prologue, a transpose
// or its stride asks for that. Cutting moves no bit: an element's chunks are
// added in ascending k wherever it is computed.

type gemmState struct {
	team    *Team
	kernel  *GemmKernel
	jobs    freelist[gemmJob]
	batches freelist[batchJob]
	packs   freelist[packJob]
}

func (g *gemmState) init(c *CPU) {
	g.team = c.team
	g.kernel = usable(c.pins, gemmTable)[0]
}

// gemmPlan is how one product is cut: a function of the arguments' shape and
// of the row.
type gemmPlan struct {
	kc, chunks, lanes  int
	depth              int // of a lane, in whole chunks
	groups, group      int // statistics groups and the rows of each
	rowStep            int // rows of a row chunk
	groupChunks        int // row chunks in a group
	rowBlock, colBlock int // row chunks and columns of a unit
	rowUnits, colUnits int
	outer              bool // on OuterTile, nothing packed
	inPlace            bool // panels of B that are whole are read where they lie
	packOwn, packAll   bool // B packed by the unit, or once in Work
	past               bool // C is stored past the caches
	workB, workLanes   int  // floats of Work: packed B, lanes' partial sums
}

const (
	// fewUnits and manyUnits bound the number of units of a packed B: enough to
	// share and to balance, few enough that their fixed cost (rows of A through
	// scratch) does not count. unitsPerThread is what a unit that packs for
	// itself leaves to balance with.
	fewUnits, manyUnits, unitsPerThread = 24, 64, 8

	// maxCols bounds a unit's columns: partial sums of a row chunk that
	// accumulates lie in scratch.
	maxCols = 4096

	// ownFloats is half of a second cache of 1 MB: a B no larger is packed once
	// for all units and stays there.
	ownFloats = 1 << 17

	// fewRows is the row chunks of a unit that packs for itself at least: 672
	// rows take 75 times as long as packing.
	fewRows = 4

	// placeRows is the rows up to which B is read where it lies: few tiles pass
	// by a panel, each at what B's memory gives. A B of at most placeFloats, half
	// of a first cache of 32 KB, is never packed for one row chunk (4 x 1000 x 512: 25 to
	// 50 % of the peak, 64 x 64 x 64: 84 to 89 %).
	placeRows, placeFloats = 24, 1 << 12

	// hotCols is the columns after which the epilogue runs over a row chunk:
	// 168 x 64 float32 are still in the first two caches.
	hotCols = 64

	// pastBytes is the size of C from which it is stored past the caches when
	// nothing reads it again in this op, so that its lines need not come from
	// memory first; pastDepth is the K up to which that traffic counts beside
	// the arithmetic (BenchmarkGemm/shape=queue and r50 with k=64: 1.3 and 1.4
	// times as fast).
	pastBytes, pastDepth = 16 << 20, 192
)

// plan cuts a product for so many threads; one of a batch packs B for itself.
func (k *GemmKernel) plan(a *GemmArgs, threads int, batch bool) gemmPlan {
	p := gemmPlan{kc: gemmKC(a.K)}
	p.chunks = max(1, (a.K+p.kc-1)/p.kc)
	p.lanes = weightLanes(a.M*a.N, p.chunks)
	p.depth = p.kc * ((p.chunks + p.lanes - 1) / p.lanes)
	p.outer = k.outer(a)
	p.groups, p.group, p.rowStep = 1, a.M, k.rowsOfL2(p.kc)
	if p.outer {
		p.rowStep = outerRows
	}
	if a.Epi.Stats.Part.IsNil() {
		n := (a.M + p.rowStep - 1) / p.rowStep // of like size
		p.rowStep = ((a.M+n-1)/n + k.MR - 1) / k.MR * k.MR
	} else {
		p.groups, p.group = groups(a.M, a.Epi.Stats.Group)
		p.rowStep = StatsChunk
	}
	p.groupChunks = (p.group + p.rowStep - 1) / p.rowStep
	rows := p.groups * p.groupChunks
	p.rowBlock = max(1, rows*p.lanes/manyUnits)
	p.rowUnits = (rows + p.rowBlock - 1) / p.rowBlock
	p.colBlock = spread(a.N, fewUnits/(p.rowUnits*p.lanes), maxCols)
	panel := !a.TransB && a.N <= k.NR && a.B.Ld == a.N && k.paddedCols(a.N) == a.N // B is one panel as it lies
	if a.Prepared == nil && !panel && !p.outer {
		p.packOwn = rows == 1 || ((batch || a.N*a.K > 2*ownFloats) && p.depth*hotCols <= panelFloats)
		p.packAll = !p.packOwn
	}
	p.inPlace = p.packOwn && rows == 1 && !a.TransB && (a.M <= placeRows || a.B.Ld*a.K <= placeFloats)
	if p.packOwn && rows > 1 {
		units := 1
		if threads > 1 {
			units = (threads*unitsPerThread + p.lanes - 1) / p.lanes
		}
		p.colBlock = spread(a.N, units, ownCols(p.depth, p.depth > p.kc || copiesA(a, k.MR, p.rowStep, p.kc)))
		units = max(1, units*p.colBlock/a.N) // of rows
		p.rowBlock = min(rows, max(fewRows, (rows+units-1)/units))
		p.rowUnits = (rows + p.rowBlock - 1) / p.rowBlock
	}
	p.colUnits = (a.N + p.colBlock - 1) / p.colBlock
	if p.packAll {
		p.workB = (a.K*k.paddedCols(a.N) + 15) &^ 15
	}
	p.past = k.RowPast != nil && p.chunks == 1 && p.lanes == 1 && !p.outer && !a.Accumulate && a.Epi == (Epilogue{}) &&
		a.K <= pastDepth && 4*a.M*a.N >= pastBytes && a.C.Ld%16 == 0 && uintptr(unsafe.Pointer(elem(a.C.Mem, 0)))%64 == 0
	if p.lanes > 1 {
		p.workLanes = p.lanes * a.M * a.N
	}
	return p
}

// spread is the columns of a unit when n columns make about units units:
// multiples of hotCols, at most most of them.
func spread(n, units, most int) int {
	cols := (n + max(1, units) - 1) / max(1, units)
	return max(hotCols, min((cols+hotCols-1)/hotCols*hotCols, most/hotCols*hotCols))
}

func (g *gemmState) gemmWorkspace(a *GemmArgs) int {
	if a.M == 0 || a.N == 0 {
		return 0
	}
	p := g.kernel.plan(a, 1, false)
	return 4 * (p.workB + p.workLanes)
}

// gemmJob is one product under way. Its tiles are units: lane, then row block,
// then column block.
type gemmJob struct {
	gemmPlan
	GemmArgs
	k     *GemmKernel
	packs []float32 // packed B, nil when units pack their own
	parts []float32 // [lanes, M, N]
	join  bool      // second round: tiles are row chunks whose lanes are joined
}

// set starts a product. Without k nothing of A and B is read, and their memory
// may be too short for any address.
func (j *gemmJob) set(p gemmPlan, a *GemmArgs, k *GemmKernel) {
	j.gemmPlan, j.GemmArgs, j.k = p, *a, k
	if a.K == 0 {
		j.A.Mem, j.B.Mem = Mem{}, Mem{}
	}
}

// Gemm is C (+)= A*B with prologue and epilogue.
func (g *gemmState) Gemm(a *GemmArgs) {
	if a.M == 0 || a.N == 0 {
		return
	}
	if n := a.Products(); n > 1 {
		g.batch(a, n)
		return
	}
	j := g.jobs.get()
	j.set(g.kernel.plan(a, g.team.Size(), false), a, g.kernel)
	work := a.Work.As(Float32)
	if j.workB+j.workLanes > work.Len {
		panic(&ArgError{"Gemm", "Work is smaller than Workspace"})
	}
	if j.packs = j.packed(); j.packAll {
		j.packs = work.At(0, j.workB).F32()
		g.packAll(a.B, a.TransB, a.N, a.K, j.packs)
	}
	cost := 2 * a.M * a.N * a.K / g.kernel.Rate
	if j.lanes > 1 {
		j.parts = work.At(j.workB, j.workLanes).F32()
	}
	g.team.Do(j.lanes*j.rowUnits*j.colUnits, cost, j)
	if j.lanes > 1 {
		j.join = true
		g.team.Do(j.groups*j.groupChunks, j.lanes*a.M*a.N/8, j)
	}
	*j = gemmJob{}
	g.jobs.put(j)
}

// packed is B where nobody has to pack it: prepared, or one panel as it lies.
func (j *gemmJob) packed() []float32 {
	switch {
	case j.Prepared != nil:
		if j.Prepared.Row != j.k.Name {
			panic(&ArgError{"Gemm", "B was prepared for row " + j.Prepared.Row})
		}
		return j.Prepared.As(Float32).F32()
	case !j.packOwn && !j.outer:
		return j.B.F32()
	}
	return nil
}

// rowChunk is the rows of row chunk q.
func (p *gemmPlan) rowChunk(q int) (i, m int) {
	at := q % p.groupChunks * p.rowStep
	return q/p.groupChunks*p.group + at, min(p.rowStep, p.group-at)
}

func (j *gemmJob) Tile(w *Worker, u int) {
	s := j.k.scratch(w)
	if j.join {
		j.joinLanes(u)
		return
	}
	j0 := u % j.colUnits * j.colBlock
	j1 := min(j.N, j0+j.colBlock)
	u /= j.colUnits
	lane := u / j.rowUnits
	q := u % j.rowUnits * j.rowBlock
	per := (j.chunks + j.lanes - 1) / j.lanes
	q1 := min(q+j.rowBlock, j.groups*j.groupChunks)
	pc0, pc1 := lane*per, min(j.chunks, (lane+1)*per)
	if pc0 >= pc1 && j.lanes > 1 {
		j.clear(q, q1, j0, j1, lane)
	}
	s.from = pc0 * j.kc
	for at := q; at < q1; at++ { // chunks inside: the sums of C stay in the second cache
		for pc := pc0; pc < pc1; pc++ {
			j.block(&s, at, j0, j1, pc, pc > pc0, at == q, lane)
		}
	}
}

// clear is the sums of a lane without chunks, rows q..q1-1 of chunks.
func (j *gemmJob) clear(q, q1, j0, j1, lane int) {
	for ; q < q1; q++ {
		i, m := j.rowChunk(q)
		for r := i; r < i+m; r++ {
			clear(j.parts[(lane*j.M+r)*j.N:][j0:j1])
		}
	}
}

// block adds chunk pc of k to row chunk q of columns j0..j1-1; load when the
// unit has added chunks before, fresh for its first row chunk.
func (j *gemmJob) block(s *gemmScratch, q, j0, j1, pc int, load, fresh bool, lane int) {
	i, m := j.rowChunk(q)
	c, ldc := elem(j.C.Mem, i*j.C.Ld+j0), j.C.Ld
	aside := j.Accumulate && j.chunks > 1 // chunks fold first, C comes last
	last := pc == j.chunks-1
	switch {
	case j.lanes > 1: // finished where they join
		c, ldc, last = &j.parts[(lane*j.M+i)*j.N+j0], j.N, false
	case aside:
		c, ldc = &s.part[0], j1-j0
	case j.Accumulate:
		load = true
	}
	k0 := pc * j.kc
	kc := min(j.kc, j.K-k0)
	if j.outer {
		j.outerChunk(s, i, m, j0, j1, k0, kc, c, ldc, load)
		if last {
			j.finish(s, q, i, m, j0, j1, j0, aside)
		}
		return
	}
	row := j.k.Row
	if j.past {
		row = j.k.RowPast
	}
	j.rowsOfA(s, i, m, k0, kc)
	next := streams{{}, j.rowsAhead(i+m, m, k0, kc)}
	for jr, done := j0, j0; jr < j1; jr += j.k.NR {
		n := min(j.k.NR, j1-jr)
		var b *float32
		ldb := j.B.Ld
		if j.inPlace && n == j.k.width(n) && kc > 0 {
			b = elem(j.B.Mem, k0*ldb+jr)
		} else {
			b, ldb = j.panel(s, k0, kc, jr, n, fresh), j.k.width(n)
		}
		next[0] = j.panelAhead(s, k0, kc, jr+j.k.NR, j0, j1, fresh)
		j.k.strip(row, m, n, 1, kc, s.rows, b, ldb, advance(c, jr-j0), ldc, load, s.edge, &next)
		if end := jr + n; last && (end == j1 || end-done >= hotCols) {
			j.finish(s, q, i, m, done, end, j0, aside)
			done = end
		}
	}
}

// panel is the packed panel of n columns from jr on in a chunk of k. The unit's
// own panels lie in scratch, where its later row chunks find them.
func (j *gemmJob) panel(s *gemmScratch, k0, kc, jr, n int, fresh bool) *float32 {
	if j.packs != nil && kc > 0 {
		return &j.packs[j.k.panelAt(j.N, k0, kc, jr)]
	}
	own := s.panels[j.ownAt(s, k0, kc, jr):]
	if fresh {
		j.k.packB(j.B, j.TransB, k0, kc, jr, jr+n, own)
	}
	return &own[0]
}

// ownAt is where a unit's own panel of column jr begins, in the chunk at k0.
func (p *gemmPlan) ownAt(s *gemmScratch, k0, kc, jr int) int {
	if p.rowBlock == 1 {
		return 0 // used once
	}
	return (k0-s.from)*p.colBlock + jr%p.colBlock*kc
}

// panelAhead is what a strip fetches for the next one: the panel of the columns
// from jr on as the next strip will find it, where that is beyond the second
// cache.
func (j *gemmJob) panelAhead(s *gemmScratch, k0, kc, jr, j0, j1 int, fresh bool) stream {
	n := min(j.k.NR, j1-jr)
	switch far := min(j.K, j.depth)*(j1-j0) > ownFloats; {
	case n <= 0 || kc == 0:
	case j.packs != nil && far:
		return rowStream(&j.packs[j.k.panelAt(j.N, k0, kc, jr)], kc, n, n)
	case j.packs != nil:
	case !fresh && far:
		return rowStream(&s.panels[j.ownAt(s, k0, kc, jr)], kc, n, n)
	case !fresh:
	case !j.TransB:
		return rowStream(elem(j.B.Mem, k0*j.B.Ld+jr), kc, n, j.B.Ld)
	default:
		return rowStream(elem(j.B.Mem, jr*j.B.Ld+k0), n, kc, j.B.Ld)
	}
	return stream{}
}

// rowsAhead is the m rows of A from i on in a chunk of k, which the next row
// chunk reads.
func (j *gemmJob) rowsAhead(i, m, k0, kc int) stream {
	if i >= j.M || kc == 0 {
		return stream{}
	}
	if j.TransA {
		return rowStream(elem(j.A.Mem, k0*j.A.Ld+i), kc, min(m, j.M-i), j.A.Ld)
	}
	return rowStream(elem(j.A.Mem, i*j.A.Ld+k0), min(m, j.M-i), kc, j.A.Ld)
}

// finish runs the epilogue over columns from..to-1 of row chunk q.
func (j *gemmJob) finish(s *gemmScratch, q, i, m, from, to, j0 int, aside bool) {
	c, n := elem(j.C.Mem, i*j.C.Ld+from), to-from
	if aside {
		part, ld := &s.part[from-j0], min(j.colBlock, j.N-j0)
		j.k.Rows.add(m, n, c, j.C.Ld, part, ld)
	}
	j.k.Rows.epilogueBlock(&j.Epi, i, from, m, n, q, j.N, c, j.C.Ld)
}

// joinLanes adds the lanes' sums of row chunk q in a balanced tree and
// finishes the chunk.
func (j *gemmJob) joinLanes(q int) {
	i, m := j.rowChunk(q)
	lane := func(l int) *float32 { return &j.parts[(l*j.M+i)*j.N] }
	for s := 1; s < j.lanes; s *= 2 {
		for l := 0; l < j.lanes; l += 2 * s {
			j.k.Rows.add(1, m*j.N, lane(l), 0, lane(l+s), 0)
		}
	}
	c := elem(j.C.Mem, i*j.C.Ld)
	if j.Accumulate {
		j.k.Rows.add(m, j.N, c, j.C.Ld, lane(0), j.N)
	} else {
		for r := range m {
			copy(unsafe.Slice(advance(c, r*j.C.Ld), j.N), unsafe.Slice(advance(lane(0), r*j.N), j.N))
		}
	}
	j.k.Rows.epilogueBlock(&j.Epi, i, 0, m, j.N, q, j.N, c, j.C.Ld)
}
