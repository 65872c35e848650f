//go:build amd64 && !purego

package asm

// The row helpers of products and convolutions. m and n are at least 1; fma
// rounds once; strides are in elements.
//
//	StatsRows: for j := range n { sum[j], sq[j] = 0, 0
//		for i := range m { d := c[i*ldc+j] - shift[j]; sum[j] += d; sq[j] = fma(d, d, sq[j]) } }
//	AddRows: for i, j: c[i*ldc+j] += x[i*ldx+j]
//	FinishRows: for i, j: c[i*ldc+j] = relu?((c[i*ldc+j] + bias[j]) + res[i*ldres+j])
//	AffineRow: for j: dst[j] = relu?(fma(x[j], scale[j], shift[j]))
//	BNBackRow: for j: dst[j] = fma(a[j], open ? dy[j] : 0, fma(b[j], x[j], c[j])); open: mask[j] > 0,
//	           without mask fma(x[j], scale[j], shift[j]) > 0, without both true
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

// FinishRowsAVX512 applies bias, residual and ReLU to a block.
//
//go:noescape
func FinishRowsAVX512(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)

// AffineRowAVX512 is the prologue relu?(x*scale+shift). dst may be x.
//
//go:noescape
func AffineRowAVX512(n int, dst, x, scale, shift *float32, relu bool)

// BNBackRowAVX512 is the prologue of batch norm's backward. dst may be dy.
//
//go:noescape
func BNBackRowAVX512(n int, dst, dy, x, mask, scale, shift, a, b, c *float32)

// StatsRowsAVX2 sums the columns of a block of m rows.
//
//go:noescape
func StatsRowsAVX2(m, n int, c *float32, ldc int, shift, sum, sq *float32)

// AddRowsAVX2 adds block x to block c.
//
//go:noescape
func AddRowsAVX2(m, n int, c *float32, ldc int, x *float32, ldx int)

// FinishRowsAVX2 applies bias, residual and ReLU to a block.
//
//go:noescape
func FinishRowsAVX2(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)

// AffineRowAVX2 is the prologue relu?(x*scale+shift). dst may be x.
//
//go:noescape
func AffineRowAVX2(n int, dst, x, scale, shift *float32, relu bool)

// BNBackRowAVX2 is the prologue of batch norm's backward. dst may be dy.
//
//go:noescape
func BNBackRowAVX2(n int, dst, dy, x, mask, scale, shift, a, b, c *float32)
