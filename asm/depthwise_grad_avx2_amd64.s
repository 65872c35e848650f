//go:build amd64 && !purego

#include "textflag.h"

// The gradient of depthwise weights for AVX2 (loops in depthwise_amd64.go): lanes
// are 8 channels.
//
// Nine taps have their sums in Y8-Y15 and Y1 and their addresses in R8-R15 and DI,
// moved by AX. Y0 is dy at BX; SI and DX lead to what is fetched, CX counts pixels.
// A pixel is 10 loads, 2 fetches and 9 FMAs: at most 90 % of the peak of a core
// that loads as many vectors as it multiplies.
//
// The caller guarantees what the loops read and write, in whole vectors.
//
// Why assembly: Go has no float32 fused multiply-add.

#define ZERO(z) VXORPS z, z, z

#define ALL(F) \
	F(Y8); \
	F(Y9); \
	F(Y10); \
	F(Y11); \
	F(Y12); \
	F(Y13); \
	F(Y14); \
	F(Y15); \
	F(Y1)

// Tap i of a run, from word 2+i on, at the block of channels.
#define BASE(i, r)       \
	MOVQ 8*(2+i)(SI), r; \
	ADDQ CX, r

#define GRADPUT(z)   \
	VMOVUPS z, (AX); \
	ADDQ BX, AX

#define GRADADD(z)     \
	VADDPS (AX), z, z; \
	GRADPUT(z)

// func DepthwiseGradAVX2(segs int, seg *uintptr, c, dyStep, xStep int, dst *float32, ldd int, load bool, dyAhead, xAhead int)
TEXT ·DepthwiseGradAVX2(SB), NOSPLIT, $32-80
	MOVQ c+16(FP), DX
	MOVQ $0, at-8(SP) // bytes to the block of channels
	SHLQ $2, ldd+48(FP)
	SHLQ $2, dyStep+24(FP)
	SHLQ $2, dyAhead+64(FP)
	SHLQ $2, xAhead+72(FP)

block:
	ALL(ZERO)
	MOVQ seg+8(FP), SI
	MOVQ segs+0(FP), CX
	MOVQ DX, left-16(SP)

segs:
	DECQ CX
	JLT  store
	MOVQ CX, segs-24(SP)
	MOVQ at-8(SP), CX
	MOVQ 8(SI), BX
	ADDQ CX, BX
	BASE(0, R8)
	BASE(1, R9)
	BASE(2, R10)
	BASE(3, R11)
	BASE(4, R12)
	BASE(5, R13)
	BASE(6, R14)
	BASE(7, R15)
	BASE(8, DI)
	MOVQ (SI), CX
	ADDQ $88, SI
	MOVQ SI, seg-32(SP)
	MOVQ dyAhead+64(FP), SI
	MOVQ xAhead+72(FP), DX
	ADDQ R12, DX
	XORL AX, AX
	PCALIGN $32

pixel:
	VMOVUPS (BX), Y0
	PREFETCHT1 (BX)(SI*1)
	ADDQ dyStep+24(FP), BX
	PREFETCHT1 (DX)(AX*4)
	VFMADD231PS (R8)(AX*4), Y0, Y8
	VFMADD231PS (R9)(AX*4), Y0, Y9
	VFMADD231PS (R10)(AX*4), Y0, Y10
	VFMADD231PS (R11)(AX*4), Y0, Y11
	VFMADD231PS (R12)(AX*4), Y0, Y12
	VFMADD231PS (R13)(AX*4), Y0, Y13
	VFMADD231PS (R14)(AX*4), Y0, Y14
	VFMADD231PS (R15)(AX*4), Y0, Y15
	VFMADD231PS (DI)(AX*4), Y0, Y1
	ADDQ xStep+32(FP), AX
	DECQ CX
	JNZ  pixel
	MOVQ segs-24(SP), CX
	MOVQ seg-32(SP), SI
	JMP  segs

store:
	MOVQ dst+40(FP), AX
	ADDQ at-8(SP), AX
	MOVQ ldd+48(FP), BX
	CMPB load+56(FP), $0
	JNE  add
	ALL(GRADPUT)
	JMP  next

add:
	ALL(GRADADD)

next:
	ADDQ $32, at-8(SP)
	MOVQ left-16(SP), DX
	SUBQ $8, DX
	JGT  block
	VZEROUPPER
	RET
