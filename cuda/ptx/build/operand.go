package main

import "fmt"

// side is what the loaders of A and B share: which parameters are theirs, the
// staging registers and the prologue.
type side struct {
	p           string // "a" or "b", the prefix of its registers
	rows        int    // of its tile
	base        int    // byte offset of its part of a stage
	pro         prologue
	tile, limit func(c *ctx) Reg // first row; rows of the matrix
	vec         Reg
	v           Vec // staged values, two vectors
	x, mask     Vec // of BNBackward
	co          Vec // first coefficient of each vector (vector path) or element
	ok          Reg // bit i: element i exists
	sts         Reg // shared address without stage
	at, scratch Reg
	q, rowok    Vec
	address     Reg
	r0, r1      Reg
}

// prologue of an operand.
type prologue int

const (
	plain prologue = iota
	affine
	bnBackward
)

// coefficient parameters: A's are pa, pb, pc, B's qa, qb.
func (s *side) coef(c *ctx, i int) Reg {
	if s.p == "a" {
		return c.Param([]string{"pa", "pb", "pc", "pscale", "pshift"}[i])
	}
	return c.Param([]string{"qa", "qb"}[i])
}

func (s *side) kind() string {
	if s.p == "a" {
		return "p"
	}
	return "q"
}

func newSide(c *ctx, p string, pro prologue) *side {
	s := &side{p: p, pro: pro}
	if p == "a" {
		s.rows, s.tile, s.limit, s.vec = c.BM, func(c *ctx) Reg { return c.tileM }, func(c *ctx) Reg { return c.Param("m") }, c.vecA
	} else {
		s.rows, s.base, s.tile, s.limit, s.vec = c.BN, c.BM*bk*4, func(c *ctx) Reg { return c.tileN }, func(c *ctx) Reg { return c.Param("n") }, c.vecB
	}
	s.v = c.Regs("f32", p+"v", 8)
	s.sts, s.at = c.B32(p+"sts"), c.B32(p+"at")
	s.scratch, s.address = c.B32(p+"scr"), c.B64(p+"adr")
	s.r0, s.r1 = c.B32(p+"r0"), c.B32(p+"r1")
	s.q = c.Regs("pred", p+"q", 2)
	if pro != plain {
		s.co, s.ok = c.Regs("b32", p+"co", 8), c.B32(p+"ok")
	}
	if pro == bnBackward {
		s.x, s.mask = c.Regs("f32", p+"x", 8), c.Regs("f32", p+"m", 8)
	}
	return s
}

// clear makes the staged values +0.
func (s *side) clear(c *ctx) {
	for _, r := range s.v {
		c.I("mov.f32", r, "0f00000000")
	}
	if s.pro == plain {
		return
	}
	c.I("mov.u32", s.ok, 0)
	for _, r := range s.co {
		c.I("mov.u32", r, 0)
	}
	if s.pro == bnBackward {
		for i := range s.x {
			c.I("mov.f32", s.x[i], "0f00000000")
			c.I("mov.f32", s.mask[i], "0f3F800000")
		}
	}
}

