//go:build !amd64 || purego

package asm

// The row helpers exist on amd64 only.
var (
	StatsRowsAVX512, StatsRowsAVX2   func(m, n int, c *float32, ldc int, shift, sum, sq *float32)
	AddRowsAVX512, AddRowsAVX2       func(m, n int, c *float32, ldc int, x *float32, ldx int)
	FinishRowsAVX512, FinishRowsAVX2 func(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)
	AffineRowAVX512, AffineRowAVX2   func(n int, dst, x, scale, shift *float32, relu bool)
	BNBackRowAVX512, BNBackRowAVX2   func(n int, dst, dy, x, mask, scale, shift, a, b, c *float32)
)
