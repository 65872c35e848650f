//go:build amd64 && !purego

#include "textflag.h"
#include "exp_amd64.h"

// Sums and maxima along a row for AVX-512.
//
//	SI x   AX byte offset   CX elements left   K1 the tail
//	Z0 the 16 lanes of a sum: element i goes to lane i mod 16, one addition
//	(or multiply-add) a step; FOLD joins lanes i and i+8, i+4, i+2, i+1
//
// A sum along a row is one chain of additions, 16 elements every 3 or 4
// cycles: the order is the contract's, and memory is slower still.
//
// Logits are L = fma(x, scale, -u) - v: Z30 scale, Z31 u, R8 v with a step R9
// of 64 bytes, or of 0 on zeros when v is nil.
//
// The caller guarantees n readable elements behind each operand at any
// alignment; nothing else is read or written.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

#define TAILMASK \
	MOVL  $1, BX;  \
	SHLL  CX, BX;  \
	DECL  BX;      \
	KMOVW BX, K1

#define FOLD(OP) \
	VEXTRACTF64X4 $1, Z0, Y1; \
	OP Y1, Y0, Y0;            \
	VEXTRACTF128 $1, Y0, X1;  \
	OP X1, X0, X0;            \
	VMOVHLPS X0, X0, X1;      \
	OP X1, X0, X0;            \
	VMOVSHDUP X0, X1;         \
	OP X1, X0, X0

#define ROWV \
	MOVQ $64, R9;           \
	TESTQ R8, R8;           \
	JNE  start;             \
	LEAQ ·zeros(SB), R8;    \
	XORQ R9, R9;            \
start:                      \
	XORQ AX, AX

// func RowSumAVX512(n int, x *float32) float32
TEXT ·RowSumAVX512(SB), NOSPLIT, $0-20
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VXORPS Z0, Z0, Z0
	SUBQ $16, CX
	JLT  tail
loop:
	VADDPS (SI), Z0, Z0
	ADDQ $64, SI
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMOVUPS.Z (SI), K1, Z1
	VADDPS Z1, Z0, Z0
fold:
	FOLD(VADDPS)
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func RowDotAVX512(n int, x, y *float32) float32
TEXT ·RowDotAVX512(SB), NOSPLIT, $0-28
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DX
	XORQ AX, AX
	VXORPS Z0, Z0, Z0
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Z1
	VFMADD231PS (DX)(AX*1), Z1, Z0
	ADDQ $64, AX
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMOVUPS.Z (SI)(AX*1), K1, Z1
	VMOVUPS.Z (DX)(AX*1), K1, Z2
	VFMADD231PS Z2, Z1, Z0
fold:
	FOLD(VADDPS)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// Z0 is the maximum so far, K3 the lanes that met a NaN.
// func RowMaxAVX512(n int, x *float32, scale, u float32, v *float32) float32
TEXT ·RowMaxAVX512(SB), NOSPLIT, $0-36
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VBROADCASTSS scale+16(FP), Z30
	VBROADCASTSS u+20(FP), Z31
	MOVQ v+24(FP), R8
	ROWV
	VBROADCASTSS CNegInf, Z29
	VMOVAPS Z29, Z0
	KXORW K3, K3, K3
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Z1
	VFMSUB213PS Z31, Z30, Z1
	VSUBPS (R8), Z1, Z1
	VCMPPS $0x03, Z1, Z1, K2
	KORW K2, K3, K3
	VMAXPS Z0, Z1, Z0
	ADDQ $64, AX
	ADDQ R9, R8
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMOVUPS.Z (SI)(AX*1), K1, Z1
	VMOVUPS.Z (R8), K1, Z2
	VFMSUB213PS Z31, Z30, Z1
	VSUBPS Z2, Z1, K1, Z29
	VCMPPS $0x03, Z29, Z29, K2
	KORW K2, K3, K3
	VMAXPS Z0, Z29, Z0
fold:
	FOLD(VMAXPS)
	KORTESTW K3, K3
	JEQ  number
	VMOVSS CNaN, X0
number:
	VMOVSS X0, ret+32(FP)
	VZEROUPPER
	RET

// func RowFindAVX512(n int, x *float32, v float32) int
TEXT ·RowFindAVX512(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VBROADCASTSS v+16(FP), Z30
	MOVQ CX, DX
	XORQ AX, AX
	SUBQ $16, CX
	JLT  tail
loop:
	VCMPPS $0x00, (SI)(AX*4), Z30, K2
	KORTESTW K2, K2
	JNE  found
	ADDQ $16, AX
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  none
	TAILMASK
	VMOVUPS.Z (SI)(AX*4), K1, Z1
	VCMPPS $0x00, Z1, Z30, K1, K2
	KORTESTW K2, K2
	JEQ  none
found:
	KMOVW K2, BX
	BSFL BX, BX
	ADDQ BX, AX
	MOVQ AX, DX
none:
	MOVQ DX, ret+24(FP)
	VZEROUPPER
	RET