// finish is the prologue on the staged values; elements that do not exist
// stay +0. Coefficients come from L1.
func (s *side) finish(c *ctx) {
	if s.pro == plain {
		return
	}
	f := func(i int) Reg { return Reg(fmt.Sprintf("%%%sc%d", s.p, i)) }
	if !c.names[s.p+"c"] {
		c.Regs("f32", s.p+"c", 12)
		c.Pred(s.p + "gate")
		c.Pred(s.p + "relu")
		c.testFlag(Reg("%"+s.p+"relu"), map[string]int{"a": flagReLUA, "b": flagReLUB}[s.p])
	}
	if s.pro == bnBackward {
		c.I("setp.ne.u64", Reg("%"+s.p+"gate"), c.Param("pscale"), 0)
	}
	for pass := range 2 {
		if s.pro == bnBackward {
			open := c.Label("MASKED")
			c.Note("without a mask: fma(x, scale, shift) > 0")
			c.Unless(Reg("%"+s.p+"gate"), "bra", open)
			s.coefficients(c, pass, f, 3, 4)
			for e := range 4 {
				c.I("fma.rn.f32", s.mask[4*pass+e], s.x[4*pass+e], f(e), f(4+e))
			}
			c.Here(open)
			s.coefficients(c, pass, f, 0, 1, 2)
		} else {
			s.coefficients(c, pass, f, 0, 1)
		}
		for e := range 4 {
			n := 4*pass + e
			v := s.v[n]
			if s.pro == affine {
				c.I("fma.rn.f32", v, v, f(e), f(4+e))
				c.I("setp.le.f32", c.p0, v, "0f00000000")
				c.I("and.pred", c.p0, c.p0, Reg("%"+s.p+"relu"))
				c.If(c.p0, "mov.f32", v, "0f00000000")
			} else {
				c.I("setp.gt.f32", c.p0, s.mask[n], "0f00000000")
				c.I("selp.f32", v, v, "0f00000000", c.p0)
				c.I("fma.rn.f32", f(4+e), f(4+e), s.x[n], f(8+e))
				c.I("fma.rn.f32", v, v, f(e), f(4+e))
			}
			c.I("and.b32", s.scratch, s.ok, 1<<n)
			c.I("setp.ne.u32", c.p0, s.scratch, 0)
			c.I("selp.f32", v, v, "0f00000000", c.p0)
		}
	}
}

// coefficients loads four elements of each of the sets.
func (s *side) coefficients(c *ctx, pass int, f func(i int) Reg, sets ...int) {
	scalar, joined := c.Label("SCALARCOEF"), c.Label("COEF")
	c.Unless(s.vec, "bra", scalar)
	for i, set := range sets {
		c.I("mad.wide.u32", s.address, s.co[4*pass], 4, s.coef(c, set))
		c.I("ld.global.v4.f32", Vec{f(4 * i), f(4*i + 1), f(4*i + 2), f(4*i + 3)}, At{s.address, 0})
	}
	c.I("bra", joined)
	c.Here(scalar)
	for i, set := range sets {
		for e := range 4 {
			c.I("mad.wide.u32", s.address, s.co[4*pass+e], 4, s.coef(c, set))
			c.I("ld.global.f32", f(4*i+e), At{s.address, 0})
		}
	}
	c.Here(joined)
}

// round makes the staged values TF32, to nearest with ties away.
func (s *side) round(c *ctx) {
	if !c.tf32 {
		return
	}
	for _, r := range s.v {
		c.I("cvt.rna.tf32.f32", c.t0, r)
		c.I("mov.b32", r, c.t0)
	}
}

// placeK is where a thread with vectors along k stores: rows tid/4 and
// tid/4 + threads/4, k = 4*(tid%4) + e.
func (s *side) placeK(c *ctx) (row, kq Reg) {
	row, kq = c.B32(s.p+"row"), c.B32(s.p+"kq")
	c.I("shr.u32", row, c.tid, 2)
	c.I("and.b32", kq, c.tid, 3)
	c.I("shl.b32", s.sts, row, 2)
	c.I("shl.b32", c.t0, kq, 5)
	c.I("xor.b32", s.sts, s.sts, c.t0)
	c.I("mul.lo.u32", c.t0, kq, 4*s.rows*4)
	c.I("add.u32", s.sts, s.sts, c.t0)
	c.I("add.u32", s.sts, s.sts, c.smem)
	c.I("add.u32", s.sts, s.sts, s.base)
	return row, kq
}

// storeK scatters the two vectors over four rows of k each.
func (s *side) storeK(c *ctx) {
	s.finish(c)
	s.round(c)
	c.I("add.u32", s.at, s.sts, c.fill)
	down := c.threads / 4 // rows between the passes: above the swizzle, or its bit 4
	for e := range 4 {
		for pass := range 2 {
			flip, off := e<<5, e*s.rows*4
			if pass == 1 {
				if down == 16 {
					flip ^= 64
				} else {
					off += down * 4
				}
			}
			c.I("xor.b32", s.scratch, s.at, flip)
			c.I("st.shared.f32", At{s.scratch, off}, s.v[4*pass+e])
		}
	}
}

