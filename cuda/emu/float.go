package emu

import "math"

// format is a binary floating-point format: precision with the hidden bit,
// smallest normal exponent, largest finite value.
type format struct {
	precision, least int
	largest          float64
}

var (
	binary16 = format{11, -14, 65504}
	bfloat16 = format{8, -126, 0x1.fep127}
	tensor32 = format{11, -126, 0x1.ffcp127}
	binary32 = format{24, -126, math.MaxFloat32}
)

// round brings x into the format. Modes are "rn" (to nearest, ties to even),
// "rna" (ties away), "rz", "rm" (down) and "rp" (up).
func (f format) round(x float64, mode string) float64 {
	if x == 0 || math.IsInf(x, 0) || x != x {
		return x
	}
	_, e := math.Frexp(x) // |x| is in [2^(e-1), 2^e)
	q := max(e-1, f.least) - (f.precision - 1)
	y := math.Ldexp(integral(math.Ldexp(x, -q), mode), q)
	if math.Abs(y) <= f.largest {
		return math.Copysign(y, x)
	}
	if mode == "rz" || mode == "rm" && x > 0 || mode == "rp" && x < 0 {
		return math.Copysign(f.largest, x)
	}
	return math.Inf(int(math.Copysign(1, x)))
}

// integral rounds to an integer; modes as above, also with the i of cvt.rni.
func integral(x float64, mode string) float64 {
	switch mode {
	case "rz", "rzi":
		return math.Trunc(x)
	case "rm", "rmi":
		return math.Floor(x)
	case "rp", "rpi":
		return math.Ceil(x)
	case "rna":
		return math.Round(x)
	}
	return math.RoundToEven(x)
}

// exactSum is a+b as a float64 whose last bit is 1 when the sum did not fit:
// rounding that to any shorter format rounds the exact sum (Boldo and
// Melquiond, 2008).
func exactSum(a, b float64) float64 {
	s := a + b
	if math.IsInf(s, 0) || s != s {
		return s
	}
	v := s - a
	rest := (a - (s - v)) + (b - v)
	if rest == 0 {
		return s
	}
	u := math.Float64bits(s)
	if s == 0 || rest > 0 != (s > 0) {
		u-- // toward zero
	}
	return math.Float64frombits(u | 1)
}

// fma32 is a*b+c rounded once. The product of two float32 is exact in
// float64; only where the sum lies on a tie, or among subnormals, would the
// second rounding differ.
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	if math.Float64bits(s)&0x1fffffff == 0x10000000 || s < 0x1p-126 && s > -0x1p-126 {
		return float32(exactSum(p, float64(c)))
	}
	return float32(s)
}

// flush is the .ftz of an operand or result: subnormals become zero.
func flush(f float32) float32 {
	if f > -0x1p-126 && f < 0x1p-126 {
		return float32(math.Copysign(0, float64(f)))
	}
	return f
}

// saturate is .sat: [0, 1], and +0 for a NaN.
func saturate(f float64) float64 {
	if !(f > 0) {
		return 0
	}
	return min(f, 1)
}

// smaller and larger are min and max of PTX: the number where one is a NaN,
// and -0 below +0.
func smaller(a, b float64) float64 {
	switch {
	case a != a:
		return b
	case b != b:
		return a
	}
	return math.Min(a, b)
}

func larger(a, b float64) float64 {
	switch {
	case a != a:
		return b
	case b != b:
		return a
	}
	return math.Max(a, b)
}

// unpack reads a value of type t as float64, which holds all of them.
func (t typ) unpack(u uint64) float64 {
	switch {
	case t.kind == 'g':
		return float64(math.Float32frombits(uint32(u) << 16))
	case t.bits == 16:
		return half(uint16(u))
	case t.bits == 32:
		return float64(f32(u))
	}
	return f64(u)
}

// pack is the bits of x, which the format of t holds.
func (t typ) pack(x float64) uint64 {
	switch {
	case t.kind == 'g':
		if x != x {
			return 0x7fff
		}
		return bits32(float32(x)) >> 16
	case t.kind == 't' || t.bits == 32:
		return bits32(float32(x))
	case t.bits == 16:
		return uint64(halfBits(x))
	}
	if x != x {
		return 0x7ff8000000000000
	}
	return bits64(x)
}

// format is the format of t; float64 has none, it is never rounded to.
func (t typ) format() format {
	switch {
	case t.kind == 'g':
		return bfloat16
	case t.kind == 't':
		return tensor32
	case t.bits == 16:
		return binary16
	}
	return binary32
}

// half is the value of a binary16.
func half(u uint16) float64 {
	m, e := float64(u&1023), int(u>>10&31)
	var x float64
	switch {
	case e == 31 && m != 0:
		return math.NaN()
	case e == 31:
		x = math.Inf(1)
	case e == 0:
		x = math.Ldexp(m, -24)
	default:
		x = math.Ldexp(m+1024, e-25)
	}
	if u>>15 != 0 {
		return -x
	}
	return x
}

// halfBits is the binary16 of x, which is one.
func halfBits(x float64) uint16 {
	if x != x {
		return 0x7fff
	}
	s := uint16(math.Float64bits(x) >> 63 << 15)
	x = math.Abs(x)
	switch {
	case math.IsInf(x, 0):
		return s | 0x7c00
	case x < 0x1p-14:
		return s | uint16(math.Ldexp(x, 24))
	}
	m, e := math.Frexp(x) // m in [0.5, 1)
	return s | uint16(e+14)<<10 | uint16(math.Ldexp(m, 11))&1023
}
