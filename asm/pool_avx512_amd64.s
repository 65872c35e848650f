//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// Pools for AVX-512: the four loops of PoolRun.
//
// A pixel is made in blocks of 64 channels, the rest in vectors under a mask;
// a block walks its rectangle of source pixels in row-major order:
//
//	best or sum  Z0  Z1  Z2  Z3      Z31 tap, or 1/count of a window
//	index        Z4  Z5  Z6  Z7      Z30 step of the tap to the next column
//	temp         Z8                  Z29 tap of the row's first column
//	-Inf         Z27                 Z28 step of the tap to the next row
//	K1 lanes     K2, K3 comparisons  K4 all lanes when adding to dx
//
//	SI  the block in the first source pixel   DI  the block in the result
//	R8  row, R9 column in the rectangle       R10 rows left, CX columns left
//	R12 bytes to the next row, R13 column     DX  channels left, BX pixels
//	R11 bytes from result or source to the index, or the first 1/count
//	R14, R15 row and column of 1/count
//
// A source pixel of a vector is 1 load, 2 comparisons and 2 moves (max), 1
// addition from memory (average), 1 comparison and 1 addition from memory
// (gradient of max), 1 FMA from memory (gradient of the average).
//
// The caller guarantees at least one pixel, and a rectangle that is not empty
// but for the gradients (Rows 0), whose sum then is 0.
//
// Why assembly: Go has no vectors, and a maximum's branches are not
// predictable.

#define W 16

// LANES makes K1 of the min(DX, 16) channels left.
#define LANES \
	MOVL    $16, CX    \
	CMPQ    DX, CX     \
	CMOVQLT DX, CX     \
	MOVL    $-1, R8    \
	BZHIL   CX, R8, R8 \
	KMOVW   R8, K1

#define START \
	MOVQ a+0(FP), AX             \
	MOVQ PoolRun_Src(AX), SI     \
	MOVQ PoolRun_Dst(AX), DI     \
	MOVQ PoolRun_SrcRow(AX), R12 \
	MOVQ PoolRun_SrcCol(AX), R13 \
	MOVQ PoolRun_Pixels(AX), BX

// WALK visits the rectangle: STEP at each source pixel, ROW before a row, NEXT
// after a column, DOWN after a row.
#define WALK(row, col, none, ROW, STEP, NEXT, DOWN) \
	MOVQ  PoolRun_Rows(AX), R10 \
	TESTQ R10, R10              \
	JEQ   none                  \
	MOVQ  SI, R8                \
row:                            \
	MOVQ  R8, R9                \
	MOVQ  PoolRun_Cols(AX), CX  \
	ROW                         \
col:                            \
	STEP                        \
	NEXT                        \
	ADDQ  R13, R9               \
	DECQ  CX                    \
	JNZ   col                   \
	DOWN                        \
	ADDQ  R12, R8               \
	DECQ  R10                   \
	JNZ   row                   \
none:

// PIXELS is the whole run: four vectors at a time (INIT4, STEP4, DONE4), then
// one under a mask (INIT1, STEP1, DONE1).
#define PIXELS(INIT4, STEP4, DONE4, INIT1, STEP1, DONE1, FIRST, ROW, NEXT, DOWN, PIXEL) \
pixel:                                               \
	MOVQ  PoolRun_C(AX), DX                          \
four:                                                \
	CMPQ  DX, $(4*W)                                 \
	JLT   one                                        \
	FIRST                                            \
	INIT4                                            \
	WALK(row4, col4, none4, ROW, STEP4, NEXT, DOWN)  \
	DONE4                                            \
	ADDQ  $(16*W), SI                                \
	ADDQ  $(16*W), DI                                \
	SUBQ  $(4*W), DX                                 \
	JMP   four                                       \
one:                                                 \
	TESTQ DX, DX                                     \
	JLE   next                                       \
	LANES                                            \
	FIRST                                            \
	INIT1                                            \
	WALK(row1, col1, none1, ROW, STEP1, NEXT, DOWN)  \
	DONE1                                            \
	ADDQ  $(4*W), SI                                 \
	ADDQ  $(4*W), DI                                 \
	SUBQ  $W, DX                                     \
	JMP   one                                        \
next:                                                \
	MOVQ  PoolRun_C(AX), CX                          \
	SUBQ  DX, CX                                     \
	SHLQ  $2, CX                                     \
	SUBQ  CX, SI                                     \
	SUBQ  CX, DI                                     \
	ADDQ  PoolRun_SrcPixel(AX), SI                   \
	ADDQ  PoolRun_DstPixel(AX), DI                   \
	PIXEL                                            \
	DECQ  BX                                         \
	JNZ   pixel                                      \
	VZEROUPPER                                       \
	RET

#define NOTHING

// The 1/count of the windows, for the gradient of the average.
#define INVFIRST \
	MOVQ R11, R14

#define INVDOWN \
	ADDQ PoolRun_InvRow(AX), R14

