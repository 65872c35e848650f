// The transforms of polyphase Winograd F(4x4) as macros that both instruction
// sets share, so that their bits agree: V0-V14 are registers of VL bytes.
// Formulas and loops stand in polyphase_amd64.go.
//
// Each is two passes of a one-dimensional transform, over columns into tmp and
// over rows out of it:
//
//	input, grad y   V0-V4 a phase      V5-V7 temps    V8-V13 constants
//	output, grad x  V0-V4 a phase      V5, V6 temps   V8-V14 constants
//	weights         V0-V2 a column     V3-V7 temps    V9, V10 constants (float64), V14 rounded
//
// Input is 162 loads, 162 stores and 324 arithmetic instructions for 81
// vectors, output 45, 36 and 108, grad y 50, 50 and 100, grad x 153, 136 and
// 408. Input and grad y also fetch the pixels of the next tile, whose addresses
// follow in the list (see winograd_amd64.h).

DATA polyphase32<>+0(SB)/4, $0x3F000000  // 1/2
DATA polyphase32<>+4(SB)/4, $0x3FC00000  // 3/2
DATA polyphase32<>+8(SB)/4, $0x40100000  // 9/4
DATA polyphase32<>+12(SB)/4, $0x3E800000 // 1/4
DATA polyphase32<>+16(SB)/4, $0x40200000 // 5/2
DATA polyphase32<>+20(SB)/4, $0x3F100000 // 9/16
DATA polyphase32<>+24(SB)/4, $0x3E2AAAAB // 1/6
DATA polyphase32<>+28(SB)/4, $0x3E000000 // 1/8
DATA polyphase32<>+32(SB)/4, $0x3EC00000 // 3/8
DATA polyphase32<>+36(SB)/4, $0x3D800000 // 1/16
GLOBL polyphase32<>(SB), RODATA|NOPTR, $40

DATA polyphase64<>+0(SB)/8, $0x3FE0000000000000 // 1/2
DATA polyphase64<>+8(SB)/8, $0x3FF8000000000000 // 3/2
GLOBL polyphase64<>(SB), RODATA|NOPTR, $16

// FINITE transforms V0-V3 and stores the results at the finite points.
#define FINITE(r0, r1, r2, r3) \
	VMOVAPS      V3, V5      \
	VFNMADD231PS V1, V10, V5 \
	VMOVAPS      V2, V6      \
	VFNMADD231PS V0, V10, V6 \
	VFNMADD231PS V1, V11, V3 \
	VFNMADD231PS V0, V11, V2 \
	VMOVAPS      V5, V7      \
	VFMADD231PS  V6, V8, V7  \
	VMOVUPS      V7, r0      \
	VFNMADD231PS V6, V8, V5  \
	VMOVUPS      V5, r1      \
	VMOVAPS      V3, V7      \
	VFMADD231PS  V2, V9, V7  \
	VMOVUPS      V7, r2      \
	VFNMADD231PS V2, V9, V3  \
	VMOVUPS      V3, r3

// INFINITE stores the result of V0-V4 at infinity.
#define INFINITE(r4) \
	VFNMADD231PS V2, V12, V4 \
	VFMADD231PS  V0, V13, V4 \
	VMOVUPS      V4, r4

// PIXEL loads a pixel of the 81 at the addresses from SI on, DX bytes into it,
// and fetches that of the next tile.
#define PIXEL(at, v) \
	MOVQ       (8*(at))(SI), AX      \
	VMOVUPS    (AX)(DX*1), v         \
	MOVQ       (8*(81+(at)))(SI), AX \
	PREFETCHT0 (AX)(DX*1)

// Column j of the pixels to tmp: five rows of one phase, four of the other.
#define INCOL(j) \
	PIXEL(j, V0)           \
	PIXEL(18+(j), V1)      \
	PIXEL(36+(j), V2)      \
	PIXEL(54+(j), V3)      \
	PIXEL(72+(j), V4)      \
	INFINITE(((36+(j))*VL)(BX)) \
	FINITE(((j)*VL)(BX), ((9+(j))*VL)(BX), ((18+(j))*VL)(BX), ((27+(j))*VL)(BX)) \
	PIXEL(9+(j), V0)       \
	PIXEL(27+(j), V1)      \
	PIXEL(45+(j), V2)      \
	PIXEL(63+(j), V3)      \
	FINITE(((45+(j))*VL)(BX), ((54+(j))*VL)(BX), ((63+(j))*VL)(BX), ((72+(j))*VL)(BX))

