//go:build amd64 && !purego

#include "textflag.h"

// Winograd's transforms between a patch, pixels at constant strides, and
// frequencies, for AVX-512 (formulas in winograd_amd64.go). With 32 registers a
// tile needs no scratch between columns and rows:
//
//	input   rows 0-2 of the columns' transform, then 3-5: Z0-Z17 (row i of
//	        column j in Z(3*j+i%3)), Z24-Z25 temps, Z27-Z31 constants
//	output  Z0-Z23 (row i of column j in Z(4*j+i)), Z24-Z29 temps, Z30-Z31
//	        and four broadcasts of constants
//	spread  Z0-Z23 (row i of column j in Z(6*j+i)), Z24-Z27 temps, Z28-Z31
//
// Input is 60 loads, 36 stores and 144 arithmetic instructions for 36 vectors,
// output 36, 16 and 120, spread 16, 36 and 80. A store of 64 bytes takes Zen 4
// two cycles: the transforms by way of scratch (winograd_amd64.h) have 72, 40
// and 60 of them. The instructions of a value are those of that header, so that
// the bits agree.
//
// The caller guarantees n > 0, a multiple of 16, and whole patches.
//
// Why assembly: the transforms live on float32 fused multiply-adds, whose
// rounding is part of the contract.

DATA patch32<>+0(SB)/4, $0x3F3504F3  // h
DATA patch32<>+4(SB)/4, $0x3FB504F3  // g
DATA patch32<>+8(SB)/4, $0x40200000  // 2.5
DATA patch32<>+12(SB)/4, $0x40000000 // 2
DATA patch32<>+16(SB)/4, $0x3F000000 // 0.5
DATA patch32<>+20(SB)/4, $0x3EB504F3 // h/2
DATA patch32<>+24(SB)/4, $0x403504F3 // 2g
GLOBL patch32<>(SB), RODATA|NOPTR, $28

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

#define PUT(v, to) VMOVUPS v, to
#define ADDPUT(v, to) \
	VADDPS  to, v, v \
	VMOVUPS v, to

// Row of six registers to four pixels, R11 bytes apart (R9: three) from BX on;
// BX moves by R8 to the next line.
#define OUTACROSS(m0, m1, m2, m3, m4, m5, TO) \
	VMOVAPS m1, Z24          \
	VMOVAPS m2, Z25          \
	VMOVAPS m3, Z26          \
	VMOVAPS m4, Z27          \
	OUT(m0, m1, m2, m5)      \
	TO(m0, (BX))             \
	TO(m1, (BX)(R11*1))      \
	TO(m2, (BX)(R11*2))      \
	TO(m5, (BX)(R9*1))       \
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

// func WinogradPatchOutputAVX512(n int, src *float32, freq int, dst *float32, row, pixel int, add bool)
TEXT ·WinogradPatchOutputAVX512(SB), NOSPLIT, $0-49
	MOVQ n+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ freq+16(FP), R12
	MOVQ dst+24(FP), DI
	MOVQ row+32(FP), R8
	MOVQ pixel+40(FP), R11
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
	CMPB add+48(FP), $0
	JNE  plus

output:
	OUTCOLUMNS
	OUTACROSS(Z0, Z4, Z8, Z12, Z16, Z20, PUT)
	OUTACROSS(Z1, Z5, Z9, Z13, Z17, Z21, PUT)
	OUTACROSS(Z2, Z6, Z10, Z14, Z18, Z22, PUT)
	OUTACROSS(Z3, Z7, Z11, Z15, Z19, Z23, PUT)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JG   output
	VZEROUPPER
	RET

plus:
	OUTCOLUMNS
	OUTACROSS(Z0, Z4, Z8, Z12, Z16, Z20, ADDPUT)
	OUTACROSS(Z1, Z5, Z9, Z13, Z17, Z21, ADDPUT)
	OUTACROSS(Z2, Z6, Z10, Z14, Z18, Z22, ADDPUT)
	OUTACROSS(Z3, Z7, Z11, Z15, Z19, Z23, ADDPUT)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JG   plus
	VZEROUPPER
	RET

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
