package main

import "fmt"

// gatherK reads the pixels of a convolution as A [rows, k]: row (n, i, j) and
// k = (th, tw, c) is the source's element at
//
//	y = i*strideh + offh + th*dilh, x = j*stridew + offw + tw*dilw
//
// and +0 outside. The forward pass walks the input so; a parity class of the
// input gradient walks dY with stride 1 and a step that may be negative.
type gatherK struct {
	*side
	y0, x0, pix Vec
	k           Reg
}

func (o *gatherK) setup(c *ctx) {
	c.Note("a: gathered pixels, vectors along k of rows tid/4")
	row, kq := o.placeK(c)
	o.pointer(c)
	o.y0, o.x0, o.pix, o.k = c.Regs("b32", "ay", 2), c.Regs("b32", "acol", 2), c.Regs("b32", "apix", 2), c.B32("ak")
	c.I("shl.b32", kq, kq, 2)
	c.I("add.u32", o.k, kq, c.kbeg)
	c.I("add.u32", row, row, o.tile(c))
	img, i := c.B32("img"), c.B32("irow")
	for pass := range 2 {
		if pass == 1 {
			c.I("add.u32", row, row, c.threads/4)
		}
		c.divide(img, row, "area")
		c.I("mul.lo.u32", c.t0, img, c.Param("area"))
		c.I("sub.u32", c.t0, row, c.t0)
		c.divide(i, c.t0, "roww")
		c.I("mul.lo.u32", c.t1, i, c.Param("roww"))
		c.I("sub.u32", c.t0, c.t0, c.t1)
		c.I("mad.lo.s32", o.y0[pass], i, c.Param("strideh"), c.Param("offh"))
		c.I("mad.lo.s32", o.x0[pass], c.t0, c.Param("stridew"), c.Param("offw"))
		c.I("mul.lo.u32", o.pix[pass], img, c.Param("srch"))
		c.I("add.u32", o.pix[pass], o.pix[pass], o.y0[pass])
		c.I("mad.lo.u32", o.pix[pass], o.pix[pass], c.Param("srcw"), o.x0[pass])
		c.I("setp.ge.u32", c.p0, row, o.limit(c))
		c.If(c.p0, "mov.u32", o.y0[pass], -1<<30)
	}
}

// tap takes k apart: dy, dx and the channel.
func (c *ctx) tap(k, dy, dx, ch Reg) {
	c.divide(c.t0, k, "ck")
	c.I("mul.lo.u32", c.t1, c.t0, c.Param("ck"))
	c.I("sub.u32", ch, k, c.t1)
	c.divide(dy, c.t0, "tw")
	c.I("mul.lo.u32", c.t1, dy, c.Param("tw"))
	c.I("sub.u32", c.t0, c.t0, c.t1)
	c.I("mul.lo.s32", dy, dy, c.Param("dilh"))
	c.I("mul.lo.s32", dx, c.t0, c.Param("dilw"))
}

func (o *gatherK) load(c *ctx) {
	scalar, done := c.Label("SCALAR"), c.Label("LOADED")
	dy, dx, ch, ke := c.b32Once("dy"), c.b32Once("dx"), c.b32Once("ch"), c.b32Once("ke")
	o.clear(c)
	element := func(e, n int) {
		c.I("add.u32", ke, o.k, e)
		c.tap(ke, dy, dx, ch)
		for pass := range 2 {
			q := o.q[pass]
			c.I("setp.lt.u32", q, ke, c.kend)
			c.I("add.u32", o.r0, o.y0[pass], dy)
			c.I("setp.lt.and.u32", q, o.r0, c.Param("srch"), q)
			c.I("add.u32", o.r0, o.x0[pass], dx)
			c.I("setp.lt.and.u32", q, o.r0, c.Param("srcw"), q)
			c.I("mad.lo.u32", o.r0, dy, c.Param("srcw"), o.pix[pass])
			c.I("add.u32", o.r0, o.r0, dx)
			o.fetch(c, q, 4*pass+e, n, o.r0, ch)
		}
	}
	c.Unless(o.vec, "bra", scalar)
	element(0, 4)
	c.I("bra", done)
	c.Here(scalar)
	for e := range 4 {
		element(e, 1)
	}
	c.Here(done)
	c.I("add.u32", o.k, o.k, bk)
}

