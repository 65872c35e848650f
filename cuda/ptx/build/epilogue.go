package main

// epilogue stores the tile. It passes through shared memory in pieces, so that
// rows of C are read and written whole, whichever thread summed them: a warp
// takes vectors of a row, v = acc (+ C); sums of v-shift and their squares;
// + bias; + residual; ReLU; store.
//
// Statistics: a piece is cut where a chunk of 168 rows ends. Each thread sums
// its rows of the segment, shared memory adds the 8 threads of a column in
// order, and the segment's sums go to part[(chunk*slots + slot)*2 + {0,1}], slot
// being the piece's place within the chunk; gemm_stats adds the slots in order.
func (c *ctx) epilogue(spill func(c *ctx, piece int)) {
	e := newStoreback(c)
	for p := range c.BM / c.pieceRows() {
		c.Note("piece %d: rows %d to %d of the tile", p, p*c.pieceRows(), (p+1)*c.pieceRows()-1)
		if p > 0 {
			c.I("bar.sync", 0)
			c.I("add.u32", e.row0, e.row0, c.pieceRows())
		}
		spill(c, p)
		c.I("bar.sync", 0)
		e.piece(c)
	}
	c.I("ret")
}

type storeback struct {
	row0, rowEnd         Reg // of the piece
	seg, segEnd, r       Reg
	col, rt, rowBytes    Reg
	acc, relu, vec, stat Reg
	res, in              Reg
	inCol                Vec
	bias, shift, v, old  Vec
	s, q                 Vec
	at, radr             Reg
	chunk, slot          Reg
	red                  Reg
	out                  Reg
}

func newStoreback(c *ctx) *storeback {
	e := &storeback{row0: c.B32("row0"), rowEnd: c.B32("rowend"), seg: c.B32("seg"), segEnd: c.B32("segend"), r: c.B32("r"),
		col: c.B32("col"), rt: c.B32("rt"), rowBytes: c.B32("cell"), acc: c.Pred("accumulate"), relu: c.Pred("relu"), vec: c.Pred("vecc"), stat: c.Pred("stat"),
		res: c.Pred("hasresid"), in: c.Pred("inside"), inCol: c.Regs("pred", "incol", 4), bias: c.Regs("f32", "bi", 4), shift: c.Regs("f32", "sh", 4), v: c.Regs("f32", "ev", 4),
		old: c.Regs("f32", "old", 4), s: c.Regs("f32", "sum", 4), q: c.Regs("f32", "sqr", 4), at: c.B64("cat"), radr: c.B64("rat"),
		chunk: c.B32("chunk"), slot: c.B32("slot"), red: c.B32("red"), out: c.B32("orow")}
	c.Note("epilogue: thread (row tid/%d, columns 4*(tid%%%d))", c.BN/4, c.BN/4)
	c.testFlag(e.acc, flagAccumulate)
	c.testFlag(e.relu, flagReLU)
	c.testFlag(e.vec, flagVecC)
	c.I("setp.ne.u64", e.stat, c.Param("part"), 0)
	c.I("setp.ne.u64", e.res, c.Param("resid"), 0)
	c.I("and.b32", e.col, c.tid, c.BN/4-1)
	c.I("shr.u32", e.rt, c.tid, log2(c.BN/4))
	c.I("shl.b32", e.rowBytes, e.col, 4)
	c.I("mov.u32", e.red, "red")
	c.I("shl.b32", e.col, e.col, 2)
	c.I("add.u32", e.col, e.col, c.tileN)
	for i := range 4 {
		c.I("add.u32", c.t0, e.col, i)
		c.I("setp.lt.u32", e.inCol[i], c.t0, c.Param("n"))
	}
	c.Note("a convolution group's columns, and the partial sums of a split")
	c.I("mul.wide.u32", c.w0, c.group, c.Param("zc"))
	c.I("shl.b64", c.w0, c.w0, 2)
	for _, p := range []string{"bias", "resid", "shift", "part"} {
		c.I("setp.ne.u64", c.p0, c.Param(p), 0)
		c.If(c.p0, "add.u64", c.Param(p), c.Param(p), c.w0)
	}
	c.I("add.u64", c.Param("c"), c.Param("c"), c.w0)
	c.I("cvt.u64.u32", c.w0, c.split)
	c.I("mul.lo.u64", c.w0, c.w0, c.Param("splitstride"))
	c.I("add.u64", c.Param("c"), c.Param("c"), c.w0)
	for _, o := range []struct {
		p     string
		v     Vec
		empty string
	}{{"bias", e.bias, "0f80000000"}, {"shift", e.shift, "0f00000000"}} {
		c.I("setp.ne.u64", c.p1, c.Param(o.p), 0)
		c.I("mad.wide.u32", c.w0, e.col, 4, c.Param(o.p))
		for i := range 4 {
			c.I("mov.f32", o.v[i], o.empty)
			c.I("and.pred", c.p0, c.p1, e.inCol[i])
			c.If(c.p0, "ld.global.f32", o.v[i], At{c.w0, 4 * i})
		}
	}
	c.I("mov.u32", e.row0, c.tileM)
	return e
}

