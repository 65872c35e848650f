//go:build !amd64 || purego

package asm

import "unsafe"

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	WinogradInputAVX512, WinogradInputAVX2             func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	WinogradOutputAVX512, WinogradOutputAVX2           func(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
	WinogradWeightsAVX512, WinogradWeightsAVX2         func(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)
	WinogradGradOutputAVX512, WinogradGradOutputAVX2   func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	WinogradGradWeightsAVX512, WinogradGradWeightsAVX2 func(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
)
