//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// Pools for AVX2 and FMA: the four loops of PoolRun, with the bits of the
// AVX-512 rows.
//
// A pixel is made in blocks of 32 channels, the rest in vectors under a mask;
// a block walks its rectangle of source pixels in row-major order:
//
//	best or sum  Y0  Y1  Y2  Y3      Y15 tap, or 1/count of a window
//	index        Y4  Y5  Y6  Y7      Y14 step of the tap to the next column
//	temps        Y8  Y9  Y10         Y13 tap of the row's first column
//	                                 Y12 lanes
//	                                 Y11 -Inf, or all lanes when adding to dx
//
//	SI  the block in the first source pixel   DI  the block in the result
//	R8  row, R9 column in the rectangle       R10 rows left, CX columns left
//	R12 bytes to the next row, R13 column     DX  channels left, BX pixels
//	R11 bytes from result or source to the index, or the first 1/count
//	R14, R15 row and column of 1/count
//
// A source pixel of a vector is 1 load, 2 comparisons, 1 AND and 2 blends
// (max), 1 addition from memory (average), 1 comparison, 1 AND and 1 addition
// (gradient of max), 1 FMA from memory (gradient of the average).
//
// The caller guarantees at least one pixel, and a rectangle that is not empty
// but for the gradients (Rows 0), whose sum then is 0.
//
// Why assembly: Go has no vectors, and a maximum's branches are not
// predictable.

// The mask of n lanes is at poolLanes + 4*(8-n).
DATA poolLanes<>+0(SB)/8, $-1
DATA poolLanes<>+8(SB)/8, $-1
DATA poolLanes<>+16(SB)/8, $-1
DATA poolLanes<>+24(SB)/8, $-1
DATA poolLanes<>+32(SB)/8, $0
DATA poolLanes<>+40(SB)/8, $0
DATA poolLanes<>+48(SB)/8, $0
DATA poolLanes<>+56(SB)/8, $0
GLOBL poolLanes<>(SB), RODATA|NOPTR, $64

#define W 8

// LANES makes Y12 of the min(DX, 8) channels left.
#define LANES \
	MOVL    $8, CX               \
	CMPQ    DX, CX               \
	CMOVQLT DX, CX               \
	LEAQ    poolLanes<>+32(SB), R8 \
	SHLQ    $2, CX               \
	SUBQ    CX, R8               \
	VMOVUPS (R8), Y12

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
	VPBROADCASTD PoolRun_TapCol(AX), Y14

#define TAPFIRST \
	VPBROADCASTD PoolRun_Tap(AX), Y13

#define TAPROW \
	VMOVDQA Y13, Y15

#define TAPNEXT \
	VPADDD Y14, Y15, Y15

#define TAPDOWN \
	VPBROADCASTD PoolRun_TapRow(AX), Y8 \
	VPADDD       Y8, Y13, Y13

// Best starts as -Inf (Y11 here) and index as the first tap, for the window
// whose maximum is -Inf. A greater x, or the first NaN, is taken: not x <=
// best, and best no NaN.
#define MAXINIT(best, index) \
	VMOVAPS Y11, best  \
	VMOVDQA Y13, index

#define MAXSTEP(best, index) \
	VCMPPS    $7, best, best, Y9     \
	VCMPPS    $0x16, best, Y8, Y10   \
	VANDPS    Y9, Y10, Y9            \
	VBLENDVPS Y9, Y8, best, best     \
	VBLENDVPS Y9, Y15, index, index

#define MAXINIT1 \
	MAXINIT(Y0, Y4)

#define MAXINIT4 \
	MAXINIT(Y0, Y4) \
	MAXINIT(Y1, Y5) \
	MAXINIT(Y2, Y6) \
	MAXINIT(Y3, Y7)

#define MAXSTEP1 \
	VMASKMOVPS (R9), Y12, Y8 \
	MAXSTEP(Y0, Y4)

#define MAXSTEP4 \
	VMOVUPS (R9), Y8   \
	MAXSTEP(Y0, Y4)    \
	VMOVUPS 32(R9), Y8 \
	MAXSTEP(Y1, Y5)    \
	VMOVUPS 64(R9), Y8 \
	MAXSTEP(Y2, Y6)    \
	VMOVUPS 96(R9), Y8 \
	MAXSTEP(Y3, Y7)

#define MAXDONE1 \
	VMASKMOVPS Y0, Y12, (DI)         \
	VMASKMOVPS Y4, Y12, (DI)(R11*1)

#define MAXDONE4 \
	VMOVUPS Y0, (DI)           \
	VMOVUPS Y1, 32(DI)         \
	VMOVUPS Y2, 64(DI)         \
	VMOVUPS Y3, 96(DI)         \
	VMOVUPS Y4, (DI)(R11*1)    \
	VMOVUPS Y5, 32(DI)(R11*1)  \
	VMOVUPS Y6, 64(DI)(R11*1)  \
	VMOVUPS Y7, 96(DI)(R11*1)

