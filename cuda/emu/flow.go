package emu

// branch decodes bra; with .uni all lanes of the warp must agree.
func branch(d *decoder) {
	uni := d.flag("uni")
	d.operands(1, 1)
	if d.st.ops[0].kind != 'n' {
		d.fail("bra needs a label")
	}
	d.in.flow = flowBranch
	d.jumps[int(d.in.pc)] = []string{d.st.ops[0].text}
	d.in.uniform = uni
}

// branchIndexed decodes brx.idx.
func branchIndexed(d *decoder) {
	d.want("the form", "idx")
	d.flag("uni")
	d.operands(2, 2)
	list := d.locals[d.st.ops[1].text]
	if list == nil {
		d.fail("no .branchtargets %s before this line", d.st.ops[1].text)
	}
	d.in.flow, d.in.index = flowIndexed, d.src(0, typ{kind: 'u', bits: 32})
	d.jumps[int(d.in.pc)] = list
}

func exit(d *decoder) {
	d.flag("uni")
	d.operands(0, 0)
	d.in.flow = flowExit
}

func trap(d *decoder) {
	d.operands(0, 0)
	d.in.run = func(w *warp, act uint32) {
		lane := 0
		for act>>lane&1 == 0 {
			lane++
		}
		w.fault(Trap, lane, "the kernel stopped itself")
	}
}

// fence decodes membar and fence. Memory here is consistent; what a fence
// orders across blocks is not followed (see doc.go).
func fence(d *decoder) {
	if d.st.op == "membar" {
		d.want("the scope", "gl", "cta", "sys")
	} else {
		d.oneOf("acq_rel", "sc")
		d.want("the scope", "gpu", "cta", "sys")
	}
	d.operands(0, 0)
	d.in.run = func(*warp, uint32) {}
}

// barrierInstruction decodes bar and barrier. Also without .aligned a warp
// must come as a whole.
func barrierInstruction(d *decoder) {
	d.flag("cta")
	form := d.want("the form", "sync", "arrive", "red", "warp")
	if form == "warp" {
		d.want("the form", "sync")
		d.warpBarrier()
		return
	}
	op := &barrierOp{}
	u := typ{kind: 'u', bits: 32}
	first := 0
	if form == "red" {
		op.red = d.want("the operation", "and", "or", "popc")
		d.flag("aligned")
		first = 1
		d.operands(3, 4)
		if op.red == "popc" {
			d.typed("u32")
			op.d = d.dst(0, u)
		} else {
			d.typed("pred")
			op.pd = d.predDst(&d.st.ops[0])
		}
		op.in = d.pred(&d.st.ops[len(d.st.ops)-1])
		op.hasCount = len(d.st.ops) == 4
	} else {
		d.flag("aligned")
		op.hasCount = d.operands(1, 2) == 2
		op.arrive = form == "arrive"
		if op.arrive && !op.hasCount {
			d.fail("bar.arrive needs a thread count")
		}
	}
	op.id = d.src(first, u)
	if op.hasCount {
		op.count = d.src(first+1, u)
	}
	d.in.flow, d.in.bar = flowBarrier, op
}

// warpBarrier decodes bar.warp.sync: the lanes of the mask wait for each other
// and see each other's writes.
func (d *decoder) warpBarrier() {
	d.operands(1, 1)
	mask := d.src(0, typ{kind: 'b', bits: 32})
	d.in.run = func(w *warp, act uint32) {
		w.together(mask, act)
		w.tick()
	}
}
