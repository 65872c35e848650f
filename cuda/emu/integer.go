package emu

import "math/bits"

func product24(d *decoder) {
	half := d.want("the half", "lo", "hi")
	t := d.typed("u32", "s32")
	f := func(x, y uint64) uint64 {
		p := (x & 0xffffff) * (y & 0xffffff)
		if t.signed() {
			p = uint64(extend(x, 24) * extend(y, 24))
		}
		if half == "hi" {
			p >>= 16
		}
		return p & t.mask()
	}
	if d.st.op == "mul24" {
		d.binary2(t, f)
		return
	}
	d.ternary3(t, func(x, y, z uint64) uint64 { return (f(x, y) + z) & t.mask() })
}

func sumAbsDiff(d *decoder) {
	t := d.typed("u16", "s16", "u32", "s32", "u64", "s64")
	d.ternary3(t, func(x, y, z uint64) uint64 {
		less := x < y
		if t.signed() {
			less = extend(x, t.bits) < extend(y, t.bits)
		}
		if less {
			x, y = y, x
		}
		return (x - y + z) & t.mask()
	})
}

// carry decodes add.cc, sub.cc, addc and subc: the warp keeps a carry for each
// lane.
func (d *decoder) carry(op string, in bool) {
	keep := !in || d.flag("cc")
	t := d.typed("u32", "s32", "b32", "u64", "s64", "b64")
	d.operands(3, 3)
	o, a, b := d.dst(0, t), d.src(1, t), d.src(2, t)
	d.in.run = func(w *warp, act uint32) {
		x, y, z := w.src(a, act), w.src(b, act), w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			c := uint64(0)
			if in {
				c = uint64(w.carry >> l & 1)
			}
			var r, out uint64
			switch {
			case op == "add" && t.bits == 64:
				r, out = bits.Add64(x[l], y[l], c)
			case op == "add":
				r = x[l] + y[l] + c
				out = r >> 32
			case t.bits == 64:
				r, out = bits.Sub64(x[l], y[l], c)
			default:
				r = x[l] - y[l] - c
				out = r >> 63
			}
			z[l] = r & t.mask()
			if keep {
				w.carry = w.carry&^(1<<l) | uint32(out)<<l
			}
		}
	}
}

func carried(d *decoder) { d.carry(d.st.op[:3], true) }

// countBits decodes popc, clz, bfind and brev.
func countBits(d *decoder) {
	op := d.st.op
	shift := op == "bfind" && d.flag("shiftamt")
	t := d.typed("b32", "b64", "u32", "s32", "u64", "s64")
	r := typ{kind: 'u', bits: 32}
	if op == "brev" {
		r = t
	}
	n := t.bits
	d.operands(2, 2)
	d.in.run = each1(d.dst(0, r), d.src(1, t), func(x uint64) uint64 {
		switch op {
		case "popc":
			return uint64(bits.OnesCount64(x))
		case "clz":
			return uint64(bits.LeadingZeros64(x) - (64 - n))
		case "brev":
			return bits.Reverse64(x) >> (64 - n)
		}
		if t.signed() && extend(x, n) < 0 {
			x = ^x & t.mask()
		}
		if x == 0 {
			return 0xffffffff
		}
		p := bits.Len64(x) - 1
		if shift {
			p = n - 1 - p
		}
		return uint64(p)
	})
}

// bitField decodes bfe and bfi.
func bitField(d *decoder) {
	u := typ{kind: 'u', bits: 32}
	if d.st.op == "bfi" {
		t := d.typed("b32", "b64")
		d.operands(5, 5)
		o, a, b, c, e := d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, u), d.src(4, u)
		d.in.run = func(w *warp, act uint32) {
			x, y, pos, n := w.src(a, act), w.src(b, act), w.src(c, act), w.src(e, act)
			z := w.dst(o, act)
			for m := act; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				p, k := pos[l]&0xff, n[l]&0xff
				mask := (uint64(1)<<min(k, 64) - 1) << min(p, 64)
				if k >= 64 {
					mask = ^uint64(0) << min(p, 64)
				}
				z[l] = (y[l]&^mask | x[l]<<min(p, 64)&mask) & t.mask()
			}
		}
		return
	}
	t := d.typed("u32", "s32", "u64", "s64")
	d.operands(4, 4)
	d.in.run = each3(d.dst(0, t), d.src(1, t), d.src(2, u), d.src(3, u), func(x, p, k uint64) uint64 {
		p, k = p&0xff, k&0xff
		if k == 0 {
			return 0
		}
		if !t.signed() {
			return x >> min(p, 64) & (^uint64(0) >> (64 - min(k, 64)))
		}
		// Beyond the top bit stands the sign.
		v := extend(x, t.bits) >> min(p, 63)
		return uint64(extend(uint64(v), int(min(k, 64)))) & t.mask()
	})
}

// dotBytes decodes dp4a.
func dotBytes(d *decoder) {
	ta, tb := d.typed("u32", "s32"), d.typed("u32", "s32")
	lane := func(x uint64, i int, t typ) int64 {
		if b := x >> (8 * i) & 0xff; !t.signed() {
			return int64(b)
		} else {
			return extend(b, 8)
		}
	}
	d.ternary3(typ{kind: 's', bits: 32}, func(x, y, z uint64) uint64 {
		s := int64(z)
		for i := range 4 {
			s += lane(x, i, ta) * lane(y, i, tb)
		}
		return uint64(uint32(s))
	})
}
