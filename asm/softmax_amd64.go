//go:build amd64 && !purego

package asm

// The exponentials of logits L[i] = fma(x[i], scale, -u) - v[i], with v nil
// nothing is subtracted.

// ExpSumAVX512 is the sum of exp(L - m) in 16 lanes, folded 8-4-2-1.
//
//go:noescape
func ExpSumAVX512(n int, x *float32, scale, u float32, v *float32, m float32) float32

// ExpColsAVX512 adds exp(L[i] - m[i]) to sum[i].
//
//go:noescape
func ExpColsAVX512(n int, sum, x *float32, scale, u float32, v, m *float32)

// ExpRowAVX512 sets dst[i] = w * fma(exp(L[i]), s, -q[i]); q nil is zeros.
//
//go:noescape
func ExpRowAVX512(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32)

// ExpSumAVX2 is the sum of exp(L - m) in 16 lanes, folded 8-4-2-1.
//
//go:noescape
func ExpSumAVX2(n int, x *float32, scale, u float32, v *float32, m float32) float32

// ExpColsAVX2 adds exp(L[i] - m[i]) to sum[i].
//
//go:noescape
func ExpColsAVX2(n int, sum, x *float32, scale, u float32, v, m *float32)

// ExpRowAVX2 sets dst[i] = w * fma(exp(L[i]), s, -q[i]); q nil is zeros.
//
//go:noescape
func ExpRowAVX2(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32)
