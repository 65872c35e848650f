//go:build amd64 && !purego

#include "textflag.h"

// Winograd's transforms for AVX-512: 16 lanes of float32 a step, float64
// inside the transform of weights. Pictures and macros are in winograd_amd64.h,
// loops in winograd_amd64.go.
//
// The caller guarantees n > 0, a multiple of 16, that many readable elements
// behind every address, lists of twice as many words as are read (the rest is
// only fetched and may be anything) and 36 x 16 elements of scratch.
//
// Why assembly: the transforms live on float32 fused multiply-adds, whose
// rounding is part of the contract.

#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define V10 Z10
#define V11 Z11
#define V12 Z12
#define V13 Z13
#define V14 Z14
#define H0 Y0
#define H1 Y1
#define H2 Y2
#define H3 Y3
#define H4 Y4
#define H5 Y5
#define VL 64
#define ROUND(v, h) VCVTPD2PS v, h

#include "winograd_amd64.h"

// func WinogradInputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·WinogradInputAVX512(SB), NOSPLIT, $0-48
	WINOGRADINPUT
	RET

// func WinogradOutputAVX512(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·WinogradOutputAVX512(SB), NOSPLIT, $0-49
	WINOGRADOUTPUT
	RET

// func WinogradWeightsAVX512(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)
TEXT ·WinogradWeightsAVX512(SB), NOSPLIT, $0-48
	WINOGRADWEIGHTS
	RET

// func WinogradGradOutputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·WinogradGradOutputAVX512(SB), NOSPLIT, $0-48
	WINOGRADGRADOUTPUT
	RET

// func WinogradGradWeightsAVX512(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
TEXT ·WinogradGradWeightsAVX512(SB), NOSPLIT, $0-48
	WINOGRADGRADWEIGHTS
	RET
