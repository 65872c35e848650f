package main

import "fmt"

// The BF16 product: tiles of 128 x 128, 4 warps of 64 x 64, a ring of three
// stages of 32 of k. Nothing happens to an operand on its way in, so cp.async
// writes shared memory itself and no register waits for memory.
const (
	bf16Tile  = 128
	bf16Warp  = 64
	bf16K     = 32
	bf16Ring  = 3
	bf16Side  = bf16Tile * bf16K * 2 // bytes of A, or of B, in a stage
	bf16Stage = 2 * bf16Side
)

const bf16Header = `Printed by build (go generate); do not edit.

gemm_bf16 on the tensor cores: C[M,N] (+)= A[M,K] B[K,N], A and B BFloat16, C
and all sums Float32. K and N are multiples of 8, rows of A and B begin on 16
bytes; grid (tiles). A row or column outside is the last one read once more,
and not stored; k outside is zero, which cp.async writes for a source size of 0.

Stage of A, and of B^T: [128 rows][32 of k], 4 chunks of 16 bytes a row, chunk c
of row r at place c ^ (r>>1)&3. Stage of B: [32 of k][128 columns], 16 chunks a
row, chunk c of row r at c ^ r&7. So neither the quarter warps of cp.async nor
the eight rows of an ldmatrix meet a bank twice.

A turn: read the second half of the stage, send for the stage after next,
multiply the first half, wait for the next stage, read its first half, multiply
the second. Each half's fragments are read while the other half is multiplied.

Source: own; fragment layouts of ldmatrix and mma.sync from the PTX ISA.`

// gemmBF16 prints the kernel for B[K,N], or for B^T[N,K].
func gemmBF16(transB bool) *Kernel {
	name := "gemm_bf16_nn"
	if transB {
		name = "gemm_bf16_nt"
	}
	k := NewKernel(name, 128)
	k.MinCTA = 2
	k.Params = []Param{
		{"u64", "c"}, {"u64", "a"}, {"u64", "b"}, {"u32", "m"}, {"u32", "n"}, {"u32", "k"},
		{"u32", "tilesm"}, {"u32", "tilesn"}, {"u32", "lda"}, {"u32", "ldb"}, {"u32", "ldc"}, {"u32", "accumulate"},
	}
	k.Shared = []Shared{{"smem", bf16Ring * bf16Stage, 128}}
	k.Header = []string{
		fmt.Sprintf("%s: %d x %d of C a block, 128 threads, %d of k a step", name, bf16Tile, bf16Tile, bf16K),
		fmt.Sprintf("warp %d x %d; a step: 64 mma.sync m16n8k16, 16 ldmatrix.x4 and 8 cp.async a thread", bf16Warp, bf16Warp),
		fmt.Sprintf("a step of the block: %d FLOP, %d bytes from global memory, %d FLOP a byte", 2*bf16Tile*bf16Tile*bf16K, bf16Stage, 2*bf16Tile*bf16Tile*bf16K/bf16Stage),
		fmt.Sprintf("shared: %d stages of %d bytes; no bank conflicts", bf16Ring, bf16Stage),
		"lane 4g+t: acc[(i*8+j)*4+f] is row 16*i+8*(f/2)+g, column 8*j+2*t+f%2 of the warp",
	}
	b := &bf16{Kernel: k, transB: transB}
	b.begin()
	b.copies()
	b.fragments()
	b.loop()
	b.store()
	return k
}

// bf16 is the kernel under construction.
type bf16 struct {
	*Kernel
	transB       bool
	t0, t1       Reg // scratch
	p            Reg
	tileM, tileN Reg
	tid, smem    Reg
	lane, wm, wn Reg

	ga, gb       Vec // where the thread's next chunks come from
	stepB        Reg // bytes from a stage's B to the next, when it is not B^T
	toA, toB     Reg // where they go in stage 0
	size         Reg // 16, or 0 outside k
	leftA, leftB Reg // k that is left from the thread's first chunk on
	fill, stage  Reg // byte offsets of the stages that are filled and read
	steps        Reg
	atA, atB     Reg // rows of the lane in stage 0
	rb           Vec
	acc          Vec
	fa, fb       [2]Vec // fragments of the halves of a stage
}

func (b *bf16) begin() {
	b.t0, b.t1, b.p = b.B32("t0"), b.B32("t1"), b.Pred("p")
	b.tileM, b.tileN = b.B32("tilem"), b.B32("tilen")
	b.tid, b.smem = b.B32("thread"), b.B32("smembase")
	b.I("mov.u32", b.tid, "%tid.x")
	b.I("mov.u32", b.smem, "smem")
	b.place(b.tileM, b.tileN, b.t0, b.t1, bf16Tile, bf16Tile)
	b.steps = b.B32("steps")
	b.I("add.u32", b.steps, b.Param("k"), bf16K-1)
	b.I("shr.u32", b.steps, b.steps, log2(bf16K))
}

