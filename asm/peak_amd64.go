//go:build amd64 && !purego

package asm

// The loops that measure a core's multiply-add peak: n rounds of 12
// independent instructions on registers.

// PeakAVX2 runs 12*n multiply-adds of 8 lanes.
func PeakAVX2(n int)

// PeakAVX512 runs 12*n multiply-adds of 16 lanes.
func PeakAVX512(n int)

// PeakAVX512BF16 runs 12*n dot products of 32 BFloat16 pairs into 16 lanes.
func PeakAVX512BF16(n int)
