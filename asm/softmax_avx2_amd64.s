//go:build amd64 && !purego

#include "textflag.h"
#include "exp_amd64.h"

// Exponentials of logits for AVX2 and FMA; L = fma(x, scale, -u) - v.
//
//	SI x   AX byte offset   CX elements left   Y12 (and Y11) the tail
//	R8 v with a step R9 of 64 bytes (32 where a step is 8 elements), or of 0
//	on zeros when v is nil
//	Y0 L, then exp(L)   Y2-Y4 scratch   Y13 m, or s   Y10 w
//	Y8, Y9 the 16 lanes of a sum   Y14 scale   Y15 u
//
// EXP256 reads its constants from memory (L1). Steps are independent, so the
// core overlaps them.
//
// The caller guarantees n readable elements behind each operand and n writable
// ones behind the result, at any alignment; nothing else is touched.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

// Y12, Y11 = the first CX of 16 lanes.
#define TAILMASK \
	LEAQ ·laneMasks+64(SB), BX; \
	SHLQ $2, CX;               \
	SUBQ CX, BX;               \
	VMOVUPS (BX), Y12;         \
	VMOVUPS 32(BX), Y11

#define ROWV(vec, step, bytes, given) \
	MOVQ $bytes, step;    \
	TESTQ vec, vec;       \
	JNE  given;           \
	LEAQ ·zeros(SB), vec; \
	XORQ step, step;      \
given:

// func ExpSumAVX2(n int, x *float32, scale, u float32, v *float32, m float32) float32
TEXT ·ExpSumAVX2(SB), NOSPLIT, $0-44
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VBROADCASTSS scale+16(FP), Y14
	VBROADCASTSS u+20(FP), Y15
	MOVQ v+24(FP), R8
	VBROADCASTSS m+32(FP), Y13
	ROWV(R8, R9, 64, givenV)
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS (SI), Y0
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS (R8), Y0, Y0
	VSUBPS Y13, Y0, Y0
	EXP256
	VADDPS Y0, Y8, Y8
	VMOVUPS 32(SI), Y0
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS 32(R8), Y0, Y0
	VSUBPS Y13, Y0, Y0
	EXP256
	VADDPS Y0, Y9, Y9
	ADDQ $64, SI
	ADDQ R9, R8
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  fold
	TAILMASK
	VMASKMOVPS (SI), Y12, Y0
	VMASKMOVPS (R8), Y12, Y1
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS Y1, Y0, Y0
	VSUBPS Y13, Y0, Y0
	EXP256
	VANDPS Y12, Y0, Y0
	VADDPS Y0, Y8, Y8
	VMASKMOVPS 32(SI), Y11, Y0
	VMASKMOVPS 32(R8), Y11, Y1
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS Y1, Y0, Y0
	VSUBPS Y13, Y0, Y0
	EXP256
	VANDPS Y11, Y0, Y0
	VADDPS Y0, Y9, Y9
fold:
	VADDPS Y9, Y8, Y0
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
// func ExpColsAVX2(n int, sum, x *float32, scale, u float32, v, m *float32)
TEXT ·ExpColsAVX2(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ sum+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS scale+24(FP), Y14
	VBROADCASTSS u+28(FP), Y15
	MOVQ v+32(FP), R8
	MOVQ m+40(FP), R10
	ROWV(R8, R9, 32, givenV)
	XORQ AX, AX
	SUBQ $8, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Y0
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS (R8), Y0, Y0
	VSUBPS (R10)(AX*1), Y0, Y0
	EXP256
	VADDPS (DI)(AX*1), Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	ADDQ R9, R8
	SUBQ $8, CX
	JGE  loop
tail:
	ADDQ $8, CX
	JEQ  done
	TAILMASK
	VMASKMOVPS (SI)(AX*1), Y12, Y0
	VMASKMOVPS (R8), Y12, Y1
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS Y1, Y0, Y0
	VMASKMOVPS (R10)(AX*1), Y12, Y1
	VSUBPS Y1, Y0, Y0
	EXP256
	VMASKMOVPS (DI)(AX*1), Y12, Y1
	VADDPS Y1, Y0, Y0
	VMASKMOVPS Y0, Y12, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// DI dst, R10 q with a step R11.
// func ExpRowAVX2(n int, dst, x *float32, scale, u float32, v *float32, s float32, q *float32, w float32)
TEXT ·ExpRowAVX2(SB), NOSPLIT, $0-60
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS scale+24(FP), Y14
	VBROADCASTSS u+28(FP), Y15
	MOVQ v+32(FP), R8
	VBROADCASTSS s+40(FP), Y13
	MOVQ q+48(FP), R10
	VBROADCASTSS w+56(FP), Y10
	ROWV(R8, R9, 32, givenV)
	ROWV(R10, R11, 32, givenQ)
	XORQ AX, AX
	SUBQ $8, CX
	JLT  tail
loop:
	VMOVUPS (SI)(AX*1), Y0
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS (R8), Y0, Y0
	EXP256
	VFMSUB213PS (R10), Y13, Y0
	VMULPS Y0, Y10, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	ADDQ R9, R8
	ADDQ R11, R10
	SUBQ $8, CX
	JGE  loop
tail:
	ADDQ $8, CX
	JEQ  done
	TAILMASK
	VMASKMOVPS (SI)(AX*1), Y12, Y0
	VMASKMOVPS (R8), Y12, Y1
	VFMSUB213PS Y15, Y14, Y0
	VSUBPS Y1, Y0, Y0
	EXP256
	VMASKMOVPS (R10), Y12, Y1
	VFMSUB213PS Y1, Y13, Y0
	VMULPS Y0, Y10, Y0
	VMASKMOVPS Y0, Y12, (DI)(AX*1)
done:
	VZEROUPPER
	RET
