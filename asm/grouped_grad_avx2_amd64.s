//go:build amd64 && !purego

#include "textflag.h"

// The gradient of the weights with few channels a group for AVX2 (loops in
// grouped_amd64.go): lanes are 8 channels of whole groups. dy is
// permuted once for three taps:
//
//	Y0 dy   Y1 Index[j+i]   Y2 dy permuted   Y4-Y15 sums
//
// 17 loads, 4 permutations and 12 FMAs a pixel: 70 % of the peak. R8-R10 are the
// taps, moved by AX, BX is dy, R14 and R15 the bytes to the block in dy and in x.
//
// The caller guarantees what the loops read and write, in whole blocks.
//
// Why assembly: fused multiply-adds and permutations; Go has none.

#define ZERO(z) VXORPS z, z, z

// The four sums of a tap into rows AX, BX bytes apart, or added to them.
#define GRADPUT(a, b, c, d) \
	VMOVUPS a, (AX);        \
	VMOVUPS b, (AX)(BX*1);  \
	VMOVUPS c, (AX)(BX*2);  \
	VMOVUPS d, (AX)(CX*1);  \
	ADDQ DX, AX

#define GRADADD(a, b, c, d)  \
	VADDPS (AX), a, a;       \
	VADDPS (AX)(BX*1), b, b; \
	VADDPS (AX)(BX*2), c, c; \
	VADDPS (AX)(CX*1), d, d; \
	GRADPUT(a, b, c, d)

// func GroupedGradAVX2(segs int, seg *uintptr, cdy, cx, dyStep, xStep int, dst *float32, ldj, ldt int, load bool, dyAhead, xAhead int, lanes *GroupLanes, j int)
TEXT ·GroupedGradAVX2(SB), NOSPLIT, $40-112
	MOVQ lanes+96(FP), R8
	MOVQ 0(R8), CX
	MOVQ CX, in-32(SP)
	MOVQ 8(R8), CX
	MOVQ CX, out-40(SP)
	MOVQ j+104(FP), CX
	SHLQ $6, CX
	LEAQ 64(R8)(CX*1), DI
	MOVQ dyStep+32(FP), R11
	SHLQ $2, R11
	SHLQ $2, ldj+56(FP)
	SHLQ $2, ldt+64(FP)
	SHLQ $2, dyAhead+80(FP)
	SHLQ $2, xAhead+88(FP)
	MOVQ cx+24(FP), DX
	MOVQ cdy+16(FP), CX
	MOVQ CX, cdyLeft-16(SP)
	XORL R14, R14
	XORL R15, R15

block:
	MOVQ DX, left-8(SP)
	ZERO(Y4)
	ZERO(Y5)
	ZERO(Y6)
	ZERO(Y7)
	ZERO(Y8)
	ZERO(Y9)
	ZERO(Y10)
	ZERO(Y11)
	ZERO(Y12)
	ZERO(Y13)
	ZERO(Y14)
	ZERO(Y15)
	MOVQ segs+0(FP), R13
	MOVQ seg+8(FP), R12
	MOVQ dyAhead+80(FP), SI

segs:
	DECQ R13
	JLT  store
	MOVQ 0(R12), CX
	MOVQ 8(R12), BX
	MOVQ 16(R12), R8
	MOVQ 24(R12), R9
	MOVQ 32(R12), R10
	ADDQ $40, R12
	ADDQ R14, BX
	ADDQ R15, R8
	ADDQ R15, R9
	ADDQ R15, R10
	MOVQ xAhead+88(FP), DX
	ADDQ R9, DX
	XORL AX, AX
	PCALIGN $32

pixel:
	VMOVUPS (BX), Y0
	PREFETCHT1 (BX)(SI*1)
	VMOVUPS 0(DI), Y1
	VPERMPS Y0, Y1, Y2
	VFMADD231PS (R8)(AX*4), Y2, Y4
	VFMADD231PS (R9)(AX*4), Y2, Y8
	VFMADD231PS (R10)(AX*4), Y2, Y12
	VMOVUPS 64(DI), Y1
	VPERMPS Y0, Y1, Y2
	VFMADD231PS (R8)(AX*4), Y2, Y5
	VFMADD231PS (R9)(AX*4), Y2, Y9
	VFMADD231PS (R10)(AX*4), Y2, Y13
	VMOVUPS 128(DI), Y1
	VPERMPS Y0, Y1, Y2
	VFMADD231PS (R8)(AX*4), Y2, Y6
	VFMADD231PS (R9)(AX*4), Y2, Y10
	VFMADD231PS (R10)(AX*4), Y2, Y14
	VMOVUPS 192(DI), Y1
	VPERMPS Y0, Y1, Y2
	VFMADD231PS (R8)(AX*4), Y2, Y7
	VFMADD231PS (R9)(AX*4), Y2, Y11
	VFMADD231PS (R10)(AX*4), Y2, Y15
	ADDQ R11, BX
	PREFETCHT1 (DX)(AX*4)
	ADDQ xStep+40(FP), AX
	DECQ CX
	JNZ  pixel
	JMP  segs

store:
	MOVQ dst+48(FP), AX
	ADDQ R15, AX
	MOVQ ldj+56(FP), BX
	MOVQ ldt+64(FP), DX
	LEAQ (BX)(BX*2), CX
	CMPB load+72(FP), $0
	JNE  add
	GRADPUT(Y4, Y5, Y6, Y7)
	GRADPUT(Y8, Y9, Y10, Y11)
	GRADPUT(Y12, Y13, Y14, Y15)
	JMP  next

add:
	GRADADD(Y4, Y5, Y6, Y7)
	GRADADD(Y8, Y9, Y10, Y11)
	GRADADD(Y12, Y13, Y14, Y15)

next:
	MOVQ in-32(SP), CX
	SUBQ CX, cdyLeft-16(SP)
	LEAQ (R14)(CX*4), R14
	MOVQ out-40(SP), CX
	LEAQ (R15)(CX*4), R15
	MOVQ left-8(SP), DX
	SUBQ CX, DX
	JGT  block
	VZEROUPPER
	RET