// copies finds the thread's four chunks of each operand, 32 rows apart or, of
// B without B^T, 8 of k.
func (b *bf16) copies() {
	row, chunk := b.B32("row"), b.B32("chunk")
	wide := b.B64("wide")
	b.size, b.fill = b.B32("size"), b.B32("fill")
	b.I("mov.u32", b.fill, 0)

	// alongK is an operand whose rows lie along k.
	alongK := func(name string, first Reg, ld, rows string, base int) (from Vec, to, left Reg) {
		from, to, left = b.Regs("b64", "from"+name, 4), b.B32("to"+name), b.B32("left"+name)
		b.Note("%s: thread copies chunk tid%%4 of rows tid/4 + 32*i", name)
		b.I("shr.u32", row, b.tid, 2)
		b.I("and.b32", chunk, b.tid, 3)
		b.I("shl.b32", b.t0, chunk, 3)
		b.I("sub.s32", left, b.Param("k"), b.t0)
		b.I("shr.u32", b.t0, row, 1)
		b.I("and.b32", b.t0, b.t0, 3)
		b.I("xor.b32", b.t0, b.t0, chunk)
		b.I("shl.b32", b.t0, b.t0, 4)
		b.I("mad.lo.u32", to, row, 64, b.t0)
		b.I("add.u32", to, to, b.smem)
		b.I("add.u32", to, to, base)
		b.I("add.u32", row, row, first)
		b.I("sub.u32", b.t1, b.Param(rows), 1)
		b.I("mul.wide.u32", wide, chunk, 8)
		for i := range from {
			b.I("add.u32", b.t0, row, 32*i)
			b.I("min.u32", b.t0, b.t0, b.t1)
			b.I("mul.wide.u32", from[i], b.t0, b.Param(ld))
			b.I("add.u64", from[i], from[i], wide)
			b.I("shl.b64", from[i], from[i], 1)
			b.I("add.u64", from[i], from[i], b.Param(name))
		}
		return from, to, left
	}
	b.ga, b.toA, b.leftA = alongK("a", b.tileM, "lda", "m", 0)
	if b.transB {
		b.gb, b.toB, b.leftB = alongK("b", b.tileN, "ldb", "n", bf16Side)
		return
	}
	b.gb, b.toB, b.leftB, b.stepB = b.Regs("b64", "fromb", 4), b.B32("tob"), b.B32("leftb"), b.B64("stepb")
	b.Note("b: thread copies chunk tid%%16 of k = tid/16 + 8*i")
	b.I("shr.u32", row, b.tid, 4)
	b.I("and.b32", chunk, b.tid, 15)
	b.I("sub.s32", b.leftB, b.Param("k"), row)
	b.I("xor.b32", b.t0, row, chunk)
	b.I("shl.b32", b.t0, b.t0, 4)
	b.I("mad.lo.u32", b.toB, row, 256, b.t0)
	b.I("add.u32", b.toB, b.toB, b.smem)
	b.I("add.u32", b.toB, b.toB, bf16Side)
	b.I("mad.lo.u32", chunk, chunk, 8, b.tileN)
	b.I("sub.u32", b.t1, b.Param("n"), 8)
	b.I("min.u32", chunk, chunk, b.t1)
	b.I("cvt.u64.u32", wide, chunk)
	for i := range b.gb {
		b.I("add.u32", b.t0, row, 8*i)
		b.I("mul.wide.u32", b.gb[i], b.t0, b.Param("ldb"))
		b.I("add.u64", b.gb[i], b.gb[i], wide)
		b.I("shl.b64", b.gb[i], b.gb[i], 1)
		b.I("add.u64", b.gb[i], b.gb[i], b.Param("b"))
	}
	b.I("mul.wide.u32", b.stepB, b.Param("ldb"), 2*bf16K)
}

