//go:build !amd64 || purego

package asm

// The rows of this family exist on amd64 only; in the table they never fit here.
var (
	ExpSumAVX512, ExpSumAVX2   func(n int, x *float32, scale, u float32, v *float32, m float32) float32
	ExpColsAVX512, ExpColsAVX2 func(n int, sum, x *float32, scale, u float32, v, m *float32)
	ExpRowAVX512, ExpRowAVX2   func(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32)
)