// placeRows is where a thread with vectors along the rows stores: k = tid /
// (rows/4) and 8 more, rows 4*(tid % (rows/4)) + e.
func (s *side) placeRows(c *ctx) (quad, kr Reg) {
	quad, kr = c.B32(s.p+"quad"), c.B32(s.p+"kr")
	c.I("and.b32", quad, c.tid, s.rows/4-1)
	c.I("shr.u32", kr, c.tid, log2(s.rows/4))
	c.I("shr.u32", c.t0, kr, 2)
	c.I("xor.b32", c.t0, c.t0, kr)
	c.I("and.b32", c.t0, c.t0, 3)
	c.I("shl.b32", c.t0, c.t0, 5)
	c.I("shl.b32", quad, quad, 4)
	c.I("xor.b32", s.sts, quad, c.t0)
	c.I("mad.lo.u32", s.sts, kr, s.rows*4, s.sts)
	c.I("add.u32", s.sts, s.sts, c.smem)
	c.I("add.u32", s.sts, s.sts, s.base)
	c.I("shr.u32", quad, quad, 2)
	return quad, kr // quad is now the first row of the vector
}

func (s *side) storeRows(c *ctx) {
	s.finish(c)
	s.round(c)
	c.I("add.u32", s.at, s.sts, c.fill)
	c.I("st.shared.v4.f32", At{s.at, 0}, s.v[:4])
	c.I("xor.b32", s.at, s.at, 64)
	c.I("st.shared.v4.f32", At{s.at, 8 * s.rows * 4}, s.v[4:])
}

func log2(n int) int {
	l := 0
	for 1<<l < n {
		l++
	}
	return l
}

// offset is base + z*zp elements, the operand of a convolution's group.
func (s *side) pointer(c *ctx) Reg {
	p := c.Param(s.p)
	c.I("mul.wide.u32", c.w0, c.group, c.Param("z"+s.p))
	c.I("shl.b64", c.w0, c.w0, 2)
	c.I("add.u64", p, p, c.w0)
	return p
}

// alongK reads a matrix whose k is contiguous: A [M,K] or B^T [N,K].
type alongK struct {
	*side
	ptr, xptr, mptr Vec
	left            Reg
}

func (o *alongK) setup(c *ctx) {
	c.Note("%s: vectors along k of rows tid/4", o.p)
	row, kq := o.placeK(c)
	base := o.pointer(c)
	ld := c.Param("ld" + o.p)
	o.ptr, o.left = c.Regs("b64", o.p+"ptr", 2), c.B32(o.p+"left")
	o.rowok = c.Regs("pred", o.p+"rowok", 2)
	c.I("shl.b32", kq, kq, 2)
	c.I("add.u32", kq, kq, c.kbeg)
	c.I("sub.u32", o.left, c.kend, kq)
	if o.pro == bnBackward {
		o.xptr, o.mptr = c.Regs("b64", o.p+"xptr", 2), c.Regs("b64", o.p+"mptr", 2)
	}
	c.I("add.u32", row, row, o.tile(c))
	for pass := range 2 {
		if pass == 1 {
			c.I("add.u32", row, row, c.threads/4)
		}
		c.I("setp.lt.u32", o.rowok[pass], row, o.limit(c))
		c.I("mul.wide.u32", c.w0, row, ld)
		c.I("cvt.u64.u32", c.w1, kq)
		c.I("add.u64", c.w0, c.w0, c.w1)
		c.I("shl.b64", c.w0, c.w0, 2)
		c.I("add.u64", o.ptr[pass], base, c.w0)
		if o.pro == plain {
			continue
		}
		c.I("mov.u32", o.co[4*pass], 0)
		if o.pro == bnBackward {
			c.I("mul.wide.u32", c.w0, row, c.Param("pwidth"))
			c.I("add.u64", c.w0, c.w0, c.w1)
			c.I("shl.b64", c.w0, c.w0, 2)
			c.I("add.u64", o.xptr[pass], c.Param("px"), c.w0)
			c.I("add.u64", o.mptr[pass], c.Param("pmask"), c.w0)
		}
	}
	if o.pro != plain {
		c.Note("coefficient set of each row: row/group")
		o.rowco(c, row, kq)
	}
}