// send starts the copies of the next stage. Beyond k it writes zeros, so that
// the loop needs no end of its own for them.
func (b *bf16) send() {
	const op = "cp.async.cg.shared.global"
	inside := func(left Reg, above int) {
		b.I("setp.gt.s32", b.p, left, above)
		b.I("selp.b32", b.size, 16, 0, b.p)
	}
	b.I("add.u32", b.t0, b.toA, b.fill)
	inside(b.leftA, 0)
	for i, from := range b.ga {
		b.I(op, At{b.t0, i * 2048}, At{from, 0}, 16, b.size)
		b.I("add.u64", from, from, 2*bf16K)
	}
	b.I("add.u32", b.t0, b.toB, b.fill)
	if b.transB {
		inside(b.leftB, 0)
	}
	for i, from := range b.gb {
		if !b.transB {
			inside(b.leftB, 8*i)
		}
		b.I(op, At{b.t0, i * 2048}, At{from, 0}, 16, b.size)
		if b.transB {
			b.I("add.u64", from, from, 2*bf16K)
		} else {
			b.I("add.u64", from, from, b.stepB)
		}
	}
	b.I("sub.s32", b.leftA, b.leftA, bf16K)
	b.I("sub.s32", b.leftB, b.leftB, bf16K)
	b.I("cp.async.commit_group")
	b.next(b.fill)
}

// next goes round the ring.
func (b *bf16) next(stage Reg) {
	b.I("add.u32", stage, stage, bf16Stage)
	b.I("setp.eq.u32", b.p, stage, bf16Ring*bf16Stage)
	b.If(b.p, "mov.u32", stage, 0)
}

// fragments finds the rows that the lane names to ldmatrix.
func (b *bf16) fragments() {
	b.lane, b.wm, b.wn = b.B32("lane"), b.B32("wm"), b.B32("wn")
	b.atA, b.atB, b.stage = b.B32("ata"), b.B32("atb"), b.B32("stage")
	b.Note("warp (wm,wn) owns 64 x 64 of C")
	b.I("mov.u32", b.stage, 0)
	b.I("and.b32", b.lane, b.tid, 31)
	b.I("shr.u32", b.t0, b.tid, 5)
	b.I("and.b32", b.wm, b.t0, 1)
	b.I("shr.u32", b.wn, b.t0, 1)

	// swizzled is the place of chunk t1 of the lane's row in at.
	swizzled := func(at Reg, base int) {
		b.I("shr.u32", b.t0, at, 1)
		b.I("and.b32", b.t0, b.t0, 3)
		b.I("xor.b32", b.t0, b.t0, b.t1)
		b.I("shl.b32", b.t0, b.t0, 4)
		b.I("mad.lo.u32", at, at, 64, b.t0)
		b.I("add.u32", at, at, b.smem)
		b.I("add.u32", at, at, base)
	}
	b.Note("ldmatrix of A: rows lane%%16, chunk lane/16")
	b.I("and.b32", b.atA, b.lane, 15)
	b.I("mad.lo.u32", b.atA, b.wm, bf16Warp, b.atA)
	b.I("shr.u32", b.t1, b.lane, 4)
	swizzled(b.atA, 0)
	if b.transB {
		b.Note("ldmatrix of B^T: rows lane%%8 + lane/16*8, chunk lane/8%%2")
		b.I("and.b32", b.atB, b.lane, 7)
		b.I("shr.u32", b.t0, b.lane, 4)
		b.I("mad.lo.u32", b.atB, b.t0, 8, b.atB)
		b.I("mad.lo.u32", b.atB, b.wn, bf16Warp, b.atB)
		b.I("shr.u32", b.t1, b.lane, 3)
		b.I("and.b32", b.t1, b.t1, 1)
		swizzled(b.atB, bf16Side)
	} else {
		b.Note("ldmatrix.trans of B: k = lane%%16, chunk wn*8 + lane/16")
		b.I("shr.u32", b.t0, b.lane, 4)
		b.I("mad.lo.u32", b.t0, b.wn, 8, b.t0)
		b.I("and.b32", b.t1, b.lane, 7)
		b.I("xor.b32", b.t0, b.t0, b.t1)
		b.I("shl.b32", b.t0, b.t0, 4)
		b.I("and.b32", b.atB, b.lane, 15)
		b.I("mad.lo.u32", b.atB, b.atB, 256, b.t0)
		b.I("add.u32", b.atB, b.atB, b.smem)
		b.I("add.u32", b.atB, b.atB, bf16Side)
	}
	b.acc = b.Regs("f32", "acc", 128)
	for _, r := range b.acc {
		b.I("mov.f32", r, "0f00000000")
	}
	for h := range 2 {
		b.fa[h], b.fb[h] = b.Regs("b32", fmt.Sprintf("fa%d_", h), 16), b.Regs("b32", fmt.Sprintf("fb%d_", h), 16)
	}
}

