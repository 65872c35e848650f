// The five transforms of Winograd's F(2x2,3x3) as macros that both instruction
// sets share, so that their bits agree: V0-V14 (V15 in the input) are registers
// of VL bytes, H13 the lower half of V13. Formulas and loops stand in
// winograd2_amd64.go.
//
// Both passes of a transform, over columns and over rows, stay in registers:
// element (i, j) of what is between them is
//
//	input         V(4i+j)   4x4                      no temps
//	output        V(4i+j)   2x4                      no temps
//	weights       V(3i+j)   4x3    V12, V13 temps    V14 = 1/2 (float64)
//	grad output   V(2i+j)   4x2    V8, V9 temps
//	grad weights  V(4i+j)   3x4    V12, V13 temps    V14 = 1/2
//
// Input is 12 loads, 16 stores and 32 arithmetic instructions (16 of them load
// the other operand) for 16 vectors, output 8, 4 and 24, weights 9, 16 and 35
// and 16 roundings, grad output 4, 16 and 12, grad weights 8, 9 and 42.
// Input and grad output also fetch the pixels of the next tile, whose addresses
// follow in the list, weights the next kernels (winograd_amd64.h says why).

DATA half32<>+0(SB)/4, $0x3F000000
GLOBL half32<>(SB), RODATA|NOPTR, $4

DATA half64<>+0(SB)/8, $0x3FE0000000000000
GLOBL half64<>(SB), RODATA|NOPTR, $8

#define FETCHAT(at) \
	MOVQ (8*(at))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)

// Column j of the pixels at the 16 addresses from SI on, DX bytes into them, to
// rows a, b, c, d.
#define IN2COL(j, a, b, c, d) \
	FETCHAT(16+j)                \
	FETCHAT(20+j)                \
	FETCHAT(24+j)                \
	FETCHAT(28+j)                \
	MOVQ    (8*(j))(SI), AX      \
	MOVQ    (8*(4+j))(SI), BX    \
	MOVQ    (8*(8+j))(SI), R9    \
	MOVQ    (8*(12+j))(SI), R10  \
	VMOVUPS (AX)(DX*1), a        \
	VSUBPS  (R9)(DX*1), a, a     \
	VMOVUPS (BX)(DX*1), b        \
	VSUBPS  (R10)(DX*1), b, d    \
	VADDPS  (R9)(DX*1), b, b     \
	VMOVUPS (R9)(DX*1), c        \
	VSUBPS  (BX)(DX*1), c, c

// A row a, b, c, d to four frequencies, R8 bytes apart from R11 on.
#define IN2ROW(a, b, c, d) \
	VSUBPS  c, a, a           \
	VMOVUPS a, (R11)          \
	VSUBPS  d, b, d           \
	VMOVUPS d, (R11)(R12*1)   \
	VADDPS  c, b, a           \
	VMOVUPS a, (R11)(R8*1)    \
	VSUBPS  b, c, c           \
	VMOVUPS c, (R11)(R8*2)    \
	LEAQ    (R11)(R8*4), R11

#define WINOGRAD2INPUT \
	MOVQ n+0(FP), CX     \
	MOVQ src+8(FP), SI   \
	MOVQ at+16(FP), DX   \
	MOVQ dst+24(FP), DI  \
	MOVQ freq+32(FP), R8 \
	SHLQ $2, CX          \
	SHLQ $2, DX          \
	SHLQ $2, R8          \
	SUBQ DX, DI          \
	ADDQ DX, CX          \
	LEAQ (R8)(R8*2), R12 \
loop:                    \
	IN2COL(0, V0, V4, V8, V12)   \
	IN2COL(1, V1, V5, V9, V13)   \
	IN2COL(2, V2, V6, V10, V14)  \
	IN2COL(3, V3, V7, V11, V15)  \
	LEAQ (DI)(DX*1), R11         \
	IN2ROW(V0, V1, V2, V3)       \
	IN2ROW(V4, V5, V6, V7)       \
	IN2ROW(V8, V9, V10, V11)     \
	IN2ROW(V12, V13, V14, V15)   \
	ADDQ $VL, DX         \
	CMPQ DX, CX          \
	JLT  loop            \
	VZEROUPPER

// Column j of the 16 frequencies, R8 bytes apart from R11 on, to rows a and b;
// R11 moves to the next column.
#define OUT2COL(a, b) \
	VMOVUPS (R11), a            \
	VADDPS  (R11)(R12*1), a, a  \
	VADDPS  (R11)(R12*2), a, a  \
	VMOVUPS (R11)(R12*1), b     \
	VSUBPS  (R11)(R12*2), b, b  \
	VSUBPS  (R11)(R13*1), b, b  \
	ADDQ    R8, R11