// rowco leaves in r0, r1 the first coefficient of the two rows.
func (o *alongK) rowco(c *ctx, row, kq Reg) {
	for pass, r := range (Vec{o.r1, o.r0}) {
		c.divide(r, row, "pgroup")
		c.I("mad.lo.u32", r, r, c.Param("pwidth"), kq)
		if pass == 0 {
			c.I("sub.u32", row, row, c.threads/4)
		}
	}
}

func (o *alongK) load(c *ctx) {
	scalar, done := c.Label("SCALAR"), c.Label("LOADED")
	o.clear(c)
	r := Vec{o.r0, o.r1}
	c.Unless(o.vec, "bra", scalar)
	c.I("setp.gt.s32", c.p0, o.left, 0)
	for pass := range 2 {
		c.I("and.pred", o.q[pass], c.p0, o.rowok[pass])
		c.If(o.q[pass], "ld.global.v4.f32", o.v[4*pass:4*pass+4], At{o.ptr[pass], 0})
		o.extra(c, o.q[pass], pass, 0, 4, r[pass])
	}
	c.I("bra", done)
	c.Here(scalar)
	for e := range 4 {
		c.I("setp.gt.s32", c.p0, o.left, e)
		for pass := range 2 {
			c.I("and.pred", o.q[pass], c.p0, o.rowok[pass])
			c.If(o.q[pass], "ld.global.f32", o.v[4*pass+e], At{o.ptr[pass], 4 * e})
			o.extra(c, o.q[pass], pass, e, 1, r[pass])
		}
	}
	c.Here(done)
	for pass := range 2 {
		c.I("add.u64", o.ptr[pass], o.ptr[pass], 4*bk)
		if o.pro == bnBackward {
			c.I("add.u64", o.xptr[pass], o.xptr[pass], 4*bk)
			c.I("add.u64", o.mptr[pass], o.mptr[pass], 4*bk)
		}
		if o.pro != plain {
			c.I("add.u32", r[pass], r[pass], bk)
		}
	}
	c.I("sub.u32", o.left, o.left, bk)
}

// extra loads what the prologue of n elements from e on needs.
func (o *alongK) extra(c *ctx, q Reg, pass, e, n int, co Reg) {
	if o.pro == plain {
		return
	}
	i := 4*pass + e
	c.If(q, "add.u32", o.co[i], co, e)
	c.If(q, "or.b32", o.ok, o.ok, (1<<n-1)<<i)
	if o.pro == bnBackward {
		c.loadMask(o.side, q, i, n, At{o.xptr[pass], 4 * e}, At{o.mptr[pass], 4 * e})
	}
}

// loadMask loads x and, where one was given, the mask of n elements.
func (c *ctx) loadMask(s *side, q Reg, i, n int, x, mask At) {
	c.I("setp.ne.u64", c.p1, c.Param("pmask"), 0)
	c.I("and.pred", c.p1, c.p1, q)
	if n == 4 {
		c.If(q, "ld.global.v4.f32", s.x[i:i+4], x)
		c.If(c.p1, "ld.global.v4.f32", s.mask[i:i+4], mask)
		return
	}
	c.If(q, "ld.global.f32", s.x[i], x)
	c.If(c.p1, "ld.global.f32", s.mask[i], mask)
}

func (o *alongK) store(c *ctx) { o.storeK(c) }

// alongRows reads a matrix whose rows are contiguous at each k: A^T [K,M] or
// B [K,N]; the gradient of a convolution's output too, k being pixels.
type alongRows struct {
	*side
	ptr, step, step8 Reg
	kleft, rleft     Reg
	k, first         Reg
	toX, toMask      Reg
}

