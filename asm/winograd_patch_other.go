//go:build !amd64 || purego

package asm

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	WinogradPatchInputAVX512, WinogradPatchSpreadAVX512      func(n int, src *float32, row, pixel int, dst *float32, freq int)
	WinogradPatchOutputAVX512                                func(n int, src *float32, freq int, dst *float32, row, pixel, h, w int, add bool)
	WinogradProductAVX512x12x32, WinogradProductAVX512x12x16 func(freqs, k int, v *float32, ldv, freqV int, u *float32, freqU int, m *float32, ldm, freqM int, read uintptr, readStep int, write uintptr, writeStep int)
)
