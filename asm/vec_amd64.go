//go:build amd64 && !purego

package asm

// The elementwise functions:
//
//	for i := range n { dst[i] = f(a[i], b[i]; s, t) }
//
// dst may be a or b; operands that f does not read may be anything.

// VecFillAVX512 sets dst[i] = s.
//
//go:noescape
func VecFillAVX512(n int, dst, a, b *float32, s, t float32)

// VecScaleAVX512 sets dst[i] = s*a[i].
//
//go:noescape
func VecScaleAVX512(n int, dst, a, b *float32, s, t float32)

// VecAddAVX512 sets dst[i] = a[i] + b[i].
//
//go:noescape
func VecAddAVX512(n int, dst, a, b *float32, s, t float32)

// VecSubAVX512 sets dst[i] = a[i] - b[i].
//
//go:noescape
func VecSubAVX512(n int, dst, a, b *float32, s, t float32)

// VecMulAVX512 sets dst[i] = a[i] * b[i].
//
//go:noescape
func VecMulAVX512(n int, dst, a, b *float32, s, t float32)

// VecDivAVX512 sets dst[i] = a[i] / b[i].
//
//go:noescape
func VecDivAVX512(n int, dst, a, b *float32, s, t float32)

// VecAXPYAVX512 sets dst[i] = fma(s, a[i], b[i]).
//
//go:noescape
func VecAXPYAVX512(n int, dst, a, b *float32, s, t float32)

// VecAXPBYAVX512 sets dst[i] = fma(s, a[i], t*b[i]).
//
//go:noescape
func VecAXPBYAVX512(n int, dst, a, b *float32, s, t float32)

// VecReLUAVX512 sets dst[i] = a[i] > 0 ? a[i] : 0, NaN stays.
//
//go:noescape
func VecReLUAVX512(n int, dst, a, b *float32, s, t float32)

// VecReLUGradAVX512 sets dst[i] = b[i] > 0 ? a[i] : 0.
//
//go:noescape
func VecReLUGradAVX512(n int, dst, a, b *float32, s, t float32)

// VecExpAVX512 sets dst[i] = exp(a[i]).
//
//go:noescape
func VecExpAVX512(n int, dst, a, b *float32, s, t float32)

// VecLogAVX512 sets dst[i] = log(a[i]).
//
//go:noescape
func VecLogAVX512(n int, dst, a, b *float32, s, t float32)

// VecSqrtAVX512 sets dst[i] = sqrt(a[i]).
//
//go:noescape
func VecSqrtAVX512(n int, dst, a, b *float32, s, t float32)

// VecAffineAVX512 sets dst[i] = fma(s, a[i], t).
//
//go:noescape
func VecAffineAVX512(n int, dst, a, b *float32, s, t float32)

// VecFillAVX2 sets dst[i] = s.
//
//go:noescape
func VecFillAVX2(n int, dst, a, b *float32, s, t float32)

// VecScaleAVX2 sets dst[i] = s*a[i].
//
//go:noescape
func VecScaleAVX2(n int, dst, a, b *float32, s, t float32)

// VecAddAVX2 sets dst[i] = a[i] + b[i].
//
//go:noescape
func VecAddAVX2(n int, dst, a, b *float32, s, t float32)

// VecSubAVX2 sets dst[i] = a[i] - b[i].
//
//go:noescape
func VecSubAVX2(n int, dst, a, b *float32, s, t float32)

// VecMulAVX2 sets dst[i] = a[i] * b[i].
//
//go:noescape
func VecMulAVX2(n int, dst, a, b *float32, s, t float32)

// VecDivAVX2 sets dst[i] = a[i] / b[i].
//
//go:noescape
func VecDivAVX2(n int, dst, a, b *float32, s, t float32)

// VecAXPYAVX2 sets dst[i] = fma(s, a[i], b[i]).
//
//go:noescape
func VecAXPYAVX2(n int, dst, a, b *float32, s, t float32)

// VecAXPBYAVX2 sets dst[i] = fma(s, a[i], t*b[i]).
//
//go:noescape
func VecAXPBYAVX2(n int, dst, a, b *float32, s, t float32)

// VecReLUAVX2 sets dst[i] = a[i] > 0 ? a[i] : 0, NaN stays.
//
//go:noescape
func VecReLUAVX2(n int, dst, a, b *float32, s, t float32)

// VecReLUGradAVX2 sets dst[i] = b[i] > 0 ? a[i] : 0.
//
//go:noescape
func VecReLUGradAVX2(n int, dst, a, b *float32, s, t float32)

// VecExpAVX2 sets dst[i] = exp(a[i]).
//
//go:noescape
func VecExpAVX2(n int, dst, a, b *float32, s, t float32)

// VecLogAVX2 sets dst[i] = log(a[i]).
//
//go:noescape
func VecLogAVX2(n int, dst, a, b *float32, s, t float32)

// VecSqrtAVX2 sets dst[i] = sqrt(a[i]).
//
//go:noescape
func VecSqrtAVX2(n int, dst, a, b *float32, s, t float32)

// VecAffineAVX2 sets dst[i] = fma(s, a[i], t).
//
//go:noescape
func VecAffineAVX2(n int, dst, a, b *float32, s, t float32)
