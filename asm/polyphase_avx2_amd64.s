//go:build amd64 && !purego

#include "textflag.h"

// The transforms of polyphase Winograd for AVX2 and FMA: 8 lanes of float32 a step,
// float64 inside the transform of weights. Pictures and macros are in
// polyphase_amd64.h and polyphase_weight_amd64.h, loops in polyphase_amd64.go.
//
// The caller guarantees n > 0, a multiple of 8, that many readable elements
// behind every address, lists of twice as many words as are read (the rest is
// only fetched and may be anything) and 81 x 8 elements of scratch.
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
#define H14 X14
#define VL 32
#define ROUND(v, h) VCVTPD2PSY v, h

#include "polyphase_amd64.h"
#include "polyphase_weight_amd64.h"

// func PolyphaseInputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseInputAVX2(SB), NOSPLIT, $0-48
	POLYPHASEINPUT
	RET

// func PolyphaseOutputAVX2(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·PolyphaseOutputAVX2(SB), NOSPLIT, $0-49
	POLYPHASEOUTPUT
	RET

// func PolyphaseWeightsAVX2(n int, src *float32, tap int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseWeightsAVX2(SB), NOSPLIT, $0-48
	POLYPHASEWEIGHTS
	RET

// func PolyphaseGradYAVX2(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseGradYAVX2(SB), NOSPLIT, $0-48
	POLYPHASEGRADY
	RET

// func PolyphaseGradXAVX2(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·PolyphaseGradXAVX2(SB), NOSPLIT, $0-49
	POLYPHASEGRADX
	RET

// func PolyphaseSpreadAVX2(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseSpreadAVX2(SB), NOSPLIT, $0-48
	POLYPHASESPREAD
	RET

// func PolyphaseGatherAVX2(n int, src *float32, plane int, dst *float32, tap int, tmp *float32)
TEXT ·PolyphaseGatherAVX2(SB), NOSPLIT, $0-48
	POLYPHASEGATHER
	RET