// Row i of tmp to nine planes, R8 bytes apart from R11 on.
#define INROW(i) \
	VMOVUPS ((9*(i))*VL)(BX), V0   \
	VMOVUPS ((9*(i)+2)*VL)(BX), V1 \
	VMOVUPS ((9*(i)+4)*VL)(BX), V2 \
	VMOVUPS ((9*(i)+6)*VL)(BX), V3 \
	VMOVUPS ((9*(i)+8)*VL)(BX), V4 \
	INFINITE((R11)(R8*4))          \
	FINITE((R11), (R11)(R8*1), (R11)(R8*2), (R11)(R9*1)) \
	VMOVUPS ((9*(i)+1)*VL)(BX), V0 \
	VMOVUPS ((9*(i)+3)*VL)(BX), V1 \
	VMOVUPS ((9*(i)+5)*VL)(BX), V2 \
	VMOVUPS ((9*(i)+7)*VL)(BX), V3 \
	FINITE((R11)(R10*1), (R11)(R9*2), (R11)(R12*1), (R11)(R8*8)) \
	ADDQ    R13, R11

#define INCONSTANTS \
	VBROADCASTSS polyphase32<>+0(SB), V8   \
	VBROADCASTSS polyphase32<>+4(SB), V9   \
	VBROADCASTSS polyphase32<>+8(SB), V10  \
	VBROADCASTSS polyphase32<>+12(SB), V11 \
	VBROADCASTSS polyphase32<>+16(SB), V12 \
	VBROADCASTSS polyphase32<>+20(SB), V13

#define POLYPHASEINPUT \
	MOVQ n+0(FP), CX      \
	MOVQ src+8(FP), SI    \
	MOVQ at+16(FP), DX    \
	MOVQ dst+24(FP), DI   \
	MOVQ plane+32(FP), R8  \
	MOVQ tmp+40(FP), BX   \
	SHLQ $2, CX           \
	SHLQ $2, DX           \
	SHLQ $2, R8           \
	SUBQ DX, DI           \
	ADDQ DX, CX           \
	LEAQ (R8)(R8*2), R9   \
	LEAQ (R8)(R8*4), R10  \
	LEAQ (R9)(R8*4), R12  \
	LEAQ (R8)(R8*8), R13  \
	INCONSTANTS           \
loop:                     \
	INCOL(0)              \
	INCOL(1)              \
	INCOL(2)              \
	INCOL(3)              \
	INCOL(4)              \
	INCOL(5)              \
	INCOL(6)              \
	INCOL(7)              \
	INCOL(8)              \
	LEAQ (DI)(DX*1), R11  \
	INROW(0)              \
	INROW(1)              \
	INROW(2)              \
	INROW(3)              \
	INROW(4)              \
	INROW(5)              \
	INROW(6)              \
	INROW(7)              \
	INROW(8)              \
	ADDQ $VL, DX          \
	CMPQ DX, CX           \
	JLT  loop             \
	VZEROUPPER

// OUT transforms V0-V4 into V1, V3, V5, V4.
#define OUT \
	OUTFINITE               \
	VFNMADD231PS V0, V13, V4 \
	VFMADD231PS  V2, V14, V4

// OUTFINITE is the part of it that the fifth value has nothing to do with.
#define OUTFINITE \
	VSUBPS      V0, V1, V5  \
	VADDPS      V1, V0, V0  \
	VSUBPS      V3, V2, V6  \
	VADDPS      V3, V2, V2  \
	VMULPS      V5, V8, V1  \
	VFMADD231PS V6, V9, V1  \
	VSUBPS      V0, V2, V3  \
	VMULPS      V3, V10, V3 \
	VMULPS      V5, V11, V5 \
	VFMADD231PS V6, V12, V5

#define OUTCONSTANTS \
	VBROADCASTSS polyphase32<>+0(SB), V8   \
	VBROADCASTSS polyphase32<>+24(SB), V9  \
	VBROADCASTSS polyphase32<>+12(SB), V10 \
	VBROADCASTSS polyphase32<>+28(SB), V11 \
	VBROADCASTSS polyphase32<>+32(SB), V12 \
	VBROADCASTSS polyphase32<>+36(SB), V13 \
	VBROADCASTSS polyphase32<>+20(SB), V14

