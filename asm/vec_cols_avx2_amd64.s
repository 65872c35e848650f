//go:build amd64 && !purego

#include "textflag.h"

// Sums and maxima down columns for AVX2 and FMA.
//
//	SI x   DI the result   AX byte offset   CX elements left   Y12 the tail
//
// ColSum: 32 columns are four accumulators, one load and one addition each a row:
// four chains, enough for what memory gives.
//
// ColMax takes one row at a time; the maxima stay in L1. Logits are
// L = fma(x, scale, -u) - v: Y14 scale, Y15 u, R8 v with a step R9 of 32
// bytes, or of 0 on zeros when v is nil.
//
// The caller guarantees n readable elements behind each operand (of every row
// of ColSum) and n writable ones behind the result, at any alignment; nothing
// else is touched.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

// Y12 = the first CX of 8 lanes.
#define TAILMASK \
	LEAQ ·laneMasks+64(SB), BX; \
	SHLQ $2, CX;               \
	SUBQ CX, BX;               \
	VMOVUPS (BX), Y12

#define ROWV \
	MOVQ $32, R9;        \
	TESTQ R8, R8;        \
	JNE  start;          \
	LEAQ ·zeros(SB), R8; \
	XORQ R9, R9;         \
start:                   \
	XORQ AX, AX

// func ColMaxAVX2(n int, m, x *float32, scale, u float32, v *float32)
TEXT ·ColMaxAVX2(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ m+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS scale+24(FP), Y14
	VBROADCASTSS u+28(FP), Y15
	MOVQ v+32(FP), R8
	ROWV
	SUBQ $8, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Y1
	VMOVUPS (DI)(AX*1), Y0
	VFMSUB213PS Y15, Y14, Y1
	VSUBPS (R8), Y1, Y1
	VCMPPS $0x03, Y1, Y1, Y2
	VMAXPS Y0, Y1, Y0
	VBLENDVPS Y2, Y1, Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	ADDQ R9, R8
	SUBQ $8, CX
	JGE  loop
tail:
	ADDQ $8, CX
	JEQ  done
	TAILMASK
	VMASKMOVPS (SI)(AX*1), Y12, Y1
	VMASKMOVPS (DI)(AX*1), Y12, Y0
	VMASKMOVPS (R8), Y12, Y2
	VFMSUB213PS Y15, Y14, Y1
	VSUBPS Y2, Y1, Y1
	VCMPPS $0x03, Y1, Y1, Y2
	VMAXPS Y0, Y1, Y0
	VBLENDVPS Y2, Y1, Y0, Y0
	VMASKMOVPS Y0, Y12, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// R11 columns left, R12 byte stride of a row, R13 rows, SI column block of x.
// func ColSumAVX2(rows, n, ld int, x, out *float32, load bool)
TEXT ·ColSumAVX2(SB), NOSPLIT, $0-41
	MOVQ rows+0(FP), R13
	MOVQ n+8(FP), R11
	MOVQ ld+16(FP), R12
	SHLQ $2, R12
	MOVQ x+24(FP), SI
	MOVQ out+32(FP), DI
	MOVBLZX load+40(FP), R10
	SUBQ $32, R11
	JLT  narrow
wide:
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	MOVQ SI, AX
	MOVQ R13, CX
wideRow:
	VADDPS (AX), Y0, Y0
	VADDPS 32(AX), Y1, Y1
	VADDPS 64(AX), Y2, Y2
	VADDPS 96(AX), Y3, Y3
	ADDQ R12, AX
	DECQ CX
	JNE  wideRow
	TESTL R10, R10
	JEQ  wideStore
	VADDPS (DI), Y0, Y0
	VADDPS 32(DI), Y1, Y1
	VADDPS 64(DI), Y2, Y2
	VADDPS 96(DI), Y3, Y3
wideStore:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $32, R11
	JGE  wide
narrow:
	ADDQ $32, R11
	JEQ  done
block:
	MOVQ R11, CX
	CMPQ CX, $8
	JLE  mask
	MOVQ $8, CX
mask:
	TAILMASK
	VXORPS Y0, Y0, Y0
	MOVQ SI, AX
	MOVQ R13, CX
row:
	VMASKMOVPS (AX), Y12, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R12, AX
	DECQ CX
	JNE  row
	TESTL R10, R10
	JEQ  store
	VMASKMOVPS (DI), Y12, Y1
	VADDPS Y1, Y0, Y0
store:
	VMASKMOVPS Y0, Y12, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, R11
	JGT  block
done:
	VZEROUPPER
	RET
