//go:build amd64 && !purego

#include "textflag.h"

// Prologues along a row, for AVX-512 (loops in epilogue_amd64.go): the affine
// map of batch norm with its ReLU, and batch norm's backward. 16 elements a
// step, K1 masking the last one.
//
// The caller guarantees n >= 1 elements behind every pointer but a nil mask;
// masked elements are neither read nor written.
//
// Why assembly: fused multiply-adds and 16 lanes; Go has none of them.

// K1 for the first min(CX, 16) elements, CX what remains.
#define MASK16 \
	MOVQ $-1, R12;      \
	CMPQ CX, $16;       \
	JGE  whole;         \
	BZHIQ CX, R12, R12; \
whole:                  \
	KMOVW R12, K1

// func AffineRowAVX512(n int, dst, x, scale, shift *float32, relu bool)
TEXT ·AffineRowAVX512(SB), NOSPLIT, $0-41
	MOVL $0x7fc00000, AX // without ReLU the limit is NaN: every value stays
	CMPB relu+40(FP), $0
	JEQ  limit
	XORL AX, AX

limit:
	VPBROADCASTD AX, Z20
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ scale+24(FP), R8
	MOVQ shift+32(FP), R9
	XORQ DX, DX

loop:
	MASK16
	VMOVUPS.Z (SI)(DX*1), K1, Z0
	VMOVUPS.Z (R8)(DX*1), K1, Z1
	VMOVUPS.Z (R9)(DX*1), K1, Z2
	VFMADD213PS Z2, Z1, Z0
	VCMPPS $22, Z20, Z0, K2 // !(v <= limit)
	VMOVAPS.Z Z0, K2, Z0
	VMOVUPS Z0, K1, (DI)(DX*1)
	ADDQ $64, DX
	SUBQ $16, CX
	JG   loop
	VZEROUPPER
	RET

// func BNBackRowAVX512(n int, dst, dy, x, mask, scale, shift, a, b, c *float32)
TEXT ·BNBackRowAVX512(SB), NOSPLIT, $0-80
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ dy+16(FP), SI
	MOVQ x+24(FP), R8
	MOVQ mask+32(FP), R9
	MOVQ scale+40(FP), R14
	MOVQ shift+48(FP), R15
	MOVQ a+56(FP), R10
	MOVQ b+64(FP), R11
	MOVQ c+72(FP), R13
	XORQ DX, DX
	VPXORD Z5, Z5, Z5

loop:
	MASK16
	VMOVUPS.Z (SI)(DX*1), K1, Z0
	VMOVUPS.Z (R8)(DX*1), K1, Z1
	TESTQ R9, R9
	JZ   gate
	VMOVUPS.Z (R9)(DX*1), K1, Z2
	JMP  mask

gate:
	TESTQ R14, R14
	JZ   open
	VMOVUPS.Z (R14)(DX*1), K1, Z2
	VMOVUPS.Z (R15)(DX*1), K1, Z3
	VFMADD213PS Z3, Z1, Z2 // x*scale + shift

mask:
	VCMPPS $30, Z5, Z2, K2 // > 0
	VMOVAPS.Z Z0, K2, Z0

open:
	VMOVUPS.Z (R10)(DX*1), K1, Z2
	VMOVUPS.Z (R11)(DX*1), K1, Z3
	VMOVUPS.Z (R13)(DX*1), K1, Z4
	VFMADD213PS Z4, Z3, Z1 // b*x + c
	VFMADD213PS Z1, Z2, Z0 // a*dy' + that
	VMOVUPS Z0, K1, (DI)(DX*1)
	ADDQ $64, DX
	SUBQ $16, CX
	JG   loop
	VZEROUPPER
	RET
