package emu

import "math"

// typ is a PTX operand type.
type typ struct {
	kind byte // 'b' bits, 'u' unsigned, 's' signed, 'f' float, 'g' bfloat16, 't' tf32, 'p' predicate
	bits int
	x2   bool // a packed pair of 16-bit floats
}

func (t typ) bytes() int   { return t.bits / 8 }
func (t typ) mask() uint64 { return ^uint64(0) >> (64 - t.bits) }
func (t typ) float() bool  { return t.kind == 'f' || t.kind == 'g' || t.kind == 't' }
func (t typ) signed() bool { return t.kind == 's' }

// integer reports a type that add, mul and the like compute on as integers.
func (t typ) integer() bool { return t.kind == 'u' || t.kind == 's' }

var types = map[string]typ{
	"pred": {kind: 'p', bits: 1},
	"b8":   {kind: 'b', bits: 8}, "b16": {kind: 'b', bits: 16}, "b32": {kind: 'b', bits: 32}, "b64": {kind: 'b', bits: 64},
	"u8": {kind: 'u', bits: 8}, "u16": {kind: 'u', bits: 16}, "u32": {kind: 'u', bits: 32}, "u64": {kind: 'u', bits: 64},
	"s8": {kind: 's', bits: 8}, "s16": {kind: 's', bits: 16}, "s32": {kind: 's', bits: 32}, "s64": {kind: 's', bits: 64},
	"f16": {kind: 'f', bits: 16}, "f32": {kind: 'f', bits: 32}, "f64": {kind: 'f', bits: 64},
	"bf16": {kind: 'g', bits: 16}, "tf32": {kind: 't', bits: 32},
	"f16x2": {kind: 'f', bits: 32, x2: true}, "bf16x2": {kind: 'g', bits: 32, x2: true},
}

func parseType(s string) (typ, bool) {
	t, ok := types[s]
	return t, ok
}

// vec is one register of a warp: a value for each lane, zero-extended.
type vec [32]uint64

const full = ^uint32(0)

func f32(u uint64) float32    { return math.Float32frombits(uint32(u)) }
func f64(u uint64) float64    { return math.Float64frombits(u) }
func bits64(f float64) uint64 { return math.Float64bits(f) }

// bits32 is f's bits; every NaN becomes the one that the hardware makes.
func bits32(f float32) uint64 {
	if f != f {
		return 0x7fffffff
	}
	return uint64(math.Float32bits(f))
}

// extend is v, a value of the given width, with its sign in all 64 bits.
func extend(v uint64, bits int) int64 {
	s := uint(64 - bits)
	return int64(v<<s) >> s
}
