package emu

// logic decodes and, or, xor, not and cnot of bits and of predicates.
func logic(d *decoder) {
	op := d.st.op
	t := d.typed("pred", "b16", "b32", "b64")
	if t.kind == 'p' {
		d.logicPredicates(op)
		return
	}
	m := t.mask()
	switch op {
	case "not":
		d.unary1(t, func(x uint64) uint64 { return ^x & m })
	case "cnot":
		d.unary1(t, func(x uint64) uint64 { return uint64(b2i(x == 0)) })
	case "and":
		d.binary2(t, func(x, y uint64) uint64 { return x & y })
	case "or":
		d.binary2(t, func(x, y uint64) uint64 { return x | y })
	default:
		d.binary2(t, func(x, y uint64) uint64 { return x ^ y })
	}
}

func (d *decoder) logicPredicates(op string) {
	if op == "not" || op == "cnot" {
		d.operands(2, 2)
		o, a := d.predDst(&d.st.ops[0]), d.pred(&d.st.ops[1])
		d.in.run = func(w *warp, act uint32) { w.setPredicate(o, ^w.predicate(a, act), act) }
		return
	}
	d.operands(3, 3)
	o, a, b := d.predDst(&d.st.ops[0]), d.pred(&d.st.ops[1]), d.pred(&d.st.ops[2])
	f := combine(op)
	d.in.run = func(w *warp, act uint32) { w.setPredicate(o, f(w.predicate(a, act), w.predicate(b, act)), act) }
}

// combine is and, or or xor of predicates.
func combine(op string) func(x, y uint32) uint32 {
	switch op {
	case "and":
		return func(x, y uint32) uint32 { return x & y }
	case "or":
		return func(x, y uint32) uint32 { return x | y }
	}
	return func(x, y uint32) uint32 { return x ^ y }
}

// logic3 decodes lop3: bit i of the table is the result for inputs i.
func logic3(d *decoder) {
	t := d.typed("b32")
	d.operands(5, 5)
	lut, ok := literal(d.st.ops[4].text, false, typ{kind: 'u', bits: 8})
	if !ok {
		d.fail("lop3's table must be a constant")
	}
	d.in.run = each3(d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, t), func(x, y, z uint64) uint64 {
		var r uint64
		for i := range 8 {
			if lut>>i&1 == 0 {
				continue
			}
			p, q, s := x, y, z
			if i&4 == 0 {
				p = ^p
			}
			if i&2 == 0 {
				q = ^q
			}
			if i&1 == 0 {
				s = ^s
			}
			r |= p & q & s
		}
		return r & 0xffffffff
	})
}

// shift decodes shl and shr. Counts beyond the width give 0, or the sign.
func shift(d *decoder) {
	op := d.st.op
	t := d.typed("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64")
	d.operands(3, 3)
	o, a, b := d.dst(0, t), d.src(1, t), d.src(2, typ{kind: 'u', bits: 32})
	m, n := t.mask(), t.bits
	f := func(x, y uint64) uint64 { return x >> y }
	switch {
	case op == "shl":
		f = func(x, y uint64) uint64 { return x << y & m }
	case t.signed():
		f = func(x, y uint64) uint64 { return uint64(extend(x, n)>>y) & m }
	}
	d.in.run = each2(o, a, b, f)
}

// funnel decodes shf: a shift of the 64 bits b:a.
func funnel(d *decoder) {
	dir, mode := d.want("the direction", "l", "r"), d.want("the mode", "wrap", "clamp")
	t := d.typed("b32")
	d.ternary3(t, func(a, b, c uint64) uint64 {
		n := c & 31
		if mode == "clamp" {
			n = min(c, 32)
		}
		v := b<<32 | a
		if dir == "l" {
			return v << n >> 32
		}
		return v >> n & 0xffffffff
	})
}

// permute decodes prmt: four bytes picked from the eight of b:a.
func permute(d *decoder) {
	t := d.typed("b32")
	mode := d.oneOf("f4e", "b4e", "rc8", "ecl", "ecr", "rc16")
	d.ternary3(t, func(a, b, c uint64) uint64 {
		v := b<<32 | a
		var r uint64
		for i := uint64(0); i < 4; i++ {
			pick, sign := c>>(4*i)&7, mode == "" && c>>(4*i)&8 != 0
			k := c & 3
			switch mode {
			case "f4e":
				pick = i + k
			case "b4e":
				pick = (k - i) & 7
			case "rc8":
				pick = k
			case "ecl":
				pick = max(i, k)
			case "ecr":
				pick = min(i, k)
			case "rc16":
				pick = c&1*2 + i&1
			}
			x := v >> (8 * pick) & 0xff
			if sign {
				x = uint64(extend(x, 8)>>7) & 0xff
			}
			r |= x << (8 * i)
		}
		return r
	})
}
