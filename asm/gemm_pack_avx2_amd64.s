//go:build amd64 && !purego

#include "textflag.h"

// Packing of panels, for both vector instruction sets (loops in
// gemm_amd64.go): PackRows copies rows of B into panels of nr columns,
// PackCols transposes nr rows (of a B stored [N,K], or of A) into one panel.
//
// PackCols moves blocks of 8 x 8: the 128-bit halves of rows j and j+4 meet in
// one register, so that 8 unpacks in lanes finish 4 steps of k:
//
//	Y0 = r0|r4, Y1 = r1|r5, Y2 = r2|r6, Y3 = r3|r7 -> 4 x (r0..r3|r4..r7)
//
// 16 loads, 16 shuffles and 8 stores a block.
//
// The caller guarantees what the loops read and write, nr a multiple of 8 and
// in PackCols k too.
//
// Why assembly: the compiler has no shuffles, and packing is a twentieth of a
// product's time only when it runs at the speed of the caches.

// func GemmPackRowsAVX2(k, panels, nr int, src *float32, ld int, dst *float32, stride int)
TEXT ·GemmPackRowsAVX2(SB), NOSPLIT, $0-56
	MOVQ k+0(FP), CX
	MOVQ nr+16(FP), R8
	MOVQ src+24(FP), SI
	MOVQ ld+32(FP), R9
	MOVQ dst+40(FP), DI
	MOVQ stride+48(FP), R10
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10

row:
	MOVQ SI, AX
	MOVQ DI, BX
	MOVQ panels+8(FP), DX

panel:
	XORQ R11, R11

copy:
	VMOVUPS (AX)(R11*1), Y0
	VMOVUPS Y0, (BX)(R11*1)
	ADDQ $32, R11
	CMPQ R11, R8
	JLT  copy
	ADDQ R8, AX
	ADDQ R10, BX
	DECQ DX
	JNZ  panel
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET

// Four steps of k of eight columns: o is their offset in the rows, DI walks
// the panel by R12 bytes a step.
#define BLOCK4(o) \
	VMOVUPS o(AX), X0;                          \
	VMOVUPS o(AX)(R9*1), X1;                    \
	VMOVUPS o(AX)(R9*2), X2;                    \
	VMOVUPS o(AX)(R10*1), X3;                   \
	VINSERTF128 $1, o(BX), Y0, Y0;              \
	VINSERTF128 $1, o(BX)(R9*1), Y1, Y1;        \
	VINSERTF128 $1, o(BX)(R9*2), Y2, Y2;        \
	VINSERTF128 $1, o(BX)(R10*1), Y3, Y3;       \
	VUNPCKLPS Y1, Y0, Y4;                       \
	VUNPCKHPS Y1, Y0, Y5;                       \
	VUNPCKLPS Y3, Y2, Y6;                       \
	VUNPCKHPS Y3, Y2, Y7;                       \
	VUNPCKLPD Y6, Y4, Y0;                       \
	VUNPCKHPD Y6, Y4, Y1;                       \
	VUNPCKLPD Y7, Y5, Y2;                       \
	VUNPCKHPD Y7, Y5, Y3;                       \
	VMOVUPS Y0, (DI);                           \
	VMOVUPS Y1, (DI)(R12*1);                    \
	VMOVUPS Y2, (DI)(R12*2);                    \
	VMOVUPS Y3, (DI)(R13*1);                    \
	LEAQ (DI)(R12*4), DI

// func GemmPackColsAVX2(k, nr int, src *float32, ld int, dst *float32, ldd int)
TEXT ·GemmPackColsAVX2(SB), NOSPLIT, $0-48
	MOVQ nr+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ ld+24(FP), R9
	MOVQ dst+32(FP), R8
	MOVQ ldd+40(FP), R12
	SHLQ $2, R9
	SHLQ $2, R12
	LEAQ (R9)(R9*2), R10
	LEAQ (R12)(R12*2), R13

cols:
	MOVQ SI, AX
	LEAQ (SI)(R9*4), BX
	MOVQ R8, DI
	MOVQ k+0(FP), CX

block:
	BLOCK4(0)
	BLOCK4(16)
	ADDQ $32, AX
	ADDQ $32, BX
	SUBQ $8, CX
	JG   block
	LEAQ (SI)(R9*8), SI
	ADDQ $32, R8
	SUBQ $8, DX
	JG   cols
	VZEROUPPER
	RET
