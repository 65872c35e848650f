//go:build amd64 && !purego

#include "textflag.h"
#include "exp_amd64.h"

// Exponentials of logits for AVX-512; L = fma(x, scale, -u) - v.
//
//	SI x   AX byte offset   CX elements left   K1 the tail
//	R8 v with a step R9 of 64 bytes, or of 0 on zeros when v is nil
//	Z0 L, then exp(L)   Z2, Z3 scratch   Z16-Z26 constants of EXP512
//	Z27 m or s   Z28 w   Z29 the 16 lanes of a sum   Z30 scale   Z31 u
//
// A step of 16 elements is 9 multiply-adds and 7 other operations of EXP512
// and 3 to 5 around it: the ports bind, not the loads; steps are independent,
// so the core overlaps them.
//
// The caller guarantees n readable elements behind each operand and n writable
// ones behind the result, at any alignment; nothing else is touched.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

#define TAILMASK \
	MOVL  $1, BX;  \
	SHLL  CX, BX;  \
	DECL  BX;      \
	KMOVW BX, K1

#define ROWV(vec, step, given) \
	MOVQ $64, step;         \
	TESTQ vec, vec;         \
	JNE  given;             \
	LEAQ ·zeros(SB), vec;   \
	XORQ step, step;        \
given:

// func ExpSumAVX512(n int, x *float32, scale, u float32, v *float32, m float32) float32
TEXT ·ExpSumAVX512(SB), NOSPLIT, $0-44
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VBROADCASTSS scale+16(FP), Z30
	VBROADCASTSS u+20(FP), Z31
	MOVQ v+24(FP), R8
	VBROADCASTSS m+32(FP), Z27
	ROWV(R8, R9, givenV)
	EXPCONST512
	VXORPS Z29, Z29, Z29
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI), Z0
	VFMSUB213PS Z31, Z30, Z0
	VSUBPS (R8), Z0, Z0
	VSUBPS Z27, Z0, Z0
	EXP512
	VADDPS Z0, Z29, Z29
	ADDQ $64, SI
	ADDQ R9, R8
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS.Z (R8), K1, Z1
	VFMSUB213PS Z31, Z30, Z0
	VSUBPS Z1, Z0, Z0
	VSUBPS Z27, Z0, Z0
	EXP512
	VADDPS Z0, Z29, K1, Z29
fold:
	VEXTRACTF64X4 $1, Z29, Y1
	VMOVAPS Z29, Z0
	VADDPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VMOVHLPS X0, X0, X1
	VADDPS X1, X0, X0
	VMOVSHDUP X0, X1
	VADDPS X1, X0, X0
	VMOVSS X0, ret+40(FP)
	VZEROUPPER
	RET

// DI sum, R10 m.
// func ExpColsAVX512(n int, sum, x *float32, scale, u float32, v, m *float32)
TEXT ·ExpColsAVX512(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ sum+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS scale+24(FP), Z30
	VBROADCASTSS u+28(FP), Z31
	MOVQ v+32(FP), R8
	MOVQ m+40(FP), R10
	ROWV(R8, R9, givenV)
	EXPCONST512
	XORQ AX, AX
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Z0
	VFMSUB213PS Z31, Z30, Z0
	VSUBPS (R8), Z0, Z0
	VSUBPS (R10)(AX*1), Z0, Z0
	EXP512
	VADDPS (DI)(AX*1), Z0, Z0
	VMOVUPS Z0, (DI)(AX*1)
	ADDQ $64, AX
	ADDQ R9, R8
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  done
	TAILMASK
	VMOVUPS.Z (SI)(AX*1), K1, Z0
	VMOVUPS.Z (R8), K1, Z1
	VFMSUB213PS Z31, Z30, Z0
	VSUBPS Z1, Z0, Z0
	VMOVUPS.Z (R10)(AX*1), K1, Z1
	VSUBPS Z1, Z0, Z0
	EXP512
	VMOVUPS.Z (DI)(AX*1), K1, Z1
	VADDPS Z1, Z0, Z0
	VMOVUPS Z0, K1, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// DI dst, R10 q with a step R11.
// func ExpRowAVX512(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32)
TEXT ·ExpRowAVX512(SB), NOSPLIT, $0-60
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS scale+24(FP), Z30
	VBROADCASTSS u+28(FP), Z31
	MOVQ v+32(FP), R8
	VBROADCASTSS s+40(FP), Z27
	MOVQ q+48(FP), R10
	VBROADCASTSS w+56(FP), Z28
	ROWV(R8, R9, givenV)
	ROWV(R10, R11, givenQ)
	EXPCONST512
	XORQ AX, AX
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Z0
	VFMSUB213PS Z31, Z30, Z0
	VSUBPS (R8), Z0, Z0
	EXP512
	VFMSUB213PS (R10), Z27, Z0
	VMULPS Z0, Z28, Z0
	VMOVUPS Z0, (DI)(AX*1)
	ADDQ $64, AX
	ADDQ R9, R8
	ADDQ R11, R10
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  done
	TAILMASK
	VMOVUPS.Z (SI)(AX*1), K1, Z0
	VMOVUPS.Z (R8), K1, Z1
	VFMSUB213PS Z31, Z30, Z0
	VSUBPS Z1, Z0, Z0
	EXP512
	VMOVUPS.Z (R10), K1, Z1
	VFMSUB213PS Z1, Z27, Z0
	VMULPS Z0, Z28, Z0
	VMOVUPS Z0, K1, (DI)(AX*1)
done:
	VZEROUPPER
	RET