// read brings half h of the stage into its fragments: 64 rows of A and 64
// columns of B, 16 of k.
func (b *bf16) read(h int) {
	const op = "ldmatrix.sync.aligned.m8n8.x4"
	b.I("add.u32", b.t0, b.atA, b.stage)
	if h == 1 {
		b.I("xor.b32", b.t0, b.t0, 32) // two chunks on
	}
	for i := range 4 {
		b.I(op+".shared.b16", b.fa[h][4*i:4*i+4], At{b.t0, i * 1024})
	}
	b.I("add.u32", b.t0, b.atB, b.stage)
	if b.transB && h == 1 {
		b.I("xor.b32", b.t0, b.t0, 32)
	}
	for j := range 4 {
		f := b.fb[h][4*j : 4*j+4]
		if b.transB {
			b.I(op+".shared.b16", f, At{b.t0, j * 1024})
			continue
		}
		at := b.t0
		if j > 0 { // two chunks on
			at = b.t1
			b.I("xor.b32", at, b.t0, j*32)
		}
		b.I(op+".trans.shared.b16", f, At{at, h * 4096})
	}
}

func (b *bf16) multiply(h int) {
	for i := range 4 {
		for j := range 8 {
			a := b.acc[(i*8+j)*4 : (i*8+j)*4+4]
			b.I("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", a, b.fa[h][4*i:4*i+4], b.fb[h][2*j:2*j+2], a)
		}
	}
}

func (b *bf16) loop() {
	turn, done := b.Label("TURN"), b.Label("DONE")
	more := b.Pred("more")
	b.Note("two stages are sent for, the first has come")
	for range bf16Ring - 1 {
		b.send()
	}
	b.I("cp.async.wait_group", bf16Ring-2)
	b.I("bar.sync", 0)
	b.read(0)
	b.I("setp.eq.u32", b.p, b.steps, 0)
	b.If(b.p, "bra", done)
	b.Here(turn)
	b.read(1)
	b.Note("the stage that all warps have left at the last barrier")
	b.send()
	b.multiply(0)
	b.I("cp.async.wait_group", bf16Ring-2)
	b.I("bar.sync", 0)
	b.next(b.stage)
	b.read(0)
	b.multiply(1)
	b.I("sub.u32", b.steps, b.steps, 1)
	b.I("setp.ne.u32", more, b.steps, 0)
	b.If(more, "bra", turn)
	b.Here(done)
	b.I("cp.async.wait_all")
}

// store writes C from the fragments: four lanes fill a sector of 32 bytes.
func (b *bf16) store() {
	row, left := b.B32("crow"), b.B32("cleft")
	at, step := b.B64("cat"), b.B64("cstep")
	add, in := b.Pred("add"), b.Pred("inside")
	old := b.Regs("f32", "old", 2)
	b.Note("C: row lane/4 and columns 2*(lane%%4) of each fragment; left: columns from the warp's first on")
	b.I("setp.ne.u32", add, b.Param("accumulate"), 0)
	b.I("shr.u32", row, b.lane, 2)
	b.I("mad.lo.u32", row, b.wm, bf16Warp, row)
	b.I("add.u32", row, row, b.tileM)
	b.I("mad.lo.u32", b.t0, b.wn, bf16Warp, b.tileN)
	b.I("sub.s32", left, b.Param("n"), b.t0)
	b.I("and.b32", b.t1, b.lane, 3)
	b.I("mad.lo.u32", b.t0, b.t1, 2, b.t0)
	b.I("mul.wide.u32", at, row, b.Param("ldc"))
	b.I("cvt.u64.u32", step, b.t0)
	b.I("add.u64", at, at, step)
	b.I("shl.b64", at, at, 2)
	b.I("add.u64", at, at, b.Param("c"))
	b.I("mul.wide.u32", step, b.Param("ldc"), 8*4)
	for i := range 4 {
		for half := range 2 {
			outside := b.Label("OUTSIDE")
			b.I("setp.ge.u32", b.p, row, b.Param("m"))
			b.If(b.p, "bra", outside)
			for j := range 8 {
				v := b.acc[(i*8+j)*4+2*half:][:2]
				b.I("setp.gt.and.s32", in, left, 8*j, add)
				b.If(in, "ld.global.v2.f32", old, At{at, 32 * j})
				b.If(in, "add.f32", v[0], v[0], old[0])
				b.If(in, "add.f32", v[1], v[1], old[1])
				b.I("setp.gt.s32", in, left, 8*j)
				b.If(in, "st.global.v2.f32", At{at, 32 * j}, v)
			}
			b.Here(outside)
			b.I("add.u32", row, row, 8)
			b.I("add.u64", at, at, step)
		}
	}
	b.I("ret")
}
