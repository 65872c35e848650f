//go:build amd64 && !purego

#include "textflag.h"

// The transforms of polyphase Winograd for AVX-512: 16 lanes of float32 a step,
// float64 inside the transform of weights. Pictures and macros are in
// polyphase_amd64.h and polyphase_weight_amd64.h, loops in polyphase_amd64.go.
//
// The caller guarantees n > 0, a multiple of 16, that many readable elements
// behind every address, lists of twice as many words as are read (the rest is
// only fetched and may be anything) and 81 x 16 elements of scratch.
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
#define H14 Y14
#define VL 64
#define ROUND(v, h) VCVTPD2PS v, h

#include "polyphase_amd64.h"
#include "polyphase_weight_amd64.h"

// func PolyphaseInputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseInputAVX512(SB), NOSPLIT, $0-48
	POLYPHASEINPUT
	RET

// func PolyphaseOutputAVX512(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·PolyphaseOutputAVX512(SB), NOSPLIT, $0-49
	POLYPHASEOUTPUT
	RET

// func PolyphaseWeightsAVX512(n int, src *float32, tap int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseWeightsAVX512(SB), NOSPLIT, $0-48
	POLYPHASEWEIGHTS
	RET

// func PolyphaseGradYAVX512(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseGradYAVX512(SB), NOSPLIT, $0-48
	POLYPHASEGRADY
	RET

// func PolyphaseGradXAVX512(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
TEXT ·PolyphaseGradXAVX512(SB), NOSPLIT, $0-49
	POLYPHASEGRADX
	RET

// func PolyphaseSpreadAVX512(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
TEXT ·PolyphaseSpreadAVX512(SB), NOSPLIT, $0-48
	POLYPHASESPREAD
	RET

// func PolyphaseGatherAVX512(n int, src *float32, plane int, dst *float32, tap int, tmp *float32)
TEXT ·PolyphaseGatherAVX512(SB), NOSPLIT, $0-48
	POLYPHASEGATHER
	RET
