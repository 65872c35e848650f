package emu

import "math/bits"

// comparison consumes the operator and type of setp or set and gives the
// function that compares.
func (d *decoder) comparison() (op, combineBy string, ftz bool) {
	op = d.want("the comparison", "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan")
	combineBy = d.oneOf("and", "or", "xor")
	return op, combineBy, d.flag("ftz")
}

// comparer is op on values of type t.
func (d *decoder) comparer(op string, t typ, ftz bool) func(x, y uint64) bool {
	if t.float() {
		return floatComparer(op, t, ftz)
	}
	switch op {
	case "lo", "ls", "hi", "hs":
		op = map[string]string{"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}[op]
		if t.signed() {
			d.fail("unsigned comparison of signed integers")
		}
	case "eq", "ne":
	case "lt", "le", "gt", "ge":
		if t.kind == 'b' {
			d.fail("order of bits")
		}
	default:
		d.fail(".%s is for floats", op)
	}
	n := t.bits
	less := func(x, y uint64) bool { return x < y }
	if t.signed() {
		less = func(x, y uint64) bool { return extend(x, n) < extend(y, n) }
	}
	switch op {
	case "eq":
		return func(x, y uint64) bool { return x == y }
	case "ne":
		return func(x, y uint64) bool { return x != y }
	case "lt":
		return less
	case "le":
		return func(x, y uint64) bool { return !less(y, x) }
	case "gt":
		return func(x, y uint64) bool { return less(y, x) }
	}
	return func(x, y uint64) bool { return !less(x, y) }
}

// floatComparer compares floats: false for a NaN, or true with the u forms.
//
//go:noinline
func floatComparer(op string, t typ, ftz bool) func(x, y uint64) bool {
	unordered := len(op) == 3 && op != "num" && op != "nan"
	base := op
	if unordered {
		base = op[:2]
	}
	return func(a, b uint64) bool {
		x, y := t.unpack(a), t.unpack(b)
		if ftz {
			x, y = float64(flush(float32(x))), float64(flush(float32(y)))
		}
		nan := x != x || y != y
		switch {
		case op == "num":
			return !nan
		case op == "nan":
			return nan
		case nan:
			return unordered
		}
		switch base {
		case "eq":
			return x == y
		case "ne":
			return x != y
		case "lt":
			return x < y
		case "le":
			return x <= y
		case "gt":
			return x > y
		}
		return x >= y
	}
}

var comparable = []string{"b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f16", "bf16", "f32", "f64"}

// compared is the operands of setp and set after the destination.
type compared struct {
	a, b  ref
	f     func(x, y uint64) bool
	c     predRef
	by    func(x, y uint32) uint32
	hasBy bool
}

func (d *decoder) compared(op, by string, ftz bool, t typ) compared {
	k := compared{a: d.src(1, t), b: d.src(2, t), f: d.comparer(op, t, ftz)}
	if by == "" {
		d.operands(3, 3)
		return k
	}
	d.operands(4, 4)
	k.c, k.by, k.hasBy = d.pred(&d.st.ops[3]), combine(by), true
	return k
}

// lanes compares the active lanes.
func (k *compared) lanes(w *warp, act uint32) (r uint32) {
	x, y := w.src(k.a, act), w.src(k.b, act)
	for m := act; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		if k.f(x[l], y[l]) {
			r |= 1 << l
		}
	}
	return r
}

// setPredicate decodes setp: p = (a op b) by c, q = !(a op b) by c.
func setPredicate(d *decoder) {
	op, by, ftz := d.comparison()
	t := d.typed(comparable...)
	d.operands(3, 4)
	first, second := d.pair(0)
	p, q := d.predDst(first), int32(-1)
	if second != nil {
		q = d.predDst(second)
	}
	k := d.compared(op, by, ftz, t)
	d.in.run = func(w *warp, act uint32) {
		r := k.lanes(w, act)
		s := ^r
		if k.hasBy {
			c := w.predicate(k.c, act)
			r, s = k.by(r, c), k.by(s, c)
		}
		w.setPredicate(p, r, act)
		w.setPredicate(q, s, act)
	}
}

// setValue decodes set: all ones or 1.0 for true.
func setValue(d *decoder) {
	op, by, ftz := d.comparison()
	to := d.typed("u32", "s32", "f32")
	t := d.typed(comparable...)
	d.operands(3, 4)
	o := d.dst(0, to)
	k := d.compared(op, by, ftz, t)
	yes := uint64(0xffffffff)
	if to.float() {
		yes = bits32(1)
	}
	d.in.run = func(w *warp, act uint32) {
		r := k.lanes(w, act)
		if k.hasBy {
			r = k.by(r, w.predicate(k.c, act))
		}
		z := w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			z[l] = 0
			if r>>l&1 != 0 {
				z[l] = yes
			}
		}
	}
}

// selectByPredicate decodes selp: a where the predicate holds, else b.
func selectByPredicate(d *decoder) {
	t := d.typed("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64", "f16", "bf16")
	d.operands(4, 4)
	o, a, b, p := d.dst(0, t), d.src(1, t), d.src(2, t), d.pred(&d.st.ops[3])
	d.in.run = func(w *warp, act uint32) {
		r := w.predicate(p, act)
		// A lane reads only the value it takes: the other may be unwritten.
		x, y := w.src(a, act&r), w.src(b, act&^r)
		z := w.dst(o, act)
		for m := act; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			if r>>l&1 != 0 {
				z[l] = x[l]
			} else {
				z[l] = y[l]
			}
		}
	}
}

// selectBySign decodes slct: a where c >= 0, else b.
func selectBySign(d *decoder) {
	ftz := d.flag("ftz")
	t := d.typed("b16", "b32", "b64", "u16", "u32", "u64", "s16", "s32", "s64", "f32", "f64")
	c := d.typed("s32", "f32")
	d.operands(4, 4)
	d.in.run = each3(d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, c), func(x, y, z uint64) uint64 {
		positive := extend(z, 32) >= 0
		if c.float() {
			v := f32(z)
			if ftz {
				v = flush(v)
			}
			positive = v >= 0
		}
		if positive {
			return x
		}
		return y
	})
}
