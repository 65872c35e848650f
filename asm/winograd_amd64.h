// The three transforms of Winograd's F(4x4,3x3) as macros that both
// instruction sets share, so that their bits agree: V0-V14 are registers of VL
// bytes. Formulas and loops stand in winograd_amd64.go.
//
// Each is two passes of a one-dimensional transform, over columns into tmp and
// over rows out of it (a tile of 36 vectors does not fit beside its constants):
//
//	input         V0-V5 a column     V6, V7 temps    V8-V12 constants
//	output        V0-V5 a column     V6, V7 temps    V8-V13 constants
//	weights       V0-V2 a column     V3-V6 temps     V9-V14 constants (float64)
//	grad output   V0-V3 a column     V4-V7 temps     V8-V11 constants
//	grad weights  V0-V5 a column     V6, V7 temps    V8-V12 constants
//
// Input is 72 loads, 72 stores and 144 arithmetic instructions for 36 vectors,
// output 60, 40 and 120, grad output 40, 60 and 80, grad weights 54, 27 and 90.
// Input and grad output also fetch the pixels of the next tile, whose addresses
// follow in the list: tiles walk four to six image rows at once, and the cores'
// prefetchers lose the track (the weight gradient of 64 channels at 32x32 pixels
// then takes 20.5 ms instead of 15.5). Weights fetch the kernels that follow where
// they lie 9*tap apart: those of an input gradient of 512 channels take 1.2 ms
// instead of 2.3.

// h is sqrt(1/2) rounded, g = 2h.
DATA winograd32<>+0(SB)/4, $0x3F3504F3  // h
DATA winograd32<>+4(SB)/4, $0x3FB504F3  // g
DATA winograd32<>+8(SB)/4, $0x40200000  // 2.5
DATA winograd32<>+12(SB)/4, $0x40000000 // 2
DATA winograd32<>+16(SB)/4, $0x3F000000 // 0.5
DATA winograd32<>+20(SB)/4, $0x3EB504F3 // h/2
DATA winograd32<>+24(SB)/4, $0x403504F3 // 2g
DATA winograd32<>+28(SB)/4, $0x3F2AAAAB // 2/3
DATA winograd32<>+32(SB)/4, $0x3E2AAAAB // 1/6
DATA winograd32<>+36(SB)/4, $0x3EAAAAAB // 1/3
DATA winograd32<>+40(SB)/4, $0x3EF15BEF // sqrt(2)/3
DATA winograd32<>+44(SB)/4, $0x3E715BEF // sqrt(2)/6
GLOBL winograd32<>(SB), RODATA|NOPTR, $48

DATA winograd64<>+0(SB)/8, $0xBFD5555555555555  // -1/3
DATA winograd64<>+8(SB)/8, $0xBFE5555555555555  // -2/3
DATA winograd64<>+16(SB)/8, $0x3FDE2B7DDDFEFA67 // sqrt(2)/3
DATA winograd64<>+24(SB)/8, $0x3FD5555555555555 // 1/3
DATA winograd64<>+32(SB)/8, $0x3FC5555555555555 // 1/6
DATA winograd64<>+40(SB)/8, $0x3FCE2B7DDDFEFA67 // sqrt(2)/6
GLOBL winograd64<>(SB), RODATA|NOPTR, $48

// IN transforms V0-V5 and stores the six results.
#define IN(r0, r1, r2, r3, r4, r5) \
	VMOVAPS      V4, V6     \
	VFNMADD231PS V2, V10, V6 \
	VADDPS       V0, V6, V6 \
	VMOVUPS      V6, r0     \
	VFNMADD231PS V3, V10, V5 \
	VADDPS       V1, V5, V5 \
	VMOVUPS      V5, r5     \
	VMOVAPS      V4, V6     \
	VFNMADD231PS V2, V11, V6 \
	VMOVAPS      V3, V7     \
	VFNMADD231PS V1, V11, V7 \
	VMOVAPS      V6, V0     \
	VFMADD231PS  V7, V8, V0 \
	VMOVUPS      V0, r1     \
	VFNMADD231PS V7, V8, V6 \
	VMOVUPS      V6, r2     \
	VFNMADD231PS V2, V12, V4 \
	VFNMADD231PS V1, V12, V3 \
	VMOVAPS      V4, V0     \
	VFMADD231PS  V3, V9, V0 \
	VMOVUPS      V0, r3     \
	VFNMADD231PS V3, V9, V4 \
	VMOVUPS      V4, r4

