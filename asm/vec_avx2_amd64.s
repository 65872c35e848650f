//go:build amd64 && !purego

#include "textflag.h"
#include "exp_amd64.h"

// Elementwise functions for AVX2 and FMA: dst[i] = f(a[i], b[i]; s, t).
//
//	DI dst   SI a   DX b   AX byte offset   CX elements left
//	Y0 a, then the result   Y1 b   Y14 s   Y15 t   Y13 zeros   Y12 the tail
//
// A step is 8 elements: one or two loads, the function, one store. exp and log
// read their constants from memory (L1): 16 registers hold no 12 of them
// beside the work. The last 1 to 7 elements are one step of VMASKMOVPS:
// nothing outside is read or written.
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
	VBROADCASTSS s+32(FP), Y14; \
	VBROADCASTSS t+36(FP), Y15; \
	VXORPS Y13, Y13, Y13;      \
	XORQ AX, AX

// Y12 = the first CX of 8 lanes.
#define TAILMASK \
	LEAQ ·laneMasks+64(SB), BX; \
	SHLQ $2, CX;               \
	SUBQ CX, BX;               \
	VMOVUPS (BX), Y12

// MAP1 and MAP2 run F over functions of one and of two operands.
#define MAP1(F) \
	SUBQ $8, CX;                    \
	JLT  tail;                      \
loop:                               \
	VMOVUPS (SI)(AX*1), Y0;         \
	F;                              \
	VMOVUPS Y0, (DI)(AX*1);         \
	ADDQ $32, AX;                   \
	SUBQ $8, CX;                    \
	JGE  loop;                      \
tail:                               \
	ADDQ $8, CX;                    \
	JEQ  done;                      \
	TAILMASK;                       \
	VMASKMOVPS (SI)(AX*1), Y12, Y0; \
	F;                              \
	VMASKMOVPS Y0, Y12, (DI)(AX*1); \
done:                               \
	VZEROUPPER;                     \
	RET

#define MAP2(F) \
	SUBQ $8, CX;                    \
	JLT  tail;                      \
loop:                               \
	VMOVUPS (SI)(AX*1), Y0;         \
	VMOVUPS (DX)(AX*1), Y1;         \
	F;                              \
	VMOVUPS Y0, (DI)(AX*1);         \
	ADDQ $32, AX;                   \
	SUBQ $8, CX;                    \
	JGE  loop;                      \
tail:                               \
	ADDQ $8, CX;                    \
	JEQ  done;                      \
	TAILMASK;                       \
	VMASKMOVPS (SI)(AX*1), Y12, Y0; \
	VMASKMOVPS (DX)(AX*1), Y12, Y1; \
	F;                              \
	VMASKMOVPS Y0, Y12, (DI)(AX*1); \
done:                               \
	VZEROUPPER;                     \
	RET

#define SCALE    VMULPS Y0, Y14, Y0
#define ADD      VADDPS Y1, Y0, Y0
#define SUB      VSUBPS Y1, Y0, Y0
#define MUL      VMULPS Y1, Y0, Y0
#define DIV      VDIVPS Y1, Y0, Y0
#define AXPY     VFMADD213PS Y1, Y14, Y0
#define AXPBY    VMULPS Y1, Y15, Y1; VFMADD213PS Y1, Y14, Y0
#define SQRT     VSQRTPS Y0, Y0
#define AFFINE   VFMADD213PS Y15, Y14, Y0

// The maximum returns its second source (written first) when either is NaN or
// both are zero: ReLU(NaN) = NaN.
#define RELU     VMAXPS Y0, Y13, Y0
#define RELUGRAD VCMPPS $0x1e, Y13, Y1, Y2; VANDPS Y2, Y0, Y0

// func VecFillAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecFillAVX2(SB), NOSPLIT, $0-40
	ARGS
	SUBQ $8, CX
	JLT  tail
loop:
	VMOVUPS Y14, (DI)(AX*1)
	ADDQ $32, AX
	SUBQ $8, CX
	JGE  loop
tail:
	ADDQ $8, CX
	JEQ  done
	TAILMASK
	VMASKMOVPS Y14, Y12, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// func VecScaleAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecScaleAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP1(SCALE)

// func VecAddAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAddAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP2(ADD)

// func VecSubAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecSubAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP2(SUB)

// func VecMulAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecMulAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP2(MUL)

// func VecDivAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecDivAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP2(DIV)

// func VecAXPYAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAXPYAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP2(AXPY)

// func VecAXPBYAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAXPBYAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP2(AXPBY)

// func VecReLUAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecReLUAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP1(RELU)

// func VecReLUGradAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecReLUGradAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP2(RELUGRAD)

// func VecSqrtAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecSqrtAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP1(SQRT)

// func VecAffineAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecAffineAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP1(AFFINE)

// func VecExpAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecExpAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP1(EXP256)

// func VecLogAVX2(n int, dst, a, b *float32, s, t float32)
TEXT ·VecLogAVX2(SB), NOSPLIT, $0-40
	ARGS
	MAP1(LOG256)
