// The transforms of polyphase Winograd's weight gradient, behind those of
// polyphase_amd64.h. Formulas and loops stand in polyphase_amd64.go.
//
//	spread   V0-V3 a column   V4-V7 temps   V8-V14 constants, those of the output
//	gather   V0-V5 a column   V6, V7 temps  V8, V9 constants
//
// Spread is 36 loads, 45 stores and 108 arithmetic instructions for 25 vectors,
// gather 54, 27 and 63 for nine.

// SPREAD transforms V0-V3 and stores the five results.
#define SPREAD(r0, r1, r2, r3, r4) \
	VMOVUPS      V3, r4      \
	VMULPS       V0, V8, V4  \
	VFMADD231PS  V2, V11, V4 \
	VMULPS       V0, V9, V7  \
	VFMADD231PS  V2, V12, V7 \
	VMULPS       V1, V10, V5 \
	VMOVAPS      V5, V6      \
	VFNMSUB231PS V3, V13, V6 \
	VFMADD231PS  V3, V14, V5 \
	VSUBPS       V4, V6, V0  \
	VMOVUPS      V0, r0      \
	VADDPS       V4, V6, V6  \
	VMOVUPS      V6, r1      \
	VADDPS       V7, V5, V1  \
	VMOVUPS      V1, r2      \
	VSUBPS       V7, V5, V5  \
	VMOVUPS      V5, r3

// SPREADPIXEL is PIXEL of 16.
#define SPREADPIXEL(at, v) \
	MOVQ       (8*(at))(SI), AX      \
	VMOVUPS    (AX)(DX*1), v         \
	MOVQ       (8*(16+(at)))(SI), AX \
	PREFETCHT0 (AX)(DX*1)

// Column j of the pixels to tmp.
#define SPREADCOL(j) \
	SPREADPIXEL(j, V0)      \
	SPREADPIXEL(4+(j), V1)  \
	SPREADPIXEL(8+(j), V2)  \
	SPREADPIXEL(12+(j), V3) \
	SPREAD(((j)*VL)(BX), ((4+(j))*VL)(BX), ((8+(j))*VL)(BX), ((12+(j))*VL)(BX), ((16+(j))*VL)(BX))

// Row i of tmp to five frequencies, R8 bytes apart from R11 on.
#define SPREADROW(i) \
	VMOVUPS ((4*(i))*VL)(BX), V0   \
	VMOVUPS ((4*(i)+1)*VL)(BX), V1 \
	VMOVUPS ((4*(i)+2)*VL)(BX), V2 \
	VMOVUPS ((4*(i)+3)*VL)(BX), V3 \
	SPREAD((R11), (R11)(R8*1), (R11)(R8*2), (R11)(R9*1), (R11)(R8*4)) \
	ADDQ    R10, R11

#define POLYPHASESPREAD \
	MOVQ n+0(FP), CX      \
	MOVQ src+8(FP), SI    \
	MOVQ at+16(FP), DX    \
	MOVQ dst+24(FP), DI   \
	MOVQ plane+32(FP), R8 \
	MOVQ tmp+40(FP), BX   \
	SHLQ $2, CX           \
	SHLQ $2, DX           \
	SHLQ $2, R8           \
	SUBQ DX, DI           \
	ADDQ DX, CX           \
	LEAQ (R8)(R8*2), R9   \
	LEAQ (R8)(R8*4), R10  \
	OUTCONSTANTS          \
loop:                     \
	SPREADCOL(0)          \
	SPREADCOL(1)          \
	SPREADCOL(2)          \
	SPREADCOL(3)          \
	LEAQ (DI)(DX*1), R11  \
	SPREADROW(0)          \
	SPREADROW(1)          \
	SPREADROW(2)          \
	SPREADROW(3)          \
	SPREADROW(4)          \
	ADDQ $VL, DX          \
	CMPQ DX, CX           \
	JLT  loop             \
	VZEROUPPER

// GATHER transforms V0-V5 into V6, V5, V4.
#define GATHER \
	VADDPS      V1, V0, V6 \
	VSUBPS      V1, V0, V0 \
	VADDPS      V3, V2, V7 \
	VSUBPS      V3, V2, V2 \
	VADDPS      V7, V6, V6 \
	VFMADD231PS V0, V8, V4 \
	VFMADD231PS V2, V9, V4

// Column j of the 36 planes, R8 bytes apart from R11 on; R11 moves to the next
// column.
#define GATHERCOL(j) \
	VMOVUPS (R11), V0           \
	VMOVUPS (R11)(R12*1), V1    \
	VMOVUPS (R11)(R12*2), V2    \
	VMOVUPS (R11)(R13*1), V3    \
	VMOVUPS (R11)(R12*4), V4    \
	VMOVUPS (R11)(R10*1), V5    \
	ADDQ    R8, R11             \
	GATHER                      \
	VMOVUPS V6, ((j)*VL)(BX)    \
	VMOVUPS V5, ((6+j)*VL)(BX)  \
	VMOVUPS V4, ((12+j)*VL)(BX)

// Row i of tmp to three taps, R9 bytes apart from AX on.
#define GATHERROW(i) \
	LOADFIVE(6*(i))                \
	VMOVUPS ((6*(i)+5)*VL)(BX), V5 \
	GATHER                         \
	VMOVUPS V6, (AX)               \
	VMOVUPS V5, (AX)(R9*1)         \
	VMOVUPS V4, (AX)(R9*2)

#define POLYPHASEGATHER \
	MOVQ n+0(FP), CX       \
	MOVQ src+8(FP), DI     \
	MOVQ plane+16(FP), R8  \
	MOVQ dst+24(FP), SI    \
	MOVQ tap+32(FP), R9    \
	MOVQ tmp+40(FP), BX    \
	SHLQ $2, R8            \
	SHLQ $2, R9            \
	LEAQ (R9)(R9*2), DX    \
	LEAQ (R8)(R8*2), R12   \
	SHLQ $1, R12           \
	LEAQ (R12)(R12*2), R13 \
	LEAQ (R12)(R12*4), R10 \
	VBROADCASTSS polyphase32<>+0(SB), V8 \
	VBROADCASTSS polyphase32<>+4(SB), V9 \
loop:                      \
	MOVQ DI, R11           \
	GATHERCOL(0)           \
	GATHERCOL(1)           \
	GATHERCOL(2)           \
	GATHERCOL(3)           \
	GATHERCOL(4)           \
	GATHERCOL(5)           \
	MOVQ SI, AX            \
	GATHERROW(0)           \
	ADDQ DX, AX            \
	GATHERROW(1)           \
	ADDQ DX, AX            \
	GATHERROW(2)           \
	ADDQ $VL, DI           \
	ADDQ $VL, SI           \
	SUBQ $(VL/4), CX       \
	JG   loop              \
	VZEROUPPER