#define OUTPUT2(v, at) \
	MOVQ    (8*(at))(SI), AX \
	VMOVUPS v, (AX)(DX*1)

#define OUTADD2(v, at) \
	MOVQ    (8*(at))(SI), AX  \
	VADDPS  (AX)(DX*1), v, v  \
	VMOVUPS v, (AX)(DX*1)

// A row to two of the 4 addresses from SI on, DX bytes into them.
#define OUT2ROW(a, b, c, d, at, PUT) \
	VADDPS b, a, a  \
	VADDPS c, a, a  \
	PUT(a, at)      \
	VSUBPS c, b, b  \
	VSUBPS d, b, b  \
	PUT(b, at+1)

#define OUT2(PUT) \
	MOVQ DI, R11                       \
	OUT2COL(V0, V4)                    \
	OUT2COL(V1, V5)                    \
	OUT2COL(V2, V6)                    \
	OUT2COL(V3, V7)                    \
	OUT2ROW(V0, V1, V2, V3, 0, PUT)    \
	OUT2ROW(V4, V5, V6, V7, 2, PUT)    \
	ADDQ $VL, DI                       \
	ADDQ $VL, DX                       \
	CMPQ DX, CX

#define WINOGRAD2OUTPUT \
	MOVQ n+0(FP), CX       \
	MOVQ src+8(FP), DI     \
	MOVQ freq+16(FP), R8   \
	MOVQ dst+24(FP), SI    \
	MOVQ at+32(FP), DX     \
	SHLQ $2, CX            \
	SHLQ $2, R8            \
	SHLQ $2, DX            \
	ADDQ DX, CX            \
	LEAQ (R8*4), R12       \
	LEAQ (R12)(R12*2), R13 \
	CMPB add+48(FP), $0    \
	JNE  plus              \
loop:                      \
	OUT2(OUTPUT2)          \
	JLT  loop              \
	VZEROUPPER             \
	RET                    \
plus:                      \
	OUT2(OUTADD2)          \
	JLT  plus              \
	VZEROUPPER

// KERN2 transforms p, q, s into p, q, t, s.
#define KERN2(p, q, t, s) \
	VADDPD  s, p, t     \
	VMULPD  V14, t, t   \
	VMULPD  V14, q, q   \
	VADDPD  q, t, V13   \
	VSUBPD  q, t, t     \
	VMOVUPS V13, q

// A column of the nine taps, R8 bytes apart from R11 on; those R13 bytes on are
// fetched.
#define KERN2COL(p, q, t, s) \
	VCVTPS2PD  (R11), p          \
	VCVTPS2PD  (R11)(R9*1), q    \
	VCVTPS2PD  (R11)(R9*2), s    \
	LEAQ       (R11)(R13*1), AX  \
	PREFETCHT0 (AX)              \
	PREFETCHT0 (AX)(R9*1)        \
	PREFETCHT0 (AX)(R9*2)        \
	ADDQ       R8, R11           \
	KERN2(p, q, t, s)

// A row to four frequencies, R10 bytes apart from R12 on, rounded.
#define KERN2ROW(p, q, s) \
	KERN2(p, q, V12, s)        \
	ROUND(p, H13)              \
	VMOVUPS H13, (R12)         \
	ROUND(q, H13)              \
	VMOVUPS H13, (R12)(R10*1)  \
	ROUND(V12, H13)            \
	VMOVUPS H13, (R12)(R10*2)  \
	ROUND(s, H13)              \
	VMOVUPS H13, (R12)(BX*1)   \
	LEAQ    (R12)(R10*4), R12

#define WINOGRAD2WEIGHTS \
	MOVQ n+0(FP), CX        \
	MOVQ src+8(FP), SI      \
	MOVQ tap+16(FP), R8     \
	MOVQ dst+24(FP), DI     \
	MOVQ freq+32(FP), R10   \
	SHLQ $2, R8             \
	LEAQ (R8)(R8*2), R9     \
	SHLQ $2, R10            \
	LEAQ (R10)(R10*2), BX   \
	IMUL3Q $-9, R8, R13     \
	XORQ AX, AX             \
	TESTQ R13, R13          \
	CMOVQLT AX, R13         \
	VBROADCASTSD half64<>+0(SB), V14 \
loop:                       \
	MOVQ SI, R11            \
	KERN2COL(V0, V3, V6, V9)   \
	KERN2COL(V1, V4, V7, V10)  \
	KERN2COL(V2, V5, V8, V11)  \
	MOVQ DI, R12            \
	KERN2ROW(V0, V1, V2)    \
	KERN2ROW(V3, V4, V5)    \
	KERN2ROW(V6, V7, V8)    \
	KERN2ROW(V9, V10, V11)  \
	ADDQ $(VL/2), SI        \
	ADDQ $(VL/2), DI        \
	SUBQ $(VL/8), CX        \
	JG   loop               \
	VZEROUPPER

