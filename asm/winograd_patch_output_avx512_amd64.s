//go:build amd64 && !purego

#include "textflag.h"
#include "winograd_patch_amd64.h"

// Winograd's output transform to pixels at constant strides for AVX-512
// (formulas in winograd_amd64.go): in registers from end to end.
//
//	Z0-Z23 row i of column j in Z(4*j+i)   Z24-Z29 temps
//	Z30-Z31 and four broadcasts: constants   K1-K4 the columns that exist
//
// 36 loads, 16 stores and 120 arithmetic instructions; winograd_amd64.h, whose
// bits these are, has 40 stores. Whole tiles store without masks: with them 16
// channels at 28x28 take 6 % longer.
//
// The caller guarantees n > 0, a multiple of 16, and memory where lines and columns exist.
//
// Why assembly: the transforms live on float32 fused multiply-adds, whose
// rounding is part of the contract.

// out of m0-m5, of which Z24-Z27 are m1-m4, into r0, r1, r2, r3; m0 is r0, m5
// is r3.
#define OUT(r0, r1, r2, r3) \
	VADDPS           Z25, Z24, Z28       \
	VSUBPS           Z25, Z24, Z24       \
	VADDPS           Z27, Z26, Z29       \
	VSUBPS           Z27, Z26, Z26       \
	VADDPS           Z28, r0, r0         \
	VADDPS           Z29, r0, r0         \
	VMULPS           Z24, Z30, r1        \
	VFMADD231PS      Z26, Z31, r1        \
	VMULPS.BCST      16(DX), Z28, r2     \
	VFMADD231PS.BCST 12(DX), Z29, r2     \
	VFMADD231PS.BCST 20(DX), Z24, r3     \
	VFMADD231PS.BCST 24(DX), Z26, r3

// Column j of the frequencies, R12 bytes apart, six of them a row (R13), from
// AX on; AX moves to the next column.
#define OUTCOLUMN(r0, r1, r2, r3) \
	VMOVUPS (AX), r0           \
	VMOVUPS (AX)(R13*1), Z24   \
	VMOVUPS (AX)(R13*2), Z25   \
	VMOVUPS (AX)(R14*1), Z26   \
	VMOVUPS (AX)(R13*4), Z27   \
	VMOVUPS (AX)(R15*1), r3    \
	ADDQ    R12, AX            \
	OUT(r0, r1, r2, r3)

#define PUTALL(v, k, to) VMOVUPS v, to
#define PUT(v, k, to) VMOVUPS v, k, to
#define ADDPUT(v, k, to) \
	VADDPS  to, v, k, v \
	VMOVUPS v, k, to

// Row of six registers to four pixels, R11 bytes apart (R9: three) from BX on,
// those that the masks K1-K4 let through; BX moves by R8 to the next line.
#define OUTACROSS(m0, m1, m2, m3, m4, m5, TO) \
	VMOVAPS m1, Z24          \
	VMOVAPS m2, Z25          \
	VMOVAPS m3, Z26          \
	VMOVAPS m4, Z27          \
	OUT(m0, m1, m2, m5)      \
	TO(m0, K1, (BX))         \
	TO(m1, K2, (BX)(R11*1))  \
	TO(m2, K3, (BX)(R11*2))  \
	TO(m5, K4, (BX)(R9*1))   \
	ADDQ R8, BX

#define OUTCOLUMNS \
	MOVQ SI, AX                  \
	MOVQ DI, BX                  \
	OUTCOLUMN(Z0, Z1, Z2, Z3)    \
	OUTCOLUMN(Z4, Z5, Z6, Z7)    \
	OUTCOLUMN(Z8, Z9, Z10, Z11)  \
	OUTCOLUMN(Z12, Z13, Z14, Z15) \
	OUTCOLUMN(Z16, Z17, Z18, Z19) \
	OUTCOLUMN(Z20, Z21, Z22, Z23)

// func WinogradPatchOutputAVX512(n int, src *float32, freq int, dst *float32, row, pixel, h, w int, add bool)
TEXT ·WinogradPatchOutputAVX512(SB), NOSPLIT, $0-65
	MOVQ n+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ freq+16(FP), R12
	MOVQ dst+24(FP), DI
	MOVQ row+32(FP), R8
	MOVQ pixel+40(FP), R11
	MOVQ w+56(FP), R13

	// K1-K4 are full for the columns that exist.
	KXNORW K1, K1, K1
	KXORW  K2, K2, K2
	KXORW  K3, K3, K3
	KXORW  K4, K4, K4
	CMPQ   R13, $2
	JLT    masked
	KMOVW  K1, K2
	JEQ    masked
	KMOVW  K1, K3
	CMPQ   R13, $4
	JLT    masked
	KMOVW  K1, K4

masked:
	SHLQ $2, R12
	LEAQ (R12)(R12*2), R13
	SHLQ $1, R13
	LEAQ (R13)(R13*2), R14
	LEAQ (R13)(R13*4), R15
	SHLQ $2, R8
	SHLQ $2, R11
	LEAQ (R11)(R11*2), R9
	LEAQ patch32<>+0(SB), DX
	VBROADCASTSS (DX), Z30
	VBROADCASTSS 4(DX), Z31
	CMPB add+64(FP), $0
	JNE  plus
	MOVQ h+48(FP), AX
	ADDQ w+56(FP), AX
	CMPQ AX, $8
	JLT  output

whole:
	OUTCOLUMNS
	OUTACROSS(Z0, Z4, Z8, Z12, Z16, Z20, PUTALL)
	OUTACROSS(Z1, Z5, Z9, Z13, Z17, Z21, PUTALL)
	OUTACROSS(Z2, Z6, Z10, Z14, Z18, Z22, PUTALL)
	OUTACROSS(Z3, Z7, Z11, Z15, Z19, Z23, PUTALL)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JG   whole
	VZEROUPPER
	RET

output:
	OUTCOLUMNS
	OUTACROSS(Z0, Z4, Z8, Z12, Z16, Z20, PUT)
	CMPQ h+48(FP), $1
	JLE  outputNext
	OUTACROSS(Z1, Z5, Z9, Z13, Z17, Z21, PUT)
	CMPQ h+48(FP), $2
	JLE  outputNext
	OUTACROSS(Z2, Z6, Z10, Z14, Z18, Z22, PUT)
	CMPQ h+48(FP), $3
	JLE  outputNext
	OUTACROSS(Z3, Z7, Z11, Z15, Z19, Z23, PUT)

outputNext:
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JG   output
	VZEROUPPER
	RET

plus:
	OUTCOLUMNS
	OUTACROSS(Z0, Z4, Z8, Z12, Z16, Z20, ADDPUT)
	CMPQ h+48(FP), $1
	JLE  plusNext
	OUTACROSS(Z1, Z5, Z9, Z13, Z17, Z21, ADDPUT)
	CMPQ h+48(FP), $2
	JLE  plusNext
	OUTACROSS(Z2, Z6, Z10, Z14, Z18, Z22, ADDPUT)
	CMPQ h+48(FP), $3
	JLE  plusNext
	OUTACROSS(Z3, Z7, Z11, Z15, Z19, Z23, ADDPUT)

plusNext:
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JG   plus
	VZEROUPPER
	RET
