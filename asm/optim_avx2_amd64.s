//go:build amd64 && !purego

#include "textflag.h"

// Optimizer steps for AVX2 and FMA; optim.go has the formulas.
//
//	DI p   SI g   R8 m   R9 v   R10 factors   AX byte offset   CX elements left
//	Y0 p   Y1 g, then d   Y2 m   Y3 v   Y4 scratch   Y15 the tail
//	Y5-Y14 the factors in the order of their struct
//
// A step of 8 elements loads and stores every stream once: 3 loads and 2
// stores for Momentum, 4 and 3 for Adam. Memory binds; division and square
// root are the exact instructions.
//
// The caller guarantees n elements behind every stream, at any alignment;
// nothing else is touched.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

// Y15 = the first CX of 8 lanes.
#define TAILMASK \
	LEAQ ·laneMasks+64(SB), BX; \
	SHLQ $2, CX;               \
	SUBQ CX, BX;               \
	VMOVUPS (BX), Y15

// Y5 WD, Y6 Rate, Y7 Mom, Y8 NegLR, Y9 Keep, Y10 Nesterov.
#define MOMENTUM \
	VFMADD231PS Y0, Y5, Y1;     \
	VMULPS      Y1, Y6, Y1;     \
	VPAND       Y9, Y2, Y2;     \
	VFMADD213PS Y1, Y7, Y2;     \
	VMOVAPS     Y2, Y4;         \
	VFMADD213PS Y1, Y7, Y4;     \
	VBLENDVPS   Y10, Y4, Y2, Y4; \
	VFMADD231PS Y4, Y8, Y0

// func MomentumAVX2(n int, p, grad, m *float32, k *MomentumFactors)
TEXT ·MomentumAVX2(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ p+8(FP), DI
	MOVQ grad+16(FP), SI
	MOVQ m+24(FP), R8
	MOVQ k+32(FP), R10
	VBROADCASTSS 0(R10), Y5
	VBROADCASTSS 4(R10), Y6
	VBROADCASTSS 8(R10), Y7
	VBROADCASTSS 12(R10), Y8
	VBROADCASTSS 16(R10), Y9
	VBROADCASTSS 20(R10), Y10
	XORQ AX, AX
	SUBQ $8, CX
	JLT  tail
loop:
	VMOVUPS (DI)(AX*1), Y0
	VMOVUPS (SI)(AX*1), Y1
	VMOVUPS (R8)(AX*1), Y2
	MOMENTUM
	VMOVUPS Y2, (R8)(AX*1)
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	SUBQ $8, CX
	JGE  loop
tail:
	ADDQ $8, CX
	JEQ  done
	TAILMASK
	VMASKMOVPS (DI)(AX*1), Y15, Y0
	VMASKMOVPS (SI)(AX*1), Y15, Y1
	VMASKMOVPS (R8)(AX*1), Y15, Y2
	MOMENTUM
	VMASKMOVPS Y2, Y15, (R8)(AX*1)
	VMASKMOVPS Y0, Y15, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// Y5 WD, Y6 Shrink, Y7 Beta1, Y8 One1, Y9 Beta2, Y10 One2, Y11 Root, Y12 Eps,
// Y13 NegLR, Y14 Keep. The quotient takes d's place.
#define ADAM \
	VFMADD231PS Y0, Y5, Y1;   \
	VMULPS      Y0, Y6, Y0;   \
	VPAND       Y14, Y2, Y2;  \
	VMULPS      Y1, Y8, Y4;   \
	VFMADD213PS Y4, Y7, Y2;   \
	VPAND       Y14, Y3, Y3;  \
	VMULPS      Y1, Y10, Y4;  \
	VMULPS      Y1, Y4, Y4;   \
	VFMADD213PS Y4, Y9, Y3;   \
	VSQRTPS     Y3, Y4;       \
	VFMADD213PS Y12, Y11, Y4; \
	VDIVPS      Y4, Y2, Y1;   \
	VFMADD231PS Y1, Y13, Y0

// func AdamAVX2(n int, p, grad, m, v *float32, k *AdamFactors)
TEXT ·AdamAVX2(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ p+8(FP), DI
	MOVQ grad+16(FP), SI
	MOVQ m+24(FP), R8
	MOVQ v+32(FP), R9
	MOVQ k+40(FP), R10
	VBROADCASTSS 0(R10), Y5
	VBROADCASTSS 4(R10), Y6
	VBROADCASTSS 8(R10), Y7
	VBROADCASTSS 12(R10), Y8
	VBROADCASTSS 16(R10), Y9
	VBROADCASTSS 20(R10), Y10
	VBROADCASTSS 24(R10), Y11
	VBROADCASTSS 28(R10), Y12
	VBROADCASTSS 32(R10), Y13
	VBROADCASTSS 36(R10), Y14
	XORQ AX, AX
	SUBQ $8, CX
	JLT  tail
loop:
	VMOVUPS (DI)(AX*1), Y0
	VMOVUPS (SI)(AX*1), Y1
	VMOVUPS (R8)(AX*1), Y2
	VMOVUPS (R9)(AX*1), Y3
	ADAM
	VMOVUPS Y2, (R8)(AX*1)
	VMOVUPS Y3, (R9)(AX*1)
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	SUBQ $8, CX
	JGE  loop
tail:
	ADDQ $8, CX
	JEQ  done
	TAILMASK
	VMASKMOVPS (DI)(AX*1), Y15, Y0
	VMASKMOVPS (SI)(AX*1), Y15, Y1
	VMASKMOVPS (R8)(AX*1), Y15, Y2
	VMASKMOVPS (R9)(AX*1), Y15, Y3
	ADAM
	VMASKMOVPS Y2, Y15, (R8)(AX*1)
	VMASKMOVPS Y3, Y15, (R9)(AX*1)
	VMASKMOVPS Y0, Y15, (DI)(AX*1)
done:
	VZEROUPPER
	RET
