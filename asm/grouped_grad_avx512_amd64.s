//go:build amd64 && !purego

#include "textflag.h"

// The gradient of the weights with few channels a group for AVX-512 (loops in
// grouped_amd64.go): lanes are up to 16 channels of whole groups, K1 masks x and K2 dy. dy is
// permuted once for three taps:
//
//	Z0 dy   Z1-Z4 permuted   Z5-Z7 x at three taps   Z8-Z19 sums   Z20-Z23 Index[j:j+4]
//
// 4 loads, 4 permutations and 12 FMAs a pixel. R8-R10 are the taps, moved by AX,
// BX is dy, R14 and R15 the bytes to the block in dy and in x.
//
// The caller guarantees what the loops read and write; masked elements are
// neither.
//
// Why assembly: fused multiply-adds, permutations and masks; Go has none.

// K for the first min(n, DX or R8) lanes.
#define MASK(n, left, K) \
	MOVQ n, CX;          \
	CMPQ left, CX;       \
	CMOVQLT left, CX;    \
	MOVL $-1, R8;        \
	BZHIL CX, R8, R8;    \
	KMOVW R8, K

#define ZERO(z) VPXORD z, z, z

// The four sums of a tap into rows AX, BX bytes apart, or added to them.
#define GRADPUT(a, b, c, d)    \
	VMOVUPS a, K1, (AX);       \
	VMOVUPS b, K1, (AX)(BX*1); \
	VMOVUPS c, K1, (AX)(BX*2); \
	VMOVUPS d, K1, (AX)(CX*1); \
	ADDQ DX, AX

#define GRADADD(a, b, c, d)      \
	VADDPS (AX), a, K1, a;       \
	VADDPS (AX)(BX*1), b, K1, b; \
	VADDPS (AX)(BX*2), c, K1, c; \
	VADDPS (AX)(CX*1), d, K1, d; \
	GRADPUT(a, b, c, d)

// func GroupedGradAVX512(segs int, seg *uintptr, cdy, cx, dyStep, xStep int, dst *float32, ldj, ldt int, load bool, dyAhead, xAhead int, lanes *GroupLanes, j int)
TEXT ·GroupedGradAVX512(SB), NOSPLIT, $40-112
	MOVQ lanes+96(FP), R8
	MOVQ 0(R8), CX
	MOVQ CX, in-32(SP)
	MOVQ 8(R8), CX
	MOVQ CX, out-40(SP)
	MOVQ j+104(FP), CX
	SHLQ $6, CX
	LEAQ 64(R8)(CX*1), R8
	VMOVUPS 0(R8), Z20
	VMOVUPS 64(R8), Z21
	VMOVUPS 128(R8), Z22
	VMOVUPS 192(R8), Z23
	MOVQ xStep+40(FP), DI
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
	MASK(out-40(SP), DX, K1)
	MOVQ cdyLeft-16(SP), R8
	MASK(in-32(SP), R8, K2)
	ZERO(Z8)
	ZERO(Z9)
	ZERO(Z10)
	ZERO(Z11)
	ZERO(Z12)
	ZERO(Z13)
	ZERO(Z14)
	ZERO(Z15)
	ZERO(Z16)
	ZERO(Z17)
	ZERO(Z18)
	ZERO(Z19)
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
	VMOVUPS.Z (BX), K2, Z0
	PREFETCHT1 (BX)(SI*1)
	VPERMPS Z0, Z20, Z1
	VPERMPS Z0, Z21, Z2
	VPERMPS Z0, Z22, Z3
	VPERMPS Z0, Z23, Z4
	VMOVUPS.Z (R8)(AX*4), K1, Z5
	VMOVUPS.Z (R9)(AX*4), K1, Z6
	VMOVUPS.Z (R10)(AX*4), K1, Z7
	ADDQ R11, BX
	PREFETCHT1 (DX)(AX*4)
	ADDQ DI, AX
	VFMADD231PS Z5, Z1, Z8
	VFMADD231PS Z5, Z2, Z9
	VFMADD231PS Z5, Z3, Z10
	VFMADD231PS Z5, Z4, Z11
	VFMADD231PS Z6, Z1, Z12
	VFMADD231PS Z6, Z2, Z13
	VFMADD231PS Z6, Z3, Z14
	VFMADD231PS Z6, Z4, Z15
	VFMADD231PS Z7, Z1, Z16
	VFMADD231PS Z7, Z2, Z17
	VFMADD231PS Z7, Z3, Z18
	VFMADD231PS Z7, Z4, Z19
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
	GRADPUT(Z8, Z9, Z10, Z11)
	GRADPUT(Z12, Z13, Z14, Z15)
	GRADPUT(Z16, Z17, Z18, Z19)
	JMP  next

add:
	GRADADD(Z8, Z9, Z10, Z11)
	GRADADD(Z12, Z13, Z14, Z15)
	GRADADD(Z16, Z17, Z18, Z19)

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
