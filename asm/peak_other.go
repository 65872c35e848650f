//go:build !amd64 || purego

package asm

// The peak loops exist on amd64 only.
var PeakAVX2, PeakAVX512, PeakAVX512BF16 func(n int)
