//go:build !amd64 || purego

package asm

// The rows of this family exist on amd64 only; in the table they never fit here.
var (
	RowSumAVX512, RowSumAVX2   func(n int, x *float32) float32
	RowDotAVX512, RowDotAVX2   func(n int, x, y *float32) float32
	RowMaxAVX512, RowMaxAVX2   func(n int, x *float32, scale, u float32, v *float32) float32
	ColMaxAVX512, ColMaxAVX2   func(n int, m, x *float32, scale, u float32, v *float32)
	RowFindAVX512, RowFindAVX2 func(n int, x *float32, v float32) int
	ColSumAVX512, ColSumAVX2   func(rows, n, ld int, x, out *float32, load bool)
)