// Column j of the 25 frequencies, R8 bytes apart from R11 on; R11 moves to the
// next column.
#define OUTCOL(j) \
	VMOVUPS (R11), V0           \
	VMOVUPS (R11)(R12*1), V1    \
	VMOVUPS (R11)(R12*2), V2    \
	VMOVUPS (R11)(R13*1), V3    \
	VMOVUPS (R11)(R12*4), V4    \
	ADDQ    R8, R11             \
	OUT                         \
	VMOVUPS V1, ((j)*VL)(BX)    \
	VMOVUPS V3, ((5+j)*VL)(BX)  \
	VMOVUPS V5, ((10+j)*VL)(BX) \
	VMOVUPS V4, ((15+j)*VL)(BX)

#define OUTPUT(v, at) \
	MOVQ    (8*(at))(SI), AX \
	VMOVUPS v, (AX)(DX*1)

#define OUTADD(v, at) \
	MOVQ    (8*(at))(SI), AX \
	VADDPS  (AX)(DX*1), v, v \
	VMOVUPS v, (AX)(DX*1)

// LOADFIVE is five of tmp.
#define LOADFIVE(at) \
	VMOVUPS ((at)*VL)(BX), V0   \
	VMOVUPS ((at)*VL+VL)(BX), V1 \
	VMOVUPS ((at)*VL+2*VL)(BX), V2 \
	VMOVUPS ((at)*VL+3*VL)(BX), V3 \
	VMOVUPS ((at)*VL+4*VL)(BX), V4

// Row i of tmp to four of the 16 addresses from SI on, DX bytes into them.
#define OUTROW(i, PUT) \
	LOADFIVE(5*(i))  \
	OUT                            \
	PUT(V1, 4*(i))                 \
	PUT(V3, 4*(i)+1)               \
	PUT(V5, 4*(i)+2)               \
	PUT(V4, 4*(i)+3)

#define OUTCOLS \
	MOVQ DI, R11 \
	OUTCOL(0)    \
	OUTCOL(1)    \
	OUTCOL(2)    \
	OUTCOL(3)    \
	OUTCOL(4)

#define POLYPHASEOUTPUT \
	MOVQ n+0(FP), CX       \
	MOVQ src+8(FP), DI     \
	MOVQ plane+16(FP), R8   \
	MOVQ dst+24(FP), SI    \
	MOVQ at+32(FP), DX     \
	MOVQ tmp+40(FP), BX    \
	SHLQ $2, CX            \
	SHLQ $2, R8            \
	SHLQ $2, DX            \
	ADDQ DX, CX            \
	LEAQ (R8)(R8*4), R12   \
	LEAQ (R12)(R12*2), R13 \
	OUTCONSTANTS           \
	CMPB add+48(FP), $0    \
	JNE  plus              \
loop:                      \
	OUTCOLS                \
	OUTROW(0, OUTPUT)      \
	OUTROW(1, OUTPUT)      \
	OUTROW(2, OUTPUT)      \
	OUTROW(3, OUTPUT)      \
	ADDQ $VL, DI           \
	ADDQ $VL, DX           \
	CMPQ DX, CX            \
	JLT  loop              \
	VZEROUPPER             \
	RET                    \
plus:                      \
	OUTCOLS                \
	OUTROW(0, OUTADD)      \
	OUTROW(1, OUTADD)      \
	OUTROW(2, OUTADD)      \
	OUTROW(3, OUTADD)      \
	ADDQ $VL, DI           \
	ADDQ $VL, DX           \
	CMPQ DX, CX            \
	JLT  plus              \
	VZEROUPPER

// KERN transforms V0-V2 into V4, V5, V6, V7, V2, V1.
#define KERN \
	VMULPD V2, V9, V3  \
	VADDPD V3, V0, V4  \
	VSUBPD V3, V0, V5  \
	VMULPD V2, V10, V3 \
	VADDPD V3, V0, V6  \
	VSUBPD V3, V0, V7

// Column j of the nine taps, R8 bytes apart from R11 on.
#define KERNCOL(j) \
	VCVTPS2PD (R11), V0         \
	VCVTPS2PD (R11)(R9*1), V1   \
	VCVTPS2PD (R11)(R9*2), V2   \
	ADDQ      R8, R11           \
	KERN                        \
	VMOVUPS V4, ((j)*VL)(BX)    \
	VMOVUPS V5, ((3+j)*VL)(BX)  \
	VMOVUPS V6, ((6+j)*VL)(BX)  \
	VMOVUPS V7, ((9+j)*VL)(BX)  \
	VMOVUPS V2, ((12+j)*VL)(BX) \
	VMOVUPS V1, ((15+j)*VL)(BX)