// piece stores what stands in shared memory from row0 on.
func (e *storeback) piece(c *ctx) {
	next, rows, row, rowsDone, out := c.Label("SEGMENT"), c.Label("ROWS"), c.Label("ROW"), c.Label("ROWSDONE"), c.Label("PIECEDONE")
	c.I("add.u32", e.rowEnd, e.row0, c.pieceRows())
	c.I("min.u32", e.rowEnd, e.rowEnd, c.Param("m"))
	c.I("mov.u32", e.seg, e.row0)
	c.Here(next)
	c.I("setp.ge.u32", c.p0, e.seg, e.rowEnd)
	c.If(c.p0, "bra", out)
	c.I("mov.u32", e.segEnd, e.rowEnd)
	c.Unless(e.stat, "bra", rows)
	e.chunkOf(c)
	c.Here(rows)
	c.I("add.u32", e.r, e.seg, e.rt)
	c.Unless(e.inCol[0], "mov.u32", e.r, e.segEnd)
	c.Here(row)
	c.I("setp.ge.u32", c.p0, e.r, e.segEnd)
	c.If(c.p0, "bra", rowsDone)
	e.row(c)
	c.I("add.u32", e.r, e.r, 8)
	c.I("bra", row)
	c.Here(rowsDone)
	e.sums(c)
	c.I("mov.u32", e.seg, e.segEnd)
	c.I("bra", next)
	c.Here(out)
}

// chunkOf finds the statistics chunk of row seg, cuts the segment at its end
// and empties the sums.
func (e *storeback) chunkOf(c *ctx) {
	c.Note("chunk = seg/group*pergroup + seg%%group/168")
	group := c.Param("group")
	c.I("div.u32", e.chunk, e.seg, group)
	c.I("mul.lo.u32", c.t0, e.chunk, group)
	c.I("sub.u32", c.t1, e.seg, c.t0)
	c.I("div.u32", c.t1, c.t1, 168)
	c.I("mad.lo.u32", e.chunk, e.chunk, c.Param("pergroup"), c.t1)
	c.I("add.u32", e.slot, c.t0, group)
	c.I("mad.lo.u32", c.t1, c.t1, 168, c.t0)
	c.I("add.u32", c.t0, c.t1, 168)
	c.I("min.u32", c.t0, c.t0, e.slot)
	c.I("min.u32", e.segEnd, e.segEnd, c.t0)
	c.Note("slot = piece of seg - piece of the chunk's first row")
	c.I("shr.u32", c.t1, c.t1, log2(c.pieceRows()))
	c.I("shr.u32", e.slot, e.row0, log2(c.pieceRows()))
	c.I("sub.u32", e.slot, e.slot, c.t1)
	for i := range 4 {
		c.I("mov.f32", e.s[i], "0f00000000")
		c.I("mov.f32", e.q[i], "0f00000000")
	}
}

// row finishes four columns of row r.
func (e *storeback) row(c *ctx) {
	c.I("and.b32", c.t0, e.r, 3)
	c.I("shl.b32", c.t0, c.t0, 5)
	c.I("xor.b32", c.t0, c.t0, e.rowBytes)
	c.I("sub.u32", c.t1, e.r, e.row0)
	c.I("mad.lo.u32", c.t0, c.t1, c.BN*4, c.t0)
	c.I("add.u32", c.t0, c.t0, c.smem)
	c.I("ld.shared.v4.f32", e.v, At{c.t0, 0})
	e.outRow(c)
	c.I("mul.wide.u32", c.w0, e.out, c.Param("ldc"))
	c.I("cvt.u64.u32", c.w1, e.col)
	c.I("add.u64", c.w0, c.w0, c.w1)
	c.I("shl.b64", c.w0, c.w0, 2)
	c.I("add.u64", e.at, c.w0, c.Param("c"))
	skip := c.Label("FRESH")
	c.Unless(e.acc, "bra", skip)
	e.loadOld(c, e.at)
	for i := range 4 {
		c.I("add.f32", e.v[i], e.v[i], e.old[i])
	}
	c.Here(skip)
	skip = c.Label("NOSTATS")
	c.Unless(e.stat, "bra", skip)
	for i := range 4 {
		c.I("sub.f32", e.old[i], e.v[i], e.shift[i])
		c.I("add.f32", e.s[i], e.s[i], e.old[i])
		c.I("fma.rn.f32", e.q[i], e.old[i], e.old[i], e.q[i])
	}
	c.Here(skip)
	for i := range 4 {
		c.I("add.f32", e.v[i], e.v[i], e.bias[i])
	}
	skip = c.Label("NORESIDUAL")
	c.Unless(e.res, "bra", skip)
	c.I("mul.wide.u32", c.w0, e.out, c.Param("ldr"))
	c.I("add.u64", c.w0, c.w0, c.w1)
	c.I("shl.b64", c.w0, c.w0, 2)
	c.I("add.u64", e.radr, c.w0, c.Param("resid"))
	e.loadOld(c, e.radr)
	for i := range 4 {
		c.I("add.f32", e.v[i], e.v[i], e.old[i])
	}
	c.Here(skip)
	for i := range 4 {
		c.I("setp.le.f32", c.p0, e.v[i], "0f00000000")
		c.I("and.pred", c.p0, c.p0, e.relu)
		c.If(c.p0, "mov.f32", e.v[i], "0f00000000")
	}
	scalar, done := c.Label("SCALARST"), c.Label("ST")
	c.Unless(e.vec, "bra", scalar)
	c.I("st.global.v4.f32", At{e.at, 0}, e.v)
	c.I("bra", done)
	c.Here(scalar)
	for i := range 4 {
		c.If(e.inCol[i], "st.global.f32", At{e.at, 4 * i}, e.v[i])
	}
	c.Here(done)
}

