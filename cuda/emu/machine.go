package emu

import (
	"math/bits"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// A block is a block of threads while it runs. A worker reuses one value for
// all blocks that it takes.
type block struct {
	l     *launch
	e     *Entry
	index uint64 // linear, from 0
	id    driver.Dim3
	warps []*warp
	smem  []byte
	cells []cell // race tracking of shared memory
	bars  [16]barrier
	local [][]byte // by thread, made at first touch
	last  *buffer  // the global buffer touched last
	n     Counters
}

// group is the lanes of a warp that stand at the same instruction.
type group struct {
	pc   int32
	mask uint32
}

// A warp is 32 threads that run in step where their paths agree. Where they
// part, the group whose next instruction stands first in the text runs first:
// the others wait, and join when it arrives where they are.
type warp struct {
	b      *block
	id     int
	regs   []vec
	init   []uint32 // lanes in which a register has been written
	preds  []uint32 // predicates, a bit for each lane
	pinit  []uint32
	pc     int32
	mask   uint32 // lanes that run now
	parked []group
	live   uint32 // lanes that have not ended
	start  uint32 // lanes that began
	in     *instr
	steps  int64

	waiting *barrier
	vc      []uint32 // see race.go
	clock   uint32
	stamp   uint64 // block and clock of race records

	addr  [32]uint64
	value [16]byte // what a lane is about to store
	held  *page
	async asyncState
	carry uint32 // of add.cc, a bit for each lane
}

// src reads a source; reading a register that a lane never wrote is a fault.
func (w *warp) src(r ref, act uint32) *vec {
	if r < 0 {
		return &w.b.e.consts[^r]
	}
	if missing := act &^ w.init[r]; missing != 0 {
		w.unwritten(w.b.e.valueName(int(r)), missing)
	}
	return &w.regs[r]
}

// dst gives a destination for writing in the active lanes.
func (w *warp) dst(r ref, act uint32) *vec {
	w.init[r] |= act
	return &w.regs[r]
}

// predicate reads a predicate as a bit for each lane.
func (w *warp) predicate(p predRef, act uint32) uint32 {
	v := full
	if p.slot >= 0 {
		if missing := act &^ w.pinit[p.slot]; missing != 0 {
			w.unwritten(w.b.e.predName(int(p.slot)), missing)
		}
		v = w.preds[p.slot]
	}
	if p.neg {
		v = ^v
	}
	return v
}

// setPredicate writes v in the active lanes.
func (w *warp) setPredicate(slot int32, v, act uint32) {
	if slot >= 0 {
		w.preds[slot] = w.preds[slot]&^act | v&act
		w.pinit[slot] |= act
	}
}

func (e *Entry) valueName(slot int) string { return e.registerName(slot, false) }
func (e *Entry) predName(slot int) string  { return e.registerName(slot, true) }

func (e *Entry) registerName(slot int, pred bool) string {
	for _, r := range e.regs {
		if r.pred == pred && r.slot == slot {
			return r.name
		}
	}
	return "_"
}

// begin resets the warp for a new block.
func (w *warp) begin(threads int) {
	w.start = full
	if rest := threads - w.id*32; rest < 32 {
		w.start = 1<<rest - 1
	}
	clear(w.init)
	clear(w.pinit)
	clear(w.vc)
	w.pc, w.mask, w.live, w.parked = 0, w.start, w.start, w.parked[:0]
	w.steps, w.waiting, w.held = 0, nil, nil
	w.async.reset()
	w.tick()
	for _, s := range w.b.e.specials {
		f := specials[s.name]
		v := w.dst(ref(s.slot), full)
		for l := range v {
			v[l] = f(w, l)
		}
	}
}

// slice is how many instructions a warp runs before another has its turn.
const slice = 1 << 14

// run executes the warp until it waits at a barrier, ends, or has had its
// slice.
func (w *warp) run() {
	code := w.b.e.code
	for budget := slice; w.live != 0 && budget > 0; budget-- {
		in := &code[w.pc]
		w.in = in
		w.steps++
		act := w.mask
		if in.guard >= 0 {
			act &= w.predicate(predRef{in.guard, in.neg}, act)
		}
		switch in.flow {
		case flowNext:
			w.pc++
			if act != 0 {
				in.run(w, act)
			}
		case flowBranch:
			if in.uniform && act != 0 && act != w.mask {
				w.fault(DivergentWarp, bits.TrailingZeros32(w.mask&^act), "bra.uni: this lane goes another way")
			}
			w.branch(act, in.targets[0])
		case flowIndexed:
			w.indexed(act)
		case flowExit:
			w.exit(act)
		case flowBarrier:
			w.pc++
			if act != 0 && w.arrive(act) {
				return
			}
		}
		if len(w.parked) > 0 {
			w.converge()
		}
	}
}

// branch sends the active lanes to target and lets the others go on.
func (w *warp) branch(act uint32, target int32) {
	switch rest := w.mask &^ act; {
	case rest == 0:
		w.pc = target
	case act == 0:
		w.pc++
	default:
		w.parked = append(w.parked, group{target, act})
		w.mask, w.pc = rest, w.pc+1
	}
}

// indexed is brx.idx: each lane goes to the target that its index names.
func (w *warp) indexed(act uint32) {
	in := w.in
	x := w.src(in.index, act)
	rest := w.mask &^ act
	for m := act; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		if x[l] >= uint64(len(in.targets)) {
			w.fault(BadInstruction, l, "brx.idx with index %d of %d targets", x[l], len(in.targets))
		}
		w.parked = append(w.parked, group{in.targets[x[l]], 1 << l})
	}
	w.mask, w.pc = rest, w.pc+1
}

