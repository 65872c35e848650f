//go:build !amd64 || purego

package asm

import "unsafe"

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	Winograd2InputAVX512, Winograd2InputAVX2             func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	Winograd2OutputAVX512, Winograd2OutputAVX2           func(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
	Winograd2WeightsAVX512, Winograd2WeightsAVX2         func(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)
	Winograd2GradOutputAVX512, Winograd2GradOutputAVX2   func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	Winograd2GradWeightsAVX512, Winograd2GradWeightsAVX2 func(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
)
