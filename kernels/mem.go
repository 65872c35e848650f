package kernels

import "unsafe"

// DType is the element type of a Mem.
type DType uint8

// Float32 is the type of every activation, parameter and gradient. Float64
// holds merged statistics (and everything on Ref64); Int32 holds labels,
// pool positions and cluster ids; BFloat16 is storage only.
const (
	Float32 DType = iota
	Float64
	Int32
	BFloat16
)

// Size is the width of one element in bytes.
func (d DType) Size() int {
	switch d {
	case Float64:
		return 8
	case BFloat16:
		return 2
	}
	return 4
}

func (d DType) String() string {
	return [...]string{"float32", "float64", "int32", "bfloat16"}[d]
}

// Mem is a span of one backend's memory: Len elements of type Type. It is a
// value and owns nothing: Backend.Alloc makes memory, Backend.Free ends it,
// At and Slice make views. The zero Mem means "not given".
type Mem struct {
	Host unsafe.Pointer // address of element 0 in host memory; nil on a device
	Dev  uint64         // address of element 0 in device memory; 0 on the host
	Len  int            // elements
	Type DType
}

// IsNil reports whether m was not given.
func (m Mem) IsNil() bool { return m.Host == nil && m.Dev == 0 }

// Bytes is the size of the span.
func (m Mem) Bytes() int { return m.Len * m.Type.Size() }

// At is the view [off, off+n) of m. It panics when the view leaves m.
func (m Mem) At(off, n int) Mem {
	if off < 0 || n < 0 || off+n > m.Len {
		panic(&BoundsError{Off: off, Len: n, Of: m.Len})
	}
	if m.Host != nil {
		m.Host = unsafe.Add(m.Host, off*m.Type.Size())
	} else {
		m.Dev += uint64(off * m.Type.Size())
	}
	m.Len = n
	return m
}

// As is the same bytes seen as elements of type t; the length is rounded down.
func (m Mem) As(t DType) Mem {
	m.Len = m.Bytes() / t.Size()
	m.Type = t
	return m
}

// F32 is the span as a Go slice. It panics unless m is host Float32 memory.
func (m Mem) F32() []float32 { return view[float32](m, Float32) }

// F64 is the span as a Go slice. It panics unless m is host Float64 memory.
func (m Mem) F64() []float64 { return view[float64](m, Float64) }

// I32 is the span as a Go slice. It panics unless m is host Int32 memory.
func (m Mem) I32() []int32 { return view[int32](m, Int32) }

func view[T any](m Mem, t DType) []T {
	if m.Host == nil {
		if m.Len == 0 || m.Dev == 0 {
			return nil
		}
		panic(&TypeError{Want: t, Got: m.Type, Device: true})
	}
	if m.Type != t {
		panic(&TypeError{Want: t, Got: m.Type})
	}
	return unsafe.Slice((*T)(m.Host), m.Len)
}

// Float is an element type of the generic references.
type Float interface{ float32 | float64 }

// vals is the span as []F for the generic references: Float32 memory for
// float32, Float64 memory for float64.
func vals[F Float](m Mem) []F {
	var z F
	if unsafe.Sizeof(z) == 8 {
		return view[F](m, Float64)
	}
	return view[F](m, Float32)
}

// F32Mem wraps a Go slice as Float32 memory of the CPU backend. The slice
// stays alive as long as the Mem does.
func F32Mem(s []float32) Mem { return Mem{Host: unsafe.Pointer(unsafe.SliceData(s)), Len: len(s)} }

// F64Mem wraps a Go slice as Float64 memory.
func F64Mem(s []float64) Mem {
	return Mem{Host: unsafe.Pointer(unsafe.SliceData(s)), Len: len(s), Type: Float64}
}

// I32Mem wraps a Go slice as Int32 memory.
func I32Mem(s []int32) Mem {
	return Mem{Host: unsafe.Pointer(unsafe.SliceData(s)), Len: len(s), Type: Int32}
}
