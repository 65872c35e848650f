//go:build amd64 && !purego

#include "textflag.h"

// Sums and maxima down columns for AVX-512.
//
//	SI x   DI the result   AX byte offset   CX elements left   K1 the tail
//
// ColSum: 64 columns are four accumulators, one load and one addition each a row:
// four chains, enough for what memory gives.
//
// ColMax takes one row at a time; the maxima stay in L1. Logits are
// L = fma(x, scale, -u) - v: Z30 scale, Z31 u, R8 v with a step R9 of 64
// bytes, or of 0 on zeros when v is nil.
//
// The caller guarantees n readable elements behind each operand (of every row
// of ColSum) and n writable ones behind the result, at any alignment; nothing
// else is touched.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

#define TAILMASK \
	MOVL  $1, BX;  \
	SHLL  CX, BX;  \
	DECL  BX;      \
	KMOVW BX, K1

#define ROWV \
	MOVQ $64, R9;           \
	TESTQ R8, R8;           \
	JNE  start;             \
	LEAQ ·zeros(SB), R8;    \
	XORQ R9, R9;            \
start:                      \
	XORQ AX, AX

// func ColMaxAVX512(n int, m, x *float32, scale, u float32, v *float32)
TEXT ·ColMaxAVX512(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ m+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS scale+24(FP), Z30
	VBROADCASTSS u+28(FP), Z31
	MOVQ v+32(FP), R8
	ROWV
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Z1
	VMOVUPS (DI)(AX*1), Z0
	VFMSUB213PS Z31, Z30, Z1
	VSUBPS (R8), Z1, Z1
	VCMPPS $0x03, Z1, Z1, K2
	VMAXPS Z0, Z1, Z0
	VMOVAPS Z1, K2, Z0
	VMOVUPS Z0, (DI)(AX*1)
	ADDQ $64, AX
	ADDQ R9, R8
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  done
	TAILMASK
	VMOVUPS.Z (SI)(AX*1), K1, Z1
	VMOVUPS.Z (DI)(AX*1), K1, Z0
	VMOVUPS.Z (R8), K1, Z2
	VFMSUB213PS Z31, Z30, Z1
	VSUBPS Z2, Z1, Z1
	VCMPPS $0x03, Z1, Z1, K2
	VMAXPS Z0, Z1, Z0
	VMOVAPS Z1, K2, Z0
	VMOVUPS Z0, K1, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// R11 columns left, R12 byte stride of a row, R13 rows, SI column block of x.
// func ColSumAVX512(rows, n, ld int, x, out *float32, load bool)
TEXT ·ColSumAVX512(SB), NOSPLIT, $0-41
	MOVQ rows+0(FP), R13
	MOVQ n+8(FP), R11
	MOVQ ld+16(FP), R12
	SHLQ $2, R12
	MOVQ x+24(FP), SI
	MOVQ out+32(FP), DI
	MOVBLZX load+40(FP), R10
	SUBQ $64, R11
	JLT  narrow
wide:
	VXORPS Z0, Z0, Z0
	VXORPS Z1, Z1, Z1
	VXORPS Z2, Z2, Z2
	VXORPS Z3, Z3, Z3
	MOVQ SI, AX
	MOVQ R13, CX
wideRow:
	VADDPS (AX), Z0, Z0
	VADDPS 64(AX), Z1, Z1
	VADDPS 128(AX), Z2, Z2
	VADDPS 192(AX), Z3, Z3
	ADDQ R12, AX
	DECQ CX
	JNE  wideRow
	TESTL R10, R10
	JEQ  wideStore
	VADDPS (DI), Z0, Z0
	VADDPS 64(DI), Z1, Z1
	VADDPS 128(DI), Z2, Z2
	VADDPS 192(DI), Z3, Z3
wideStore:
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	VMOVUPS Z3, 192(DI)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, R11
	JGE  wide
narrow:
	ADDQ $64, R11
	JEQ  done
block:
	MOVQ R11, CX
	CMPQ CX, $16
	JLE  mask
	MOVQ $16, CX
mask:
	TAILMASK
	VXORPS Z0, Z0, Z0
	MOVQ SI, AX
	MOVQ R13, CX
row:
	VMOVUPS.Z (AX), K1, Z1
	VADDPS Z1, Z0, Z0
	ADDQ R12, AX
	DECQ CX
	JNE  row
	TESTL R10, R10
	JEQ  store
	VMOVUPS.Z (DI), K1, Z1
	VADDPS Z1, Z0, Z0
store:
	VMOVUPS Z0, K1, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, R11
	JGT  block
done:
	VZEROUPPER
	RET