// func PoolMaxAVX2(a *PoolRun)
TEXT ·PoolMaxAVX2(SB), NOSPLIT, $0-8
	START
	MOVQ         PoolRun_Index(AX), R11
	SUBQ         DI, R11
	MOVL         $0xff800000, CX
	VMOVD        CX, X11
	VPBROADCASTD X11, Y11
	TAPS
	PIXELS(MAXINIT4, MAXSTEP4, MAXDONE4, MAXINIT1, MAXSTEP1, MAXDONE1, TAPFIRST, TAPROW, TAPNEXT, TAPDOWN, NOTHING)

#define ZERO1 \
	VXORPS Y0, Y0, Y0

#define ZERO4 \
	VXORPS Y0, Y0, Y0 \
	VXORPS Y1, Y1, Y1 \
	VXORPS Y2, Y2, Y2 \
	VXORPS Y3, Y3, Y3

#define AVGSTEP1 \
	VMASKMOVPS (R9), Y12, Y8 \
	VADDPS     Y8, Y0, Y0

#define AVGSTEP4 \
	VADDPS (R9), Y0, Y0   \
	VADDPS 32(R9), Y1, Y1 \
	VADDPS 64(R9), Y2, Y2 \
	VADDPS 96(R9), Y3, Y3

#define AVGDONE1 \
	VDIVPS     Y15, Y0, Y0   \
	VMASKMOVPS Y0, Y12, (DI)

#define AVGDONE4 \
	VDIVPS  Y15, Y0, Y0 \
	VDIVPS  Y15, Y1, Y1 \
	VDIVPS  Y15, Y2, Y2 \
	VDIVPS  Y15, Y3, Y3 \
	VMOVUPS Y0, (DI)    \
	VMOVUPS Y1, 32(DI)  \
	VMOVUPS Y2, 64(DI)  \
	VMOVUPS Y3, 96(DI)

// func PoolAvgAVX2(a *PoolRun)
TEXT ·PoolAvgAVX2(SB), NOSPLIT, $0-8
	START
	VBROADCASTSS PoolRun_Count(AX), Y15
	PIXELS(ZERO4, AVGSTEP4, AVGDONE4, ZERO1, AVGSTEP1, AVGDONE1, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)

// ACC makes Y11 of Acc.
#define ACC \
	MOVBLZX      PoolRun_Acc(AX), CX \
	NEGL         CX                  \
	VMOVD        CX, X11             \
	VPBROADCASTD X11, Y11

// A sum that starts from +0 is never -0, so that adding 0 changes nothing.
#define DXDONE1 \
	VANDPS     Y11, Y12, Y9  \
	VMASKMOVPS (DI), Y9, Y8  \
	VADDPS     Y8, Y0, Y0    \
	VMASKMOVPS Y0, Y12, (DI)

#define ADDDX(at, s) \
	VANDPS  at(DI), Y11, Y8 \
	VADDPS  Y8, s, s        \
	VMOVUPS s, at(DI)

#define DXDONE4 \
	ADDDX(0, Y0)  \
	ADDDX(32, Y1) \
	ADDDX(64, Y2) \
	ADDDX(96, Y3)

#define MAXGRADSTEP1 \
	VMASKMOVPS (R9)(R11*1), Y12, Y9 \
	VMASKMOVPS (R9), Y12, Y8        \
	VPCMPEQD   Y9, Y15, Y9          \
	VANDPS     Y8, Y9, Y9           \
	VADDPS     Y9, Y0, Y0

#define MAXGRAD(at, s) \
	VPCMPEQD at(R9)(R11*1), Y15, Y9 \
	VANDPS   at(R9), Y9, Y9         \
	VADDPS   Y9, s, s

#define MAXGRADSTEP4 \
	MAXGRAD(0, Y0)  \
	MAXGRAD(32, Y1) \
	MAXGRAD(64, Y2) \
	MAXGRAD(96, Y3)

// func PoolMaxGradAVX2(a *PoolRun)
TEXT ·PoolMaxGradAVX2(SB), NOSPLIT, $0-8
	START
	MOVQ PoolRun_Index(AX), R11
	SUBQ SI, R11
	ACC
	TAPS
	PIXELS(ZERO4, MAXGRADSTEP4, DXDONE4, ZERO1, MAXGRADSTEP1, DXDONE1, TAPFIRST, TAPROW, TAPNEXT, TAPDOWN, NOTHING)

#define AVGGRADSTEP1 \
	VBROADCASTSS (R15), Y15     \
	VMASKMOVPS   (R9), Y12, Y8  \
	VFMADD231PS  Y8, Y15, Y0

#define AVGGRADSTEP4 \
	VBROADCASTSS (R15), Y15         \
	VFMADD231PS  (R9), Y15, Y0      \
	VFMADD231PS  32(R9), Y15, Y1    \
	VFMADD231PS  64(R9), Y15, Y2    \
	VFMADD231PS  96(R9), Y15, Y3

// func PoolAvgGradAVX2(a *PoolRun)
TEXT ·PoolAvgGradAVX2(SB), NOSPLIT, $0-8
	START
	MOVQ PoolRun_Inv(AX), R11
	ACC
	PIXELS(ZERO4, AVGGRADSTEP4, DXDONE4, ZERO1, AVGGRADSTEP1, DXDONE1, INVFIRST, INVROW, INVNEXT, INVDOWN, INVPIXEL)
