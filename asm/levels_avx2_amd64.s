//go:build amd64 && !purego

#include "textflag.h"

// Weighted sums of 8-bit levels for AVX2: the passes of a resize and the boxes
// of a blur.
//
// LevelSum and LevelBox make blocks of 32 levels, the last one moved back to
// end at n; a tap is a row of them:
//
//	sums     Y0  Y1  Y2  Y3     Y15 one half
//	levels   Y5  Y6  Y7  Y8     Y14 order of the quarters after packing
//	weight   Y4
//
//	DI result, SI source, BX block, DX the tap's row, CX tap
//	R8 bytes to the next row, R9 weights, R10 taps, R11 n
//
// A tap is 4 loads that widen, 4 multiplications, 4 additions and 1 broadcast.
//
// LevelRow makes a pixel at a time, two taps a step, one in each half: 8 bytes
// r g b r g b . . become r g b 0 | r g b 0 as dwords.
//
//	X0 sums   Y1 levels   Y2 weights w w w w | v v v v
//	Y13 shuffle   Y14 order of the weights   X15 one half
//
//	DI result, SI source row, R8 first, R9 weights, R10 pairs, R11 pixels
//	DX source, CX pairs left
//
// A step is 2 loads, 2 shuffles, 1 multiplication and 1 addition.
//
// The caller guarantees n >= 32, at least one tap, an even number for LevelRow,
// and what the stubs say about memory.
//
// Why assembly: Go has no vectors; a multiplication makes eight levels.

DATA levelQuarters<>+0(SB)/8, $0x0000000400000000
DATA levelQuarters<>+8(SB)/8, $0x0000000500000001
DATA levelQuarters<>+16(SB)/8, $0x0000000600000002
DATA levelQuarters<>+24(SB)/8, $0x0000000700000003
GLOBL levelQuarters<>(SB), RODATA|NOPTR, $32

DATA levelPair<>+0(SB)/8, $0x8080800180808000
DATA levelPair<>+8(SB)/8, $0x8080808080808002
DATA levelPair<>+16(SB)/8, $0x8080800480808003
DATA levelPair<>+24(SB)/8, $0x8080808080808005
GLOBL levelPair<>(SB), RODATA|NOPTR, $32

DATA levelTwice<>+0(SB)/8, $0
DATA levelTwice<>+8(SB)/8, $0
DATA levelTwice<>+16(SB)/8, $0x0000000100000001
DATA levelTwice<>+24(SB)/8, $0x0000000100000001
GLOBL levelTwice<>(SB), RODATA|NOPTR, $32

// SUM is the loop over blocks; SHIFT is the instruction that takes the
// fraction off.
#define SUM(HALF, SHIFT, BITS) \
	MOVQ dst+0(FP), DI             \
	MOVQ src+8(FP), SI             \
	MOVQ stride+16(FP), R8         \
	MOVQ w+24(FP), R9              \
	MOVQ taps+32(FP), R10          \
	MOVQ n+40(FP), R11             \
	MOVL HALF, AX                  \
	VMOVD AX, X15                  \
	VPBROADCASTD X15, Y15          \
	VMOVDQU levelQuarters<>(SB), Y14 \
	XORQ BX, BX                    \
block:                             \
	LEAQ (SI)(BX*1), DX            \
	VMOVDQA Y15, Y0                \
	VMOVDQA Y15, Y1                \
	VMOVDQA Y15, Y2                \
	VMOVDQA Y15, Y3                \
	XORQ CX, CX                    \
tap:                               \
	VPBROADCASTD (R9)(CX*4), Y4    \
	VPMOVZXBD (DX), Y5             \
	VPMOVZXBD 8(DX), Y6            \
	VPMOVZXBD 16(DX), Y7           \
	VPMOVZXBD 24(DX), Y8           \
	VPMULLD Y4, Y5, Y5             \
	VPMULLD Y4, Y6, Y6             \
	VPMULLD Y4, Y7, Y7             \
	VPMULLD Y4, Y8, Y8             \
	VPADDD Y5, Y0, Y0              \
	VPADDD Y6, Y1, Y1              \
	VPADDD Y7, Y2, Y2              \
	VPADDD Y8, Y3, Y3              \
	ADDQ R8, DX                    \
	INCQ CX                        \
	CMPQ CX, R10                   \
	JLT  tap                       \
	SHIFT BITS, Y0, Y0             \
	SHIFT BITS, Y1, Y1             \
	SHIFT BITS, Y2, Y2             \
	SHIFT BITS, Y3, Y3             \
	VPACKSSDW Y1, Y0, Y0           \
	VPACKSSDW Y3, Y2, Y2           \
	VPACKUSWB Y2, Y0, Y0           \
	VPERMD Y0, Y14, Y0             \
	VMOVDQU Y0, (DI)(BX*1)         \
	ADDQ $32, BX                   \
	CMPQ BX, R11                   \
	JGE  done                      \
	LEAQ -32(R11), AX              \
	CMPQ BX, AX                    \
	CMOVQGT AX, BX                 \
	JMP  block                     \
done:                              \
	VZEROUPPER                     \
	RET

// func LevelSumAVX2(dst, src *uint8, stride int, w *int32, taps, n int)
TEXT ·LevelSumAVX2(SB), NOSPLIT, $0-48
	SUM($0x200000, VPSRAD, $22)

// func LevelBoxAVX2(dst, src *uint8, stride int, w *uint32, taps, n int)
TEXT ·LevelBoxAVX2(SB), NOSPLIT, $0-48
	SUM($0x800000, VPSRLD, $24)

// func LevelRowAVX2(dst, src *uint8, first, w *int32, taps, pixels int)
TEXT ·LevelRowAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ first+16(FP), R8
	MOVQ w+24(FP), R9
	MOVQ taps+32(FP), R10
	MOVQ pixels+40(FP), R11
	SHRQ $1, R10
	MOVL $0x200000, AX
	VMOVD AX, X15
	VPBROADCASTD X15, X15
	VMOVDQU levelTwice<>(SB), Y14
	VMOVDQU levelPair<>(SB), Y13

pixel:
	MOVLQSX (R8), DX
	LEAQ (DX)(DX*2), DX
	ADDQ SI, DX
	VMOVDQA X15, X0
	MOVQ R10, CX

pair:
	VPBROADCASTQ (DX), Y1
	VPSHUFB Y13, Y1, Y1
	VMOVQ (R9), X2
	VPERMD Y2, Y14, Y2
	VPMULLD Y1, Y2, Y1
	VPADDD Y1, Y0, Y0
	ADDQ $6, DX
	ADDQ $8, R9
	DECQ CX
	JNZ  pair

	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPSRAD $22, X0, X0
	VPACKSSDW X0, X0, X0
	VPACKUSWB X0, X0, X0
	VMOVD X0, (DI)
	ADDQ $3, DI
	ADDQ $4, R8
	DECQ R11
	JNZ  pixel
	VZEROUPPER
	RET
