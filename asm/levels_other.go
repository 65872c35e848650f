//go:build !amd64 || purego

package asm

// The kernels exist on amd64 only; package data asks Has first.
var (
	LevelSumAVX2 func(dst, src *uint8, stride int, w *int32, taps, n int)
	LevelBoxAVX2 func(dst, src *uint8, stride int, w *uint32, taps, n int)
	LevelRowAVX2 func(dst, src *uint8, first, w *int32, taps, pixels int)
)