// fetch loads n elements of a pixel from channel ch on where q holds, with
// what their prologue needs.
func (s *side) fetch(c *ctx, q Reg, i, n int, pixel, ch Reg) {
	c.I("mad.lo.u32", c.t1, pixel, c.Param("srcc"), ch)
	load := func(dst Vec, base Reg) {
		c.I("mad.wide.u32", s.address, c.t1, 4, base)
		if n == 4 {
			c.If(q, "ld.global.v4.f32", dst[i:i+4], At{s.address, 0})
		} else {
			c.If(q, "ld.global.f32", dst[i], At{s.address, 0})
		}
	}
	load(s.v, c.Param(s.p))
	if s.pro == plain {
		return
	}
	c.If(q, "or.b32", s.ok, s.ok, (1<<n-1)<<i)
	c.divide(c.t0, pixel, s.kind()+"group")
	c.I("mad.lo.u32", c.t0, c.t0, c.Param(s.kind()+"width"), ch)
	c.I("mad.lo.u32", c.t0, c.group, c.Param("z"+s.p), c.t0)
	c.If(q, "mov.u32", s.co[i], c.t0)
	if s.pro == bnBackward {
		c.I("mad.lo.u32", c.t1, c.group, c.Param("z"+s.p), c.t1)
		load(s.x, c.Param("px"))
		c.I("setp.ne.u64", c.p1, c.Param("pmask"), 0)
		c.I("and.pred", q, c.p1, q)
		load(s.mask, c.Param("pmask"))
	}
}

func (o *gatherK) store(c *ctx) { o.storeK(c) }

// gatherRows reads the input of a convolution as B [pixels, (kh,kw,c)]: the
// columns (th, tw, c) of a thread stay, its pixels k = (n, i, j) advance.
type gatherRows struct {
	*side
	dy, dx, ch Vec
	k, left    Reg
}

func (o *gatherRows) setup(c *ctx) {
	c.Note("b: gathered pixels, vectors along (th,tw,c) at pixel tid/%d", o.rows/4)
	quad, kr := o.placeRows(c)
	o.pointer(c)
	o.dy, o.dx, o.ch = c.Regs("b32", "bdy", 4), c.Regs("b32", "bdx", 4), c.Regs("b32", "bch", 4)
	o.k, o.left = kr, c.B32("bleft")
	c.I("add.u32", kr, kr, c.kbeg)
	c.I("add.u32", quad, quad, o.tile(c))
	c.I("sub.u32", o.left, o.limit(c), quad)
	for e := range 4 {
		c.tap(quad, o.dy[e], o.dx[e], o.ch[e])
		c.I("add.u32", o.dy[e], o.dy[e], c.Param("offh"))
		c.I("add.u32", o.dx[e], o.dx[e], c.Param("offw"))
		c.I("add.u32", quad, quad, 1)
	}
}

