package emu

import "math/bits"

// move decodes mov: a copy, an address, or packing and unpacking.
func move(d *decoder) {
	if len(d.st.mods) > 0 && d.st.mods[0] == "pred" {
		d.typ()
		d.operands(2, 2)
		o, a := d.predDst(&d.st.ops[0]), d.pred(&d.st.ops[1])
		d.in.run = func(w *warp, act uint32) { w.setPredicate(o, w.predicate(a, act), act) }
		return
	}
	t := d.typed("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64", "f16", "bf16")
	d.operands(2, 2)
	switch src, dst := &d.st.ops[1], &d.st.ops[0]; {
	case dst.kind == 'v':
		d.unpack(dst.list, d.source(src, t, false), t)
	case src.kind == 'v':
		d.pack(d.dst(0, t), src.list, t)
	case clocks[src.text] != nil:
		f, o := clocks[src.text], d.dst(0, t)
		d.in.run = func(w *warp, act uint32) {
			z := w.dst(o, act)
			for m := act; m != 0; m &= m - 1 {
				z[bits.TrailingZeros32(m)] = f(w) & t.mask()
			}
		}
	default:
		o, a := d.dst(0, t), d.source(src, t, false)
		d.in.run = func(w *warp, act uint32) {
			x := w.src(a, act)
			z := w.dst(o, act)
			if act == full {
				*z = *x
				return
			}
			for m := act; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				z[l] = x[l]
			}
		}
	}
}

// part is the type of one of n pieces of t.
func (d *decoder) part(t typ, n int) typ {
	if n < 2 || t.bits/n < 8 || t.bits%n != 0 {
		d.fail("%d pieces of %d bits", n, t.bits)
	}
	return typ{kind: 'b', bits: t.bits / n}
}

func (d *decoder) unpack(list []operand, a ref, t typ) {
	p := d.part(t, len(list))
	out := make([]ref, len(list))
	for i := range list {
		out[i], _ = d.dest(&list[i], p, false)
	}
	d.in.run = func(w *warp, act uint32) {
		x := *w.src(a, act)
		for i, r := range out {
			z := w.dst(r, act)
			for m := act; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				z[l] = x[l] >> (i * p.bits) & p.mask()
			}
		}
	}
}

func (d *decoder) pack(o ref, list []operand, t typ) {
	p := d.part(t, len(list))
	in := make([]ref, len(list))
	for i := range list {
		in[i] = d.source(&list[i], p, false)
	}
	d.in.run = func(w *warp, act uint32) {
		var v vec
		for i, r := range in {
			x := w.src(r, act)
			for m := act; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				v[l] |= x[l] << (i * p.bits)
			}
		}
		z := w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			z[l] = v[l]
		}
	}
}

// windows are the generic addresses of state spaces.
var windows = map[string]uint64{"global": 0, "const": 0, "param": 0, "shared": sharedWindow, "local": localWindow}

// toAddress decodes cvta: between a space's addresses and generic ones.
func toAddress(d *decoder) {
	to := d.oneOf("to") != ""
	space := d.want("the space", "global", "shared", "local", "const")
	t := d.typed("u64", "u32")
	d.operands(2, 2)
	add := windows[space]
	if t.bits == 32 && add != 0 {
		d.fail("generic addresses have 64 bits")
	}
	if to {
		add = -add
	}
	d.in.run = each1(d.dst(0, t), d.src(1, t), func(x uint64) uint64 { return x + add })
}

// isSpace decodes isspacep.
func isSpace(d *decoder) {
	space := d.want("the space", "global", "shared", "local", "const")
	d.operands(2, 2)
	o, a := d.predDst(&d.st.ops[0]), d.src(1, typ{kind: 'u', bits: 64})
	d.in.run = func(w *warp, act uint32) {
		x := w.src(a, act)
		var r uint32
		for l, v := range x {
			in := "global"
			if v >= localWindow {
				in = "local"
			} else if v >= sharedWindow {
				in = "shared"
			}
			r |= b2i(in == space) << l
		}
		w.setPredicate(o, r, act)
	}
}

// policy decodes createpolicy: cache policies are not modelled.
func policy(d *decoder) {
	d.st.mods = nil
	d.operands(1, 3)
	o, zero := d.dst(0, typ{kind: 'b', bits: 64}), d.constant(0)
	d.in.run = each1(o, zero, func(uint64) uint64 { return 0 })
}
