//go:build amd64 && !purego

#include "textflag.h"

// Convolution with few channels a group for AVX-512 (loops in grouped_amd64.go):
// lanes are up to 16 channels of whole groups, K1 and K2 mask those of the
// destination and of the source.
//
// Forward eight pixels of a run, then four, two and one share the weights:
//
//	Z0 w[t][i]   Z1 Index[i]        Z2-Z7 permuted pixels in turn
//	Z8-Z15 sums of pixels 0-7       Z16-Z23 the pixels at a tap
//
// A tap is 8 loads, and a channel of it 2 loads, 8 permutations and 8 FMAs. Zen 4
// has three ports for these two, each of which takes half a vector a cycle: 75 %
// of its peak.
//
//	DI pixels left   SI end of the list, CX taps left (negative)   DX channels left
//	R8 a tap, Index  R10-R13 1, 3, 5 and 7 pixels of src, in bytes
//	R14 offset from a tap's address   R9, R15 weights, by BX a row   AX dst
//
// The caller guarantees what the loops read and write; masked elements are neither.
//
// Why assembly: Go has no fused multiply-adds, permutations and masks.

// K for the first min(n, DX or R8) lanes.
#define MASK(n, left, K) \
	MOVQ n, CX;          \
	CMPQ left, CX;       \
	CMOVQLT left, CX;    \
	MOVL $-1, R8;        \
	BZHIL CX, R8, R8;    \
	KMOVW R8, K

#define MASKS                 \
	MASK(out-40(SP), DX, K1); \
	MOVQ left-8(SP), R8;      \
	MASK(in-32(SP), R8, K2)

#define ZERO(z) VPXORD z, z, z

// The pixels of a tap.
#define LOAD1 VMOVUPS.Z (R8), K2, Z16

#define LOAD2 \
	LOAD1;    \
	VMOVUPS.Z (R8)(R10*1), K2, Z17

#define LOAD4                       \
	LOAD2;                          \
	VMOVUPS.Z (R8)(R10*2), K2, Z18; \
	VMOVUPS.Z (R8)(R11*1), K2, Z19

#define LOAD8                       \
	LOAD4;                          \
	VMOVUPS.Z (R8)(R10*4), K2, Z20; \
	VMOVUPS.Z (R8)(R12*1), K2, Z21; \
	VMOVUPS.Z (R8)(R11*2), K2, Z22; \
	VMOVUPS.Z (R8)(R13*1), K2, Z23

// Channel i of them by its weights; temporaries take turns.
#define MUL1             \
	VPERMPS Z16, Z1, Z2; \
	VFMADD231PS Z0, Z2, Z8

#define MUL2             \
	MUL1;                \
	VPERMPS Z17, Z1, Z3; \
	VFMADD231PS Z0, Z3, Z9

#define MUL4                 \
	MUL2;                    \
	VPERMPS Z18, Z1, Z4;     \
	VFMADD231PS Z0, Z4, Z10; \
	VPERMPS Z19, Z1, Z5;     \
	VFMADD231PS Z0, Z5, Z11

#define MUL8                 \
	MUL4;                    \
	VPERMPS Z20, Z1, Z6;     \
	VFMADD231PS Z0, Z6, Z12; \
	VPERMPS Z21, Z1, Z7;     \
	VFMADD231PS Z0, Z7, Z13; \
	VPERMPS Z22, Z1, Z2;     \
	VFMADD231PS Z0, Z2, Z14; \
	VPERMPS Z23, Z1, Z3;     \
	VFMADD231PS Z0, Z3, Z15

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

// The sums.
#define ALL1(F) F(Z8)

#define ALL2(F) \
	ALL1(F);    \
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

// Tiles of n pixels as long as there are any. The labels come from outside, for
// a function has several of these.
#define TILES(n, LOAD, MUL, FETCH, ALL, tile, block, tap, chan, put, fetched, add, past, next, end) \
tile:                       \
	SUBQ $n, DI;            \
	JLT  end;               \
	MOVQ cin+8(FP), R8;     \
	MOVQ R8, left-8(SP);    \
	MOVQ cout+16(FP), DX;   \
	MOVQ w+48(FP), R15;     \
	MOVQ R14, first-48(SP); \
block:                      \
	MASKS;                  \
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
	VMOVUPS (R8), Z1;       \
	VMOVUPS.Z (R9), K1, Z0; \
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
	JGT  past;              \
	ALL(PUT);               \
	JMP  next;              \
add:                        \
	ALL(ADD);               \
	JMP  next;              \
past:                       \
	ALL(PAST);              \
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

// func GroupedAVX512(pixels, cin, cout, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int, lanes *GroupLanes)
TEXT ·GroupedAVX512(SB), NOSPLIT, $48-104
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
	LEAQ (R11)(R10*4), R13
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
	TILES(8, LOAD8, MUL8, FETCH8, ALL8, tile8, block8, tap8, chan8, put8, fetched8, add8, past8, next8, end8)
	TILES(4, LOAD4, MUL4, FETCH4, ALL4, tile4, block4, tap4, chan4, put4, fetched4, add4, past4, next4, end4)
	TILES(2, LOAD2, MUL2, FETCH2, ALL2, tile2, block2, tap2, chan2, put2, fetched2, add2, past2, next2, end2)
	TILES(1, LOAD1, MUL1, FETCH1, ALL1, tile1, block1, tap1, chan1, put1, fetched1, add1, past1, next1, end1)
	CMPQ mode+80(FP), $2
	JNE  done
	SFENCE

done:
	VZEROUPPER
	RET
