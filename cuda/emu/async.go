package emu

import "math/bits"

// asyncState is a warp's copies on their way. Data lands only at the wait that
// needs it: a kernel that reads too early reads what was there before, and is
// told so.
type asyncState struct {
	flying []flight
	groups [32]uint32 // that a lane has committed
}

// flight is one lane's copy.
type flight struct {
	lane  int
	group uint32
	dst   uint64
	n     int
	pc    int32
	data  [16]byte
}

func (s *asyncState) reset() {
	s.flying = s.flying[:0]
	s.groups = [32]uint32{}
}

// land writes the copies of the active lanes whose group is below the lane's
// limit.
func (w *warp) land(act uint32, below func(lane int) uint32) {
	s := &w.async
	kept := s.flying[:0]
	u := uint64(w.b.e.sharedUnit)
	for i := range s.flying {
		f := &s.flying[i]
		if act>>f.lane&1 == 0 || f.group >= below(f.lane) {
			kept = append(kept, *f)
			continue
		}
		copy(w.b.smem[f.dst:], f.data[:f.n])
		me := w.stamp | uint64(w.id<<5|f.lane)<<34 | uint64(f.pc)<<3
		for c := f.dst / u; c*u < f.dst+uint64(f.n); c++ {
			w.b.cells[c] = cell{write: me}
		}
	}
	s.flying = kept
}

// asyncCopy decodes cp.async and its commit and wait.
func asyncCopy(d *decoder) {
	d.want("the form", "async")
	switch d.oneOf("commit_group", "wait_group", "wait_all") {
	case "commit_group":
		d.operands(0, 0)
		d.in.run = func(w *warp, act uint32) {
			for m := act; m != 0; m &= m - 1 {
				w.async.groups[bits.TrailingZeros32(m)]++
			}
		}
		return
	case "wait_all":
		d.operands(0, 0)
		d.in.run = func(w *warp, act uint32) { w.land(act, func(int) uint32 { return 1<<32 - 1 }) }
		return
	case "wait_group":
		d.operands(1, 1)
		n, ok := literal(d.st.ops[0].text, false, typ{kind: 'u', bits: 32})
		if !ok || d.st.ops[0].kind != 'l' {
			d.fail("cp.async.wait_group needs a constant")
		}
		d.in.run = func(w *warp, act uint32) {
			w.land(act, func(lane int) uint32 { return w.async.groups[lane] - min(uint32(n), w.async.groups[lane]) })
		}
		return
	}
	d.asyncCopy()
}

// asyncCopy decodes the copy itself: [shared], [global], size{, source size
// or predicate}{, policy}.
func (d *decoder) asyncCopy() {
	cache := d.want("the cache operation", "ca", "cg")
	if d.oneOf("shared", "shared::cta") == "" {
		d.fail("cp.async copies to .shared")
	}
	d.want("the source", "global")
	hint := d.flag("L2::cache_hint")
	for _, s := range []string{"L2::64B", "L2::128B", "L2::256B"} {
		d.flag(s)
	}
	k := d.operands(3, 5)
	size, ok := literal(d.st.ops[2].text, false, typ{kind: 'u', bits: 32})
	if !ok || size != 4 && size != 8 && size != 16 || cache == "cg" && size != 16 {
		d.fail("cp.async copies 4, 8 or 16 bytes, .cg 16")
	}
	n := int(size)
	if hint {
		k--
	}
	u := typ{kind: 'u', bits: 32}
	count, ignore := d.constant(size), predRef{-1, true}
	if k == 4 && d.isPred(&d.st.ops[3]) {
		ignore = d.pred(&d.st.ops[3])
	} else if k == 4 {
		count = d.src(3, u)
	}
	d.unit("shared", n)
	d.unit("global", 4) // a source size cuts a copy anywhere; most cut at words
	to, toOff := d.addr(0, "shared")
	from, fromOff := d.addr(1, "global")
	d.in.run = func(w *warp, act uint32) {
		x, y, c := w.src(to, act), w.src(from, act), w.src(count, act)
		skip := w.predicate(ignore, act)
		var read uint32
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			f := flight{lane: l, group: w.async.groups[l], dst: x[l] + toOff, n: n, pc: w.in.pc}
			if have := c[l]; have > size {
				w.fault(BadInstruction, l, "source size %d of a copy of %d bytes", have, n)
			} else if have > 0 && skip>>l&1 == 0 {
				a := y[l] + fromOff
				w.aligned("global", l, a, n, reads)
				w.fetch(f.data[:have], l, a)
				w.addr[l], read = a, read|1<<l
			}
			w.value = f.data
			w.at("shared", l, f.dst, n, writes|async)
			w.async.flying = append(w.async.flying, f)
		}
		w.release()
		if read != 0 {
			w.countGlobal(read, n, false)
		}
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			w.addr[l] = x[l] + toOff
		}
		w.countShared(act, n)
	}
}

// fetch reads len(dst) bytes of global memory, in aligned pieces.
func (w *warp) fetch(dst []byte, lane int, a uint64) {
	for len(dst) > 0 {
		n := 16
		for n > len(dst) || a%uint64(n) != 0 {
			n /= 2
		}
		copy(dst, w.global(lane, a, n, reads))
		dst, a = dst[n:], a+uint64(n)
	}
}
