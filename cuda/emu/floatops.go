package emu

import (
	"math"
)

// floatMods are the modifiers of float arithmetic.
type floatMods struct {
	mode     string // "" is nearest
	ftz, nan bool
}

// floatMods consumes rounding, .ftz and .NaN.
func (d *decoder) floatMods() floatMods {
	m := floatMods{mode: d.oneOf("rn", "rz", "rm", "rp")}
	m.ftz = d.flag("ftz")
	m.nan = d.flag("NaN")
	return m
}

// sum is exactSum with the zero of the rounding mode: x-x is -0 downwards.
func (m floatMods) sum(a, b float64) float64 {
	s := exactSum(a, b)
	if s == 0 && m.mode == "rm" && math.Signbit(a) != math.Signbit(b) {
		return math.Copysign(0, -1)
	}
	return s
}

// floatArith decodes add, sub, mul, min, max, abs and neg of floats.
func (d *decoder) floatArith(op string, t typ, f floatMods, sat bool, half string) {
	if half != "" || t.kind == 't' {
		d.fail("%s of this type", op)
	}
	if f.nan && op != "min" && op != "max" {
		d.fail("%s.NaN", op)
	}
	if t.bits == 32 && !t.x2 && t.kind == 'f' && f == (floatMods{mode: f.mode}) && !sat && (f.mode == "" || f.mode == "rn") {
		if d.float32Arith(op, t) {
			return
		}
	}
	var exact func(x, y float64) float64
	switch op {
	case "add":
		exact = f.sum
	case "sub":
		exact = func(x, y float64) float64 { return f.sum(x, -y) }
	case "mul":
		exact = func(x, y float64) float64 { return x * y }
	case "min", "max":
		pick := smaller
		if op == "max" {
			pick = larger
		}
		exact = func(x, y float64) float64 {
			if f.nan && (x != x || y != y) {
				return math.NaN()
			}
			return pick(x, y)
		}
	default:
		one := d.lift1(t, f, sat, func(x float64) float64 {
			if op == "abs" {
				return math.Abs(x)
			}
			return -x
		})
		d.unary1(t, one)
		return
	}
	if t.bits == 64 {
		if f.ftz || sat || f.mode != "" && f.mode != "rn" {
			d.fail("%s.f64 is supported with .rn alone", op)
		}
		switch op {
		case "add":
			exact = func(x, y float64) float64 { return x + y }
		case "sub":
			exact = func(x, y float64) float64 { return x - y }
		}
	}
	d.binary2(t, d.lift2(t, f, sat, exact))
}

// float32Arith decodes the plain float32 operations, the most frequent ones.
func (d *decoder) float32Arith(op string, t typ) bool {
	switch op {
	case "add":
		o, a, b := d.binary2(t, func(x, y uint64) uint64 { return bits32(f32(x) + f32(y)) })
		d.in.run = addF32(o, a, b, d.in.run)
	case "sub":
		d.binary2(t, func(x, y uint64) uint64 { return bits32(f32(x) - f32(y)) })
	case "mul":
		o, a, b := d.binary2(t, func(x, y uint64) uint64 { return bits32(f32(x) * f32(y)) })
		d.in.run = mulF32(o, a, b, d.in.run)
	case "neg":
		d.unary1(t, func(x uint64) uint64 { return x ^ 1<<31 })
	case "abs":
		d.unary1(t, func(x uint64) uint64 { return x &^ (1 << 31) })
	default:
		return false
	}
	return true
}

// settle rounds an exact result (up to 53 bits, the last one sticky) to t.
func settle(t typ, f floatMods, sat bool, x float64) uint64 {
	if t.bits < 64 || t.x2 {
		mode := f.mode
		if mode == "" {
			mode = "rn"
		}
		x = t.format().round(x, mode)
		if f.ftz && math.Abs(x) < 0x1p-126 {
			x = math.Copysign(0, x)
		}
	}
	if sat {
		x = saturate(x)
	}
	return t.pack(x)
}

