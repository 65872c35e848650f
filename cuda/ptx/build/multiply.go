package main

// simt multiplies a stage on the FP32 lanes: thread (tx, ty) owns rows
// ty*4+i (+BM/2) and columns tx*4+j (+BN/2), a warp 4 by 8 threads. A step of k
// reads TM/4 + TN/4 vectors and does TM*TN fused multiply-adds.
type simt struct {
	acc    Vec
	fa, fb Vec // fragments
	ra, rb Vec // addresses with the four swizzles
	a0, b0 Reg
	half   Reg // of the step
	e      Reg // where the thread's corner of C stands in a piece
}

func newSIMT(c *ctx) *simt {
	m := &simt{acc: c.Regs("f32", "acc", c.TM*c.TN), fa: c.Regs("f32", "fa", c.TM), fb: c.Regs("f32", "fb", c.TN),
		ra: c.Regs("b32", "ra", 4), rb: c.Regs("b32", "rb", 4), a0: c.B32("abase"), b0: c.B32("bbase"), e: c.B32("corner"), half: c.B32("half")}
	tx, ty, lane, warp := c.B32("tx"), c.B32("ty"), c.B32("lane"), c.B32("warp")
	warps := c.BN / c.TN / 8 // in x
	c.Note("thread (tx,ty): a warp is 8 by 4 threads, %d warps side by side", warps)
	c.I("and.b32", lane, c.tid, 31)
	c.I("shr.u32", warp, c.tid, 5)
	c.I("and.b32", tx, warp, warps-1)
	c.I("shr.u32", ty, warp, log2(warps))
	c.I("shl.b32", tx, tx, 3)
	c.I("and.b32", c.t0, lane, 7)
	c.I("add.u32", tx, tx, c.t0)
	c.I("shl.b32", ty, ty, 2)
	c.I("shr.u32", c.t0, lane, 3)
	c.I("add.u32", ty, ty, c.t0)
	c.I("mad.lo.u32", m.a0, ty, 16, c.smem)
	c.I("mad.lo.u32", m.b0, tx, 16, c.smem)
	c.I("mad.lo.u32", m.e, ty, 4*c.BN*4, m.b0)
	c.I("add.u32", m.b0, m.b0, c.BM*bk*4)
	for _, r := range m.acc {
		c.I("mov.f32", r, "0f00000000")
	}
	return m
}

func (m *simt) multiply(c *ctx) {
	c.I("add.u32", m.ra[0], m.a0, c.stage)
	c.I("add.u32", m.rb[0], m.b0, c.stage)
	for i := 1; i < 4; i++ {
		c.I("xor.b32", m.ra[i], m.ra[0], i<<5)
		c.I("xor.b32", m.rb[i], m.rb[0], i<<5)
	}
	c.Note("twice 8 of k; the second half stands 8 rows down, its swizzle turned by 2")
	half, done := c.Label("HALF"), c.Label("MULTIPLIED")
	c.I("mov.u32", m.half, 0)
	c.Here(half)
	for k := range bk / 2 {
		s := (k ^ k>>2) & 3
		for p := 0; p < c.TM; p += 4 {
			c.I("ld.shared.v4.f32", m.fa[p:p+4], At{m.ra[s], k*c.BM*4 + p/4*c.BM/2*4})
		}
		for p := 0; p < c.TN; p += 4 {
			c.I("ld.shared.v4.f32", m.fb[p:p+4], At{m.rb[s], k*c.BN*4 + p/4*c.BN/2*4})
		}
		for i := range c.TM {
			for j := range c.TN {
				a := m.acc[i*c.TN+j]
				c.I("fma.rn.f32", a, m.fa[i], m.fb[j], a)
			}
		}
	}
	c.I("setp.ne.u32", c.p0, m.half, 0)
	c.If(c.p0, "bra", done)
	for i := range 4 {
		for _, r := range []struct {
			r    Reg
			down int
		}{{m.ra[i], 8 * c.BM * 4}, {m.rb[i], 8 * c.BN * 4}} {
			c.I("xor.b32", r.r, r.r, 64)
			c.I("add.u32", r.r, r.r, r.down)
		}
	}
	c.I("mov.u32", m.half, 1)
	c.I("bra", half)
	c.Here(done)
}

// spill puts rows [p*pieceRows, ...) of the tile into shared memory, row by row
// of BN words whose vectors are exchanged by (row%4)*2.
func (m *simt) spill(c *ctx, p int) {
	for i := range 4 {
		c.I("xor.b32", c.t0, m.e, i<<5)
		for j := 0; j < c.TN; j += 4 {
			at := (p*4+i)*c.TN + j
			c.I("st.shared.v4.f32", At{c.t0, i*c.BN*4 + j/4*c.BN/2*4}, m.acc[at:at+4])
		}
	}
}

