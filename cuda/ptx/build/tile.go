package main

import "fmt"

// tile is the shape of one block's work: BM x BN of C, BK of k a step.
type tile struct {
	BM, BN  int
	threads int
	TM, TN  int // of a thread (SIMT); 4 wide pieces
	tf32    bool
}

// The tiles. Threads are always BM*BK/8, so that each loads two vectors of
// each operand a step; 2*BN of them, so that the sums of a tile have one each.
const bk = 16

var (
	f32x128  = tile{BM: 128, BN: 128, threads: 256, TM: 8, TN: 8}
	f32x64   = tile{BM: 64, BN: 64, threads: 128, TM: 8, TN: 4}
	f32x32   = tile{BM: 32, BN: 32, threads: 64, TM: 4, TN: 4}
	tf32x128 = tile{BM: 128, BN: 128, threads: 256, TM: 64, TN: 32, tf32: true}
	tf32x64  = tile{BM: 64, BN: 64, threads: 128, TM: 32, TN: 32, tf32: true}
)

func (t tile) number() string {
	if t.tf32 {
		return "tf32"
	}
	return "f32"
}

func (t tile) suffix() string { return fmt.Sprintf("_%s_%d", t.number(), t.BM) }

// pieceRows are the rows of C that pass through shared memory at a time.
func (t tile) pieceRows() int { return max(32, t.BM/2) }

func (t tile) ring() int { return 2 * t.stage() }

// stage is the bytes of one step's A and B.
func (t tile) stage() int { return (t.BM + t.BN) * bk * 4 }

// The bits of the parameter flags.
const (
	flagVecA = 1 << iota
	flagVecB
	flagVecC
	flagAccumulate
	flagReLU
	flagReLUA // of the prologue of A
	flagReLUB
)

// tileParams are the arguments of every tile kernel, in order; a kernel reads
// those that concern it. gemmargs.go of package cuda fills them.
var tileParams = []Param{
	{"u64", "c"}, {"u64", "a"}, {"u64", "b"},
	{"u64", "bias"}, {"u64", "resid"}, {"u64", "part"}, {"u64", "shift"},
	{"u64", "pa"}, {"u64", "pb"}, {"u64", "pc"}, {"u64", "px"}, {"u64", "pmask"}, {"u64", "pscale"}, {"u64", "pshift"},
	{"u64", "qa"}, {"u64", "qb"},
	{"u64", "splitstride"},
	{"u32", "m"}, {"u32", "n"}, {"u32", "k"}, {"u32", "ksplit"},
	{"u32", "tilesm"}, {"u32", "tilesn"},
	{"u32", "lda"}, {"u32", "ldb"}, {"u32", "ldc"}, {"u32", "ldr"},
	{"u32", "flags"},
	{"u32", "group"}, {"u32", "pergroup"}, {"u32", "slots"}, {"u32", "ldpart"},
	{"u32", "za"}, {"u32", "zb"}, {"u32", "zc"},
	{"u32", "pwidth"}, {"u32", "pgroupmul"}, {"u32", "pgroupshift"},
	{"u32", "qwidth"}, {"u32", "qgroupmul"}, {"u32", "qgroupshift"},
}

// convParams follow in the convolution kernels.
var convParams = []Param{
	{"u32", "srch"}, {"u32", "srcw"}, {"u32", "srcc"},
	{"s32", "strideh"}, {"s32", "stridew"}, {"s32", "offh"}, {"s32", "offw"}, {"s32", "dilh"}, {"s32", "dilw"},
	{"u32", "area"}, {"u32", "areamul"}, {"u32", "areashift"},
	{"u32", "roww"}, {"u32", "rowwmul"}, {"u32", "rowwshift"},
	{"u32", "ck"}, {"u32", "ckmul"}, {"u32", "ckshift"},
	{"u32", "tw"}, {"u32", "twmul"}, {"u32", "twshift"},
	{"u32", "wof"}, {"u32", "wth"}, {"u32", "wtw"}, {"u32", "wbase"},
	{"u32", "outarea"}, {"u32", "outw"}, {"u32", "outsh"}, {"u32", "outsw"}, {"u32", "outh0"}, {"u32", "outw0"},
}

// ctx is a kernel under construction with what all its parts share.
type ctx struct {
	*Kernel
	tile
	tid, smem      Reg
	tileM, tileN   Reg // first row and column of the block's tile
	split, group   Reg // ctaid.y, ctaid.z
	kbeg, kend     Reg
	steps          Reg // of k
	stage          Reg // byte offset of the stage that is read: 0 or stage()
	fill           Reg // of the stage that is filled
	vecA, vecB     Reg
	mapRow         bool // rows of C are scattered (an input gradient's parity class)
	t0, t1         Reg  // scratch, dead after each use
	p0, p1         Reg
	w0, w1         Reg
	v0, v1, v2, v3 Reg
}

