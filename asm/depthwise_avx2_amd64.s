//go:build amd64 && !purego

#include "textflag.h"

// Depthwise convolution for AVX2 (loops in depthwise_amd64.go): lanes are 8
// channels.
//
// Forward eight pixels of a run, then four, then one share a vector of weights:
//
//	Y0 w[t]   Y8-Y15 the sums of pixels 0-7
//
// A tap is 1 load of weights and 8 FMAs with an operand in memory, 9 loads for
// 8 FMAs: with two loads and two FMAs a cycle 89 % of the peak, 80 % for four
// pixels. A single pixel is bound by its chain, in which the blocks of channels
// overlap. A tile goes through all channels, so that images are read as they lie.
//
//	DI pixels left   SI end of the list, CX taps left (negative)   DX channels left
//	R8 a tap         R10-R13 1, 3, 5 and 7 pixels of src, in bytes
//	R14 offset from a tap's address   R9, R15 weights, by BX a tap   AX dst
//
// The weights' gradient has nine taps in Y8-Y15 and Y1, their addresses in
// R8-R15 and DI, moved by AX; Y0 is dy at BX: 10 loads and 9 FMAs a pixel, 90 %
// of the peak.
//
// The caller guarantees what the loops read and write, in whole vectors.
//
// Why assembly: Go has no float32 fused multiply-add.

#define ZERO(z) VXORPS z, z, z

// What a tile fetches: the same pixels of another line.
#define FETCH1 PREFETCHT1 (R8)

#define FETCH2 \
	FETCH1; \
	PREFETCHT1 (R8)(R10*1)

#define FETCH4 \
	FETCH2; \
	PREFETCHT1 (R8)(R10*2);  \
	PREFETCHT1 (R8)(R11*1)

#define FETCH8 \
	FETCH4;                  \
	PREFETCHT1 (R8)(R10*4);  \
	PREFETCHT1 (R8)(R12*1);  \
	PREFETCHT1 (R8)(R11*2);  \
	PREFETCHT1 (R8)(R13*1)

#define TAP1 VFMADD231PS (R8), Y0, Y8

#define TAP2 \
	TAP1; \
	VFMADD231PS (R8)(R10*1), Y0, Y9

#define TAP4 \
	TAP2; \
	VFMADD231PS (R8)(R10*2), Y0, Y10; \
	VFMADD231PS (R8)(R11*1), Y0, Y11

#define TAP8 \
	TAP4;                                 \
	VFMADD231PS (R8)(R10*4), Y0, Y12; \
	VFMADD231PS (R8)(R12*1), Y0, Y13; \
	VFMADD231PS (R8)(R11*2), Y0, Y14; \
	VFMADD231PS (R8)(R13*1), Y0, Y15

// Where a sum goes: R8 walks the pixels of dst by R9 bytes.
#define PUT(z) \
	VMOVUPS z, (R8); \
	ADDQ R9, R8

#define ADD(z) \
	VADDPS (R8), z, z; \
	PUT(z)

#define ALL1(F) F(Y8)

#define ALL2(F) \
	F(Y8); \
	F(Y9)

#define ALL4(F) \
	ALL2(F); \
	F(Y10); \
	F(Y11)

#define ALL8(F) \
	ALL4(F); \
	F(Y12);  \
	F(Y13);  \
	F(Y14);  \
	F(Y15)

// Tiles of n pixels as long as there are any. The labels come from outside, for
// a function has three of these.
#define TILES(n, TAP, FETCH, ALL, tile, block, tap, put, fetched, add, next, end) \
tile:                        \
	SUBQ $n, DI;             \
	JLT  end;                \
	MOVQ c+8(FP), DX;        \
	MOVQ w+40(FP), R15;      \
block:                       \
	ALL(ZERO);               \
	MOVQ R15, R9;            \
	MOVQ tap+24(FP), SI;     \
	MOVQ taps+16(FP), CX;    \
	LEAQ (SI)(CX*8), SI;     \
	NEGQ CX;                 \
	JZ   put;                \
	PCALIGN $32;             \
tap:                         \
	MOVQ (SI)(CX*8), R8;     \
	VMOVUPS (R9), Y0;  \
	ADDQ R14, R8;            \
	ADDQ BX, R9;             \
	TAP;                     \
	INCQ CX;                 \
	JNZ  tap;                \
put:                         \
	MOVQ (SI), R8;           \
	TESTQ R8, R8;            \
	JZ   fetched;            \
	ADDQ R14, R8;            \
	ADDQ $8, SI;             \
	FETCH;                   \
	JMP  put;                \
fetched:                     \
	MOVQ AX, R8;             \
	MOVQ step+64(FP), R9;    \
	CMPQ mode+72(FP), $1;    \
	JEQ  add;                \
	ALL(PUT);                \
	JMP  next;               \
add:                         \
	ALL(ADD);                \
next:                        \
	ADDQ $32, R14;           \
	ADDQ $32, R15;           \
	ADDQ $32, AX;            \
	SUBQ $8, DX;            \
	JGT  block;              \
	SUBQ w+40(FP), R15;      \
	SUBQ R15, R14;           \
	SUBQ R15, AX;            \
	IMUL3Q $n, R10, R8;      \
	ADDQ R8, R14;            \
	IMUL3Q $n, R9, R9;       \
	ADDQ R9, AX;             \
	JMP  tile;               \
end:                         \
	ADDQ $n, DI

// func DepthwiseAVX2(pixels, c, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int)
TEXT ·DepthwiseAVX2(SB), NOSPLIT, $0-88
	MOVQ pixels+0(FP), DI
	MOVQ src+32(FP), R10
	MOVQ ldw+48(FP), BX
	MOVQ dst+56(FP), AX
	SHLQ $2, R10
	SHLQ $2, BX
	SHLQ $2, step+64(FP)
	LEAQ (R10)(R10*2), R11
	LEAQ (R10)(R10*4), R12
	LEAQ (R11)(R10*4), R13
	MOVQ at+80(FP), R14
	SHLQ $2, R14
	ADDQ R14, AX
	ADDQ R14, w+40(FP)
	TILES(8, TAP8, FETCH8, ALL8, tile8, block8, tap8, put8, fetched8, add8, next8, end8)
	TILES(4, TAP4, FETCH4, ALL4, tile4, block4, tap4, put4, fetched4, add4, next4, end4)
	TILES(2, TAP2, FETCH2, ALL2, tile2, block2, tap2, put2, fetched2, add2, next2, end2)
	TILES(1, TAP1, FETCH1, ALL1, tile1, block1, tap1, put1, fetched1, add1, next1, end1)
	VZEROUPPER
	RET

// Tap i of a run, from word 2+i on, at the block of channels.
#define BASE(i, r) \
	MOVQ 8*(2+i)(SI), r; \
	ADDQ CX, r

#define GRADPUT(z) \
	VMOVUPS z, (AX); \
	ADDQ BX, AX

#define GRADADD(z) \
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
	ALL8(ZERO)
	ZERO(Y1)
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
	ALL8(GRADPUT)
	GRADPUT(Y1)
	JMP  next

add:
	ALL8(GRADADD)
	GRADADD(Y1)

next:
	ADDQ $32, at-8(SP)
	MOVQ left-16(SP), DX
	SUBQ $8, DX
	JGT  block
	VZEROUPPER
	RET
