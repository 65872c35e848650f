package emu

import (
	"math"
	"math/bits"
)

// arith decodes add, sub, mul, min, max, abs and neg of every type.
func arith(d *decoder) {
	op := d.st.op
	if d.flag("cc") {
		d.carry(op, false)
		return
	}
	half := d.oneOf("lo", "hi", "wide")
	f := d.floatMods()
	sat := d.flag("sat")
	t := d.typ()
	switch {
	case t.float():
		d.floatArith(op, t, f, sat, half)
	case !t.integer():
		d.fail("%s does not compute on .b%d", op, t.bits)
	case f != floatMods{}:
		d.fail("rounding of integers")
	case op == "mul":
		d.product(t, half)
	case half != "":
		d.fail("%s.%s", op, half)
	case op == "abs" || op == "neg":
		m := t.mask()
		d.unary1(t, func(x uint64) uint64 {
			if op == "abs" && extend(x, t.bits) >= 0 {
				return x
			}
			return -x & m
		})
	case sat:
		if t.kind != 's' || t.bits != 32 || op != "add" && op != "sub" {
			d.fail(".sat is for add.s32 and sub.s32")
		}
		d.binary2(t, func(x, y uint64) uint64 {
			a, b := extend(x, 32), extend(y, 32)
			if op == "sub" {
				b = -b
			}
			return uint64(uint32(min(max(a+b, math.MinInt32), math.MaxInt32)))
		})
	default:
		o, a, b := d.binary2(t, integerOp(op, t))
		if op == "add" {
			d.in.run = addInteger(o, a, b, t.mask(), d.in.run)
		}
	}
}

// integerOp is one of add, sub, min and max.
func integerOp(op string, t typ) func(x, y uint64) uint64 {
	m, n := t.mask(), t.bits
	switch op {
	case "add":
		return func(x, y uint64) uint64 { return (x + y) & m }
	case "sub":
		return func(x, y uint64) uint64 { return (x - y) & m }
	case "min":
		if t.signed() {
			return func(x, y uint64) uint64 { return uint64(min(extend(x, n), extend(y, n))) & m }
		}
		return func(x, y uint64) uint64 { return min(x, y) }
	}
	if t.signed() {
		return func(x, y uint64) uint64 { return uint64(max(extend(x, n), extend(y, n))) & m }
	}
	return func(x, y uint64) uint64 { return max(x, y) }
}

// multiplied is the low, high or whole product.
func multiplied(t typ, half string) func(x, y uint64) uint64 {
	m, n, s := t.mask(), t.bits, t.signed()
	switch {
	case half == "lo":
		return func(x, y uint64) uint64 { return x * y & m }
	case half == "wide" && s:
		return func(x, y uint64) uint64 {
			return uint64(extend(x, n)*extend(y, n)) & (^uint64(0) >> (64 - 2*n))
		}
	case half == "wide":
		return func(x, y uint64) uint64 { return x * y }
	case n == 64 && s:
		return func(x, y uint64) uint64 {
			hi, _ := bits.Mul64(x, y)
			if int64(x) < 0 {
				hi -= y
			}
			if int64(y) < 0 {
				hi -= x
			}
			return hi
		}
	case n == 64:
		return func(x, y uint64) uint64 { hi, _ := bits.Mul64(x, y); return hi }
	case s:
		return func(x, y uint64) uint64 { return uint64(extend(x, n)*extend(y, n)>>n) & m }
	}
	return func(x, y uint64) uint64 { return x * y >> n & m }
}

// product decodes mul.{lo,hi,wide}.
func (d *decoder) product(t typ, half string) {
	d.operands(3, 3)
	d.in.run = each2(d.dst(0, d.widened(t, half)), d.src(1, t), d.src(2, t), multiplied(t, half))
}

// widened is the type of a product.
func (d *decoder) widened(t typ, half string) typ {
	switch {
	case half == "":
		d.fail("%s of integers needs .lo, .hi or .wide", d.st.op)
	case half == "wide" && t.bits == 64:
		d.fail("%s.wide of 64 bits", d.st.op)
	case half == "wide":
		t.bits *= 2
	}
	return t
}

// multiplyAdd decodes mad: of integers, or fma of floats.
func multiplyAdd(d *decoder) {
	if len(d.st.mods) > 0 && (d.st.mods[len(d.st.mods)-1] == "f32" || d.st.mods[len(d.st.mods)-1] == "f64") {
		fused(d)
		return
	}
	half := d.oneOf("lo", "hi", "wide")
	t := d.typed("u16", "s16", "u32", "s32", "u64", "s64")
	r := d.widened(t, half)
	d.operands(4, 4)
	mul, m := multiplied(t, half), r.mask()
	d.in.run = each3(d.dst(0, r), d.src(1, t), d.src(2, t), d.src(3, r), func(x, y, z uint64) uint64 { return (mul(x, y) + z) & m })
}

// quotient decodes div and rem. Division by zero, which PTX leaves open, is a
// fault.
func quotient(d *decoder) {
	op := d.st.op
	if n := len(d.st.mods); n > 0 && (d.st.mods[n-1] == "f32" || d.st.mods[n-1] == "f64") {
		d.floatQuotient()
		return
	}
	t := d.typed("u16", "s16", "u32", "s32", "u64", "s64")
	d.operands(3, 3)
	o, a, b := d.dst(0, t), d.src(1, t), d.src(2, t)
	m, n := t.mask(), t.bits
	divide := each2(o, a, b, func(x, y uint64) uint64 {
		switch {
		case op == "div" && t.signed():
			return uint64(extend(x, n)/extend(y, n)) & m
		case op == "div":
			return x / y
		case t.signed():
			return uint64(extend(x, n)%extend(y, n)) & m
		}
		return x % y
	})
	d.in.run = func(w *warp, act uint32) {
		y := w.src(b, act)
		for k := act; k != 0; k &= k - 1 {
			if l := bits.TrailingZeros32(k); y[l] == 0 {
				w.fault(BadInstruction, l, "division by zero")
			}
		}
		divide(w, act)
	}
}
