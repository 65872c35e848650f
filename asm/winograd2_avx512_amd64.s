//go:build amd64 && !purego

#include "textflag.h"

// The transforms of Winograd's F(2x2,3x3) for AVX-512: 16 lanes of float32 a step,
// float64 inside the transform of weights. Pictures and macros are in
// winograd2_amd64.h, loops in winograd2_amd64.go.
//
// The caller guarantees n > 0, a multiple of 16, that many readable elements
// behind every address, and lists of twice as many words as are read (the rest
// is only fetched and may be anything). tmp is not used.
//
// Why assembly: the compiler has no vectors of float32.

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
#define V15 Z15
#define H13 Y13
#define VL 64
#define ROUND(v, h) VCVTPD2PS v, h

#include "winograd2_amd64.h"

// func Winograd2InputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·Winograd2InputAVX512(SB), NOSPLIT, $0-48
	WINOGRAD2INPUT
	RET

// func Winograd2OutputAVX512(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·Winograd2OutputAVX512(SB), NOSPLIT, $0-49
	WINOGRAD2OUTPUT
	RET

// func Winograd2WeightsAVX512(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)
TEXT ·Winograd2WeightsAVX512(SB), NOSPLIT, $0-48
	WINOGRAD2WEIGHTS
	RET

// func Winograd2GradOutputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
TEXT ·Winograd2GradOutputAVX512(SB), NOSPLIT, $0-48
	WINOGRAD2GRADOUTPUT
	RET

// func Winograd2GradWeightsAVX512(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
TEXT ·Winograd2GradWeightsAVX512(SB), NOSPLIT, $0-48
	WINOGRAD2GRADWEIGHTS
	RET