// Column j of the pixels at the 36 addresses from SI on, DX bytes into them;
// 36 more are fetched.
#define INCOL(j) \
	MOVQ (8*(j))(SI), AX     \
	VMOVUPS (AX)(DX*1), V0   \
	MOVQ (8*(36+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(6+j))(SI), AX   \
	VMOVUPS (AX)(DX*1), V1   \
	MOVQ (8*(42+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(12+j))(SI), AX  \
	VMOVUPS (AX)(DX*1), V2   \
	MOVQ (8*(48+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(18+j))(SI), AX  \
	VMOVUPS (AX)(DX*1), V3   \
	MOVQ (8*(54+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(24+j))(SI), AX  \
	VMOVUPS (AX)(DX*1), V4   \
	MOVQ (8*(60+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(30+j))(SI), AX  \
	VMOVUPS (AX)(DX*1), V5   \
	MOVQ (8*(66+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	IN(((j)*VL)(BX), ((6+j)*VL)(BX), ((12+j)*VL)(BX), ((18+j)*VL)(BX), ((24+j)*VL)(BX), ((30+j)*VL)(BX))

// LOADROW is row i of tmp.
#define LOADROW(i) \
	VMOVUPS ((6*(i))*VL)(BX), V0   \
	VMOVUPS ((6*(i)+1)*VL)(BX), V1 \
	VMOVUPS ((6*(i)+2)*VL)(BX), V2 \
	VMOVUPS ((6*(i)+3)*VL)(BX), V3 \
	VMOVUPS ((6*(i)+4)*VL)(BX), V4 \
	VMOVUPS ((6*(i)+5)*VL)(BX), V5

// Row i of tmp to six frequencies, R8 bytes apart from R11 on.
#define INROW(i) \
	LOADROW(i)           \
	IN((R11), (R11)(R8*1), (R11)(R8*2), (R11)(R9*1), (R11)(R8*4), (R11)(R10*1)) \
	LEAQ (R11)(R9*2), R11

#define WINOGRADINPUT \
	MOVQ n+0(FP), CX     \
	MOVQ src+8(FP), SI   \
	MOVQ at+16(FP), DX   \
	MOVQ dst+24(FP), DI  \
	MOVQ freq+32(FP), R8 \
	MOVQ tmp+40(FP), BX  \
	SHLQ $2, CX          \
	SHLQ $2, DX          \
	SHLQ $2, R8          \
	SUBQ DX, DI          \
	ADDQ DX, CX          \
	LEAQ (R8)(R8*2), R9  \
	LEAQ (R8)(R8*4), R10 \
	VBROADCASTSS winograd32<>+0(SB), V8   \
	VBROADCASTSS winograd32<>+4(SB), V9   \
	VBROADCASTSS winograd32<>+8(SB), V10  \
	VBROADCASTSS winograd32<>+12(SB), V11 \
	VBROADCASTSS winograd32<>+16(SB), V12 \
loop:                    \
	INCOL(0)             \
	INCOL(1)             \
	INCOL(2)             \
	INCOL(3)             \
	INCOL(4)             \
	INCOL(5)             \
	LEAQ (DI)(DX*1), R11 \
	INROW(0)             \
	INROW(1)             \
	INROW(2)             \
	INROW(3)             \
	INROW(4)             \
	INROW(5)             \
	ADDQ $VL, DX         \
	CMPQ DX, CX          \
	JLT  loop            \
	VZEROUPPER

// OUT transforms V0-V5 into V0, V2, V6, V5.
#define OUT \
	VADDPS      V2, V1, V6  \
	VSUBPS      V2, V1, V1  \
	VADDPS      V4, V3, V7  \
	VSUBPS      V4, V3, V3  \
	VADDPS      V6, V0, V0  \
	VADDPS      V7, V0, V0  \
	VMULPS      V1, V8, V2  \
	VFMADD231PS V3, V9, V2  \
	VMULPS      V6, V12, V6 \
	VFMADD231PS V7, V11, V6 \
	VFMADD231PS V1, V10, V5 \
	VFMADD231PS V3, V13, V5

// Column j of the 36 frequencies, R8 bytes apart from R11 on; R11 moves to the
// next column.
#define OUTCOL(j) \
	VMOVUPS (R11), V0          \
	VMOVUPS (R11)(R12*1), V1   \
	VMOVUPS (R11)(R12*2), V2   \
	VMOVUPS (R11)(R13*1), V3   \
	VMOVUPS (R11)(R12*4), V4   \
	VMOVUPS (R11)(R10*1), V5   \
	ADDQ    R8, R11            \
	OUT                        \
	VMOVUPS V0, ((j)*VL)(BX)   \
	VMOVUPS V2, ((6+j)*VL)(BX) \
	VMOVUPS V6, ((12+j)*VL)(BX) \
	VMOVUPS V5, ((18+j)*VL)(BX)

#define OUTPUT(v, at) \
	MOVQ    (8*(at))(SI), AX \
	VMOVUPS v, (AX)(DX*1)

#define OUTADD(v, at) \
	MOVQ    (8*(at))(SI), AX     \
	VADDPS  (AX)(DX*1), v, v     \
	VMOVUPS v, (AX)(DX*1)

// Row i of tmp to four of the 16 addresses from SI on, DX bytes into them.
#define OUTROW(i, PUT) \
	LOADROW(i)         \
	OUT                \
	PUT(V0, 4*(i))     \
	PUT(V2, 4*(i)+1)   \
	PUT(V6, 4*(i)+2)   \
	PUT(V5, 4*(i)+3)

#define OUTCOLS \
	MOVQ DI, R11 \
	OUTCOL(0)    \
	OUTCOL(1)    \
	OUTCOL(2)    \
	OUTCOL(3)    \
	OUTCOL(4)    \
	OUTCOL(5)

#define WINOGRADOUTPUT \
	MOVQ n+0(FP), CX      \
	MOVQ src+8(FP), DI    \
	MOVQ freq+16(FP), R8  \
	MOVQ dst+24(FP), SI   \
	MOVQ at+32(FP), DX    \
	MOVQ tmp+40(FP), BX   \
	SHLQ $2, CX           \
	SHLQ $2, R8           \
	SHLQ $2, DX           \
	ADDQ DX, CX           \
	LEAQ (R8)(R8*2), R12  \
	SHLQ $1, R12          \
	LEAQ (R12)(R12*2), R13 \
	LEAQ (R12)(R12*4), R10 \
	VBROADCASTSS winograd32<>+0(SB), V8   \
	VBROADCASTSS winograd32<>+4(SB), V9   \
	VBROADCASTSS winograd32<>+20(SB), V10 \
	VBROADCASTSS winograd32<>+12(SB), V11 \
	VBROADCASTSS winograd32<>+16(SB), V12 \
	VBROADCASTSS winograd32<>+24(SB), V13 \
	CMPB add+48(FP), $0   \
	JNE  plus             \
loop:                     \
	OUTCOLS               \
	OUTROW(0, OUTPUT)     \
	OUTROW(1, OUTPUT)     \
	OUTROW(2, OUTPUT)     \
	OUTROW(3, OUTPUT)     \
	ADDQ $VL, DI          \
	ADDQ $VL, DX          \
	CMPQ DX, CX           \
	JLT  loop             \
	VZEROUPPER            \
	RET                   \
plus:                     \
	OUTCOLS               \
	OUTROW(0, OUTADD)     \
	OUTROW(1, OUTADD)     \
	OUTROW(2, OUTADD)     \
	OUTROW(3, OUTADD)     \
	ADDQ $VL, DI          \
	ADDQ $VL, DX          \
	CMPQ DX, CX           \
	JLT  plus             \
	VZEROUPPER

// KERN transforms V0-V2 into V0, V1, V4, V3, V5, V2 (frequencies 0 to 5).
#define KERN \
	VMULPD      V2, V9, V3  \
	VFMADD231PD V0, V10, V3 \
	VMULPD      V2, V12, V5 \
	VFMADD231PD V0, V13, V5 \
	VMULPD      V1, V11, V4 \
	VMULPD      V1, V14, V6 \
	VSUBPD      V4, V3, V1  \
	VADDPD      V4, V3, V4  \
	VADDPD      V6, V5, V3  \
	VSUBPD      V6, V5, V5

// Column j of the nine taps, R8 bytes apart from R11 on; those R13 bytes on are
// fetched.
#define KERNCOL(j) \
	VCVTPS2PD (R11), V0          \
	VCVTPS2PD (R11)(R9*1), V1    \
	VCVTPS2PD (R11)(R9*2), V2    \
	LEAQ       (R11)(R13*1), AX  \
	PREFETCHT0 (AX)              \
	PREFETCHT0 (AX)(R9*1)        \
	PREFETCHT0 (AX)(R9*2)        \
	ADDQ      R8, R11            \
	KERN                         \
	VMOVUPS V0, ((j)*VL)(BX)     \
	VMOVUPS V1, ((3+j)*VL)(BX)   \
	VMOVUPS V4, ((6+j)*VL)(BX)   \
	VMOVUPS V3, ((9+j)*VL)(BX)   \
	VMOVUPS V5, ((12+j)*VL)(BX)  \
	VMOVUPS V2, ((15+j)*VL)(BX)

// Row i of tmp to six frequencies, R10 bytes apart from R12 on, rounded.
#define KERNROW(i) \
	VMOVUPS ((3*(i))*VL)(BX), V0   \
	VMOVUPS ((3*(i)+1)*VL)(BX), V1 \
	VMOVUPS ((3*(i)+2)*VL)(BX), V2 \
	KERN                           \
	ROUND(V0, H0)                  \
	ROUND(V1, H1)                  \
	ROUND(V4, H4)                  \
	ROUND(V3, H3)                  \
	ROUND(V5, H5)                  \
	ROUND(V2, H2)                  \
	VMOVUPS H0, (R12)              \
	VMOVUPS H1, (R12)(R10*1)       \
	VMOVUPS H4, (R12)(R10*2)       \
	LEAQ    (R12)(R10*2), R12      \
	VMOVUPS H3, (R12)(R10*1)       \
	VMOVUPS H5, (R12)(R10*2)       \
	LEAQ    (R12)(R10*2), R12      \
	VMOVUPS H2, (R12)(R10*1)       \
	LEAQ    (R12)(R10*2), R12

#define WINOGRADWEIGHTS \
	MOVQ n+0(FP), CX       \
	MOVQ src+8(FP), SI     \
	MOVQ tap+16(FP), R8    \
	MOVQ dst+24(FP), DI    \
	MOVQ freq+32(FP), R10  \
	MOVQ tmp+40(FP), BX    \
	SHLQ $2, R8            \
	LEAQ (R8)(R8*2), R9    \
	SHLQ $2, R10           \
	IMUL3Q $-9, R8, R13    \
	XORQ AX, AX            \
	TESTQ R13, R13         \
	CMOVQLT AX, R13        \
	VBROADCASTSD winograd64<>+0(SB), V9   \
	VBROADCASTSD winograd64<>+8(SB), V10  \
	VBROADCASTSD winograd64<>+16(SB), V11 \
	VBROADCASTSD winograd64<>+24(SB), V12 \
	VBROADCASTSD winograd64<>+32(SB), V13 \
	VBROADCASTSD winograd64<>+40(SB), V14 \
loop:                      \
	MOVQ SI, R11           \
	KERNCOL(0)             \
	KERNCOL(1)             \
	KERNCOL(2)             \
	MOVQ DI, R12           \
	KERNROW(0)             \
	KERNROW(1)             \
	KERNROW(2)             \
	KERNROW(3)             \
	KERNROW(4)             \
	KERNROW(5)             \
	ADDQ $(VL/2), SI       \
	ADDQ $(VL/2), DI       \
	SUBQ $(VL/8), CX       \
	JG   loop              \
	VZEROUPPER

// SPREAD transforms V0-V3 and stores the six results.
#define SPREAD(r0, r1, r2, r3, r4, r5) \
	VMOVUPS      V0, r0      \
	VMOVUPS      V3, r5      \
	VMOVAPS      V0, V4      \
	VFMADD231PS  V2, V10, V4 \
	VMOVAPS      V1, V5      \
	VFMADD231PS  V3, V10, V5 \
	VFMADD231PS  V2, V11, V0 \
	VFMADD231PS  V3, V11, V1 \
	VMOVAPS      V4, V6      \
	VFMADD231PS  V5, V8, V6  \
	VMOVUPS      V6, r1      \
	VFNMADD231PS V5, V8, V4  \
	VMOVUPS      V4, r2      \
	VMOVAPS      V0, V7      \
	VFMADD231PS  V1, V9, V7  \
	VMOVUPS      V7, r3      \
	VFNMADD231PS V1, V9, V0  \
	VMOVUPS      V0, r4

// Column j of the pixels at the 16 addresses from SI on, DX bytes into them;
// 16 more are fetched.
#define SPREADCOL(j) \
	MOVQ (8*(j))(SI), AX     \
	VMOVUPS (AX)(DX*1), V0   \
	MOVQ (8*(16+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(4+j))(SI), AX   \
	VMOVUPS (AX)(DX*1), V1   \
	MOVQ (8*(20+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(8+j))(SI), AX   \
	VMOVUPS (AX)(DX*1), V2   \
	MOVQ (8*(24+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	MOVQ (8*(12+j))(SI), AX  \
	VMOVUPS (AX)(DX*1), V3   \
	MOVQ (8*(28+j))(SI), AX  \
	PREFETCHT0 (AX)(DX*1)    \
	SPREAD(((j)*VL)(BX), ((4+j)*VL)(BX), ((8+j)*VL)(BX), ((12+j)*VL)(BX), ((16+j)*VL)(BX), ((20+j)*VL)(BX))

// Row i of tmp to six frequencies, R8 bytes apart from R11 on.
#define SPREADROW(i) \
	VMOVUPS ((4*(i))*VL)(BX), V0   \
	VMOVUPS ((4*(i)+1)*VL)(BX), V1 \
	VMOVUPS ((4*(i)+2)*VL)(BX), V2 \
	VMOVUPS ((4*(i)+3)*VL)(BX), V3 \
	SPREAD((R11), (R11)(R8*1), (R11)(R8*2), (R11)(R9*1), (R11)(R8*4), (R11)(R10*1)) \
	LEAQ (R11)(R9*2), R11

#define WINOGRADGRADOUTPUT \
	MOVQ n+0(FP), CX     \
	MOVQ src+8(FP), SI   \
	MOVQ at+16(FP), DX   \
	MOVQ dst+24(FP), DI  \
	MOVQ freq+32(FP), R8 \
	MOVQ tmp+40(FP), BX  \
	SHLQ $2, CX          \
	SHLQ $2, DX          \
	SHLQ $2, R8          \
	SUBQ DX, DI          \
	ADDQ DX, CX          \
	LEAQ (R8)(R8*2), R9  \
	LEAQ (R8)(R8*4), R10 \
	VBROADCASTSS winograd32<>+0(SB), V8   \
	VBROADCASTSS winograd32<>+4(SB), V9   \
	VBROADCASTSS winograd32<>+16(SB), V10 \
	VBROADCASTSS winograd32<>+12(SB), V11 \
loop:                    \
	SPREADCOL(0)         \
	SPREADCOL(1)         \
	SPREADCOL(2)         \
	SPREADCOL(3)         \
	LEAQ (DI)(DX*1), R11 \
	SPREADROW(0)         \
	SPREADROW(1)         \
	SPREADROW(2)         \
	SPREADROW(3)         \
	SPREADROW(4)         \
	SPREADROW(5)         \
	ADDQ $VL, DX         \
	CMPQ DX, CX          \
	JLT  loop            \
	VZEROUPPER

// GATHER transforms V0-V5 into V0, V2, V5.
#define GATHER \
	VADDPS       V2, V1, V6  \
	VSUBPS       V1, V2, V1  \
	VADDPS       V4, V3, V7  \
	VSUBPS       V4, V3, V3  \
	VFNMADD231PS V6, V8, V0  \
	VFMADD231PS  V7, V9, V0  \
	VMULPS       V1, V11, V2 \
	VFMADD231PS  V3, V12, V2 \
	VFNMADD231PS V6, V10, V5 \
	VFMADD231PS  V7, V10, V5

// Column j of the 36 frequencies, R8 bytes apart from R11 on; R11 moves to the
// next column.
#define GATHERCOL(j) \
	VMOVUPS (R11), V0           \
	VMOVUPS (R11)(R12*1), V1    \
	VMOVUPS (R11)(R12*2), V2    \
	VMOVUPS (R11)(R13*1), V3    \
	VMOVUPS (R11)(R12*4), V4    \
	VMOVUPS (R11)(R10*1), V5    \
	ADDQ    R8, R11             \
	GATHER                      \
	VMOVUPS V0, ((j)*VL)(BX)    \
	VMOVUPS V2, ((6+j)*VL)(BX)  \
	VMOVUPS V5, ((12+j)*VL)(BX)

// Row i of tmp to three taps, R9 bytes apart from AX on.
#define GATHERROW(i) \
	LOADROW(i)                \
	GATHER                    \
	VMOVUPS V0, (AX)          \
	VMOVUPS V2, (AX)(R9*1)    \
	VMOVUPS V5, (AX)(R9*2)

#define WINOGRADGRADWEIGHTS \
	MOVQ n+0(FP), CX       \
	MOVQ src+8(FP), DI     \
	MOVQ freq+16(FP), R8   \
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
	VBROADCASTSS winograd32<>+28(SB), V8  \
	VBROADCASTSS winograd32<>+32(SB), V9  \
	VBROADCASTSS winograd32<>+36(SB), V10 \
	VBROADCASTSS winograd32<>+40(SB), V11 \
	VBROADCASTSS winograd32<>+44(SB), V12 \
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
