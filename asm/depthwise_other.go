//go:build !amd64 || purego

package asm

import "unsafe"

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	DepthwiseAVX512, DepthwiseAVX2         func(pixels, c, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int)
	DepthwiseGradAVX512, DepthwiseGradAVX2 func(segs int, seg *uintptr, c, dyStep, xStep int, dst *float32, ldd int, load bool, dyAhead, xAhead int)
)