func (o *alongRows) setup(c *ctx) {
	c.Note("%s: vectors along the rows at k = tid/%d", o.p, o.rows/4)
	quad, kr := o.placeRows(c)
	if o.pro == bnBackward {
		c.Note("x and mask have the operand's layout: the same offset from their base")
		o.toX, o.toMask = c.B64("tox"), c.B64("tomask")
		c.I("sub.u64", o.toX, c.Param("px"), c.Param("a"))
		c.I("sub.u64", o.toMask, c.Param("pmask"), c.Param("a"))
	}
	base, ld := o.pointer(c), c.Param("ld"+o.p)
	o.ptr, o.step, o.step8 = c.B64(o.p+"ptr"), c.B64(o.p+"step"), c.B64(o.p+"step8")
	o.kleft, o.rleft = c.B32(o.p+"kleft"), c.B32(o.p+"rleft")
	c.I("add.u32", quad, quad, o.tile(c))
	c.I("sub.u32", o.rleft, o.limit(c), quad)
	c.I("add.u32", kr, kr, c.kbeg)
	c.I("sub.u32", o.kleft, c.kend, kr)
	c.I("mul.wide.u32", c.w0, kr, ld)
	c.I("cvt.u64.u32", c.w1, quad)
	c.I("add.u64", c.w0, c.w0, c.w1)
	c.I("shl.b64", c.w0, c.w0, 2)
	c.I("add.u64", o.ptr, base, c.w0)
	c.I("mul.wide.u32", o.step8, ld, 32)
	c.I("shl.b64", o.step, o.step8, 1)
	o.k, o.first = kr, quad
	if o.pro != plain {
		c.Note("the coefficients' column, with the convolution group's channels")
		c.I("mad.lo.u32", o.first, c.group, c.Param("za"), o.first)
	}
}

func (o *alongRows) load(c *ctx) {
	scalar, done := c.Label("SCALAR"), c.Label("LOADED")
	o.clear(c)
	for pass := range 2 {
		c.I("setp.gt.s32", o.q[pass], o.kleft, 8*pass)
		if o.pro != plain {
			c.I("add.u32", c.t0, o.k, 8*pass)
			c.divide(c.t1, c.t0, "pgroup")
			c.I("mad.lo.u32", []Reg{o.r0, o.r1}[pass], c.t1, c.Param("pwidth"), o.first)
		}
	}
	r := Vec{o.r0, o.r1}
	c.I("add.u64", o.address, o.ptr, o.step8)
	at := Vec{o.ptr, o.address}
	c.Unless(o.vec, "bra", scalar)
	c.I("setp.gt.s32", c.p0, o.rleft, 0)
	for pass := range 2 {
		c.I("and.pred", o.q[pass], o.q[pass], c.p0)
		c.If(o.q[pass], "ld.global.v4.f32", o.v[4*pass:4*pass+4], At{at[pass], 0})
		o.extra(c, o.q[pass], pass, 0, 4, at[pass], r[pass])
	}
	c.I("bra", done)
	c.Here(scalar)
	in := c.predOnce(o.p + "in")
	for pass := range 2 {
		for e := range 4 {
			c.I("setp.gt.s32", c.p0, o.rleft, e)
			c.I("and.pred", in, o.q[pass], c.p0)
			c.If(in, "ld.global.f32", o.v[4*pass+e], At{at[pass], 4 * e})
			o.extra(c, in, pass, e, 1, at[pass], r[pass])
		}
	}
	c.Here(done)
	c.I("add.u64", o.ptr, o.ptr, o.step)
	c.I("sub.u32", o.kleft, o.kleft, bk)
	if o.pro != plain {
		c.I("add.u32", o.k, o.k, bk)
	}
}

func (o *alongRows) extra(c *ctx, q Reg, pass, e, n int, at, co Reg) {
	if o.pro == plain {
		return
	}
	i := 4*pass + e
	c.If(q, "add.u32", o.co[i], co, e)
	c.If(q, "or.b32", o.ok, o.ok, (1<<n-1)<<i)
	if o.pro == bnBackward {
		c.I("add.u64", c.w1, at, o.toX)
		c.I("add.u64", c.w0, at, o.toMask)
		c.loadMask(o.side, q, i, n, At{c.w1, 4 * e}, At{c.w0, 4 * e})
	}
}

func (o *alongRows) store(c *ctx) { o.storeRows(c) }

// predOnce declares a predicate at its first use.
func (c *ctx) predOnce(name string) Reg {
	if !c.names[name] {
		return c.Pred(name)
	}
	return Reg("%" + name)
}
