//go:build amd64 && !purego

#include "textflag.h"
#include "winograd_patch_amd64.h"

// Winograd's transform of an output's gradient from a patch for AVX-512
// (formulas in winograd_amd64.go): in registers from end to end.
//
//	Z0-Z23 row i of column j in Z(6*j+i)   Z24-Z27 temps   Z28-Z31 constants
//
// 16 loads, 36 stores and 80 arithmetic instructions; winograd_amd64.h, whose
// bits these are, has 60 stores.
//
// The caller guarantees n > 0, a multiple of 16, and whole patches.
//
// Why assembly: the transforms live on float32 fused multiply-adds, whose
// rounding is part of the contract.

// spread of e0-e3 into r0-r5: e0 is r0, e3 is r5.
#define SPREAD(e0, e1, e2, e3, r1, r2, r3, r4) \
	VMOVAPS      e0, r2       \
	VFMADD231PS  e2, Z30, r2  \
	VMOVAPS      e1, Z24      \
	VFMADD231PS  e3, Z30, Z24 \
	VMOVAPS      e0, r4       \
	VFMADD231PS  e2, Z31, r4  \
	VMOVAPS      e1, Z25      \
	VFMADD231PS  e3, Z31, Z25 \
	VMOVAPS      r2, r1       \
	VFMADD231PS  Z24, Z28, r1 \
	VFNMADD231PS Z24, Z28, r2 \
	VMOVAPS      r4, r3       \
	VFMADD231PS  Z25, Z29, r3 \
	VFNMADD231PS Z25, Z29, r4

// Column of four pixels from AX on; AX moves to the next one.
#define SPREADCOLUMN(r0, r1, r2, r3, r4, r5) \
	VMOVUPS (AX), r0            \
	VMOVUPS (AX)(R8*1), Z26     \
	VMOVUPS (AX)(R8*2), Z27     \
	VMOVUPS (AX)(R9*1), r5      \
	ADDQ    R11, AX             \
	SPREAD(r0, Z26, Z27, r5, r1, r2, r3, r4)

// Row of four registers to six frequencies.
#define SPREADACROSS(e0, e1, e2, e3) \
	VMOVUPS e0, (BX)             \
	VMOVUPS e3, (BX)(R14*1)      \
	VMOVAPS      e0, Z26         \
	VFMADD231PS  e2, Z30, Z26    \
	VMOVAPS      e1, Z24         \
	VFMADD231PS  e3, Z30, Z24    \
	VFMADD231PS  e2, Z31, e0     \
	VFMADD231PS  e3, Z31, e1     \
	VMOVAPS      Z26, Z25        \
	VFMADD231PS  Z24, Z28, Z25   \
	VMOVUPS Z25, (BX)(R12*1)     \
	VFNMADD231PS Z24, Z28, Z26   \
	VMOVUPS Z26, (BX)(R12*2)     \
	VMOVAPS      e0, Z27         \
	VFMADD231PS  e1, Z29, Z27    \
	VMOVUPS Z27, (BX)(R13*1)     \
	VFNMADD231PS e1, Z29, e0     \
	VMOVUPS e0, (BX)(R12*4)      \
	LEAQ (BX)(R13*2), BX

// func WinogradPatchSpreadAVX512(n int, src *float32, row, pixel int, dst *float32, freq int)
TEXT ·WinogradPatchSpreadAVX512(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ row+16(FP), R8
	MOVQ pixel+24(FP), R11
	MOVQ dst+32(FP), DI
	MOVQ freq+40(FP), R12
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	SHLQ $2, R11
	SHLQ $2, R12
	LEAQ (R12)(R12*2), R13
	LEAQ (R12)(R12*4), R14
	VBROADCASTSS patch32<>+0(SB), Z28
	VBROADCASTSS patch32<>+4(SB), Z29
	VBROADCASTSS patch32<>+16(SB), Z30
	VBROADCASTSS patch32<>+12(SB), Z31

spread:
	MOVQ SI, AX
	MOVQ DI, BX
	SPREADCOLUMN(Z0, Z1, Z2, Z3, Z4, Z5)
	SPREADCOLUMN(Z6, Z7, Z8, Z9, Z10, Z11)
	SPREADCOLUMN(Z12, Z13, Z14, Z15, Z16, Z17)
	SPREADCOLUMN(Z18, Z19, Z20, Z21, Z22, Z23)
	SPREADACROSS(Z0, Z6, Z12, Z18)
	SPREADACROSS(Z1, Z7, Z13, Z19)
	SPREADACROSS(Z2, Z8, Z14, Z20)
	SPREADACROSS(Z3, Z9, Z15, Z21)
	SPREADACROSS(Z4, Z10, Z16, Z22)
	SPREADACROSS(Z5, Z11, Z17, Z23)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JG   spread
	VZEROUPPER
	RET
