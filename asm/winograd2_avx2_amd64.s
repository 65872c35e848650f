//go:build amd64 && !purego

#include "textflag.h"

// The transforms of Winograd's F(2x2,3x3) for AVX2: 8 lanes of float32 a step,
// float64 inside the transform of weights. Pictures and macros are in
// winograd2_amd64.h, loops in winograd2_amd64.go.
//
// The caller guarantees n > 0, a multiple of 8, that many readable elements
// behind every address, and lists of twice as many words as are read (the rest
// is only fetched and may be anything). tmp is not used.
//
// Why assembly: the compiler has no vectors of float32.

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
#define V15 Y15
#define H13 X13
#define VL 32
#define ROUND(v, h) VCVTPD2PSY v, h

#include "winograd2_amd64.h"

// func Winograd2InputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·Winograd2InputAVX2(SB), NOSPLIT, $0-48
	WINOGRAD2INPUT
	RET

// func Winograd2OutputAVX2(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·Winograd2OutputAVX2(SB), NOSPLIT, $0-49
	WINOGRAD2OUTPUT
	RET

// func Winograd2WeightsAVX2(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)
TEXT ·Winograd2WeightsAVX2(SB), NOSPLIT, $0-48
	WINOGRAD2WEIGHTS
	RET

// func Winograd2GradOutputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·Winograd2GradOutputAVX2(SB), NOSPLIT, $0-48
	WINOGRAD2GRADOUTPUT
	RET

// func Winograd2GradWeightsAVX2(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
TEXT ·Winograd2GradWeightsAVX2(SB), NOSPLIT, $0-48
	WINOGRAD2GRADWEIGHTS
	RET
