//go:build amd64 && !purego

#include "textflag.h"

// Winograd's transforms for AVX2 and FMA: 8 lanes of float32 a step, float64
// inside the transform of weights. Pictures and macros are in winograd_amd64.h,
// loops in winograd_amd64.go.
//
// The caller guarantees n > 0, a multiple of 8, that many readable elements
// behind every address, lists of twice as many words as are read (the rest is
// only fetched and may be anything) and 36 x 8 elements of scratch.
//
// Why assembly: the transforms live on float32 fused multiply-adds, whose
// rounding is part of the contract.

#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define V8 Y8
#define V9 Y9
#define V10 Y10
#define V11 Y11
#define V12 Y12
#define V13 Y13
#define V14 Y14
#define H0 X0
#define H1 X1
#define H2 X2
#define H3 X3
#define H4 X4
#define H5 X5
#define VL 32
#define ROUND(v, h) VCVTPD2PSY v, h

#include "winograd_amd64.h"

// func WinogradInputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·WinogradInputAVX2(SB), NOSPLIT, $0-48
	WINOGRADINPUT
	RET

// func WinogradOutputAVX2(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·WinogradOutputAVX2(SB), NOSPLIT, $0-49
	WINOGRADOUTPUT
	RET

// func WinogradWeightsAVX2(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)
TEXT ·WinogradWeightsAVX2(SB), NOSPLIT, $0-48
	WINOGRADWEIGHTS
	RET

// func WinogradGradOutputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·WinogradGradOutputAVX2(SB), NOSPLIT, $0-48
	WINOGRADGRADOUTPUT
	RET

// func WinogradGradWeightsAVX2(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
TEXT ·WinogradGradWeightsAVX2(SB), NOSPLIT, $0-48
	WINOGRADGRADWEIGHTS
	RET