// enter reads an operand.
func enter(t typ, f floatMods, u uint64) float64 {
	x := t.unpack(u)
	if f.ftz && math.Abs(x) < 0x1p-126 {
		x = math.Copysign(0, x)
	}
	return x
}

// lift1, lift2 and lift3 make a function of bits from one of exact values;
// packed pairs are computed half by half.
func (d *decoder) lift1(t typ, f floatMods, sat bool, exact func(x float64) float64) func(x uint64) uint64 {
	if t.x2 {
		h := t.half()
		one := d.lift1(h, f, sat, exact)
		return func(x uint64) uint64 { return one(x&0xffff) | one(x>>16)<<16 }
	}
	return func(x uint64) uint64 { return settle(t, f, sat, exact(enter(t, f, x))) }
}

func (d *decoder) lift2(t typ, f floatMods, sat bool, exact func(x, y float64) float64) func(x, y uint64) uint64 {
	if t.x2 {
		h := t.half()
		one := d.lift2(h, f, sat, exact)
		return func(x, y uint64) uint64 { return one(x&0xffff, y&0xffff) | one(x>>16, y>>16)<<16 }
	}
	return func(x, y uint64) uint64 { return settle(t, f, sat, exact(enter(t, f, x), enter(t, f, y))) }
}

func (d *decoder) lift3(t typ, f floatMods, sat bool, exact func(x, y, z float64) float64) func(x, y, z uint64) uint64 {
	if t.x2 {
		h := t.half()
		one := d.lift3(h, f, sat, exact)
		return func(x, y, z uint64) uint64 {
			return one(x&0xffff, y&0xffff, z&0xffff) | one(x>>16, y>>16, z>>16)<<16
		}
	}
	return func(x, y, z uint64) uint64 {
		return settle(t, f, sat, exact(enter(t, f, x), enter(t, f, y), enter(t, f, z)))
	}
}

// half is the type of one of a packed pair.
func (t typ) half() typ { return typ{kind: t.kind, bits: 16} }

// fused decodes fma and the mad of floats.
func fused(d *decoder) {
	f := d.floatMods()
	sat, relu := d.flag("sat"), d.flag("relu")
	t := d.typed("f16", "f16x2", "bf16", "bf16x2", "f32", "f64")
	switch {
	case f.mode == "":
		d.fail("%s of floats needs a rounding mode", d.st.op)
	case t.bits == 64:
		if f.mode != "rn" || f.ftz || sat || relu {
			d.fail("fma.f64 is supported with .rn alone")
		}
		d.ternary3(t, func(x, y, z uint64) uint64 { return t.pack(math.FMA(f64(x), f64(y), f64(z))) })
	case t.bits == 32 && !t.x2 && f == (floatMods{mode: "rn"}) && !sat && !relu:
		o, a, b, c := d.ternary3(t, func(x, y, z uint64) uint64 { return bits32(fma32(f32(x), f32(y), f32(z))) })
		d.in.run = fmaF32(o, a, b, c, d.in.run)
	default:
		d.ternary3(t, d.lift3(t, f, sat, func(x, y, z float64) float64 {
			s := f.sum(x*y, z)
			if relu && s < 0 {
				s = 0
			}
			return s
		}))
	}
}

// floatQuotient decodes div of floats.
func (d *decoder) floatQuotient() {
	approx := d.oneOf("approx", "full")
	f := d.floatMods()
	t := d.typed("f32", "f64")
	switch {
	case d.st.op != "div" || approx == "" && f.mode == "":
		d.fail("%s of floats needs .rn, .approx or .full", d.st.op)
	case f.mode != "" && f.mode != "rn" || t.bits == 64 && (approx != "" || f.ftz):
		d.fail("this rounding of div")
	case t.bits == 64:
		d.binary2(t, func(x, y uint64) uint64 { return t.pack(f64(x) / f64(y)) })
	default:
		d.binary2(t, d.single2(f.ftz, func(x, y float32) float32 {
			// div.approx is x * rcp(y), which is 0 where rcp would underflow.
			if approx == "approx" && math.Abs(float64(y)) > 0x1p126 && !math.IsInf(float64(y), 0) && !math.IsInf(float64(x), 0) {
				return float32(math.Copysign(0, float64(x)*float64(y)))
			}
			return x / y
		}))
	}
}