// outRow is the row of C that row r of the product goes to: r, or the pixel of
// its parity class.
func (e *storeback) outRow(c *ctx) {
	if !c.mapRow {
		c.I("mov.u32", e.out, e.r)
		return
	}
	c.Note("pixel (n, h0+i*sh, w0+j*sw) of row (n,i,j)")
	c.divide(c.t0, e.r, "area")
	c.I("mul.lo.u32", c.t1, c.t0, c.Param("area"))
	c.I("sub.u32", c.t1, e.r, c.t1)
	c.I("mad.lo.u32", e.out, c.t0, c.Param("outarea"), c.Param("outw0"))
	c.divide(c.t0, c.t1, "roww")
	c.I("mul.lo.u32", e.slot, c.t0, c.Param("roww"))
	c.I("sub.u32", c.t1, c.t1, e.slot)
	c.I("mad.lo.u32", c.t0, c.t0, c.Param("outsh"), c.Param("outh0"))
	c.I("mad.lo.u32", e.out, c.t0, c.Param("outw"), e.out)
	c.I("mad.lo.u32", e.out, c.t1, c.Param("outsw"), e.out)
}

// loadOld loads four columns from adr.
func (e *storeback) loadOld(c *ctx, adr Reg) {
	scalar, done := c.Label("SCALARLD"), c.Label("LD")
	c.Unless(e.vec, "bra", scalar)
	c.I("ld.global.v4.f32", e.old, At{adr, 0})
	c.I("bra", done)
	c.Here(scalar)
	for i := range 4 {
		c.I("mov.f32", e.old[i], "0f00000000")
		c.If(e.inCol[i], "ld.global.f32", e.old[i], At{adr, 4 * i})
	}
	c.Here(done)
}

// sums adds the 8 threads of each column and stores the segment's sums.
func (e *storeback) sums(c *ctx) {
	none := c.Label("NOSUMS")
	c.Unless(e.stat, "bra", none)
	c.I("mad.lo.u32", c.t0, e.rt, c.BN*4, e.rowBytes)
	c.I("add.u32", c.t0, c.t0, e.red)
	c.I("st.shared.v4.f32", At{c.t0, 0}, e.s)
	c.I("st.shared.v4.f32", At{c.t0, 8 * c.BN * 4}, e.q)
	c.I("bar.sync", 0)
	c.Note("thread tid: sum tid/%d of column tid%%%d", c.BN, c.BN)
	c.I("shr.u32", c.t0, c.tid, log2(c.BN))
	c.I("and.b32", c.t1, c.tid, c.BN-1)
	c.I("mad.lo.u32", e.chunk, e.chunk, c.Param("slots"), e.slot)
	c.I("mad.lo.u32", e.chunk, e.chunk, 2, c.t0)
	c.I("mul.lo.u32", c.t0, c.t0, 8*c.BN*4)
	c.I("mad.lo.u32", c.t0, c.t1, 4, c.t0)
	c.I("add.u32", c.t0, c.t0, e.red)
	c.I("ld.shared.f32", c.v0, At{c.t0, 0})
	for i := 1; i < 8; i++ {
		c.I("ld.shared.f32", c.v1, At{c.t0, i * c.BN * 4})
		c.I("add.f32", c.v0, c.v0, c.v1)
	}
	c.I("add.u32", c.t1, c.t1, c.tileN)
	c.I("mul.wide.u32", c.w0, e.chunk, c.Param("ldpart"))
	c.I("cvt.u64.u32", c.w1, c.t1)
	c.I("add.u64", c.w0, c.w0, c.w1)
	c.I("shl.b64", c.w0, c.w0, 2)
	c.I("add.u64", c.w0, c.w0, c.Param("part"))
	c.I("setp.lt.u32", c.p0, c.t1, c.Param("n"))
	c.If(c.p0, "st.global.f32", At{c.w0, 0}, c.v0)
	c.I("bar.sync", 0)
	c.Here(none)
}
