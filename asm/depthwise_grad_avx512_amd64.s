//go:build amd64 && !purego

#include "textflag.h"

// The gradient of depthwise weights for AVX-512 (loops in depthwise_amd64.go): lanes
// are 16 channels, K1 masks the last of them.
//
// Nine taps have their sums in Z8-Z16 and their addresses in R8-R15 and DI,
// moved by AX. Z0 is dy at BX; SI and DX lead to what is fetched, CX counts pixels.
// A pixel is 10 loads, 2 fetches and 9 FMAs: at most 90 % of the peak of a core
// that loads as many vectors as it multiplies.
//
// The caller guarantees what the loops read and write; masked elements are
// neither.
//
// Why assembly: fused multiply-adds with masks; Go has neither.

// K1 for the first min(DX, 16) channels.
#define MASK          \
	MOVL $16, CX;     \
	CMPQ DX, CX;      \
	CMOVQLT DX, CX;   \
	MOVL $-1, R8;     \
	BZHIL CX, R8, R8; \
	KMOVW R8, K1

#define ZERO(z) VPXORD z, z, z

#define ALL(F) \
	F(Z8); \
	F(Z9); \
	F(Z10); \
	F(Z11); \
	F(Z12); \
	F(Z13); \
	F(Z14); \
	F(Z15); \
	F(Z16)

// Tap i of a run, from word 2+i on, at the block of channels.
#define BASE(i, r)       \
	MOVQ 8*(2+i)(SI), r; \
	ADDQ CX, r

#define GRADPUT(z)       \
	VMOVUPS z, K1, (AX); \
	ADDQ BX, AX

#define GRADADD(z)         \
	VADDPS (AX), z, K1, z; \
	GRADPUT(z)

// func DepthwiseGradAVX512(segs int, seg *uintptr, c, dyStep, xStep int, dst *float32, ldd int, load bool, dyAhead, xAhead int)
TEXT ·DepthwiseGradAVX512(SB), NOSPLIT, $32-80
	MOVQ c+16(FP), DX
	MOVQ $0, at-8(SP) // bytes to the block of channels
	SHLQ $2, ldd+48(FP)
	SHLQ $2, dyStep+24(FP)
	SHLQ $2, dyAhead+64(FP)
	SHLQ $2, xAhead+72(FP)

block:
	MASK
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
	VMOVUPS.Z (BX), K1, Z0
	PREFETCHT1 (BX)(SI*1)
	ADDQ dyStep+24(FP), BX
	PREFETCHT1 (DX)(AX*4)
	VFMADD231PS (R8)(AX*4), Z0, K1, Z8
	VFMADD231PS (R9)(AX*4), Z0, K1, Z9
	VFMADD231PS (R10)(AX*4), Z0, K1, Z10
	VFMADD231PS (R11)(AX*4), Z0, K1, Z11
	VFMADD231PS (R12)(AX*4), Z0, K1, Z12
	VFMADD231PS (R13)(AX*4), Z0, K1, Z13
	VFMADD231PS (R14)(AX*4), Z0, K1, Z14
	VFMADD231PS (R15)(AX*4), Z0, K1, Z15
	VFMADD231PS (DI)(AX*4), Z0, K1, Z16
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
	ADDQ $64, at-8(SP)
	MOVQ left-16(SP), DX
	SUBQ $16, DX
	JGT  block
	VZEROUPPER
	RET
