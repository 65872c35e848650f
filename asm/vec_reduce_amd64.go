//go:build amd64 && !purego

package asm

// The sums and maxima. A sum along a row has 16 lanes (element i in lane i mod
// 16, from +0), folded 8-4-2-1; L[i] = fma(x[i], scale, -u) - v[i], with v nil
// nothing is subtracted.

// RowSumAVX512 is the sum of x.
//
//go:noescape
func RowSumAVX512(n int, x *float32) float32

// RowDotAVX512 is the sum of x*y by fused multiply-adds.
//
//go:noescape
func RowDotAVX512(n int, x, y *float32) float32

// RowMaxAVX512 is the maximum of L, -Inf of nothing; NaN wins.
//
//go:noescape
func RowMaxAVX512(n int, x *float32, scale, u float32, v *float32) float32

// ColMaxAVX512 sets m[i] = max(m[i], L[i]); NaN wins.
//
//go:noescape
func ColMaxAVX512(n int, m, x *float32, scale, u float32, v *float32)

// RowFindAVX512 is the first i with x[i] == v, or n.
//
//go:noescape
func RowFindAVX512(n int, x *float32, v float32) int

// ColSumAVX512 sets out[j] = sum over r of x[r*ld+j], from +0 in row
// order (+ out[j] when load); rows is at least 1.
//
//go:noescape
func ColSumAVX512(rows, n, ld int, x, out *float32, load bool)

// RowSumAVX2 is the sum of x.
//
//go:noescape
func RowSumAVX2(n int, x *float32) float32

// RowDotAVX2 is the sum of x*y by fused multiply-adds.
//
//go:noescape
func RowDotAVX2(n int, x, y *float32) float32

// RowMaxAVX2 is the maximum of L, -Inf of nothing; NaN wins.
//
//go:noescape
func RowMaxAVX2(n int, x *float32, scale, u float32, v *float32) float32

// ColMaxAVX2 sets m[i] = max(m[i], L[i]); NaN wins.
//
//go:noescape
func ColMaxAVX2(n int, m, x *float32, scale, u float32, v *float32)

// RowFindAVX2 is the first i with x[i] == v, or n.
//
//go:noescape
func RowFindAVX2(n int, x *float32, v float32) int

// ColSumAVX2 sets out[j] = sum over r of x[r*ld+j], from +0 in row
// order (+ out[j] when load); rows is at least 1.
//
//go:noescape
func ColSumAVX2(rows, n, ld int, x, out *float32, load bool)
