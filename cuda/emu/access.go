package emu

// how is the manner of an access.
type how uint8

const (
	reads    how = 1 << iota
	writes       // of w.value
	strong       // atomic, volatile, relaxed, acquire or release
	async        // by cp.async, which lands later
	readOnly     // by ld.global.nc: of memory that no one writes during the launch
)

func (h how) verb() string {
	if h&writes != 0 {
		return "write"
	}
	return "read"
}

// at gives the n bytes at address a of a state space ("" is generic) for an
// access by a lane. The bytes may be used until the next call or release.
func (w *warp) at(space string, lane int, a uint64, n int, h how) []byte {
	switch space {
	case "shared":
		return w.shared(lane, a, n, h)
	case "local":
		return w.private(lane, a, n, h)
	case "":
		switch {
		case a >= localWindow:
			return w.private(lane, a-localWindow, n, h)
		case a >= sharedWindow:
			return w.shared(lane, a-sharedWindow, n, h)
		}
	}
	return w.global(lane, a, n, h)
}

func (w *warp) aligned(space string, lane int, a uint64, n int, h how) {
	if a&uint64(n-1) != 0 {
		w.faultAt(Misaligned, lane, a, "%s of %d bytes at %s address %#x", h.verb(), n, space, a)
	}
}

// shared is an access to shared memory. A cell that nobody has written has no
// write record.
func (w *warp) shared(lane int, a uint64, n int, h how) []byte {
	b := w.b
	w.aligned("shared", lane, a, n, h)
	if a >= uint64(len(b.smem)) || a+uint64(n) > uint64(len(b.smem)) {
		w.outsideShared(lane, a, n, h)
	}
	me := w.record(lane)
	if h&strong != 0 {
		me |= flagAtomic
	}
	u := uint64(b.e.sharedUnit)
	data := b.smem[a : a+uint64(n)]
	for i := a / u; i*u < a+uint64(n); i++ {
		c := &b.cells[i]
		if c.write == gap {
			w.outsideShared(lane, a, n, h)
		}
		if h&reads != 0 && c.write == 0 {
			w.faultAt(Uninitialised, lane, i*u, "shared address %#x has not been written by this block", i*u)
		}
		if h&writes != 0 {
			w.noteWrite(c, me, i*u, data)
			if h&async != 0 {
				c.write |= flagAsync
			}
		} else {
			w.noteRead(c, me, i*u)
		}
	}
	return data
}

func (w *warp) outsideShared(lane int, a uint64, n int, h how) {
	near, best := "", int64(1<<40)
	for _, v := range w.b.l.arrays() {
		for _, d := range [2]int64{int64(v.addr) - int64(a), int64(a) + int64(n) - int64(v.addr) - int64(v.size)} {
			if d > 0 && d < best {
				best, near = d, v.name
			}
		}
	}
	if near == "" {
		w.faultAt(OutOfBounds, lane, a, "%s of %d bytes at shared address %#x: the kernel has no shared memory there", h.verb(), n, a)
	}
	w.faultAt(OutOfBounds, lane, a, "%s of %d bytes at shared address %#x, %d bytes outside of %s", h.verb(), n, a, best, near)
}

// private is an access to a thread's local memory: twice as many bytes are
// kept, the second half says which have been written.
func (w *warp) private(lane int, a uint64, n int, h how) []byte {
	size := uint64(w.b.e.localBytes)
	w.aligned("local", lane, a, n, h)
	if a < localBase || a+uint64(n) > localBase+size {
		w.faultAt(OutOfBounds, lane, a, "%s of %d bytes at local address %#x of %d bytes", h.verb(), n, a-localBase, size)
	}
	m := &w.b.local[w.id*32+lane]
	if *m == nil {
		*m = make([]byte, 2*size)
	}
	a -= localBase
	for i := a; i < a+uint64(n); i++ {
		if h&writes != 0 {
			(*m)[size+i] = 1
		} else if (*m)[size+i] == 0 {
			w.faultAt(Uninitialised, lane, a, "local address %#x has never been written by this thread", a)
		}
	}
	return (*m)[a : a+uint64(n)]
}

// global is an access to global memory. The page stays locked until the next
// access to another page, or release.
func (w *warp) global(lane int, a uint64, n int, h how) []byte {
	b := w.b
	buf := b.last
	if buf == nil || a < buf.base || a-buf.base >= uint64(buf.size) {
		buf = b.l.mem.find(a)
		b.last = buf
	}
	if buf == nil || buf.freed || a < buf.base || a-buf.base+uint64(n) > uint64(buf.size) {
		kind := OutOfBounds
		if buf != nil && buf.freed {
			kind = FreedMemory
		}
		w.faultAt(kind, lane, a, "%s of %d bytes at %s", h.verb(), n, b.l.mem.describe(a, n))
	}
	w.aligned("global", lane, a, n, h)
	off := a - buf.base
	p := buf.page(int(off / pageSize))
	if p != w.held {
		w.release()
		p.mu.Lock()
		w.held = p
		if p.sh == nil || p.sh.l != b.l {
			b.l.shade(p)
		}
	}
	at := off % pageSize
	bit := ^uint64(0) >> (64 - n) << (at & 63)
	if h&reads != 0 && p.init[at>>6]&bit != bit {
		w.faultAt(Uninitialised, lane, a, "read of %d bytes at %s: nobody has written them", n, b.l.mem.describe(a, n))
	}
	w.trackGlobal(p, lane, a, at, n, h)
	if h&writes != 0 {
		p.init[at>>6] |= bit
	}
	return p.data[at : at+uint64(n)]
}

func (w *warp) trackGlobal(p *page, lane int, a, at uint64, n int, h how) {
	me := w.record(lane)
	if h&strong != 0 {
		me |= flagAtomic
	}
	u := uint64(w.b.e.globalUnit)
	if h&writes == 0 {
		for i := at / u; i*u < at+uint64(n); i++ {
			c := &p.sh.cells[i]
			if h&readOnly != 0 && c.write != 0 {
				w.race(c.write, me, a, "read by .nc, as if it never changed,", "written")
			}
			w.noteRead(c, me, a)
		}
		return
	}
	if p.sh.keep && !p.sh.saved {
		p.sh.saved, p.sh.data, p.sh.init = true, p.data, p.init
	}
	for i := at / u; i*u < at+uint64(n); i++ {
		w.noteWrite(&p.sh.cells[i], me, a, p.data[at:at+uint64(n)])
	}
}

// release unlocks the page that the warp holds.
func (w *warp) release() {
	if w.held != nil {
		w.held.mu.Unlock()
		w.held = nil
	}
}