#define INVPIXEL \
	ADDQ PoolRun_InvPixel(AX), R11

#define INVROW \
	MOVQ R14, R15

#define INVNEXT \
	ADDQ PoolRun_InvCol(AX), R15

// The tap's number, for max and its gradient.
#define TAPS \
	VPBROADCASTD PoolRun_TapCol(AX), Z30 \
	VPBROADCASTD PoolRun_TapRow(AX), Z28

#define TAPFIRST \
	VPBROADCASTD PoolRun_Tap(AX), Z29

#define TAPROW \
	VMOVDQA32 Z29, Z31

#define TAPNEXT \
	VPADDD Z30, Z31, Z31

#define TAPDOWN \
	VPADDD Z28, Z29, Z29

// Z27 is -Inf: every first tap that is greater replaces it, and index starts
// as the first tap, for the window whose maximum is -Inf. A greater x, or the
// first NaN, is taken: not x <= best, and best no NaN.
#define MAXINIT(best, index) \
	VMOVAPS   Z27, best  \
	VMOVDQA32 Z29, index

#define MAXSTEP(best, index) \
	VCMPPS    $7, best, best, K2        \
	VCMPPS    $0x16, best, Z8, K2, K3   \
	VMOVAPS   Z8, K3, best              \
	VMOVDQA32 Z31, K3, index

#define MAXINIT1 \
	MAXINIT(Z0, Z4)

#define MAXINIT4 \
	MAXINIT(Z0, Z4) \
	MAXINIT(Z1, Z5) \
	MAXINIT(Z2, Z6) \
	MAXINIT(Z3, Z7)

#define MAXSTEP1 \
	VMOVUPS.Z (R9), K1, Z8 \
	MAXSTEP(Z0, Z4)

#define MAXSTEP4 \
	VMOVUPS (R9), Z8    \
	MAXSTEP(Z0, Z4)     \
	VMOVUPS 64(R9), Z8  \
	MAXSTEP(Z1, Z5)     \
	VMOVUPS 128(R9), Z8 \
	MAXSTEP(Z2, Z6)     \
	VMOVUPS 192(R9), Z8 \
	MAXSTEP(Z3, Z7)

#define MAXDONE1 \
	VMOVUPS   Z0, K1, (DI)         \
	VMOVDQU32 Z4, K1, (DI)(R11*1)

#define MAXDONE4 \
	VMOVUPS   Z0, (DI)             \
	VMOVUPS   Z1, 64(DI)           \
	VMOVUPS   Z2, 128(DI)          \
	VMOVUPS   Z3, 192(DI)          \
	VMOVDQU32 Z4, (DI)(R11*1)      \
	VMOVDQU32 Z5, 64(DI)(R11*1)    \
	VMOVDQU32 Z6, 128(DI)(R11*1)   \
	VMOVDQU32 Z7, 192(DI)(R11*1)

#define MAXPAST4 \
	VMOVNTPS  Z0, (DI)             \
	VMOVNTPS  Z1, 64(DI)           \
	VMOVNTPS  Z2, 128(DI)          \
	VMOVNTPS  Z3, 192(DI)          \
	VMOVNTDQ  Z4, (DI)(R11*1)      \
	VMOVNTDQ  Z5, 64(DI)(R11*1)    \
	VMOVNTDQ  Z6, 128(DI)(R11*1)   \
	VMOVNTDQ  Z7, 192(DI)(R11*1)

// A run past the caches ends with a fence: another core reads the result.
#define FENCE \
	CMPQ BX, $1 \
	JNE  on     \
	SFENCE      \
on:

// func PoolMaxPastAVX512(a *PoolRun)
TEXT ·PoolMaxPastAVX512(SB), NOSPLIT, $0-8
	START
	MOVQ         PoolRun_Index(AX), R11
	SUBQ         DI, R11
	MOVL         $0xff800000, CX
	VPBROADCASTD CX, Z27
	TAPS
	PIXELS(MAXINIT4, MAXSTEP4, MAXPAST4, MAXINIT1, MAXSTEP1, MAXDONE1, TAPFIRST, TAPROW, TAPNEXT, TAPDOWN, FENCE)

// func PoolMaxAVX512(a *PoolRun)
TEXT ·PoolMaxAVX512(SB), NOSPLIT, $0-8
	START
	MOVQ         PoolRun_Index(AX), R11
	SUBQ         DI, R11
	MOVL         $0xff800000, CX
	VPBROADCASTD CX, Z27
	TAPS
	PIXELS(MAXINIT4, MAXSTEP4, MAXDONE4, MAXINIT1, MAXSTEP1, MAXDONE1, TAPFIRST, TAPROW, TAPNEXT, TAPDOWN, NOTHING)

#define ZERO1 \
	VPXORD Z0, Z0, Z0

#define ZERO4 \
	VPXORD Z0, Z0, Z0 \
	VPXORD Z1, Z1, Z1 \
	VPXORD Z2, Z2, Z2 \
	VPXORD Z3, Z3, Z3