func (w *warp) exit(act uint32) {
	w.live &^= act
	w.mask &^= act
	w.pc++
}

// converge makes the first group in the text the running one and joins the
// groups that stand where it stands.
func (w *warp) converge() {
	first := int32(1<<31 - 1)
	if w.mask != 0 {
		first = w.pc
	}
	behind := false
	for _, g := range w.parked {
		behind = behind || g.pc <= first || w.mask == 0
		first = min(first, g.pc)
	}
	if !behind {
		return
	}
	if w.mask != 0 {
		w.parked = append(w.parked, group{w.pc, w.mask})
	}
	w.pc, w.mask = first, 0
	kept := w.parked[:0]
	for _, g := range w.parked {
		if g.pc == first {
			w.mask |= g.mask
		} else {
			kept = append(kept, g)
		}
	}
	w.parked = kept
}

// newBlock makes the storage of a block of the launch.
func newBlock(l *launch) *block {
	threads := l.threads()
	b := &block{l: l, e: l.e}
	size := l.sharedEnd()
	b.smem = make([]byte, size)
	b.cells = make([]cell, size/l.e.sharedUnit+1)
	if l.e.localBytes > 0 {
		b.local = make([][]byte, threads)
	}
	for i := range (threads + 31) / 32 {
		b.warps = append(b.warps, &warp{
			b: b, id: i,
			regs: make([]vec, l.e.values), init: make([]uint32, l.e.values),
			preds: make([]uint32, l.e.preds), pinit: make([]uint32, l.e.preds),
			vc: make([]uint32, (threads+31)/32),
		})
	}
	return b
}

// run executes block index of the grid; a fault is returned.
func (b *block) run(index uint64) (fault *Fault) {
	g := b.l.grid
	b.index = index
	b.id = driver.Dim3{X: uint32(index % uint64(g.X)), Y: uint32(index / uint64(g.X) % uint64(g.Y)), Z: uint32(index / uint64(g.X) / uint64(g.Y))}
	b.prepareShared()
	b.bars = [16]barrier{}
	clear(b.local)
	threads := b.l.threads()
	for _, w := range b.warps {
		w.begin(threads)
	}
	defer func() {
		for _, w := range b.warps {
			w.release()
			b.n.Instructions += w.steps
		}
		switch r := recover().(type) {
		case nil:
		case *Fault:
			fault = r
		default:
			panic(r)
		}
	}()
	for b.turn() {
	}
	return nil
}

// turn lets every warp that can run have a slice; false when all have ended.
func (b *block) turn() bool {
	alive, ran := false, false
	for _, w := range b.warps {
		if w.live == 0 {
			continue
		}
		alive = true
		if w.waiting == nil {
			ran = true
			w.run()
			if w.steps > b.l.limit {
				w.fault(Endless, -1, "the warp has run %d instructions: does the kernel end?", w.steps)
			}
		}
	}
	if alive && !ran {
		b.stuck()
	}
	return alive
}