// single1 and single2 lift a function of float32, with .ftz.
func (d *decoder) single1(ftz bool, f func(x float32) float32) func(x uint64) uint64 {
	if !ftz {
		return func(x uint64) uint64 { return bits32(f(f32(x))) }
	}
	return func(x uint64) uint64 { return bits32(flush(f(flush(f32(x))))) }
}

func (d *decoder) single2(ftz bool, f func(x, y float32) float32) func(x, y uint64) uint64 {
	if !ftz {
		return func(x, y uint64) uint64 { return bits32(f(f32(x), f32(y))) }
	}
	return func(x, y uint64) uint64 { return bits32(flush(f(flush(f32(x)), flush(f32(y))))) }
}

// reciprocal decodes rcp, sqrt and rsqrt.
func reciprocal(d *decoder) {
	op := d.st.op
	approx := d.flag("approx")
	f := d.floatMods()
	t := d.typed("f32", "f64")
	if !approx && f.mode != "rn" || op == "rsqrt" && !approx || f.nan {
		d.fail("%s needs .approx or .rn", op)
	}
	value := func(x float64) float64 {
		switch op {
		case "rcp":
			return 1 / x
		case "sqrt":
			return math.Sqrt(x)
		}
		return 1 / math.Sqrt(x)
	}
	if t.bits == 64 {
		d.unary1(t, func(x uint64) uint64 { return t.pack(value(f64(x))) })
		return
	}
	d.unary1(t, d.single1(f.ftz, func(x float32) float32 { return float32(value(float64(x))) }))
}

// approximate decodes ex2, lg2, sin, cos and tanh: here they are right to the
// last bit or nearly so.
func approximate(d *decoder) {
	op := d.st.op
	if !d.flag("approx") {
		d.fail("%s needs .approx", op)
	}
	ftz := d.flag("ftz")
	value := map[string]func(float64) float64{"ex2": math.Exp2, "lg2": math.Log2, "sin": math.Sin, "cos": math.Cos, "tanh": math.Tanh}[op]
	t := d.typed("f32")
	d.unary1(t, d.single1(ftz, func(x float32) float32 { return float32(value(float64(x))) }))
}

// copySign decodes copysign: the sign of a on the value of b.
func copySign(d *decoder) {
	t := d.typed("f32", "f64")
	s := uint64(1) << (t.bits - 1)
	d.binary2(t, func(x, y uint64) uint64 { return x&s | y&^s })
}

// testProperty decodes testp.
func testProperty(d *decoder) {
	what := d.want("the property", "finite", "infinite", "number", "notanumber", "normal", "subnormal")
	t := d.typed("f32", "f64")
	least := 0x1p-126
	if t.bits == 64 {
		least = 0x1p-1022
	}
	d.operands(2, 2)
	o, a := d.predDst(&d.st.ops[0]), d.src(1, t)
	holds := func(u uint64) bool {
		x := math.Abs(t.unpack(u))
		switch what {
		case "finite":
			return x <= math.MaxFloat64
		case "infinite":
			return math.IsInf(x, 0)
		case "number":
			return x == x
		case "notanumber":
			return x != x
		case "normal":
			return x >= least && x <= math.MaxFloat64
		}
		return x > 0 && x < least
	}
	d.in.run = func(w *warp, act uint32) {
		x := w.src(a, act)
		var r uint32
		for l, u := range x {
			r |= b2i(act>>l&1 != 0 && holds(u)) << l
		}
		w.setPredicate(o, r, act)
	}
}
