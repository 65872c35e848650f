package emu

import (
	"bytes"
	"fmt"
)

// Races are found with the vector clocks of FastTrack (Flanagan and Freund,
// PLDI 2009). A warp's clock ticks at every barrier it passes, and at a
// bar.warp.sync; at a barrier the warps take over each other's clocks. A
// record says who touched a cell of memory and when:
//
//	block+1 : 20 | thread : 10 | clock : 16 | instruction : 15 | flags : 3
//
// An access by warp u comes after the one recorded by warp v when u knows v's
// clock of that time. Blocks never know each other's, so within a launch a
// block may not touch what another one writes, except by atomics on both
// sides. Threads of a warp are ordered only by bar.warp.sync or a barrier:
// since sm_70 nothing else keeps them in step.
const (
	flagAtomic = 1 << iota // by an atomic, volatile, relaxed, acquire or release access
	flagAsync              // the target of a cp.async that nobody has waited for
	flagMany               // other lanes of the same warp read it too, at the same clock
	maxBlocks  = 1<<20 - 1
	clockShift = 18
	clockMask  = 1<<16 - 1
)

// gap marks cells of shared memory between arrays.
const gap = ^uint64(0)

// cell is what is known about one to sixteen bytes. The two reads are of
// different warps, and of different blocks as soon as two blocks have read.
type cell struct{ write, read, read2 uint64 }

// shadow is the tracking of a page during one launch.
type shadow struct {
	l     *launch
	cells []cell
	keep  bool // whether to save the page
	saved bool
	data  [pageSize]byte // the page before the launch wrote it
	init  [pageSize / 64]uint64
}

// tick begins a new interval of the warp.
func (w *warp) tick() {
	w.vc[w.id]++
	w.clock = w.vc[w.id] & clockMask
	w.stamp = (w.b.index+1)<<44 | uint64(w.clock)<<clockShift
}

// record is an access by a lane at the current instruction.
func (w *warp) record(lane int) uint64 {
	return w.stamp | uint64(w.id<<5|lane)<<34 | uint64(w.in.pc)<<3
}

func recordThread(r uint64) int { return int(r >> 34 & 1023) }

// ordered reports whether the access r comes before the warp's current
// instruction in every execution.
func (w *warp) ordered(r uint64) bool {
	if r>>44 != w.b.index+1 {
		return false
	}
	c := uint32(r >> clockShift & clockMask)
	if v := int(r >> 39 & 31); v != w.id {
		return w.vc[v]&clockMask >= c
	}
	return w.clock > c
}

// conflict reports whether r, an earlier record, and the access me race.
func (w *warp) conflict(r, me uint64) bool {
	return r != 0 && r>>34 != me>>34 && r&me&flagAtomic == 0 && !w.ordered(r)
}

// noteRead checks and records a read. a is its address, for the report.
func (w *warp) noteRead(c *cell, me, a uint64) {
	if c.write&flagAsync != 0 {
		w.unlanded(c.write, me, a)
	}
	if w.conflict(c.write, me) {
		w.race(c.write, me, a, "read", "written")
	}
	w.remember(c, me)
}

// remember records a read.
func (w *warp) remember(c *cell, me uint64) {
	switch {
	case c.read>>39 == me>>39: // the same warp
		if c.read>>clockShift&clockMask == me>>clockShift&clockMask {
			if c.read>>34 != me>>34 {
				me |= flagMany
			}
			me |= c.read & flagMany
		}
		c.read = me
	case c.read>>44 == me>>44 && c.read2 != 0 && c.read2>>44 != me>>44:
		c.read = me // another block's read is worth more
	default:
		c.read2, c.read = c.read, me
	}
}

// noteWrite checks and records a write of the warp's value over old.
func (w *warp) noteWrite(c *cell, me, a uint64, old []byte) {
	if c.write&flagAsync != 0 {
		w.unlanded(c.write, me, a)
	}
	if w.conflict(c.write, me) && !w.agree(c.write, me, old) {
		w.race(c.write, me, a, "written", "written")
	}
	for _, r := range [2]uint64{c.read, c.read2} {
		if w.conflict(r, me) {
			w.race(r, me, a, "written", "read")
		}
	}
	if c.read&flagMany != 0 && c.read>>34 == me>>34 && c.read&me&flagAtomic == 0 && !w.ordered(c.read) {
		w.race(c.read, me, a, "written", "read by another lane and")
	}
	*c = cell{write: me}
}

// agree reports lanes of one warp that store the same value by the same
// instruction: which of them wins does not matter.
func (w *warp) agree(r, me uint64, old []byte) bool {
	return r>>39 == me>>39 && (r^me)>>3&(1<<31-1) == 0 && bytes.Equal(old, w.value[:len(old)])
}

func (w *warp) race(r, me, a uint64, now, before string) {
	at := w.b.e.code[r>>3&(1<<15-1)]
	other := w.b.l.thread(recordThread(r))
	where := "of the same block, no barrier between"
	switch {
	case r>>44 != me>>44:
		where = "of block " + w.b.l.blockName(r>>44-1)
	case r>>39 == me>>39:
		where = "of the same warp, no bar.warp.sync between"
	}
	w.faultAt(Race, recordThread(me)&31, a, "%s, is %s here and was %s by thread (%d,%d,%d) %s, line %d (%q)",
		w.b.where(a), now, before, other.X, other.Y, other.Z, where, at.line, at.text)
}

func (w *warp) unlanded(r, me, a uint64) {
	at := w.b.e.code[r>>3&(1<<15-1)]
	other := w.b.l.thread(recordThread(r))
	w.faultAt(Race, recordThread(me)&31, a, "%s, is the target of a cp.async that has not been waited for: thread (%d,%d,%d), line %d (%q)",
		w.b.where(a), other.X, other.Y, other.Z, at.line, at.text)
}

// where describes an address of shared or global memory.
func (b *block) where(a uint64) string {
	if a >= firstBase {
		return b.l.mem.describe(a, 1)
	}
	for _, v := range b.l.arrays() {
		if a >= v.addr && a < v.addr+uint64(v.size) {
			return fmt.Sprintf("shared %#x, byte %d of %s", a, a-v.addr, v.name)
		}
	}
	return fmt.Sprintf("shared %#x", a)
}

// prepareShared makes shared memory as a block finds it: nobody has written
// it (so that no read reaches the bytes of the last block), and between arrays
// nobody may.
func (b *block) prepareShared() {
	clear(b.cells)
	at := 0
	mark := func(to int) {
		for ; at < to; at++ {
			b.cells[at/b.e.sharedUnit] = cell{write: gap}
		}
	}
	u := b.e.sharedUnit
	for _, v := range b.l.arrays() {
		mark(int(v.addr) / u * u)
		at = (int(v.addr) + v.size + u - 1) / u * u
	}
	mark(len(b.smem))
}
