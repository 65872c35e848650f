//go:build amd64 && !purego

#include "textflag.h"

// Depthwise convolution for AVX-512 (loops in depthwise_amd64.go): lanes are 16
// channels, K1 masks the last of them.
//
// Forward eight pixels of a run, then four, two and one share a vector of weights:
//
//	Z0 w[t]   Z8-Z15 the sums of pixels 0-7
//
// A tap is 1 load of weights and 8 FMAs with an operand in memory, 9 loads for
// 8 FMAs: with a load and an FMA a cycle 89 % of the peak, 80 % for four pixels
// and 67 % for two. A single pixel is bound by its chain, in which the blocks of
// channels overlap. A tile goes through all channels, so that images are read as
// they lie; then it fetches what a later one reads, 8 lines of a block.
//
//	DI pixels left   SI end of the list, CX taps left (negative)   DX channels left
//	R8 a tap         R10-R13 1, 3, 5 and 7 pixels of src, in bytes
//	R14 offset from a tap's address   R9, R15 weights, by BX a tap   AX dst
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

// What a tile fetches: the same pixels of another line.
#define FETCH1 PREFETCHT1 (R8)

#define FETCH2 \
	FETCH1;    \
	PREFETCHT1 (R8)(R10*1)

#define FETCH4              \
	FETCH2;                 \
	PREFETCHT1 (R8)(R10*2); \
	PREFETCHT1 (R8)(R11*1)

#define FETCH8              \
	FETCH4;                 \
	PREFETCHT1 (R8)(R10*4); \
	PREFETCHT1 (R8)(R12*1); \
	PREFETCHT1 (R8)(R11*2); \
	PREFETCHT1 (R8)(R13*1)

#define TAP1 VFMADD231PS (R8), Z0, K1, Z8

#define TAP2 \
	TAP1;    \
	VFMADD231PS (R8)(R10*1), Z0, K1, Z9

#define TAP4                              \
	TAP2;                                 \
	VFMADD231PS (R8)(R10*2), Z0, K1, Z10; \
	VFMADD231PS (R8)(R11*1), Z0, K1, Z11

#define TAP8                              \
	TAP4;                                 \
	VFMADD231PS (R8)(R10*4), Z0, K1, Z12; \
	VFMADD231PS (R8)(R12*1), Z0, K1, Z13; \
	VFMADD231PS (R8)(R11*2), Z0, K1, Z14; \
	VFMADD231PS (R8)(R13*1), Z0, K1, Z15

// Where a sum goes: R8 walks the pixels of dst by R9 bytes.
#define PUT(z)           \
	VMOVUPS z, K1, (R8); \
	ADDQ R9, R8

#define ADD(z)             \
	VADDPS (R8), z, K1, z; \
	PUT(z)

#define PAST(z)       \
	VMOVNTPS z, (R8); \
	ADDQ R9, R8

#define ALL1(F) F(Z8)

#define ALL2(F) \
	F(Z8);      \
	F(Z9)

#define ALL4(F) \
	ALL2(F);    \
	F(Z10);     \
	F(Z11)

#define ALL8(F) \
	ALL4(F);    \
	F(Z12);     \
	F(Z13);     \
	F(Z14);     \
	F(Z15)

// Tiles of n pixels as long as there are any. The labels come from outside, for
// a function has four of these.
#define TILES(n, TAP, FETCH, ALL, tile, block, tap, put, fetched, add, past, next, end) \
tile:                       \
	SUBQ $n, DI;            \
	JLT  end;               \
	MOVQ c+8(FP), DX;       \
	MOVQ w+40(FP), R15;     \
block:                      \
	MASK;                   \
	ALL(ZERO);              \
	MOVQ R15, R9;           \
	MOVQ tap+24(FP), SI;    \
	MOVQ taps+16(FP), CX;   \
	LEAQ (SI)(CX*8), SI;    \
	NEGQ CX;                \
	JZ   put;               \
	PCALIGN $32;            \
tap:                        \
	MOVQ (SI)(CX*8), R8;    \
	VMOVUPS.Z (R9), K1, Z0; \
	ADDQ R14, R8;           \
	ADDQ BX, R9;            \
	TAP;                    \
	INCQ CX;                \
	JNZ  tap;               \
put:                        \
	MOVQ (SI), R8;          \
	TESTQ R8, R8;           \
	JZ   fetched;           \
	ADDQ R14, R8;           \
	ADDQ $8, SI;            \
	FETCH;                  \
	JMP  put;               \
fetched:                    \
	MOVQ AX, R8;            \
	MOVQ step+64(FP), R9;   \
	CMPQ mode+72(FP), $1;   \
	JEQ  add;               \
	JGT  past;              \
	ALL(PUT);               \
	JMP  next;              \
add:                        \
	ALL(ADD);               \
	JMP  next;              \
past:                       \
	ALL(PAST);              \
next:                       \
	ADDQ $64, R14;          \
	ADDQ $64, R15;          \
	ADDQ $64, AX;           \
	SUBQ $16, DX;           \
	JGT  block;             \
	SUBQ w+40(FP), R15;     \
	SUBQ R15, R14;          \
	SUBQ R15, AX;           \
	IMUL3Q $n, R10, R8;     \
	ADDQ R8, R14;           \
	IMUL3Q $n, R9, R9;      \
	ADDQ R9, AX;            \
	JMP  tile;              \
end:                        \
	ADDQ $n, DI

// func DepthwiseAVX512(pixels, c, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int)
TEXT ·DepthwiseAVX512(SB), NOSPLIT, $0-88
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
	TILES(8, TAP8, FETCH8, ALL8, tile8, block8, tap8, put8, fetched8, add8, past8, next8, end8)
	TILES(4, TAP4, FETCH4, ALL4, tile4, block4, tap4, put4, fetched4, add4, past4, next4, end4)
	TILES(2, TAP2, FETCH2, ALL2, tile2, block2, tap2, put2, fetched2, add2, past2, next2, end2)
	TILES(1, TAP1, FETCH1, ALL1, tile1, block1, tap1, put1, fetched1, add1, past1, next1, end1)
	CMPQ mode+72(FP), $2
	JNE  done
	SFENCE

done:
	VZEROUPPER
	RET
