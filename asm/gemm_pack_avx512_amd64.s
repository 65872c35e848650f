//go:build amd64 && !purego

#include "textflag.h"

// Packing of panels for AVX-512 (loops in gemm_amd64.go): PackRows copies rows
// of B into panels of 32 columns, PackCols transposes rows, 16 of them at once.
//
// PackCols gathers lanes as it loads: Z0 holds four steps of k of rows 0, 4, 8
// and 12, Z1 of rows 1, 5, 9, 13, and so on, so that one transpose of 4 x 4 in
// every lane finishes four whole lines of the panel:
//
//	Z0 = r0|r4|r8|r12 ... Z3 = r3|r7|r11|r15 -> 4 x (r0 .. r15)
//
// 16 loads of a lane, 8 shuffles and 4 stores for 64 elements: 8 cycles of two
// load ports. 8 x 8 blocks of AVX2 need 16 loads, 8 inserts, 8 shuffles and 8
// stores for as many.
//
// The caller guarantees what the loops read and write, nr a multiple of 16 and
// k a multiple of 4 in PackCols.
//
// Why assembly: the compiler has no shuffles, and packing is a twentieth of a
// product's time only when it runs at the speed of the caches.

// func GemmPackRowsAVX512(k, panels, nr int, src *float32, ld int, dst *float32, stride int)
TEXT ·GemmPackRowsAVX512(SB), NOSPLIT, $0-56
	MOVQ k+0(FP), CX
	MOVQ src+24(FP), SI
	MOVQ ld+32(FP), R9
	MOVQ dst+40(FP), DI
	MOVQ stride+48(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10

row:
	MOVQ SI, AX
	MOVQ DI, BX
	MOVQ panels+8(FP), DX
	PREFETCHT0 (SI)(R9*8)

panel:
	VMOVUPS (AX), Z0
	VMOVUPS 64(AX), Z1
	VMOVUPS Z0, (BX)
	VMOVUPS Z1, 64(BX)
	ADDQ $128, AX
	ADDQ R10, BX
	DECQ DX
	JNZ  panel
	ADDQ R9, SI
	ADDQ $128, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET

// Four steps of k of the rows at, at+4, at+8 and at+12 rows.
#define GATHER(p, z, x) \
	VMOVUPS (p), x;                      \
	VBROADCASTF32X4 (p)(R9*4), K1, z;    \
	VBROADCASTF32X4 (p)(R9*8), K2, z;    \
	VBROADCASTF32X4 (p)(R10*4), K3, z

// func GemmPackColsAVX512(k, nr int, src *float32, ld int, dst *float32, ldd int)
TEXT ·GemmPackColsAVX512(SB), NOSPLIT, $0-48
	MOVQ nr+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ ld+24(FP), R9
	MOVQ dst+32(FP), R8
	MOVQ ldd+40(FP), R12
	SHLQ $2, R9
	SHLQ $2, R12
	LEAQ (R9)(R9*2), R10
	LEAQ (R12)(R12*2), R13
	MOVL $0x00f0, AX
	KMOVW AX, K1
	MOVL $0x0f00, AX
	KMOVW AX, K2
	MOVL $0xf000, AX
	KMOVW AX, K3

cols:
	MOVQ SI, AX
	LEAQ (SI)(R9*1), BX
	LEAQ (SI)(R9*2), R11
	LEAQ (SI)(R10*1), R15
	MOVQ R8, DI
	MOVQ k+0(FP), CX

block:
	GATHER(AX, Z0, X0)
	GATHER(BX, Z1, X1)
	GATHER(R11, Z2, X2)
	GATHER(R15, Z3, X3)
	VUNPCKLPS Z1, Z0, Z4
	VUNPCKHPS Z1, Z0, Z5
	VUNPCKLPS Z3, Z2, Z6
	VUNPCKHPS Z3, Z2, Z7
	VUNPCKLPD Z6, Z4, Z0
	VUNPCKHPD Z6, Z4, Z1
	VUNPCKLPD Z7, Z5, Z2
	VUNPCKHPD Z7, Z5, Z3
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, (DI)(R12*1)
	VMOVUPS Z2, (DI)(R12*2)
	VMOVUPS Z3, (DI)(R13*1)
	LEAQ (DI)(R12*4), DI
	ADDQ $16, AX
	ADDQ $16, BX
	ADDQ $16, R11
	ADDQ $16, R15
	SUBQ $4, CX
	JG   block
	SHLQ $4, R9
	ADDQ R9, SI
	SHRQ $4, R9
	ADDQ $64, R8
	SUBQ $16, DX
	JG   cols
	VZEROUPPER
	RET