#define AVGSTEP1 \
	VADDPS (R9), Z0, K1, Z0

#define AVGSTEP4 \
	VADDPS (R9), Z0, Z0    \
	VADDPS 64(R9), Z1, Z1  \
	VADDPS 128(R9), Z2, Z2 \
	VADDPS 192(R9), Z3, Z3

#define AVGDONE1 \
	VDIVPS  Z31, Z0, Z0  \
	VMOVUPS Z0, K1, (DI)

#define AVGDONE4 \
	VDIVPS  Z31, Z0, Z0 \
	VDIVPS  Z31, Z1, Z1 \
	VDIVPS  Z31, Z2, Z2 \
	VDIVPS  Z31, Z3, Z3 \
	VMOVUPS Z0, (DI)    \
	VMOVUPS Z1, 64(DI)  \
	VMOVUPS Z2, 128(DI) \
	VMOVUPS Z3, 192(DI)

// func PoolAvgAVX512(a *PoolRun)
TEXT ·PoolAvgAVX512(SB), NOSPLIT, $0-8
	START
	VBROADCASTSS PoolRun_Count(AX), Z31
	PIXELS(ZERO4, AVGSTEP4, AVGDONE4, ZERO1, AVGSTEP1, AVGDONE1, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)

// ACC makes K4 of Acc.
#define ACC \
	MOVBLZX PoolRun_Acc(AX), CX \
	NEGL    CX                  \
	KMOVW   CX, K4

// A sum that starts from +0 is never -0, so that adding 0 changes nothing.
#define DXDONE1 \
	KANDW     K4, K1, K2   \
	VMOVUPS.Z (DI), K2, Z8 \
	VADDPS    Z8, Z0, Z0   \
	VMOVUPS   Z0, K1, (DI)

#define ADDDX(at, s) \
	VMOVUPS.Z at(DI), K4, Z8 \
	VADDPS    Z8, s, s       \
	VMOVUPS   s, at(DI)

#define DXDONE4 \
	ADDDX(0, Z0)   \
	ADDDX(64, Z1)  \
	ADDDX(128, Z2) \
	ADDDX(192, Z3)

#define MAXGRADSTEP1 \
	VPCMPEQD (R9)(R11*1), Z31, K1, K2 \
	VADDPS   (R9), Z0, K2, Z0

#define MAXGRAD(at, s) \
	VPCMPEQD at(R9)(R11*1), Z31, K2 \
	VADDPS   at(R9), s, K2, s

#define MAXGRADSTEP4 \
	MAXGRAD(0, Z0)   \
	MAXGRAD(64, Z1)  \
	MAXGRAD(128, Z2) \
	MAXGRAD(192, Z3)

#define DXPAST4 \
	VMOVNTPS Z0, (DI)    \
	VMOVNTPS Z1, 64(DI)  \
	VMOVNTPS Z2, 128(DI) \
	VMOVNTPS Z3, 192(DI)

// func PoolMaxGradPastAVX512(a *PoolRun)
TEXT ·PoolMaxGradPastAVX512(SB), NOSPLIT, $0-8
	START
	MOVQ PoolRun_Index(AX), R11
	SUBQ SI, R11
	ACC
	TAPS
	PIXELS(ZERO4, MAXGRADSTEP4, DXPAST4, ZERO1, MAXGRADSTEP1, DXDONE1, TAPFIRST, TAPROW, TAPNEXT, TAPDOWN, FENCE)

// func PoolMaxGradAVX512(a *PoolRun)
TEXT ·PoolMaxGradAVX512(SB), NOSPLIT, $0-8
	START
	MOVQ PoolRun_Index(AX), R11
	SUBQ SI, R11
	ACC
	TAPS
	PIXELS(ZERO4, MAXGRADSTEP4, DXDONE4, ZERO1, MAXGRADSTEP1, DXDONE1, TAPFIRST, TAPROW, TAPNEXT, TAPDOWN, NOTHING)

#define AVGGRADSTEP1 \
	VBROADCASTSS (R15), Z31 \
	VFMADD231PS (R9), Z31, K1, Z0

#define AVGGRADSTEP4 \
	VBROADCASTSS (R15), Z31 \
	VFMADD231PS (R9), Z31, Z0    \
	VFMADD231PS 64(R9), Z31, Z1  \
	VFMADD231PS 128(R9), Z31, Z2 \
	VFMADD231PS 192(R9), Z31, Z3

// func PoolAvgGradAVX512(a *PoolRun)
TEXT ·PoolAvgGradAVX512(SB), NOSPLIT, $0-8
	START
	MOVQ PoolRun_Inv(AX), R11
	ACC
	PIXELS(ZERO4, AVGGRADSTEP4, DXDONE4, ZERO1, AVGGRADSTEP1, DXDONE1, INVFIRST, INVROW, INVNEXT, INVDOWN, INVPIXEL)
