//go:build !amd64 || purego

package asm

// The kernels exist on amd64 only; their row of the table never fits here.
var (
	StemGradAVX512x3x3, StemGradAVX512x3x9, StemGradAVX512x1x21 func(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)
	StemAVX512x3x3                                              func(n int, x0, x1, x2 *float32, step int, w *float32, ldw int, y *float32, ldy int)
)