// tensor multiplies a stage on the tensor cores: mma.sync m16n8k8 in TF32
// with FP32 sums. Lane 4g+t of a warp holds a0..a3 = A[g][t], A[g+8][t],
// A[g][t+4], A[g+8][t+4], b0, b1 = B[t][g], B[t+4][g] and c0..c3 = C[g][2t],
// C[g][2t+1], C[g+8][2t], C[g+8][2t+1] (PTX ISA, matrix fragments for m16n8k8).
type tensor struct {
	acc    Vec
	fa, fb Vec
	ra, rb Vec
	a0, b0 Reg
	e      Reg
	mine   Reg // warp row
}

func newTensor(c *ctx) *tensor {
	mt, nt := c.TM/16, c.TN/8
	m := &tensor{acc: c.Regs("f32", "acc", mt*nt*4), fa: c.Regs("b32", "fa", 4*mt), fb: c.Regs("b32", "fb", 2*nt),
		ra: c.Regs("b32", "ra", 4), rb: c.Regs("b32", "rb", 4), a0: c.B32("abase"), b0: c.B32("bbase"), e: c.B32("corner"), mine: c.B32("wm")}
	wn, g, t := c.B32("wn"), c.B32("g"), c.B32("t")
	wide := c.BN / c.TN
	c.Note("warp (wm,wn) owns %d x %d of C; lane 4g+t", c.TM, c.TN)
	c.I("shr.u32", c.t0, c.tid, 5)
	c.I("and.b32", wn, c.t0, wide-1)
	c.I("shr.u32", m.mine, c.t0, log2(wide))
	c.I("and.b32", t, c.tid, 3)
	c.I("shr.u32", g, c.tid, 2)
	c.I("and.b32", g, g, 7)
	for _, o := range []struct {
		r, w Reg
		wide int
		rows int
		base int
	}{{m.a0, m.mine, c.TM, c.BM, 0}, {m.b0, wn, c.TN, c.BN, c.BM * bk * 4}} {
		c.I("mul.lo.u32", o.r, o.w, o.wide*4)
		c.I("mad.lo.u32", o.r, g, 4, o.r)
		c.I("shl.b32", c.t0, t, 5)
		c.I("xor.b32", o.r, o.r, c.t0)
		c.I("mad.lo.u32", o.r, t, o.rows*4, o.r)
		c.I("add.u32", o.r, o.r, c.smem)
		c.I("add.u32", o.r, o.r, o.base)
	}
	c.Note("corner of C in a piece: row g, columns 2t of the warp, exchanged by g%%4")
	c.I("shl.b32", m.e, t, 3)
	c.I("and.b32", c.t0, g, 3)
	c.I("shl.b32", c.t0, c.t0, 5)
	c.I("xor.b32", m.e, m.e, c.t0)
	c.I("mad.lo.u32", m.e, wn, c.TN*4, m.e)
	c.I("mad.lo.u32", m.e, g, c.BN*4, m.e)
	c.I("add.u32", m.e, m.e, c.smem)
	for _, r := range m.acc {
		c.I("mov.f32", r, "0f00000000")
	}
	return m
}

func (m *tensor) multiply(c *ctx) {
	c.I("add.u32", m.ra[0], m.a0, c.stage)
	c.I("add.u32", m.rb[0], m.b0, c.stage)
	for i := 1; i < 4; i++ {
		c.I("xor.b32", m.ra[i], m.ra[0], i<<5)
		c.I("xor.b32", m.rb[i], m.rb[0], i<<5)
	}
	mt, nt := c.TM/16, c.TN/8
	for kk := 0; kk < bk; kk += 8 {
		for i := range mt {
			for f := range 4 {
				quad, half := kk/4+f/2, f%2 // k = 4*quad + t, row + 8*half
				c.I("ld.shared.b32", m.fa[4*i+f], At{m.ra[(quad^half^i<<1)&3], quad*4*c.BM*4 + i/2*128})
			}
		}
		for j := range nt {
			for f := range 2 {
				quad := kk/4 + f
				c.I("ld.shared.b32", m.fb[2*j+f], At{m.rb[(quad^j)&3], quad*4*c.BN*4 + j/4*128})
			}
		}
		for i := range mt {
			for j := range nt {
				a := m.acc[(i*nt+j)*4 : (i*nt+j)*4+4]
				c.I("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", a, m.fa[4*i:4*i+4], m.fb[2*j:2*j+2], a)
			}
		}
	}
}

func (m *tensor) spill(c *ctx, p int) {
	other := c.Label("NOTMINE")
	c.I("setp.ne.u32", c.p0, m.mine, p)
	c.If(c.p0, "bra", other)
	mt, nt := c.TM/16, c.TN/8
	for j := range nt {
		c.I("xor.b32", c.t0, m.e, j<<5)
		for i := range mt {
			a := m.acc[(i*nt+j)*4:]
			c.I("st.shared.v2.f32", At{c.t0, i * 16 * c.BN * 4}, a[:2])
			c.I("st.shared.v2.f32", At{c.t0, (i*16 + 8) * c.BN * 4}, a[2:4])
		}
	}
	c.Here(other)
}
