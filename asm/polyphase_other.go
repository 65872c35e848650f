//go:build !amd64 || purego

package asm

import "unsafe"

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	PolyphaseInputAVX512, PolyphaseInputAVX2     func(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
	PolyphaseOutputAVX512, PolyphaseOutputAVX2   func(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
	PolyphaseWeightsAVX512, PolyphaseWeightsAVX2 func(n int, src *float32, tap int, dst *float32, plane int, tmp *float32)
	PolyphaseGradYAVX512, PolyphaseGradYAVX2     func(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
	PolyphaseGradXAVX512, PolyphaseGradXAVX2     func(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
	PolyphaseSpreadAVX512, PolyphaseSpreadAVX2   func(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
	PolyphaseGatherAVX512, PolyphaseGatherAVX2   func(n int, src *float32, plane int, dst *float32, tap int, tmp *float32)
)
