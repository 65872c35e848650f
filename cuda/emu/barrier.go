package emu

import "math/bits"

// barrier is one of a block's sixteen.
type barrier struct {
	threads int // that have arrived
	wanted  int
	waiting []*warp
	vc      []uint32 // what those who arrived know
	ones    int      // of bar.red: predicates that are true
	line    int32
}

// barrierOp is what a barrier instruction asks for.
type barrierOp struct {
	id, count ref
	hasCount  bool
	arrive    bool
	red       string // "and", "or", "popc"
	in        predRef
	d         ref
	pd        int32
}

// arrive is a warp's arrival at a barrier; true when it waits.
func (w *warp) arrive(act uint32) bool {
	b, op := w.b, w.in.bar
	if act != w.live {
		w.fault(DivergentBarrier, bits.TrailingZeros32(w.live&^act), "%d of the warp's %d threads are at the barrier, this one is not", bits.OnesCount32(act), bits.OnesCount32(w.live))
	}
	id := w.src(op.id, act)[bits.TrailingZeros32(act)]
	if id > 15 {
		w.fault(BadInstruction, -1, "barrier %d: there are 16", id)
	}
	bar := &b.bars[id]
	wanted := len(b.warps) * 32
	if op.hasCount {
		wanted = int(w.src(op.count, act)[bits.TrailingZeros32(act)])
		if wanted <= 0 || wanted%32 != 0 || wanted > len(b.warps)*32 {
			w.fault(BadInstruction, -1, "barrier %d for %d threads in a block of %d: want a multiple of 32", id, wanted, b.l.threads())
		}
	} else {
		b.complete(w)
	}
	if bar.threads > 0 && bar.wanted != wanted {
		w.fault(DivergentBarrier, -1, "barrier %d is waited for by %d threads here and by %d in line %d", id, wanted, bar.wanted, bar.line)
	}
	if bar.vc == nil {
		bar.vc = make([]uint32, len(b.warps))
	}
	bar.wanted, bar.line = wanted, w.in.line
	bar.threads += 32
	b.n.Barriers++
	for i, c := range w.vc {
		bar.vc[i] = max(bar.vc[i], c)
	}
	if op.red != "" {
		bar.ones += bits.OnesCount32(w.predicate(op.in, act) & act)
	}
	if op.arrive {
		w.tick()
	} else {
		w.waiting = bar
		bar.waiting = append(bar.waiting, w)
	}
	if bar.threads < wanted {
		return !op.arrive
	}
	bar.open(b)
	return false
}

// complete reports threads that ended before a barrier that all must reach.
func (b *block) complete(at *warp) {
	for _, w := range b.warps {
		if gone := w.start &^ w.live; gone != 0 {
			t := b.l.thread(w.id*32 + bits.TrailingZeros32(gone))
			at.fault(DivergentBarrier, -1, "all threads of the block must reach the barrier, thread (%d,%d,%d) has ended", t.X, t.Y, t.Z)
		}
	}
}

// open lets the waiting warps go: each now knows what all knew.
func (bar *barrier) open(b *block) {
	for _, w := range bar.waiting {
		copy(w.vc, bar.vc)
		w.tick()
		w.waiting = nil
		w.collect(bar)
	}
	*bar = barrier{}
}

// collect writes a bar.red's result. The warp's last instruction is the
// barrier.
func (w *warp) collect(bar *barrier) {
	op := w.in.bar
	all := 0
	for _, o := range w.b.warps {
		all += bits.OnesCount32(o.start)
	}
	switch op.red {
	case "popc":
		d := w.dst(op.d, w.live)
		for l := range d {
			d[l] = uint64(bar.ones)
		}
	case "and":
		w.setPredicate(op.pd, -b2i(bar.ones == all), w.live)
	case "or":
		w.setPredicate(op.pd, -b2i(bar.ones > 0), w.live)
	}
}

// stuck reports a block in which every warp waits.
func (b *block) stuck() {
	for _, w := range b.warps {
		if w.live != 0 && w.waiting != nil {
			bar := w.waiting
			w.fault(DivergentBarrier, -1, "the barrier waits for %d threads, %d have come, and no other can come", bar.wanted, bar.threads)
		}
	}
}
