//go:build amd64 && !purego

#include "textflag.h"
#include "winograd_patch_amd64.h"

// Winograd's input transform from a patch, pixels at constant strides, for
// AVX-512 (formulas in winograd_amd64.go). With 32 registers a tile needs no
// scratch between columns and rows:
//
//	rows 0-2 of the columns' transform, then 3-5: Z0-Z17 (row i of column j in
//	Z(3*j+i%3)), Z24-Z25 temps, Z27-Z31 constants
//
// 60 loads, 36 stores and 144 arithmetic instructions for 36 vectors. A store of
// 64 bytes takes Zen 4 two cycles: by way of scratch (winograd_amd64.h) there
// are 72. The instructions of a value are those of that header, so that the bits
// agree.
//
// The caller guarantees n > 0, a multiple of 16, and whole patches.
//
// Why assembly: the transforms live on float32 fused multiply-adds, whose
// rounding is part of the contract.

// Rows 0-2 of in(column) at AX into a, b, c; AX moves to the next column. R8 is
// the bytes of a row, R9 three rows, R10 five, R11 a pixel.
#define INUPPER(a, b, c) \
	VMOVUPS      (AX)(R8*4), c       \
	VMOVUPS      (AX)(R8*2), Z24     \
	VMOVUPS      (AX)(R9*1), Z25     \
	VMOVAPS      c, a                \
	VFNMADD231PS Z24, Z29, a         \
	VADDPS       (AX), a, a          \
	VFNMADD231PS Z24, Z30, c         \
	VFNMADD231PS (AX)(R8*1), Z30, Z25 \
	VMOVAPS      c, b                \
	VFMADD231PS  Z25, Z27, b         \
	VFNMADD231PS Z25, Z27, c         \
	ADDQ         R11, AX

// Rows 3-5 of it.
#define INLOWER(a, b, c) \
	VMOVUPS      (AX)(R8*4), b       \
	VMOVUPS      (AX)(R9*1), Z24     \
	VMOVUPS      (AX)(R10*1), c      \
	VMOVUPS      (AX)(R8*1), Z25     \
	VFNMADD231PS (AX)(R8*2), Z31, b  \
	VFNMADD231PS Z24, Z29, c         \
	VADDPS       Z25, c, c           \
	VFNMADD231PS Z25, Z31, Z24       \
	VMOVAPS      b, a                \
	VFMADD231PS  Z24, Z28, a         \
	VFNMADD231PS Z24, Z28, b         \
	ADDQ         R11, AX

// in(row) of six registers to six frequencies, R12 bytes apart from BX on; BX
// moves to the next row.
#define INACROSS(a0, a1, a2, a3, a4, a5) \
	VMOVAPS      a4, Z24             \
	VFNMADD231PS a2, Z29, Z24        \
	VADDPS       a0, Z24, Z24        \
	VMOVUPS      Z24, (BX)           \
	VFNMADD231PS a3, Z29, a5         \
	VADDPS       a1, a5, a5          \
	VMOVUPS      a5, (BX)(R14*1)     \
	VMOVAPS      a4, Z24             \
	VFNMADD231PS a2, Z30, Z24        \
	VMOVAPS      a3, Z25             \
	VFNMADD231PS a1, Z30, Z25        \
	VMOVAPS      Z24, a0             \
	VFMADD231PS  Z25, Z27, a0        \
	VMOVUPS      a0, (BX)(R12*1)     \
	VFNMADD231PS Z25, Z27, Z24       \
	VMOVUPS      Z24, (BX)(R12*2)    \
	VFNMADD231PS a2, Z31, a4         \
	VFNMADD231PS a1, Z31, a3         \
	VMOVAPS      a4, a0              \
	VFMADD231PS  a3, Z28, a0         \
	VMOVUPS      a0, (BX)(R13*1)     \
	VFNMADD231PS a3, Z28, a4         \
	VMOVUPS      a4, (BX)(R12*4)     \
	LEAQ         (BX)(R13*2), BX

// func WinogradPatchInputAVX512(n int, src *float32, row, pixel int, dst *float32, freq int)
TEXT ·WinogradPatchInputAVX512(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ row+16(FP), R8
	MOVQ pixel+24(FP), R11
	MOVQ dst+32(FP), DI
	MOVQ freq+40(FP), R12
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	LEAQ (R8)(R8*4), R10
	SHLQ $2, R11
	SHLQ $2, R12
	LEAQ (R12)(R12*2), R13
	LEAQ (R12)(R12*4), R14
	VBROADCASTSS patch32<>+0(SB), Z27
	VBROADCASTSS patch32<>+4(SB), Z28
	VBROADCASTSS patch32<>+8(SB), Z29
	VBROADCASTSS patch32<>+12(SB), Z30
	VBROADCASTSS patch32<>+16(SB), Z31

input:
	MOVQ SI, AX
	MOVQ DI, BX
	INUPPER(Z0, Z1, Z2)
	INUPPER(Z3, Z4, Z5)
	INUPPER(Z6, Z7, Z8)
	INUPPER(Z9, Z10, Z11)
	INUPPER(Z12, Z13, Z14)
	INUPPER(Z15, Z16, Z17)
	INACROSS(Z0, Z3, Z6, Z9, Z12, Z15)
	INACROSS(Z1, Z4, Z7, Z10, Z13, Z16)
	INACROSS(Z2, Z5, Z8, Z11, Z14, Z17)
	MOVQ SI, AX
	INLOWER(Z0, Z1, Z2)
	INLOWER(Z3, Z4, Z5)
	INLOWER(Z6, Z7, Z8)
	INLOWER(Z9, Z10, Z11)
	INLOWER(Z12, Z13, Z14)
	INLOWER(Z15, Z16, Z17)
	INACROSS(Z0, Z3, Z6, Z9, Z12, Z15)
	INACROSS(Z1, Z4, Z7, Z10, Z13, Z16)
	INACROSS(Z2, Z5, Z8, Z11, Z14, Z17)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JG   input
	VZEROUPPER
	RET
