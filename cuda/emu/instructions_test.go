package emu

import (
	"math"
	"math/bits"
	"testing"
)

func s32(u uint64) int32  { return int32(uint32(u)) }
func u32(u uint64) uint64 { return uint64(uint32(u)) }

// fbin and f1 are float32 operations in Go.
func fbin(f func(a, b float32) float32) func(x, y, z uint64) uint64 {
	return func(x, y, _ uint64) uint64 { return bits32(f(f32(x), f32(y))) }
}

func f1(f func(a float64) float64) func(x, y, z uint64) uint64 {
	return func(x, _, _ uint64) uint64 { return bits32(float32(f(float64(f32(x))))) }
}

func dbin(f func(a, b float64) float64) func(x, y, z uint64) uint64 {
	return func(x, y, _ uint64) uint64 { return types["f64"].pack(f(f64(x), f64(y))) }
}

// clampTo is the integer nearest below, clamped; NaN is 0.
func clampTo(x, low, high float64) float64 {
	if x != x {
		return 0
	}
	return max(low, min(high, x))
}

func bit(b bool) uint64 { return uint64(b2i(b)) }

var instructions = []instruction{
	{"add.u16", "u16 u16 u16", func(x, y, _ uint64) uint64 { return x + y }},
	{"add.s32", "s32 s32 s32", func(x, y, _ uint64) uint64 { return uint64(s32(x) + s32(y)) }},
	{"add.sat.s32", "s32 s32 s32", func(x, y, _ uint64) uint64 {
		return uint64(max(min(int64(s32(x))+int64(s32(y)), math.MaxInt32), math.MinInt32))
	}},
	{"add.u64", "u64 u64 u64", func(x, y, _ uint64) uint64 { return x + y }},
	{"sub.u32", "u32 u32 u32", func(x, y, _ uint64) uint64 { return x - y }},
	{"sub.s64", "s64 s64 s64", func(x, y, _ uint64) uint64 { return x - y }},
	{"mul.lo.u32", "u32 u32 u32", func(x, y, _ uint64) uint64 { return x * y }},
	{"mul.lo.s64", "s64 s64 s64", func(x, y, _ uint64) uint64 { return x * y }},
	{"mul.hi.u32", "u32 u32 u32", func(x, y, _ uint64) uint64 { return x * y >> 32 }},
	{"mul.hi.s32", "s32 s32 s32", func(x, y, _ uint64) uint64 { return uint64(int64(s32(x)) * int64(s32(y)) >> 32) }},
	{"mul.hi.u64", "u64 u64 u64", func(x, y, _ uint64) uint64 { h, _ := bits.Mul64(x, y); return h }},
	{"mul.wide.u16", "u32 u16 u16", func(x, y, _ uint64) uint64 { return x * y }},
	{"mul.wide.s16", "s32 s16 s16", func(x, y, _ uint64) uint64 { return uint64(int32(int16(x)) * int32(int16(y))) }},
	{"mul.wide.u32", "u64 u32 u32", func(x, y, _ uint64) uint64 { return x * y }},
	{"mul.wide.s32", "s64 s32 s32", func(x, y, _ uint64) uint64 { return uint64(int64(s32(x)) * int64(s32(y))) }},
	{"mul24.lo.u32", "u32 u32 u32", func(x, y, _ uint64) uint64 { return x << 40 >> 40 * (y << 40 >> 40) }},
	{"mad.lo.s32", "s32 s32 s32 s32", func(x, y, z uint64) uint64 { return x*y + z }},
	{"mad.hi.u32", "u32 u32 u32 u32", func(x, y, z uint64) uint64 { return x*y>>32 + z }},
	{"mad.wide.s32", "s64 s32 s32 s64", func(x, y, z uint64) uint64 { return uint64(int64(s32(x))*int64(s32(y))) + z }},
	{"mad.wide.u32", "u64 u32 u32 u64", func(x, y, z uint64) uint64 { return x*y + z }},
	{"sad.u32", "u32 u32 u32 u32", func(x, y, z uint64) uint64 { return max(x, y) - min(x, y) + z }},
	{"div.u32 $0, $1, 7", "u32 u32", func(x, _, _ uint64) uint64 { return x / 7 }},
	{"div.s32 $0, $1, -7", "s32 s32", func(x, _, _ uint64) uint64 { return uint64(s32(x) / -7) }},
	{"rem.u64 $0, $1, 1000003", "u64 u64", func(x, _, _ uint64) uint64 { return x % 1000003 }},
	{"rem.s32 $0, $1, 9", "s32 s32", func(x, _, _ uint64) uint64 { return uint64(s32(x) % 9) }},
	{"min.s32", "s32 s32 s32", func(x, y, _ uint64) uint64 { return uint64(min(s32(x), s32(y))) }},
	{"max.s64", "s64 s64 s64", func(x, y, _ uint64) uint64 { return uint64(max(int64(x), int64(y))) }},
	{"max.u16", "u16 u16 u16", func(x, y, _ uint64) uint64 { return max(x, y) }},
	{"abs.s32", "s32 s32", func(x, _, _ uint64) uint64 { return uint64(max(s32(x), -s32(x))) }},
	{"neg.s64", "s64 s64", func(x, _, _ uint64) uint64 { return -x }},
	{"and.b32", "b32 b32 b32", func(x, y, _ uint64) uint64 { return x & y }},
	{"or.b64", "b64 b64 b64", func(x, y, _ uint64) uint64 { return x | y }},
	{"xor.b16", "b16 b16 b16", func(x, y, _ uint64) uint64 { return x ^ y }},
	{"not.b64", "b64 b64", func(x, _, _ uint64) uint64 { return ^x }},
	{"cnot.b32", "b32 b32", func(x, _, _ uint64) uint64 { return bit(x == 0) }},
	{"shl.b32", "b32 b32 u32", func(x, y, _ uint64) uint64 { return x << y }},
	{"shl.b64", "b64 b64 u32", func(x, y, _ uint64) uint64 { return x << y }},
	{"shr.u32", "u32 u32 u32", func(x, y, _ uint64) uint64 { return x >> y }},
	{"shr.s32", "s32 s32 u32", func(x, y, _ uint64) uint64 { return uint64(s32(x) >> y) }},
	{"shr.s64", "s64 s64 u32", func(x, y, _ uint64) uint64 { return uint64(int64(x) >> y) }},
	{"shf.l.wrap.b32", "b32 b32 b32 b32", func(x, y, z uint64) uint64 { return (y<<32 | x) << (z & 31) >> 32 }},
	{"shf.r.clamp.b32", "b32 b32 b32 b32", func(x, y, z uint64) uint64 { return (y<<32 | x) >> min(z, 32) }},
	{"lop3.b32 $0, $1, $2, $3, 0xe8", "b32 b32 b32 b32", func(x, y, z uint64) uint64 { return x&y | y&z | x&z }},
	{"lop3.b32 $0, $1, $2, $3, 0x96", "b32 b32 b32 b32", func(x, y, z uint64) uint64 { return x ^ y ^ z }},
	{"prmt.b32 $0, $1, $2, 0x0123", "b32 b32 b32", func(x, _, _ uint64) uint64 { return uint64(bits.ReverseBytes32(uint32(x))) }},
	{"prmt.b32 $0, $1, $2, 0x5410", "b32 b32 b32", func(x, y, _ uint64) uint64 { return x&0xffff | y<<16 }},
	{"prmt.b32 $0, $1, $1, 0x8888", "b32 b32", func(x, _, _ uint64) uint64 { return -(x >> 7 & 1) }},
	{"popc.b64", "u32 b64", func(x, _, _ uint64) uint64 { return uint64(bits.OnesCount64(x)) }},
	{"clz.b32", "u32 b32", func(x, _, _ uint64) uint64 { return uint64(bits.LeadingZeros32(uint32(x))) }},
	{"brev.b32", "b32 b32", func(x, _, _ uint64) uint64 { return uint64(bits.Reverse32(uint32(x))) }},
	{"bfind.u32", "u32 u32", func(x, _, _ uint64) uint64 { return uint64(bits.Len32(uint32(x)) - 1) }},
	{"bfe.u32 $0, $1, 5, 9", "u32 u32", func(x, _, _ uint64) uint64 { return x >> 5 & 511 }},
	{"bfe.s32 $0, $1, 20, 40", "s32 s32", func(x, _, _ uint64) uint64 { return uint64(s32(x) >> 20) }},
	{"bfe.s32 $0, $1, 4, 8", "s32 s32", func(x, _, _ uint64) uint64 { return uint64(s32(x) << 20 >> 24) }},
	{"bfi.b32 $0, $1, $2, 8, 4", "b32 b32 b32", func(x, y, _ uint64) uint64 { return y&^0xf00 | x<<8&0xf00 }},
	{"dp4a.u32.u32", "u32 u32 u32 u32", func(x, y, z uint64) uint64 {
		for i := range 4 {
			z += x >> (8 * i) & 255 * (y >> (8 * i) & 255)
		}
		return z
	}},
	{"{.reg .b32 %l<6>; mov.b64 {%l0, %l1}, $1; mov.b64 {%l2, %l3}, $2; add.cc.u32 %l4, %l0, %l2; addc.u32 %l5, %l1, %l3; mov.b64 $0, {%l4, %l5};}", "u64 u64 u64", func(x, y, _ uint64) uint64 { return x + y }},
	{"{.reg .b32 %l<6>; mov.b64 {%l0, %l1}, $1; mov.b64 {%l2, %l3}, $2; sub.cc.u32 %l4, %l0, %l2; subc.u32 %l5, %l1, %l3; mov.b64 $0, {%l4, %l5};}", "u64 u64 u64", func(x, y, _ uint64) uint64 { return x - y }},

	{"add.f32", "f32 f32 f32", fbin(func(a, b float32) float32 { return a + b })},
	{"sub.f32", "f32 f32 f32", fbin(func(a, b float32) float32 { return a - b })},
	{"mul.f32", "f32 f32 f32", fbin(func(a, b float32) float32 { return a * b })},
	{"mul.ftz.f32", "f32 f32 f32", fbin(func(a, b float32) float32 { return flush(flush(a) * flush(b)) })},
	{"add.sat.f32", "f32 f32 f32", fbin(func(a, b float32) float32 { return float32(saturate(float64(a + b))) })},
	{"div.rn.f32", "f32 f32 f32", fbin(func(a, b float32) float32 { return a / b })},
	{"min.f32", "f32 f32 f32", fbin(func(a, b float32) float32 {
		switch {
		case a != a:
			return b
		case b != b:
			return a
		}
		return min(a, b)
	})},
	{"max.f32", "f32 f32 f32", fbin(func(a, b float32) float32 {
		switch {
		case a != a:
			return b
		case b != b:
			return a
		}
		return max(a, b)
	})},
	{"max.NaN.f32", "f32 f32 f32", fbin(func(a, b float32) float32 { return max(a, b) })},
	{"neg.f32", "f32 f32", func(x, _, _ uint64) uint64 { return x ^ 1<<31 }},
	{"abs.f32", "f32 f32", func(x, _, _ uint64) uint64 { return x &^ (1 << 31) }},
	{"copysign.f32", "f32 f32 f32", func(x, y, _ uint64) uint64 { return x>>31<<31 | y&(1<<31-1) }},
	{"rcp.rn.f32", "f32 f32", f1(func(a float64) float64 { return 1 / a })},
	{"sqrt.rn.f32", "f32 f32", f1(math.Sqrt)},
	{"rsqrt.approx.f32", "f32 f32", f1(func(a float64) float64 { return 1 / math.Sqrt(a) })},
	{"ex2.approx.f32", "f32 f32", f1(math.Exp2)},
	{"lg2.approx.f32", "f32 f32", f1(math.Log2)},
	{"sin.approx.f32", "f32 f32", f1(math.Sin)},
	{"tanh.approx.f32", "f32 f32", f1(math.Tanh)},
	{"add.f64", "f64 f64 f64", dbin(func(a, b float64) float64 { return a + b })},
	{"mul.rn.f64", "f64 f64 f64", dbin(func(a, b float64) float64 { return a * b })},
	{"div.rn.f64", "f64 f64 f64", dbin(func(a, b float64) float64 { return a / b })},
	{"fma.rn.f64", "f64 f64 f64 f64", func(x, y, z uint64) uint64 { return types["f64"].pack(math.FMA(f64(x), f64(y), f64(z))) }},
	{"sqrt.rn.f64", "f64 f64", func(x, _, _ uint64) uint64 { return types["f64"].pack(math.Sqrt(f64(x))) }},
	{"fma.rn.bf16", "bf16 bf16 bf16 bf16", func(x, y, z uint64) uint64 {
		b := types["bf16"]
		return b.pack(bfloat16.round(exactSum(b.unpack(x)*b.unpack(y), b.unpack(z)), "rn"))
	}},

	{"cvt.rn.f32.s32", "f32 s32", func(x, _, _ uint64) uint64 { return bits32(float32(s32(x))) }},
	{"cvt.rn.f32.u64", "f32 u64", func(x, _, _ uint64) uint64 { return bits32(float32(x)) }},
	{"cvt.rn.f32.s64", "f32 s64", func(x, _, _ uint64) uint64 { return bits32(float32(int64(x))) }},
	{"cvt.rn.f64.u64", "f64 u64", func(x, _, _ uint64) uint64 { return bits64(float64(x)) }},
	{"cvt.rz.f64.s64", "f64 s64", func(x, _, _ uint64) uint64 {
		r := float64(int64(x))
		if math.Abs(r) >= 1<<63 || r > 0 && int64(r) > int64(x) || r < 0 && int64(r) < int64(x) {
			if int64(x) != math.MinInt64 {
				r = math.Nextafter(r, 0)
			}
		}
		return bits64(r)
	}},
	{"cvt.f64.f32", "f64 f32", func(x, _, _ uint64) uint64 { return types["f64"].pack(float64(f32(x))) }},
	{"cvt.rn.f32.f64", "f32 f64", func(x, _, _ uint64) uint64 { return bits32(float32(f64(x))) }},
	{"cvt.rzi.s32.f32", "s32 f32", func(x, _, _ uint64) uint64 {
		return uint64(int64(clampTo(math.Trunc(float64(f32(x))), math.MinInt32, math.MaxInt32)))
	}},
	{"cvt.rni.u32.f32", "u32 f32", func(x, _, _ uint64) uint64 {
		return uint64(clampTo(math.RoundToEven(float64(f32(x))), 0, math.MaxUint32))
	}},
	{"cvt.rmi.s64.f64", "s64 f64", func(x, _, _ uint64) uint64 {
		f := math.Floor(f64(x))
		switch {
		case f != f:
			return 0
		case f >= 1<<63:
			return math.MaxInt64
		case f < -1<<63:
			return 1 << 63
		}
		return uint64(int64(f))
	}},
	{"cvt.rpi.f32.f32", "f32 f32", f1(math.Ceil)},
	{"cvt.sat.f32.f32", "f32 f32", f1(saturate)},
	{"cvt.rna.tf32.f32 $0, $1", "b32 f32", func(x, _, _ uint64) uint64 { return bits32(float32(tensor32.round(float64(f32(x)), "rna"))) }},
	{"cvt.rn.bf16x2.f32 $0, $1, $2", "b32 f32 f32", func(x, y, _ uint64) uint64 {
		return types["bf16"].pack(bfloat16.round(float64(f32(x)), "rn"))<<16 | types["bf16"].pack(bfloat16.round(float64(f32(y)), "rn"))
	}},
	{"cvt.rn.f16.f32", "f16 f32", func(x, _, _ uint64) uint64 { return types["f16"].pack(binary16.round(float64(f32(x)), "rn")) }},
	{"cvt.f32.f16", "f32 f16", func(x, _, _ uint64) uint64 { return bits32(float32(types["f16"].unpack(x))) }},
	{"cvt.s64.s32", "s64 s32", func(x, _, _ uint64) uint64 { return uint64(int64(s32(x))) }},
	{"cvt.u64.u32", "u64 u32", func(x, _, _ uint64) uint64 { return x }},
	{"cvt.u32.u64", "u32 u64", func(x, _, _ uint64) uint64 { return u32(x) }},
	{"cvt.s8.s32 $0, $1", "s32 s32", func(x, _, _ uint64) uint64 { return uint64(int8(x)) }},
	{"cvt.sat.u16.s32", "u16 s32", func(x, _, _ uint64) uint64 { return uint64(max(0, min(s32(x), 65535))) }},
	{"cvt.sat.s32.u64", "s32 u64", func(x, _, _ uint64) uint64 { return min(x, math.MaxInt32) }},

	{"{.reg .pred %p; setp.lt.f32 %p, $1, $2; selp.u32 $0, 1, 0, %p;}", "u32 f32 f32", func(x, y, _ uint64) uint64 { return bit(f32(x) < f32(y)) }},
	{"{.reg .pred %p; setp.geu.f32 %p, $1, $2; selp.u32 $0, 1, 0, %p;}", "u32 f32 f32", func(x, y, _ uint64) uint64 { return bit(!(f32(x) < f32(y))) }},
	{"{.reg .pred %p; setp.neu.f64 %p, $1, $2; selp.u32 $0, 1, 0, %p;}", "u32 f64 f64", func(x, y, _ uint64) uint64 { return bit(f64(x) != f64(y)) }},
	{"{.reg .pred %p; setp.num.f32 %p, $1, $2; selp.u32 $0, 1, 0, %p;}", "u32 f32 f32", func(x, y, _ uint64) uint64 {
		return bit(f32(x) == f32(x) && f32(y) == f32(y))
	}},
	{"{.reg .pred %p<3>; setp.gt.s32 %p0, $1, 5; setp.le.and.u32 %p1|%p2, $1, $2, %p0; selp.u32 $0, 1, 0, %p1; @%p2 or.b32 $0, $0, 2;}", "u32 u32 u32", func(x, y, _ uint64) uint64 {
		p := s32(x) > 5
		return bit(x <= y && p) | bit(!(x <= y) && p)<<1
	}},
	{"{.reg .pred %p<3>; setp.eq.b32 %p0, $1, $2; setp.ne.xor.s32 %p1, $1, $2, !%p0; selp.u32 $0, 1, 0, %p1;}", "u32 b32 b32", func(x, y, _ uint64) uint64 {
		return bit((x != y) != (x != y))
	}},
	{"set.gt.u32.f32", "u32 f32 f32", func(x, y, _ uint64) uint64 { return -bit(f32(x) > f32(y)) }},
	{"slct.f32.s32", "f32 f32 f32 s32", func(x, y, z uint64) uint64 {
		if s32(z) >= 0 {
			return x
		}
		return y
	}},
	{"{.reg .pred %p; testp.subnormal.f32 %p, $1; selp.u32 $0, 1, 0, %p;}", "u32 f32", func(x, _, _ uint64) uint64 {
		return bit(x&0x7f800000 == 0 && x&0x7fffff != 0)
	}},
	{"{.reg .b16 %h<4>; mov.b64 {%h0, %h1, %h2, %h3}, $1; mov.b64 $0, {%h3, %h2, %h1, %h0};}", "b64 b64", func(x, _, _ uint64) uint64 {
		return x<<48 | x<<32>>48<<32 | x<<16>>48<<16 | x>>48
	}},
}

func TestInstructions(t *testing.T) {
	r := newRig(t, Config{})
	for _, in := range instructions {
		in.check(t, r)
	}
}
