//go:build amd64 && !purego

#include "textflag.h"
#include "exp_amd64.h"

// Sums and maxima along a row for AVX2 and FMA.
//
//	SI x   AX byte offset   CX elements left   Y12, Y13 the tail
//	Y0, Y1 the 16 lanes of a sum: element i goes to lane i mod 16, two chains
//	of additions (or multiply-adds); FOLD joins lanes i and i+8 (Y0 with Y1),
//	i+4, i+2, i+1, as the AVX-512 row does
//
// Logits are L = fma(x, scale, -u) - v: Y14 scale, Y15 u, R8 v with a step R9
// of 64 bytes, or of 0 on zeros when v is nil.
//
// The caller guarantees n readable elements behind each operand at any
// alignment; nothing else is read or written.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

// Y12, Y13 = the first CX of 16 lanes.
#define TAILMASK \
	LEAQ ·laneMasks+64(SB), BX; \
	SHLQ $2, CX;               \
	SUBQ CX, BX;               \
	VMOVUPS (BX), Y12;         \
	VMOVUPS 32(BX), Y13

#define FOLD(OP) \
	OP Y1, Y0, Y0;           \
	VEXTRACTF128 $1, Y0, X1; \
	OP X1, X0, X0;           \
	VMOVHLPS X0, X0, X1;     \
	OP X1, X0, X0;           \
	VMOVSHDUP X0, X1;        \
	OP X1, X0, X0

#define ROWV \
	MOVQ $64, R9;        \
	TESTQ R8, R8;        \
	JNE  start;          \
	LEAQ ·zeros(SB), R8; \
	XORQ R9, R9;         \
start:                   \
	XORQ AX, AX

// func RowSumAVX2(n int, x *float32) float32
TEXT ·RowSumAVX2(SB), NOSPLIT, $0-20
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	SUBQ $16, CX
	JLT  tail
loop:
	VADDPS (SI), Y0, Y0
	VADDPS 32(SI), Y1, Y1
	ADDQ $64, SI
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMASKMOVPS (SI), Y12, Y2
	VMASKMOVPS 32(SI), Y13, Y3
	VADDPS Y2, Y0, Y0
	VADDPS Y3, Y1, Y1
fold:
	FOLD(VADDPS)
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func RowDotAVX2(n int, x, y *float32) float32
TEXT ·RowDotAVX2(SB), NOSPLIT, $0-28
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DX
	XORQ AX, AX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Y2
	VMOVUPS 32(SI)(AX*1), Y3
	VFMADD231PS (DX)(AX*1), Y2, Y0
	VFMADD231PS 32(DX)(AX*1), Y3, Y1
	ADDQ $64, AX
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMASKMOVPS (SI)(AX*1), Y12, Y2
	VMASKMOVPS 32(SI)(AX*1), Y13, Y3
	VMASKMOVPS (DX)(AX*1), Y12, Y4
	VMASKMOVPS 32(DX)(AX*1), Y13, Y5
	VFMADD231PS Y4, Y2, Y0
	VFMADD231PS Y5, Y3, Y1
fold:
	FOLD(VADDPS)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// Y0, Y1 are the maxima so far, Y9 the lanes that met a NaN.
// func RowMaxAVX2(n int, x *float32, scale, u float32, v *float32) float32
TEXT ·RowMaxAVX2(SB), NOSPLIT, $0-36
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VBROADCASTSS scale+16(FP), Y14
	VBROADCASTSS u+20(FP), Y15
	MOVQ v+24(FP), R8
	ROWV
	VMOVUPS CNegInf, Y8
	VMOVAPS Y8, Y0
	VMOVAPS Y8, Y1
	VXORPS Y9, Y9, Y9
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Y2
	VMOVUPS 32(SI)(AX*1), Y3
	VFMSUB213PS Y15, Y14, Y2
	VFMSUB213PS Y15, Y14, Y3
	VSUBPS (R8), Y2, Y2
	VSUBPS 32(R8), Y3, Y3
	VCMPPS $0x03, Y2, Y3, Y4
	VORPS Y4, Y9, Y9
	VMAXPS Y0, Y2, Y0
	VMAXPS Y1, Y3, Y1
	ADDQ $64, AX
	ADDQ R9, R8
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMASKMOVPS (SI)(AX*1), Y12, Y2
	VMASKMOVPS 32(SI)(AX*1), Y13, Y3
	VMASKMOVPS (R8), Y12, Y4
	VMASKMOVPS 32(R8), Y13, Y5
	VFMSUB213PS Y15, Y14, Y2
	VFMSUB213PS Y15, Y14, Y3
	VSUBPS Y4, Y2, Y2
	VSUBPS Y5, Y3, Y3
	VBLENDVPS Y12, Y2, Y8, Y2
	VBLENDVPS Y13, Y3, Y8, Y3
	VCMPPS $0x03, Y2, Y3, Y4
	VORPS Y4, Y9, Y9
	VMAXPS Y0, Y2, Y0
	VMAXPS Y1, Y3, Y1
fold:
	FOLD(VMAXPS)
	VPTEST Y9, Y9
	JEQ  number
	VMOVSS CNaN, X0
number:
	VMOVSS X0, ret+32(FP)
	VZEROUPPER
	RET

// func RowFindAVX2(n int, x *float32, v float32) int
TEXT ·RowFindAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VBROADCASTSS v+16(FP), Y14
	MOVQ CX, DX
	XORQ AX, AX
	SUBQ $8, CX
	JLT  tail
loop:
	VCMPPS $0x00, (SI)(AX*4), Y14, Y1
	VMOVMSKPS Y1, BX
	TESTL BX, BX
	JNE  found
	ADDQ $8, AX
	SUBQ $8, CX
	JGE  loop
tail:
	ADDQ $8, CX
	JEQ  none
	TAILMASK
	VMASKMOVPS (SI)(AX*4), Y12, Y1
	VCMPPS $0x00, Y1, Y14, Y1
	VANDPS Y12, Y1, Y1
	VMOVMSKPS Y1, BX
	TESTL BX, BX
	JEQ  none
found:
	BSFL BX, BX
	ADDQ BX, AX
	MOVQ AX, DX
none:
	MOVQ DX, ret+24(FP)
	VZEROUPPER
	RET