// KERNPUT rounds v to the plane at R12 and moves on, R10 bytes.
#define KERNPUT(v) \
	ROUND(v, H14)      \
	VMOVUPS H14, (R12) \
	ADDQ    R10, R12

// Row i of tmp to six planes.
#define KERNROW(i) \
	VMOVUPS ((3*(i))*VL)(BX), V0   \
	VMOVUPS ((3*(i)+1)*VL)(BX), V1 \
	VMOVUPS ((3*(i)+2)*VL)(BX), V2 \
	KERN        \
	KERNPUT(V4) \
	KERNPUT(V5) \
	KERNPUT(V6) \
	KERNPUT(V7) \
	KERNPUT(V2) \
	KERNPUT(V1)

#define POLYPHASEWEIGHTS \
	MOVQ n+0(FP), CX      \
	MOVQ src+8(FP), SI    \
	MOVQ tap+16(FP), R8   \
	MOVQ dst+24(FP), DI   \
	MOVQ plane+32(FP), R10 \
	MOVQ tmp+40(FP), BX   \
	SHLQ $2, R8           \
	LEAQ (R8)(R8*2), R9   \
	SHLQ $2, R10          \
	VBROADCASTSD polyphase64<>+0(SB), V9   \
	VBROADCASTSD polyphase64<>+8(SB), V10  \
loop:                     \
	MOVQ SI, R11          \
	KERNCOL(0)            \
	KERNCOL(1)            \
	KERNCOL(2)            \
	MOVQ DI, R12          \
	KERNROW(0)            \
	KERNROW(1)            \
	KERNROW(2)            \
	KERNROW(3)            \
	KERNROW(4)            \
	KERNROW(5)            \
	ADDQ $(VL/2), SI      \
	ADDQ $(VL/2), DI      \
	SUBQ $(VL/8), CX      \
	JG   loop             \
	VZEROUPPER

// GRADPIXEL is PIXEL of 25.
#define GRADPIXEL(at, v) \
	MOVQ       (8*(at))(SI), AX      \
	VMOVUPS    (AX)(DX*1), v         \
	MOVQ       (8*(25+(at)))(SI), AX \
	PREFETCHT0 (AX)(DX*1)

// Column j of the pixels to tmp.
#define GRADYCOL(j) \
	GRADPIXEL(j, V0)      \
	GRADPIXEL(5+(j), V1)  \
	GRADPIXEL(10+(j), V2) \
	GRADPIXEL(15+(j), V3) \
	GRADPIXEL(20+(j), V4) \
	INFINITE(((20+(j))*VL)(BX)) \
	FINITE(((j)*VL)(BX), ((5+(j))*VL)(BX), ((10+(j))*VL)(BX), ((15+(j))*VL)(BX))

// Row i of tmp to five frequencies, R8 bytes apart from R11 on.
#define GRADYROW(i) \
	LOADFIVE(5*(i))       \
	INFINITE((R11)(R8*4)) \
	FINITE((R11), (R11)(R8*1), (R11)(R8*2), (R11)(R9*1)) \
	ADDQ    R10, R11

#define POLYPHASEGRADY \
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
	INCONSTANTS           \
loop:                     \
	GRADYCOL(0)           \
	GRADYCOL(1)           \
	GRADYCOL(2)           \
	GRADYCOL(3)           \
	GRADYCOL(4)           \
	LEAQ (DI)(DX*1), R11  \
	GRADYROW(0)           \
	GRADYROW(1)           \
	GRADYROW(2)           \
	GRADYROW(3)           \
	GRADYROW(4)           \
	ADDQ $VL, DX          \
	CMPQ DX, CX           \
	JLT  loop             \
	VZEROUPPER

