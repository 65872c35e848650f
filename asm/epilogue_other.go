//go:build !amd64 || purego

package asm

// The row helpers exist on amd64 only.
var (
	StatsRowsAVX512, StatsRowsAVX2   func(m, n int, c *float32, ldc int, shift, sum, sq *float32)
	AddRowsAVX512, AddRowsAVX2       func(m, n int, c *float32, ldc int, x *float32, ldx int)
	CopyRowsPastAVX512               func(m, n int, dst *float32, ldd int, src *float32, lds int)
	CopyRowsAVX512, CopyRowsAVX2     func(m, n int, dst *float32, ldd int, src *float32, lds int)
	FinishRowsAVX512, FinishRowsAVX2 func(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)
	AffineRowsAVX512, AffineRowsAVX2 func(m, n int, dst *float32, ldd int, x *float32, ldx int, scale, shift *float32, relu bool)
	BNBackRowsAVX512, BNBackRowsAVX2 func(m, n int, dst *float32, ldd int, dy *float32, lddy int, x, mask *float32, ld int, scale, shift, a, b, c *float32)
)
