//go:build amd64 && !purego

#include "textflag.h"

// Convolution with few channels a group for AVX2 (loops in grouped_amd64.go):
// lanes are 8 channels of whole groups.
//
// Forward six pixels of a run, then three and one share the weights:
//
//	Y0 w[t][i]   Y1 Index[i]   Y2, Y3 permuted pixels in turn
//	Y4-Y9 sums of pixels 0-5   Y10-Y15 the pixels at a tap
//
// A tap is 6 loads, and a channel of it 2 loads, 6 permutations and 6 FMAs, which
// share three ports on Zen 4: 75 % of its peak, and six chains cover no more.
//
//	DI pixels left   SI end of the list, CX taps left (negative)   DX channels left
//	R8 a tap, Index  R10-R12 1, 3 and 5 pixels of src, in bytes
//	R14 offset from a tap's address   R9, R15 weights, by BX a row   AX dst
//
// The caller guarantees what the loops read and write, in whole blocks.
//
// Why assembly: fused multiply-adds and permutations; Go has none.

#define ZERO(z) VXORPS z, z, z

// The pixels of a tap.
#define LOAD1 VMOVUPS (R8), Y10

#define LOAD3                 \
	LOAD1;                    \
	VMOVUPS (R8)(R10*1), Y11; \
	VMOVUPS (R8)(R10*2), Y12

#define LOAD6                 \
	LOAD3;                    \
	VMOVUPS (R8)(R11*1), Y13; \
	VMOVUPS (R8)(R10*4), Y14; \
	VMOVUPS (R8)(R12*1), Y15

// Channel i of them by its weights; temporaries take turns.
#define MUL1             \
	VPERMPS Y10, Y1, Y2; \
	VFMADD231PS Y0, Y2, Y4

#define MUL3                \
	MUL1;                   \
	VPERMPS Y11, Y1, Y3;    \
	VFMADD231PS Y0, Y3, Y5; \
	VPERMPS Y12, Y1, Y2;    \
	VFMADD231PS Y0, Y2, Y6

#define MUL6                \
	MUL3;                   \
	VPERMPS Y13, Y1, Y3;    \
	VFMADD231PS Y0, Y3, Y7; \
	VPERMPS Y14, Y1, Y2;    \
	VFMADD231PS Y0, Y2, Y8; \
	VPERMPS Y15, Y1, Y3;    \
	VFMADD231PS Y0, Y3, Y9

// What a tile fetches: the same pixels of another line.
#define FETCH1 PREFETCHT1 (R8)

#define FETCH3              \
	FETCH1;                 \
	PREFETCHT1 (R8)(R10*1); \
	PREFETCHT1 (R8)(R10*2)

#define FETCH6              \
	FETCH3;                 \
	PREFETCHT1 (R8)(R11*1); \
	PREFETCHT1 (R8)(R10*4); \
	PREFETCHT1 (R8)(R12*1)

// The sums.
#define ALL1(F) F(Y4)

#define ALL3(F) \
	ALL1(F);    \
	F(Y5);      \
	F(Y6)

#define ALL6(F) \
	ALL3(F);    \
	F(Y7);      \
	F(Y8);      \
	F(Y9)

// Where a sum goes: R8 walks the pixels of dst by R9 bytes.
#define PUT(z)       \
	VMOVUPS z, (R8); \
	ADDQ R9, R8

#define ADD(z)         \
	VADDPS (R8), z, z; \
	PUT(z)

// Tiles of n pixels as long as there are any. The labels come from outside, for
// a function has several of these.
#define TILES(n, LOAD, MUL, FETCH, ALL, tile, block, tap, chan, put, fetched, add, next, end) \
tile:                       \
	SUBQ $n, DI;            \
	JLT  end;               \
	MOVQ cin+8(FP), R8;     \
	MOVQ R8, left-8(SP);    \
	MOVQ cout+16(FP), DX;   \
	MOVQ w+48(FP), R15;     \
	MOVQ R14, first-48(SP); \
block:                      \
	ALL(ZERO);              \
	MOVQ R15, R9;           \
	MOVQ tap+32(FP), SI;    \
	MOVQ taps+24(FP), CX;   \
	LEAQ (SI)(CX*8), SI;    \
	NEGQ CX;                \
	JZ   put;               \
tap:                        \
	MOVQ (SI)(CX*8), R8;    \
	ADDQ R14, R8;           \
	LOAD;                   \
	MOVQ lanes+96(FP), R8;  \
	ADDQ $64, R8;           \
	PCALIGN $32;            \
chan:                       \
	VMOVUPS (R8), Y1;       \
	VMOVUPS (R9), Y0;       \
	ADDQ BX, R9;            \
	ADDQ $64, R8;           \
	MUL;                    \
	CMPQ R8, end-16(SP);    \
	JNE  chan;              \
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
	MOVQ step+72(FP), R9;   \
	CMPQ mode+80(FP), $1;   \
	JEQ  add;               \
	ALL(PUT);               \
	JMP  next;              \
add:                        \
	ALL(ADD);               \
next:                       \
	MOVQ in-32(SP), CX;     \
	SUBQ CX, left-8(SP);    \
	LEAQ (R14)(CX*4), R14;  \
	MOVQ out-40(SP), CX;    \
	LEAQ (R15)(CX*4), R15;  \
	LEAQ (AX)(CX*4), AX;    \
	SUBQ CX, DX;            \
	JGT  block;             \
	SUBQ w+48(FP), R15;     \
	SUBQ R15, AX;           \
	IMUL3Q $n, R10, R14;    \
	ADDQ first-48(SP), R14; \
	IMUL3Q $n, R9, R9;      \
	ADDQ R9, AX;            \
	JMP  tile;              \
end:                        \
	ADDQ $n, DI

// func GroupedAVX2(pixels, cin, cout, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int, lanes *GroupLanes)
TEXT ·GroupedAVX2(SB), NOSPLIT, $48-104
	MOVQ pixels+0(FP), DI
	MOVQ src+40(FP), R10
	MOVQ ldw+56(FP), BX
	MOVQ dst+64(FP), AX
	MOVQ lanes+96(FP), R8
	SHLQ $2, R10
	SHLQ $2, BX
	SHLQ $2, step+72(FP)
	LEAQ (R10)(R10*2), R11
	LEAQ (R10)(R10*4), R12
	MOVQ at+88(FP), R14
	SHLQ $2, R14
	MOVQ 0(R8), CX
	MOVQ CX, in-32(SP)
	MOVQ 8(R8), CX
	MOVQ CX, out-40(SP)
	MOVQ 16(R8), CX
	SHLQ $6, CX
	LEAQ 64(R8)(CX*1), CX
	MOVQ CX, end-16(SP)
	TILES(6, LOAD6, MUL6, FETCH6, ALL6, tile6, block6, tap6, chan6, put6, fetched6, add6, next6, end6)
	TILES(3, LOAD3, MUL3, FETCH3, ALL3, tile3, block3, tap3, chan3, put3, fetched3, add3, next3, end3)
	TILES(1, LOAD1, MUL1, FETCH1, ALL1, tile1, block1, tap1, chan1, put1, fetched1, add1, next1, end1)
	VZEROUPPER
	RET
