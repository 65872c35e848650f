//go:build !amd64 || purego

package asm

// The elementwise functions exist on amd64 only; their rows of the table never
// fit here.
var (
	VecFillAVX512, VecScaleAVX512, VecAddAVX512, VecSubAVX512, VecMulAVX512, VecDivAVX512, VecAXPYAVX512, VecAXPBYAVX512, VecReLUAVX512, VecReLUGradAVX512, VecExpAVX512, VecLogAVX512, VecSqrtAVX512, VecAffineAVX512 func(n int, dst, a, b *float32, s, t float32)
	VecFillAVX2, VecScaleAVX2, VecAddAVX2, VecSubAVX2, VecMulAVX2, VecDivAVX2, VecAXPYAVX2, VecAXPBYAVX2, VecReLUAVX2, VecReLUGradAVX2, VecExpAVX2, VecLogAVX2, VecSqrtAVX2, VecAffineAVX2                             func(n int, dst, a, b *float32, s, t float32)
)
