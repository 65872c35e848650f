//go:build amd64 && !purego

#include "textflag.h"

// Optimizer steps for AVX-512; optim.go has the formulas.
//
//	DI p   SI g   R8 m   R9 v   R10 factors   AX byte offset   CX elements left
//	Z0 p   Z1 g, then d   Z2 m   Z3 v   Z4, Z5 scratch   K1 the tail
//	Z16-Z25 the factors in the order of their struct
//
// A step of 16 elements loads and stores every stream once: 3 loads and 2
// stores for Momentum, 4 and 3 for Adam. Memory binds; division and square
// root are the exact instructions and hide behind it.
//
// The caller guarantees n elements behind every stream, at any alignment;
// nothing else is touched.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

#define TAILMASK \
	MOVL  $1, BX;  \
	SHLL  CX, BX;  \
	DECL  BX;      \
	KMOVW BX, K1

// Z16 WD, Z17 Rate, Z18 Mom, Z19 NegLR, Z20 Keep, K2 Nesterov.
#define MOMENTUM \
	VFMADD231PS Z0, Z16, Z1;     \
	VMULPS      Z1, Z17, Z1;     \
	VPANDD      Z20, Z2, Z2;     \
	VFMADD213PS Z1, Z18, Z2;     \
	VMOVAPS     Z2, Z4;          \
	VFMADD213PS Z1, Z18, K2, Z4; \
	VFMADD231PS Z4, Z19, Z0

// func MomentumAVX512(n int, p, grad, m *float32, k *MomentumFactors)
TEXT ·MomentumAVX512(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ p+8(FP), DI
	MOVQ grad+16(FP), SI
	MOVQ m+24(FP), R8
	MOVQ k+32(FP), R10
	VBROADCASTSS 0(R10), Z16
	VBROADCASTSS 4(R10), Z17
	VBROADCASTSS 8(R10), Z18
	VBROADCASTSS 12(R10), Z19
	VPBROADCASTD 16(R10), Z20
	MOVL 20(R10), BX
	KMOVW BX, K2
	XORQ AX, AX
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (DI)(AX*1), Z0
	VMOVUPS (SI)(AX*1), Z1
	VMOVUPS (R8)(AX*1), Z2
	MOMENTUM
	VMOVUPS Z2, (R8)(AX*1)
	VMOVUPS Z0, (DI)(AX*1)
	ADDQ $64, AX
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  done
	TAILMASK
	VMOVUPS.Z (DI)(AX*1), K1, Z0
	VMOVUPS.Z (SI)(AX*1), K1, Z1
	VMOVUPS.Z (R8)(AX*1), K1, Z2
	MOMENTUM
	VMOVUPS Z2, K1, (R8)(AX*1)
	VMOVUPS Z0, K1, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// Z16 WD, Z17 Shrink, Z18 Beta1, Z19 One1, Z20 Beta2, Z21 One2, Z22 Root,
// Z23 Eps, Z24 NegLR, Z25 Keep.
#define ADAM \
	VFMADD231PS Z0, Z16, Z1; \
	VMULPS      Z0, Z17, Z0; \
	VPANDD      Z25, Z2, Z2; \
	VMULPS      Z1, Z19, Z4; \
	VFMADD213PS Z4, Z18, Z2; \
	VPANDD      Z25, Z3, Z3; \
	VMULPS      Z1, Z21, Z4; \
	VMULPS      Z1, Z4, Z4;  \
	VFMADD213PS Z4, Z20, Z3; \
	VSQRTPS     Z3, Z4;      \
	VFMADD213PS Z23, Z22, Z4; \
	VDIVPS      Z4, Z2, Z5;  \
	VFMADD231PS Z5, Z24, Z0

// func AdamAVX512(n int, p, grad, m, v *float32, k *AdamFactors)
TEXT ·AdamAVX512(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ p+8(FP), DI
	MOVQ grad+16(FP), SI
	MOVQ m+24(FP), R8
	MOVQ v+32(FP), R9
	MOVQ k+40(FP), R10
	VBROADCASTSS 0(R10), Z16
	VBROADCASTSS 4(R10), Z17
	VBROADCASTSS 8(R10), Z18
	VBROADCASTSS 12(R10), Z19
	VBROADCASTSS 16(R10), Z20
	VBROADCASTSS 20(R10), Z21
	VBROADCASTSS 24(R10), Z22
	VBROADCASTSS 28(R10), Z23
	VBROADCASTSS 32(R10), Z24
	VPBROADCASTD 36(R10), Z25
	XORQ AX, AX
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (DI)(AX*1), Z0
	VMOVUPS (SI)(AX*1), Z1
	VMOVUPS (R8)(AX*1), Z2
	VMOVUPS (R9)(AX*1), Z3
	ADAM
	VMOVUPS Z2, (R8)(AX*1)
	VMOVUPS Z3, (R9)(AX*1)
	VMOVUPS Z0, (DI)(AX*1)
	ADDQ $64, AX
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  done
	TAILMASK
	VMOVUPS.Z (DI)(AX*1), K1, Z0
	VMOVUPS.Z (SI)(AX*1), K1, Z1
	VMOVUPS.Z (R8)(AX*1), K1, Z2
	VMOVUPS.Z (R9)(AX*1), K1, Z3
	ADAM
	VMOVUPS Z2, K1, (R8)(AX*1)
	VMOVUPS Z3, K1, (R9)(AX*1)
	VMOVUPS Z0, K1, (DI)(AX*1)
done:
	VZEROUPPER
	RET
