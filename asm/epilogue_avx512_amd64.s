//go:build amd64 && !purego

#include "textflag.h"

// What happens to rows before and after a product, for AVX-512 (loops in
// epilogue_amd64.go): prologues along a row, statistics, sums and the final
// pass over a block of C.
//
// Blocks are walked in stripes of 64 columns, K1-K4 masking the last one, all
// rows of a stripe in order: a column's sum is a chain down its rows.
//
//	Z0-Z3 shift or bias   Z4-Z7 sums   Z8-Z11 squares   Z12-Z15 values
//
// Statistics take 4 loads, 4 subtractions, 4 additions and 4 FMAs a row of a
// stripe; the chains cover the latency of two ports.
//
// The caller guarantees the blocks; masked elements are neither read nor
// written.
//
// Why assembly: fused multiply-adds, masks and 16 lanes; Go has none of them.

// K1-K4 for the first min(DX, 64) columns.
#define MASKS \
	MOVQ $-1, R12;       \
	CMPQ DX, $64;        \
	JGE  whole;          \
	BZHIQ DX, R12, R12;  \
whole:                   \
	KMOVQ R12, K1;       \
	KSHIFTRQ $16, K1, K2; \
	KSHIFTRQ $32, K1, K3; \
	KSHIFTRQ $48, K1, K4

#define LOAD4(p, a, b, c, d) \
	VMOVUPS.Z (p), K1, a;    \
	VMOVUPS.Z 64(p), K2, b;  \
	VMOVUPS.Z 128(p), K3, c; \
	VMOVUPS.Z 192(p), K4, d

#define STORE4(a, b, c, d, p) \
	VMOVUPS a, K1, (p);    \
	VMOVUPS b, K2, 64(p);  \
	VMOVUPS c, K3, 128(p); \
	VMOVUPS d, K4, 192(p)

#define ADD4(p) \
	LOAD4(p, Z16, Z17, Z18, Z19); \
	VADDPS Z16, Z12, Z12;         \
	VADDPS Z17, Z13, Z13;         \
	VADDPS Z18, Z14, Z14;         \
	VADDPS Z19, Z15, Z15

// func StatsRowsAVX512(m, n int, c *float32, ldc int, shift, sum, sq *float32)
TEXT ·StatsRowsAVX512(SB), NOSPLIT, $0-56
	MOVQ n+8(FP), DX
	MOVQ c+16(FP), SI
	MOVQ ldc+24(FP), R9
	MOVQ shift+32(FP), R8
	MOVQ sum+40(FP), R10
	MOVQ sq+48(FP), R11
	SHLQ $2, R9
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3

stripe:
	MASKS
	TESTQ R8, R8
	JZ   start
	LOAD4(R8, Z0, Z1, Z2, Z3)
	ADDQ $256, R8

start:
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11
	MOVQ SI, AX
	MOVQ m+0(FP), CX

row:
	LOAD4(AX, Z12, Z13, Z14, Z15)
	ADDQ R9, AX
	VSUBPS Z0, Z12, Z12
	VSUBPS Z1, Z13, Z13
	VSUBPS Z2, Z14, Z14
	VSUBPS Z3, Z15, Z15
	VADDPS Z12, Z4, Z4
	VADDPS Z13, Z5, Z5
	VADDPS Z14, Z6, Z6
	VADDPS Z15, Z7, Z7
	VFMADD231PS Z12, Z12, Z8
	VFMADD231PS Z13, Z13, Z9
	VFMADD231PS Z14, Z14, Z10
	VFMADD231PS Z15, Z15, Z11
	DECQ CX
	JG   row
	STORE4(Z4, Z5, Z6, Z7, R10)
	STORE4(Z8, Z9, Z10, Z11, R11)
	ADDQ $256, R10
	ADDQ $256, R11
	ADDQ $256, SI
	SUBQ $64, DX
	JG   stripe
	VZEROUPPER
	RET

