//go:build amd64 && !purego

#include "textflag.h"

// Prologues over rows, for AVX-512 (loops in epilogue_amd64.go): the affine
// map of batch norm with its ReLU, and batch norm's backward. 16 elements a
// step, K1 masking the last ones of a row; the coefficients stay in the first
// cache.
//
//	affine    3 loads (1 in the FMA), 1 FMA, 1 compare, 1 masked move, 1 store
//	bnback    5 loads, 2 FMAs, 1 store; with a mask or gate 1 or 2 loads and a
//	          compare more
//
// The caller guarantees m, n >= 1 and that rows of n elements lie behind every
// pointer but a nil mask or gate; masked elements are neither read nor written.
//
// Why assembly: fused multiply-adds and 16 lanes; Go has none of them.

// WIDTH makes K1 of the last lanes of a row of n elements, R12 its bytes in
// whole vectors, CX the elements beyond.
#define WIDTH \
	MOVQ n+8(FP), CX; \
	MOVQ CX, R12;     \
	SHLQ $2, R12;     \
	ANDQ $~63, R12;   \
	ANDQ $15, CX;     \
	MOVL $-1, DX;     \
	BZHIL CX, DX, DX; \
	KMOVW DX, K1

// func AffineRowsAVX512(m, n int, dst *float32, ldd int, x *float32, ldx int, scale, shift *float32, relu bool)
TEXT ·AffineRowsAVX512(SB), NOSPLIT, $0-65
	WIDTH
	MOVL $0x7fc00000, AX // without ReLU the limit is NaN: every value stays
	CMPB relu+64(FP), $0
	JEQ  limit
	XORL AX, AX

limit:
	VPBROADCASTD AX, Z20
	MOVQ m+0(FP), BX
	MOVQ dst+16(FP), DI
	MOVQ ldd+24(FP), R10
	SHLQ $2, R10
	MOVQ x+32(FP), SI
	MOVQ ldx+40(FP), R11
	SHLQ $2, R11
	MOVQ scale+48(FP), R8
	MOVQ shift+56(FP), R9

row:
	XORL DX, DX

vector:
	CMPQ DX, R12
	JGE  tail
	VMOVUPS (SI)(DX*1), Z0
	VMOVUPS (R8)(DX*1), Z1
	VFMADD213PS (R9)(DX*1), Z1, Z0
	VCMPPS $22, Z20, Z0, K2 // !(v <= limit)
	VMOVAPS.Z Z0, K2, Z0
	VMOVUPS Z0, (DI)(DX*1)
	ADDQ $64, DX
	JMP  vector

tail:
	TESTQ CX, CX
	JEQ  next
	VMOVUPS.Z (SI)(DX*1), K1, Z0
	VMOVUPS.Z (R8)(DX*1), K1, Z1
	VMOVUPS.Z (R9)(DX*1), K1, Z2
	VFMADD213PS Z2, Z1, Z0
	VCMPPS $22, Z20, Z0, K2
	VMOVAPS.Z Z0, K2, Z0
	VMOVUPS Z0, K1, (DI)(DX*1)

next:
	ADDQ R11, SI
	ADDQ R10, DI
	DECQ BX
	JNZ  row
	VZEROUPPER
	RET

// BACK writes a*(dy under mask k) + (b*x + c), x in Z1, to the lanes of all.
#define BACK(k, all) \
	VMOVUPS.Z (SI)(DX*1), k, Z0;     \
	VMOVUPS.Z (R13)(DX*1), all, Z4;  \
	VMOVUPS.Z (R11)(DX*1), all, Z3;  \
	VFMADD213PS Z4, Z3, Z1;          \
	VMOVUPS.Z (R10)(DX*1), all, Z2;  \
	VFMADD213PS Z1, Z2, Z0;          \
	VMOVUPS Z0, all, (DI)(DX*1)

// LANES is K3: all lanes while whole vectors are left, then K1.
#define LANES \
	CMPQ DX, R12;  \
	JLT  3(PC);    \
	KMOVW K1, K3;  \
	JMP  2(PC);    \
	KXNORW K3, K3, K3

// func BNBackRowsAVX512(m, n int, dst *float32, ldd int, dy *float32, lddy int, x, mask *float32, ld int, scale, shift, a, b, c *float32)
TEXT ·BNBackRowsAVX512(SB), NOSPLIT, $8-112
	WIDTH
	MOVQ m+0(FP), AX
	MOVQ AX, left-8(SP)
	MOVQ n+8(FP), CX
	SHLQ $2, CX // bytes of a row
	MOVQ dst+16(FP), DI
	MOVQ dy+32(FP), SI
	MOVQ x+48(FP), R8
	MOVQ mask+56(FP), R9
	MOVQ scale+72(FP), R14
	MOVQ shift+80(FP), R15
	MOVQ a+88(FP), R10
	MOVQ b+96(FP), R11
	MOVQ c+104(FP), R13
	VPXORD Z5, Z5, Z5

row:
	XORL DX, DX

vector:
	CMPQ DX, CX
	JGE  next
	LANES
	VMOVUPS.Z (R8)(DX*1), K3, Z1
	TESTQ R9, R9
	JZ   gate
	VMOVUPS.Z (R9)(DX*1), K3, Z2
	VCMPPS $30, Z5, Z2, K2 // mask > 0
	BACK(K2, K3)
	ADDQ $64, DX
	JMP  vector

gate:
	TESTQ R14, R14
	JZ   open
	VMOVUPS.Z (R14)(DX*1), K3, Z2
	VMOVUPS.Z (R15)(DX*1), K3, Z3
	VFMADD213PS Z3, Z1, Z2 // x*scale + shift
	VCMPPS $30, Z5, Z2, K2
	BACK(K2, K3)
	ADDQ $64, DX
	JMP  vector

open:
	BACK(K3, K3)
	ADDQ $64, DX
	JMP  vector

next:
	MOVQ ldd+24(FP), AX
	LEAQ (DI)(AX*4), DI
	MOVQ lddy+40(FP), AX
	LEAQ (SI)(AX*4), SI
	MOVQ ld+64(FP), AX
	LEAQ (R8)(AX*4), R8
	TESTQ R9, R9
	JZ   unmasked
	LEAQ (R9)(AX*4), R9

unmasked:
	DECQ left-8(SP)
	JNZ  row
	VZEROUPPER
	RET