func (o *gatherRows) load(c *ctx) {
	img, i, j, ke := c.b32Once("bimg"), c.b32Once("brow"), c.b32Once("bcol"), c.b32Once("bke")
	in := c.predOnce("bin")
	o.clear(c)
	for pass := range 2 {
		scalar, done := c.Label("SCALAR"), c.Label("LOADED")
		c.I("add.u32", ke, o.k, 8*pass)
		c.I("setp.lt.u32", o.q[pass], ke, c.kend)
		c.divide(img, ke, "area")
		c.I("mul.lo.u32", c.t0, img, c.Param("area"))
		c.I("sub.u32", c.t0, ke, c.t0)
		c.divide(i, c.t0, "roww")
		c.I("mul.lo.u32", c.t1, i, c.Param("roww"))
		c.I("sub.u32", c.t0, c.t0, c.t1)
		c.I("mul.lo.u32", i, i, c.Param("strideh"))
		c.I("mul.lo.u32", j, c.t0, c.Param("stridew"))
		c.I("mul.lo.u32", img, img, c.Param("srch"))
		element := func(e, n int) {
			c.I("setp.gt.s32", in, o.left, e)
			c.I("and.pred", in, in, o.q[pass])
			c.I("add.u32", o.r0, i, o.dy[e])
			c.I("setp.lt.and.u32", in, o.r0, c.Param("srch"), in)
			c.I("add.u32", o.r1, j, o.dx[e])
			c.I("setp.lt.and.u32", in, o.r1, c.Param("srcw"), in)
			c.I("add.u32", o.r0, o.r0, img)
			c.I("mad.lo.u32", o.r0, o.r0, c.Param("srcw"), o.r1)
			o.fetch(c, in, 4*pass+e, n, o.r0, o.ch[e])
		}
		c.Unless(o.vec, "bra", scalar)
		element(0, 4)
		c.I("bra", done)
		c.Here(scalar)
		for e := range 4 {
			element(e, 1)
		}
		c.Here(done)
	}
	c.I("add.u32", o.k, o.k, bk)
}

func (o *gatherRows) store(c *ctx) { o.storeRows(c) }

// weightRows reads the weight of an input gradient as B [k, c]: k = (th, tw,
// oc) stands at wbase + oc*wof + th*wth + tw*wtw, c contiguous.
type weightRows struct {
	*side
	k, first, left Reg
}

func (o *weightRows) setup(c *ctx) {
	c.Note("b: the weight's (th,tw,oc) at k = tid/%d, vectors along c", o.rows/4)
	quad, kr := o.placeRows(c)
	o.pointer(c)
	o.left = c.B32("bleft")
	c.I("add.u32", quad, quad, o.tile(c))
	c.I("sub.u32", o.left, o.limit(c), quad)
	c.I("add.u32", quad, quad, c.Param("wbase"))
	c.I("add.u32", kr, kr, c.kbeg)
	o.k, o.first = kr, quad
}

func (o *weightRows) load(c *ctx) {
	ke, ch, in := c.b32Once("bke"), c.b32Once("bch"), c.predOnce("bin")
	o.clear(c)
	for pass := range 2 {
		scalar, done := c.Label("SCALAR"), c.Label("LOADED")
		c.I("add.u32", ke, o.k, 8*pass)
		c.I("setp.lt.u32", o.q[pass], ke, c.kend)
		c.divide(c.t0, ke, "ck")
		c.I("mul.lo.u32", c.t1, c.t0, c.Param("ck"))
		c.I("sub.u32", ch, ke, c.t1)
		c.divide(o.r0, c.t0, "tw")
		c.I("mul.lo.u32", c.t1, o.r0, c.Param("tw"))
		c.I("sub.u32", c.t0, c.t0, c.t1)
		c.I("mad.lo.u32", ch, ch, c.Param("wof"), o.first)
		c.I("mad.lo.u32", ch, o.r0, c.Param("wth"), ch)
		c.I("mad.lo.u32", ch, c.t0, c.Param("wtw"), ch)
		c.I("mad.wide.u32", o.address, ch, 4, c.Param("b"))
		c.Unless(o.vec, "bra", scalar)
		c.I("setp.gt.s32", in, o.left, 0)
		c.I("and.pred", in, in, o.q[pass])
		c.If(in, "ld.global.v4.f32", o.v[4*pass:4*pass+4], At{o.address, 0})
		c.I("bra", done)
		c.Here(scalar)
		for e := range 4 {
			c.I("setp.gt.s32", in, o.left, e)
			c.I("and.pred", in, in, o.q[pass])
			c.If(in, "ld.global.f32", o.v[4*pass+e], At{o.address, 4 * e})
		}
		c.Here(done)
	}
	c.I("add.u32", o.k, o.k, bk)
}

func (o *weightRows) store(c *ctx) { o.storeRows(c) }

func (c *ctx) b32Once(name string) Reg {
	if !c.names[name] {
		return c.B32(name)
	}
	return Reg(fmt.Sprintf("%%%s", name))
}