// begin declares what is common and finds the block's place.
func begin(k *Kernel, t tile) *ctx {
	c := &ctx{Kernel: k, tile: t}
	c.tid, c.smem = k.B32("thread"), k.B32("smembase")
	c.tileM, c.tileN = k.B32("tilem"), k.B32("tilen")
	c.split, c.group = k.B32("split"), k.B32("convgroup")
	c.kbeg, c.kend, c.steps = k.B32("kbeg"), k.B32("kend"), k.B32("steps")
	c.stage, c.fill = k.B32("stage"), k.B32("fill")
	c.t0, c.t1, c.p0, c.p1, c.w0, c.w1 = k.B32("t0"), k.B32("t1"), k.Pred("p0"), k.Pred("p1"), k.B64("w0"), k.B64("w1")
	c.v0, c.v1, c.v2, c.v3 = k.F32("v0"), k.F32("v1"), k.F32("v2"), k.F32("v3")
	c.vecA, c.vecB = k.Pred("veca"), k.Pred("vecb")

	k.I("mov.u32", c.tid, "%tid.x")
	k.I("mov.u32", c.split, "%ctaid.y")
	k.I("mov.u32", c.group, "%ctaid.z")
	k.I("mov.u32", c.smem, "smem")
	k.place(c.tileM, c.tileN, c.t0, c.t1, t.BM, t.BN)
	k.Note("k range of the split")
	kk, ks := k.Param("k"), k.Param("ksplit")
	k.I("mul.lo.u32", c.kbeg, c.split, ks)
	k.I("add.u32", c.kend, c.kbeg, ks)
	k.I("min.u32", c.kend, c.kend, kk)
	k.I("sub.u32", c.steps, c.kend, c.kbeg)
	k.I("add.u32", c.steps, c.steps, bk-1)
	k.I("shr.u32", c.steps, c.steps, 4)
	c.testFlag(c.vecA, flagVecA)
	c.testFlag(c.vecB, flagVecB)
	return c
}

// place finds the first row and column of the block's tile: blocks walk over
// groups of 8 row tiles, column tiles inside, so that what is in flight at
// once shares both operands in L2.
func (k *Kernel) place(tileM, tileN, t0, t1 Reg, bm, bn int) {
	k.Note("place of the block: groups of 8 row tiles, columns inside a group")
	tm, tn := k.Param("tilesm"), k.Param("tilesn")
	id, band, size := k.B32("id"), k.B32("band"), k.B32("bandrows")
	k.I("mov.u32", id, "%ctaid.x")
	k.I("shl.b32", t0, tn, 3)
	k.I("div.u32", band, id, t0)
	k.I("mul.lo.u32", t1, band, t0)
	k.I("sub.u32", id, id, t1)
	k.I("shl.b32", band, band, 3)
	k.I("sub.u32", size, tm, band)
	k.I("min.u32", size, size, 8)
	k.I("div.u32", tileN, id, size)
	k.I("mul.lo.u32", t1, tileN, size)
	k.I("sub.u32", id, id, t1)
	k.I("add.u32", tileM, band, id)
	k.I("mul.lo.u32", tileM, tileM, bm)
	k.I("mul.lo.u32", tileN, tileN, bn)
}

// testFlag sets p where the bit of flags is set.
func (c *ctx) testFlag(p Reg, bit int) {
	c.I("and.b32", c.t0, c.Param("flags"), bit)
	c.I("setp.ne.u32", p, c.t0, 0)
}

// divide is q = n / d by the multiplier and shift that fastDivide of package
// cuda gives for d: q = (n*mul) >> shift, exact below 2^31.
func (c *ctx) divide(q, n Reg, d string) {
	c.I("mul.wide.u32", c.w0, n, c.Param(d+"mul"))
	c.I("shr.u64", c.w0, c.w0, c.Param(d+"shift"))
	c.I("cvt.u32.u64", q, c.w0)
}

// operand is how one side of the product comes from global memory into the
// stage [bk][rows] of shared memory. Element (k, r) stands at word
// k*rows + (r ^ 8*((k ^ k>>2)&3)): with that swizzle neither a warp that
// stores 8 rows of 4 vectors along k, nor one that stores vectors along r, nor
// the tensor core's fragment (4 k by 8 r) meets a bank twice.
type operand interface {
	setup(c *ctx)
	load(c *ctx)  // the next step into registers
	store(c *ctx) // prologue, zeros outside, into the stage fill
}

// mainLoop runs over two stages: a turn brings step t into registers, multiplies
// step t-1 and then stores step t, so that memory has a whole multiplication to
// answer in. The first turn has nothing to multiply, the last nothing to load.
func (c *ctx) mainLoop(a, b operand, multiply func()) {
	loop, loaded, multiplied, done := c.Label("TURN"), c.Label("NOLOAD"), c.Label("NOPRODUCT"), c.Label("DONE")
	any, first := c.Pred("any"), c.Pred("first")
	c.I("mov.u32", c.stage, c.tile.stage())
	c.I("mov.u32", c.fill, 0)
	c.I("setp.eq.u32", c.p0, c.steps, 0)
	c.If(c.p0, "bra", done)
	c.I("setp.eq.u32", first, c.steps, c.steps)
	c.Here(loop)
	c.I("setp.ne.u32", any, c.steps, 0)
	c.Unless(any, "bra", loaded)
	a.load(c)
	b.load(c)
	c.Here(loaded)
	c.If(first, "bra", multiplied)
	multiply()
	c.Here(multiplied)
	c.Unless(any, "bra", done)
	a.store(c)
	b.store(c)
	c.I("xor.b32", c.stage, c.stage, c.tile.stage())
	c.I("xor.b32", c.fill, c.fill, c.tile.stage())
	c.I("setp.ne.u32", first, c.steps, c.steps)
	c.I("sub.u32", c.steps, c.steps, 1)
	c.I("bar.sync", 0)
	c.I("bra", loop)
	c.Here(done)
	c.I("bar.sync", 0)
}
