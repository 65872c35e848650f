//go:build !amd64 || purego

package asm

import "unsafe"

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	GroupedAVX512, GroupedAVX2         func(pixels, cin, cout, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int, lanes *GroupLanes)
	GroupedGradAVX512, GroupedGradAVX2 func(segs int, seg *uintptr, cdy, cx, dyStep, xStep int, dst *float32, ldj, ldt int, load bool, dyAhead, xAhead int, lanes *GroupLanes, j int)
)
