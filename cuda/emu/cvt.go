package emu

import "math"

// convert decodes cvt between all integer and float types.
func convert(d *decoder) {
	mode := d.oneOf("rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi")
	ftz, sat, relu := d.flag("ftz"), d.flag("sat"), d.flag("relu")
	to := d.typ()
	from := d.typ()
	if to.kind == 'b' || to.kind == 'p' || from.kind == 'b' || from.kind == 'p' || from.x2 || from.kind == 't' {
		d.fail("cvt takes integers and floats")
	}
	if to.x2 {
		d.convertPair(to, from, mode, ftz, relu)
		return
	}
	if to.kind == 't' && (from != types["f32"] || mode == "") {
		d.fail("cvt.rna.tf32.f32 is what there is")
	}
	d.operands(2, 2)
	f := conversion(d, to, from, mode, ftz, sat, relu)
	a := d.source(&d.st.ops[1], from, from.integer())
	o, width := d.dest(&d.st.ops[0], to, to.integer())
	fm := from.mask()
	if to.signed() && width > to.bits {
		m := ^uint64(0) >> (64 - width)
		d.in.run = each1(o, a, func(x uint64) uint64 { return uint64(extend(f(x&fm), to.bits)) & m })
		return
	}
	d.in.run = each1(o, a, func(x uint64) uint64 { return f(x & fm) })
}

// conversion picks the function by kinds.
func conversion(d *decoder, to, from typ, mode string, ftz, sat, relu bool) func(uint64) uint64 {
	if relu && !(to.float() && from.float()) {
		d.fail("cvt.relu is for floats")
	}
	switch {
	case to.integer() && from.integer():
		if mode != "" {
			d.fail("rounding between integers")
		}
		return integerToInteger(to, from, sat)
	case to.integer():
		if len(mode) != 3 || mode == "rna" {
			d.fail("cvt from float to integer needs .rni, .rzi, .rmi or .rpi")
		}
		return floatToInteger(to, from, mode, ftz)
	case from.integer():
		if len(mode) != 2 {
			d.fail("cvt from integer to float needs .rn, .rz, .rm or .rp")
		}
		return integerToFloat(to, from, mode, sat)
	}
	whole := len(mode) == 3 && mode != "rna"
	narrows := to.bits < from.bits || to.kind == 't' || to.bits == from.bits && to.kind != from.kind
	if narrows && mode == "" || !narrows && mode != "" && !whole {
		d.fail("rounding of this cvt")
	}
	if to.kind == 't' && mode == "rna" && !relu && !sat {
		return roundTF32
	}
	return func(u uint64) uint64 {
		x := from.unpack(u)
		if ftz && (from.bits == 32) && math.Abs(x) < 0x1p-126 {
			x = math.Copysign(0, x)
		}
		if whole {
			x = integral(x, mode)
		} else if narrows {
			x = to.format().round(x, mode)
		}
		if ftz && to.bits == 32 && math.Abs(x) < 0x1p-126 {
			x = math.Copysign(0, x)
		}
		if sat {
			x = saturate(x)
		}
		if relu && !(x > 0) && x == x {
			x = 0
		}
		return to.pack(x)
	}
}

// roundTF32 is cvt.rna.tf32.f32: to nearest, ties away from zero.
func roundTF32(u uint64) uint64 {
	if u&0x7f800000 == 0x7f800000 {
		if u&0x7fffff != 0 {
			return 0x7fffffff
		}
		return u
	}
	return (u + 0x1000) &^ 0x1fff & 0xffffffff
}

// integerToInteger cuts or extends, or clamps with .sat.
func integerToInteger(to, from typ, sat bool) func(uint64) uint64 {
	return func(u uint64) uint64 {
		neg := false
		if from.signed() {
			u = uint64(extend(u, from.bits))
			neg = int64(u) < 0
		}
		if !sat {
			return u & to.mask()
		}
		top := to.mask()
		if to.signed() {
			top >>= 1
		}
		switch {
		case neg && !to.signed():
			return 0
		case neg:
			return uint64(max(int64(u), -int64(top)-1)) & to.mask()
		}
		return min(u, top)
	}
}

// floatToInteger rounds and clamps to the integer's range; a NaN gives 0.
func floatToInteger(to, from typ, mode string, ftz bool) func(uint64) uint64 {
	low, high := 0.0, math.Ldexp(1, to.bits) // high is one too many
	if to.signed() {
		low, high = -math.Ldexp(1, to.bits-1), math.Ldexp(1, to.bits-1)
	}
	return func(u uint64) uint64 {
		x := from.unpack(u)
		if ftz && math.Abs(x) < 0x1p-126 {
			x = 0
		}
		x = integral(x, mode)
		switch {
		case x != x:
			return 0
		case x >= high && to.signed():
			return to.mask() >> 1
		case x >= high:
			return to.mask()
		case x <= low:
			return uint64(int64(low)) & to.mask()
		case x < 0:
			return uint64(int64(x)) & to.mask()
		}
		return uint64(x)
	}
}

// integerToFloat rounds once, also from 64 bits.
func integerToFloat(to, from typ, mode string, sat bool) func(uint64) uint64 {
	return func(u uint64) uint64 {
		neg := false
		if from.signed() {
			if s := extend(u, from.bits); s < 0 {
				neg, u = true, uint64(-s)
			}
		}
		hi, lo := float64(u&^0x7ff), float64(u&0x7ff) // both exact
		if neg {
			hi, lo = -hi, -lo
		}
		x := hi + lo
		switch {
		case to.bits == 64 && mode != "rn":
			x = directed(hi, lo, mode)
		case to.bits < 64:
			x = to.format().round(exactSum(hi, lo), mode)
		}
		if sat {
			x = saturate(x)
		}
		return to.pack(x)
	}
}

// directed is a+b as a float64, rounded by mode.
func directed(a, b float64, mode string) float64 {
	s := a + b
	v := s - a
	rest := (a - (s - v)) + (b - v)
	switch {
	case rest < 0 && (mode == "rm" || mode == "rz" && s > 0):
		return math.Nextafter(s, math.Inf(-1))
	case rest > 0 && (mode == "rp" || mode == "rz" && s < 0):
		return math.Nextafter(s, math.Inf(1))
	}
	return s
}

// convertPair decodes cvt.rn.{bf16x2,f16x2}.f32 d, high, low.
func (d *decoder) convertPair(to, from typ, mode string, ftz, relu bool) {
	if from != types["f32"] || mode != "rn" && mode != "rz" || ftz {
		d.fail("cvt to pairs is from .f32 with .rn or .rz")
	}
	d.operands(3, 3)
	one := conversion(d, to.half(), from, mode, false, false, relu)
	d.in.run = each2(d.dst(0, typ{kind: 'b', bits: 32}), d.src(1, from), d.src(2, from), func(x, y uint64) uint64 {
		return one(x)<<16 | one(y)
	})
}
