//go:build amd64 && !purego

#include "textflag.h"
#include "exp_amd64.h"

// Elementwise functions for AVX-512: dst[i] = f(a[i], b[i]; s, t).
//
//	DI dst   SI a   DX b   AX byte offset   CX elements left
//	Z0 a, then the result   Z1 b   Z30 s   Z31 t   Z29 zeros   K1 the tail
//
// A step is 16 elements: one or two loads, the function, one store; the loop
// adds an add and a compare-and-branch, which leaves the store port as the
// limit in L1 and memory beyond. The last 1 to 15 elements are one masked
// step: nothing outside is read or written.
//
// The caller guarantees n readable elements behind a and b, where the function
// reads them, and n writable ones behind dst, at any alignment. dst may be a
// or b.
//
// Why assembly: Go has no vector registers and no float32 multiply-add.

#define ARGS \
	MOVQ n+0(FP), CX;          \
	MOVQ dst+8(FP), DI;        \
	MOVQ a+16(FP), SI;         \
	MOVQ b+24(FP), DX;         \
	VBROADCASTSS s+32(FP), Z30; \
	VBROADCASTSS t+36(FP), Z31; \
	VXORPS Z29, Z29, Z29;      \
	XORQ AX, AX

// K1 = the first CX of 16 lanes.
#define TAILMASK \
	MOVL  $1, BX;  \
	SHLL  CX, BX;  \
	DECL  BX;      \
	KMOVW BX, K1

// MAP1 and MAP2 run F over functions of one and of two operands.
#define MAP1(F) \
	SUBQ $16, CX;                  \
	JLT  tail;                     \
loop:                              \
	VMOVUPS (SI)(AX*1), Z0;        \
	F;                             \
	VMOVUPS Z0, (DI)(AX*1);        \
	ADDQ $64, AX;                  \
	SUBQ $16, CX;                  \
	JGE  loop;                     \
tail:                              \
	ADDQ $16, CX;                  \
	JEQ  done;                     \
	TAILMASK;                      \
	VMOVUPS.Z (SI)(AX*1), K1, Z0;  \
	F;                             \
	VMOVUPS Z0, K1, (DI)(AX*1);    \
done:                              \
	VZEROUPPER;                    \
	RET

#define MAP2(F) \
	SUBQ $16, CX;                  \
	JLT  tail;                     \
loop:                              \
	VMOVUPS (SI)(AX*1), Z0;        \
	VMOVUPS (DX)(AX*1), Z1;        \
	F;                             \
	VMOVUPS Z0, (DI)(AX*1);        \
	ADDQ $64, AX;                  \
	SUBQ $16, CX;                  \
	JGE  loop;                     \
tail:                              \
	ADDQ $16, CX;                  \
	JEQ  done;                     \
	TAILMASK;                      \
	VMOVUPS.Z (SI)(AX*1), K1, Z0;  \
	VMOVUPS.Z (DX)(AX*1), K1, Z1;  \
	F;                             \
	VMOVUPS Z0, K1, (DI)(AX*1);    \
done:                              \
	VZEROUPPER;                    \
	RET

#define SCALE    VMULPS Z0, Z30, Z0
#define ADD      VADDPS Z1, Z0, Z0
#define SUB      VSUBPS Z1, Z0, Z0
#define MUL      VMULPS Z1, Z0, Z0
#define DIV      VDIVPS Z1, Z0, Z0
#define AXPY     VFMADD213PS Z1, Z30, Z0
#define AXPBY    VMULPS Z1, Z31, Z1; VFMADD213PS Z1, Z30, Z0
#define SQRT     VSQRTPS Z0, Z0
#define AFFINE   VFMADD213PS Z31, Z30, Z0

// The maximum returns its second source (written first) when either is NaN or
// both are zero: ReLU(NaN) = NaN.
#define RELU     VMAXPS Z0, Z29, Z0
#define RELUGRAD VCMPPS $0x1e, Z29, Z1, K2; VMOVAPS.Z Z0, K2, Z0

// func VecFillAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecFillAVX512(SB), NOSPLIT, $0-40
	ARGS
	SUBQ $16, CX
	JLT  tail
loop:
	VMOVUPS Z30, (DI)(AX*1)
	ADDQ $64, AX
	SUBQ $16, CX
	JGE  loop
tail:
	ADDQ $16, CX
	JEQ  done
	TAILMASK
	VMOVUPS Z30, K1, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// func VecScaleAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecScaleAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP1(SCALE)

// func VecAddAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAddAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP2(ADD)

// func VecSubAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecSubAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP2(SUB)

// func VecMulAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecMulAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP2(MUL)

// func VecDivAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecDivAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP2(DIV)

// func VecAXPYAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAXPYAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP2(AXPY)

// func VecAXPBYAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAXPBYAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP2(AXPBY)

// func VecReLUAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecReLUAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP1(RELU)

// func VecReLUGradAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecReLUGradAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP2(RELUGRAD)

// func VecSqrtAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecSqrtAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP1(SQRT)

// func VecAffineAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAffineAVX512(SB), NOSPLIT, $0-40
	ARGS
	MAP1(AFFINE)

// func VecExpAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecExpAVX512(SB), NOSPLIT, $0-40
	ARGS
	EXPCONST512
	MAP1(EXP512)

// func VecLogAVX512(n int, dst, a, b *float32, s, t float32)
TEXT ·VecLogAVX512(SB), NOSPLIT, $0-40
	ARGS
	LOGCONST512
	MAP1(LOG512)
