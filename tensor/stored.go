package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Stored is the type of the numbers in a file, in safetensors' words.
type Stored string

// The types that files are read from and written as. Float16 is read only.
const (
	F64  Stored = "F64"
	F32  Stored = "F32"
	BF16 Stored = "BF16" // upper half of a float32
	F16  Stored = "F16"
	I64  Stored = "I64"
	I32  Stored = "I32"
	U8   Stored = "U8"
)

// Size is the bytes of one element, 0 for a type not listed here.
func (s Stored) Size() int {
	switch s {
	case F64, I64:
		return 8
	case F32, I32:
		return 4
	case BF16, F16:
		return 2
	case U8:
		return 1
	}
	return 0
}

// le is the byte order of both file formats.
var le = binary.LittleEndian

// decodeFloats converts len(dst) stored elements; float64 to float32 rounds to
// nearest even. It reports whether s is a float type.
func decodeFloats[F float32 | float64](dst []F, s Stored, raw []byte) bool {
	switch s {
	case F64:
		for i := range dst {
			dst[i] = F(math.Float64frombits(le.Uint64(raw[8*i:])))
		}
	case F32:
		for i := range dst {
			dst[i] = F(math.Float32frombits(le.Uint32(raw[4*i:])))
		}
	case BF16:
		for i := range dst {
			dst[i] = F(math.Float32frombits(uint32(le.Uint16(raw[2*i:])) << 16))
		}
	case F16:
		for i := range dst {
			dst[i] = F(fromHalf(le.Uint16(raw[2*i:])))
		}
	default:
		return false
	}
	return true
}

// decodeInts widens len(dst) stored elements. It reports whether s is an
// integer type.
func decodeInts(dst []int64, s Stored, raw []byte) bool {
	switch s {
	case I64:
		for i := range dst {
			dst[i] = int64(le.Uint64(raw[8*i:]))
		}
	case I32:
		for i := range dst {
			dst[i] = int64(int32(le.Uint32(raw[4*i:])))
		}
	case U8:
		for i := range dst {
			dst[i] = int64(raw[i])
		}
	default:
		return false
	}
	return true
}

// values is the type, length and bytes of what a writer was given: a *Tensor,
// or a slice of float32, float64, int32, int64 or bytes. as asks for another
// float type; "" keeps the slice's own.
func values(data any, as Stored) (s Stored, n int, appendTo func(b []byte, lo, hi int) []byte, err error) {
	switch v := data.(type) {
	case []float32:
		return floatValues(v, F32, as)
	case []float64:
		return floatValues(v, F64, as)
	case []int32:
		s, n = I32, len(v)
		appendTo = func(b []byte, lo, hi int) []byte {
			for _, x := range v[lo:hi] {
				b = le.AppendUint32(b, uint32(x))
			}
			return b
		}
	case []int64:
		s, n = I64, len(v)
		appendTo = func(b []byte, lo, hi int) []byte {
			for _, x := range v[lo:hi] {
				b = le.AppendUint64(b, uint64(x))
			}
			return b
		}
	case []byte:
		s, n = U8, len(v)
		appendTo = func(b []byte, lo, hi int) []byte { return append(b, v[lo:hi]...) }
	default:
		return "", 0, nil, fmt.Errorf("values of type %T cannot be stored", data)
	}
	if as != "" && as != s {
		return "", 0, nil, fmt.Errorf("%T is stored as %s, not %s", data, s, as)
	}
	return s, n, appendTo, nil
}

func floatValues[F float32 | float64](v []F, own, as Stored) (Stored, int, func([]byte, int, int) []byte, error) {
	if as == "" {
		as = own
	}
	switch as {
	case F64:
		return as, len(v), func(b []byte, lo, hi int) []byte {
			for _, x := range v[lo:hi] {
				b = le.AppendUint64(b, math.Float64bits(float64(x)))
			}
			return b
		}, nil
	case F32:
		return as, len(v), func(b []byte, lo, hi int) []byte {
			for _, x := range v[lo:hi] {
				b = le.AppendUint32(b, math.Float32bits(float32(x)))
			}
			return b
		}, nil
	case BF16:
		return as, len(v), func(b []byte, lo, hi int) []byte {
			for _, x := range v[lo:hi] {
				b = le.AppendUint16(b, toBFloat16(float32(x)))
			}
			return b
		}, nil
	}
	return "", 0, nil, fmt.Errorf("%T is stored as F64, F32 or BF16, not %s", v, as)
}

// toBFloat16 rounds to nearest even; NaN stays NaN.
func toBFloat16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// fromHalf widens an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0: // zero and subnormals: frac * 2^-24, exact
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
