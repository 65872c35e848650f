//go:build amd64 && !purego

package asm

// The row helpers of products and convolutions. m and n are at least 1; fma
// rounds once; strides are in elements.
//
//	StatsRows: for j := range n { sum[j], sq[j] = 0, 0
//		for i := range m { d := c[i*ldc+j] - shift[j]; sum[j] += d; sq[j] = fma(d, d, sq[j]) } }
//	AddRows: for i, j: c[i*ldc+j] += x[i*ldx+j]
//	CopyRows: for i, j: dst[i*ldd+j] = src[i*lds+j]
//	FinishRows: for i, j: c[i*ldc+j] = relu?((c[i*ldc+j] + bias[j]) + res[i*ldres+j])
//	AffineRows: for i, j: dst[i*ldd+j] = relu?(fma(x[i*ldx+j], scale[j], shift[j]))
//	BNBackRows: for i, j: dst[i*ldd+j] = fma(a[j], open ? dy[i*lddy+j] : 0, fma(b[j], x[i*ld+j], c[j]));
//		open: mask[i*ld+j] > 0, without mask fma(x[i*ld+j], scale[j], shift[j]) > 0, without both true
//
// relu(v) is v > 0 ? v : 0 with relu(NaN) = NaN. A nil shift is zeros, a nil
// bias, res or mask is left out.

// StatsRowsAVX512 sums the columns of a block of m rows.
//
//go:noescape
func StatsRowsAVX512(m, n int, c *float32, ldc int, shift, sum, sq *float32)

// AddRowsAVX512 adds block x to block c.
//
//go:noescape
func AddRowsAVX512(m, n int, c *float32, ldc int, x *float32, ldx int)

// CopyRowsAVX512 copies block src to block dst, which must not overlap it.
//
//go:noescape
func CopyRowsAVX512(m, n int, dst *float32, ldd int, src *float32, lds int)

// FinishRowsAVX512 applies bias, residual and ReLU to a block.
//
//go:noescape
func FinishRowsAVX512(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)

// AffineRowsAVX512 is the prologue relu?(x*scale+shift). dst may be x.
//
//go:noescape
func AffineRowsAVX512(m, n int, dst *float32, ldd int, x *float32, ldx int, scale, shift *float32, relu bool)

// BNBackRowsAVX512 is the prologue of batch norm's backward. dst may be dy.
//
//go:noescape
func BNBackRowsAVX512(m, n int, dst *float32, ldd int, dy *float32, lddy int, x, mask *float32, ld int, scale, shift, a, b, c *float32)

// StatsRowsAVX2 sums the columns of a block of m rows.
//
//go:noescape
func StatsRowsAVX2(m, n int, c *float32, ldc int, shift, sum, sq *float32)

// AddRowsAVX2 adds block x to block c.
//
//go:noescape
func AddRowsAVX2(m, n int, c *float32, ldc int, x *float32, ldx int)

// CopyRowsPastAVX512 is CopyRowsAVX512 past the caches, a fence behind it: dst
// is aligned to 64 bytes, n and ldd are multiples of 16.
//
//go:noescape
func CopyRowsPastAVX512(m, n int, dst *float32, ldd int, src *float32, lds int)

// CopyRowsAVX2 copies block src to block dst, which must not overlap it.
//
//go:noescape
func CopyRowsAVX2(m, n int, dst *float32, ldd int, src *float32, lds int)

// FinishRowsAVX2 applies bias, residual and ReLU to a block.
//
//go:noescape
func FinishRowsAVX2(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)

// AffineRowsAVX2 is the prologue relu?(x*scale+shift). dst may be x.
//
//go:noescape
func AffineRowsAVX2(m, n int, dst *float32, ldd int, x *float32, ldx int, scale, shift *float32, relu bool)

// BNBackRowsAVX2 is the prologue of batch norm's backward. dst may be dy.
//
//go:noescape
func BNBackRowsAVX2(m, n int, dst *float32, ldd int, dy *float32, lddy int, x, mask *float32, ld int, scale, shift, a, b, c *float32)