// Column j of the 81 planes, R8 bytes apart from R11 on, to eight rows of tmp;
// R11 moves to the next column.
#define GRADXCOL(j) \
	VMOVUPS (R11), V0           \
	VMOVUPS (R11)(R12*1), V1    \
	VMOVUPS (R11)(R12*2), V2    \
	VMOVUPS (R11)(R13*1), V3    \
	VMOVUPS (R11)(R12*4), V4    \
	OUT                         \
	VMOVUPS V1, ((9+j)*VL)(BX)  \
	VMOVUPS V3, ((27+j)*VL)(BX) \
	VMOVUPS V5, ((45+j)*VL)(BX) \
	VMOVUPS V4, ((63+j)*VL)(BX) \
	VMOVUPS (R11)(R10*1), V0    \
	VMOVUPS (R11)(R13*2), V1    \
	VMOVUPS (R11)(R9*1), V2     \
	VMOVUPS (R11)(R12*8), V3    \
	ADDQ    R8, R11             \
	OUTODD                      \
	VMOVUPS V1, ((j)*VL)(BX)    \
	VMOVUPS V3, ((18+j)*VL)(BX) \
	VMOVUPS V5, ((36+j)*VL)(BX) \
	VMOVUPS V4, ((54+j)*VL)(BX)

// OUTODD is OUT of the phase that has no fifth value.
#define OUTODD \
	OUTFINITE                \
	VMULPS       V2, V14, V4 \
	VFNMADD231PS V0, V13, V4

// Row i of tmp to eight of the 64 addresses from SI on, DX bytes into them.
#define GRADXROW(i, PUT) \
	LOADFIVE(9*(i))              \
	OUT                          \
	PUT(V1, 8*(i)+1)             \
	PUT(V3, 8*(i)+3)             \
	PUT(V5, 8*(i)+5)             \
	PUT(V4, 8*(i)+7)             \
	VMOVUPS ((9*(i)+5)*VL)(BX), V0 \
	VMOVUPS ((9*(i)+6)*VL)(BX), V1 \
	VMOVUPS ((9*(i)+7)*VL)(BX), V2 \
	VMOVUPS ((9*(i)+8)*VL)(BX), V3 \
	OUTODD                       \
	PUT(V1, 8*(i))               \
	PUT(V3, 8*(i)+2)             \
	PUT(V5, 8*(i)+4)             \
	PUT(V4, 8*(i)+6)

#define GRADXCOLS \
	MOVQ DI, R11 \
	GRADXCOL(0)  \
	GRADXCOL(1)  \
	GRADXCOL(2)  \
	GRADXCOL(3)  \
	GRADXCOL(4)  \
	GRADXCOL(5)  \
	GRADXCOL(6)  \
	GRADXCOL(7)  \
	GRADXCOL(8)

#define POLYPHASEGRADX \
	MOVQ n+0(FP), CX       \
	MOVQ src+8(FP), DI     \
	MOVQ plane+16(FP), R8  \
	MOVQ dst+24(FP), SI    \
	MOVQ at+32(FP), DX     \
	MOVQ tmp+40(FP), BX    \
	SHLQ $2, CX            \
	SHLQ $2, R8            \
	SHLQ $2, DX            \
	ADDQ DX, CX            \
	LEAQ (R8)(R8*8), R12   \
	LEAQ (R12)(R12*2), R13 \
	LEAQ (R12)(R12*4), R10 \
	LEAQ (R13)(R12*4), R9  \
	OUTCONSTANTS           \
	CMPB add+48(FP), $0    \
	JNE  plus              \
loop:                      \
	GRADXCOLS              \
	GRADXROW(0, OUTPUT)    \
	GRADXROW(1, OUTPUT)    \
	GRADXROW(2, OUTPUT)    \
	GRADXROW(3, OUTPUT)    \
	GRADXROW(4, OUTPUT)    \
	GRADXROW(5, OUTPUT)    \
	GRADXROW(6, OUTPUT)    \
	GRADXROW(7, OUTPUT)    \
	ADDQ $VL, DI           \
	ADDQ $VL, DX           \
	CMPQ DX, CX            \
	JLT  loop              \
	VZEROUPPER             \
	RET                    \
plus:                      \
	GRADXCOLS              \
	GRADXROW(0, OUTADD)    \
	GRADXROW(1, OUTADD)    \
	GRADXROW(2, OUTADD)    \
	GRADXROW(3, OUTADD)    \
	GRADXROW(4, OUTADD)    \
	GRADXROW(5, OUTADD)    \
	GRADXROW(6, OUTADD)    \
	GRADXROW(7, OUTADD)    \
	ADDQ $VL, DI           \
	ADDQ $VL, DX           \
	CMPQ DX, CX            \
	JLT  plus              \
	VZEROUPPER