// func AddRowsAVX512(m, n int, c *float32, ldc int, x *float32, ldx int)
TEXT ·AddRowsAVX512(SB), NOSPLIT, $0-48
	MOVQ n+8(FP), DX
	MOVQ c+16(FP), SI
	MOVQ ldc+24(FP), R9
	MOVQ x+32(FP), R8
	MOVQ ldx+40(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10

stripe:
	MASKS
	MOVQ SI, AX
	MOVQ R8, BX
	MOVQ m+0(FP), CX

row:
	LOAD4(AX, Z12, Z13, Z14, Z15)
	ADD4(BX)
	STORE4(Z12, Z13, Z14, Z15, AX)
	ADDQ R9, AX
	ADDQ R10, BX
	DECQ CX
	JG   row
	ADDQ $256, SI
	ADDQ $256, R8
	SUBQ $64, DX
	JG   stripe
	VZEROUPPER
	RET

// func CopyRowsAVX512(m, n int, dst *float32, ldd int, src *float32, lds int)
TEXT ·CopyRowsAVX512(SB), NOSPLIT, $0-48
	MOVQ n+8(FP), DX
	MOVQ dst+16(FP), SI
	MOVQ ldd+24(FP), R9
	MOVQ src+32(FP), R8
	MOVQ lds+40(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10

stripe:
	MASKS
	MOVQ SI, AX
	MOVQ R8, BX
	MOVQ m+0(FP), CX

row:
	LOAD4(BX, Z12, Z13, Z14, Z15)
	STORE4(Z12, Z13, Z14, Z15, AX)
	ADDQ R9, AX
	ADDQ R10, BX
	DECQ CX
	JG   row
	ADDQ $256, SI
	ADDQ $256, R8
	SUBQ $64, DX
	JG   stripe
	VZEROUPPER
	RET

// func CopyRowsPastAVX512(m, n int, dst *float32, ldd int, src *float32, lds int)
TEXT ·CopyRowsPastAVX512(SB), NOSPLIT, $0-48
	MOVQ m+0(FP), CX
	MOVQ dst+16(FP), SI
	MOVQ ldd+24(FP), R9
	MOVQ src+32(FP), R8
	MOVQ lds+40(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10

row:
	MOVQ SI, AX
	MOVQ R8, BX
	MOVQ n+8(FP), DX

line:
	VMOVUPS  (BX), Z12
	VMOVNTPS Z12, (AX)
	ADDQ     $64, AX
	ADDQ     $64, BX
	SUBQ     $16, DX
	JG       line
	ADDQ     R9, SI
	ADDQ     R10, R8
	DECQ     CX
	JG       row
	SFENCE
	VZEROUPPER
	RET

// Z20 is the limit that a value must not be at or below to stay: 0 for ReLU,
// NaN (nothing compares) without.
#define LIMIT(relu) \
	MOVL $0x7fc00000, AX; \
	CMPB relu, $0;        \
	JEQ  limit;           \
	XORL AX, AX;          \
limit:                    \
	VPBROADCASTD AX, Z20

// keep x where !(x <= Z20): NaN and ReLU-less values stay.
#define KEEP(x) \
	VCMPPS $22, Z20, x, K5; \
	VMOVAPS.Z x, K5, x

// func FinishRowsAVX512(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)
TEXT ·FinishRowsAVX512(SB), NOSPLIT, $0-57
	LIMIT(relu+56(FP))
	MOVQ n+8(FP), DX
	MOVQ c+16(FP), SI
	MOVQ ldc+24(FP), R9
	MOVQ bias+32(FP), R8
	MOVQ res+40(FP), R11
	MOVQ ldres+48(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10
	MOVL $0x80000000, AX // v + -0 is v, whatever v
	VPBROADCASTD AX, Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3

stripe:
	MASKS
	TESTQ R8, R8
	JZ   start
	LOAD4(R8, Z0, Z1, Z2, Z3)
	ADDQ $256, R8

start:
	MOVQ SI, AX
	MOVQ R11, BX
	MOVQ m+0(FP), CX

row:
	LOAD4(AX, Z12, Z13, Z14, Z15)
	VADDPS Z0, Z12, Z12
	VADDPS Z1, Z13, Z13
	VADDPS Z2, Z14, Z14
	VADDPS Z3, Z15, Z15
	TESTQ R11, R11
	JZ   relu
	ADD4(BX)
	ADDQ R10, BX

relu:
	KEEP(Z12)
	KEEP(Z13)
	KEEP(Z14)
	KEEP(Z15)
	STORE4(Z12, Z13, Z14, Z15, AX)
	ADDQ R9, AX
	DECQ CX
	JG   row
	ADDQ $256, SI
	TESTQ R11, R11
	JZ   more
	ADDQ $256, R11

more:
	SUBQ $64, DX
	JG   stripe
	VZEROUPPER
	RET