// Column j of the pixels at the 4 addresses from SI on, DX bytes into them, to
// rows a, b, c, d; 4 more are fetched.
#define SPREAD2COL(j, a, b, c, d) \
	FETCHAT(4+j)             \
	FETCHAT(6+j)             \
	MOVQ    (8*(j))(SI), AX  \
	VMOVUPS (AX)(DX*1), a    \
	MOVQ    (8*(2+j))(SI), AX \
	VMOVUPS (AX)(DX*1), d    \
	VADDPS  d, a, b          \
	VSUBPS  d, a, c

// A row to four frequencies, R8 bytes apart from R11 on.
#define SPREAD2ROW(a, b) \
	VMOVUPS a, (R11)         \
	VADDPS  b, a, V8         \
	VMOVUPS V8, (R11)(R8*1)  \
	VSUBPS  b, a, V9         \
	VMOVUPS V9, (R11)(R8*2)  \
	VMOVUPS b, (R11)(R12*1)  \
	LEAQ    (R11)(R8*4), R11

#define WINOGRAD2GRADOUTPUT \
	MOVQ n+0(FP), CX     \
	MOVQ src+8(FP), SI   \
	MOVQ at+16(FP), DX   \
	MOVQ dst+24(FP), DI  \
	MOVQ freq+32(FP), R8 \
	SHLQ $2, CX          \
	SHLQ $2, DX          \
	SHLQ $2, R8          \
	SUBQ DX, DI          \
	ADDQ DX, CX          \
	LEAQ (R8)(R8*2), R12 \
loop:                    \
	SPREAD2COL(0, V0, V2, V4, V6) \
	SPREAD2COL(1, V1, V3, V5, V7) \
	LEAQ (DI)(DX*1), R11 \
	SPREAD2ROW(V0, V1)   \
	SPREAD2ROW(V2, V3)   \
	SPREAD2ROW(V4, V5)   \
	SPREAD2ROW(V6, V7)   \
	ADDQ $VL, DX         \
	CMPQ DX, CX          \
	JLT  loop            \
	VZEROUPPER

// Column j of the 16 frequencies, R8 bytes apart from R11 on, to rows a, b, c;
// R11 moves to the next column.
#define GATHER2COL(a, b, c) \
	VMOVUPS (R11), a              \
	VMOVUPS (R11)(R12*1), V12     \
	VADDPS  (R11)(R12*2), V12, V13 \
	VSUBPS  (R11)(R12*2), V12, b  \
	VMULPS  V14, V13, V13         \
	VMULPS  V14, b, b             \
	VADDPS  V13, a, a             \
	VSUBPS  (R11)(R13*1), V13, c  \
	ADDQ    R8, R11

// A row to three taps, R9 bytes apart from AX on.
#define GATHER2ROW(a, b, c, d) \
	VADDPS  c, b, V13       \
	VSUBPS  c, b, V12       \
	VMULPS  V14, V13, V13   \
	VMULPS  V14, V12, V12   \
	VADDPS  V13, a, a       \
	VSUBPS  d, V13, V13     \
	VMOVUPS a, (AX)         \
	VMOVUPS V12, (AX)(R9*1) \
	VMOVUPS V13, (AX)(R9*2) \
	ADDQ    DX, AX

#define WINOGRAD2GRADWEIGHTS \
	MOVQ n+0(FP), CX       \
	MOVQ src+8(FP), DI     \
	MOVQ freq+16(FP), R8   \
	MOVQ dst+24(FP), SI    \
	MOVQ tap+32(FP), R9    \
	SHLQ $2, R8            \
	SHLQ $2, R9            \
	LEAQ (R9)(R9*2), DX    \
	LEAQ (R8*4), R12       \
	LEAQ (R12)(R12*2), R13 \
	VBROADCASTSS half32<>+0(SB), V14 \
loop:                      \
	MOVQ DI, R11           \
	GATHER2COL(V0, V4, V8)   \
	GATHER2COL(V1, V5, V9)   \
	GATHER2COL(V2, V6, V10)  \
	GATHER2COL(V3, V7, V11)  \
	MOVQ SI, AX            \
	GATHER2ROW(V0, V1, V2, V3)   \
	GATHER2ROW(V4, V5, V6, V7)   \
	GATHER2ROW(V8, V9, V10, V11) \
	ADDQ $VL, DI           \
	ADDQ $VL, SI           \
	SUBQ $(VL/4), CX       \
	JG   loop              \
	VZEROUPPER
