//go:build amd64 && !purego

#include "textflag.h"

// OuterTile for AVX2 and FMA: a tile of C whose operands are both stored
// k-major (loop in gemm_amd64.go), 4 x 16 and 4 x 8.
//
//	     Y0         Y1             4 x 16, one step of k:
//	Y4  c0[0:8]   Y5  c0[8:16]      2 loads of B, 4 broadcast loads of A,
//	 ...           ...              8 FMAs: 4 cycles on two ports, 3 of
//	Y10 c3[0:8]   Y11 c3[8:16]      loads. Y2, Y3 take a[k][i] in turn.
//
// 4 x 8 has c0..c3 in Y4..Y7 (5 loads, 4 FMAs: latency binds; it serves the
// last 8 columns only). Four rows divide every channel count that is a
// multiple of 4.
//
// SI walks the segments, R8 a segment's A by R10 bytes a step, R9 its B by
// R11, CX counts k. R12 is what a later call reads, two lines every four steps.
//
// The caller guarantees 4 readable elements of A and NR of B at every step
// and the whole tile behind c; any alignment works. Nothing else is read or
// written.
//
// Why assembly: the compiler keeps no tile in registers (and Go has no
// float32 fused multiply-add).

// Row i: both halves of c[i] += a[k][i] * b[k].
#define ROW16(a, t, lo, hi) \
	VBROADCASTSS a, t;     \
	VFMADD231PS Y0, t, lo; \
	VFMADD231PS Y1, t, hi

#define ROW8(a, t, c) \
	VBROADCASTSS a, t; \
	VFMADD231PS Y0, t, c

#define STEP16 \
	VMOVUPS (R9), Y0;            \
	VMOVUPS 32(R9), Y1;          \
	ROW16(0(R8), Y2, Y4, Y5);    \
	ROW16(4(R8), Y3, Y6, Y7);    \
	ROW16(8(R8), Y2, Y8, Y9);    \
	ROW16(12(R8), Y3, Y10, Y11); \
	ADDQ R10, R8;                \
	ADDQ R11, R9

#define STEP8 \
	VMOVUPS (R9), Y0;      \
	ROW8(0(R8), Y2, Y4);   \
	ROW8(4(R8), Y3, Y5);   \
	ROW8(8(R8), Y2, Y6);   \
	ROW8(12(R8), Y3, Y7);  \
	ADDQ R10, R8;          \
	ADDQ R11, R9

#define ZERO2(a, b) \
	VXORPS a, a, a; \
	VXORPS b, b, b

#define ZERO8 \
	ZERO2(Y4, Y5); \
	ZERO2(Y6, Y7)

#define ZERO16 \
	ZERO8;         \
	ZERO2(Y8, Y9); \
	ZERO2(Y10, Y11)

// One row of the tile into C; AX walks the rows of C by BX bytes.
#define PUT16(lo, hi) \
	VMOVUPS lo, (AX);   \
	VMOVUPS hi, 32(AX); \
	ADDQ BX, AX

#define ADD16(lo, hi) \
	VADDPS (AX), lo, lo;   \
	VADDPS 32(AX), hi, hi; \
	PUT16(lo, hi)

// The other way: the chain goes on from what C holds.
#define GET16(lo, hi) \
	VMOVUPS (AX), lo;   \
	VMOVUPS 32(AX), hi; \
	ADDQ BX, AX

#define GET8(c0, c1) \
	VMOVUPS (AX), c0;       \
	VMOVUPS (AX)(BX*1), c1; \
	LEAQ (AX)(BX*2), AX

// Two rows of the narrow tile.
#define PUT8(c0, c1) \
	VMOVUPS c0, (AX);       \
	VMOVUPS c1, (AX)(BX*1); \
	LEAQ (AX)(BX*2), AX

#define ADD8(c0, c1) \
	VADDPS (AX), c0, c0;       \
	VADDPS (AX)(BX*1), c1, c1; \
	PUT8(c0, c1)

#define STORE8(PUT) \
	PUT(Y4, Y5); \
	PUT(Y6, Y7)

#define STORE16(PUT) \
	STORE8(PUT);  \
	PUT(Y8, Y9); \
	PUT(Y10, Y11)

// The loops over segments and k that both widths share.
#define OUTERTILE(STEP, ZERO, STORE, GET, PUT, ADD) \
	MOVQ segs+0(FP), DX;     \
	MOVQ seg+8(FP), SI;      \
	MOVQ lda+16(FP), R10;    \
	MOVQ ldb+24(FP), R11;    \
	MOVQ c+32(FP), AX;       \
	MOVQ ldc+40(FP), BX;     \
	SHLQ $2, R10;            \
	SHLQ $2, R11;            \
	SHLQ $2, BX;             \
	MOVQ ahead+56(FP), R12;  \
	MOVQ step+64(FP), R13;   \
	CMPB on+49(FP), $0;      \
	JNE  on;                 \
	ZERO;                    \
	JMP  begin;              \
on:                          \
	STORE(GET);              \
	MOVQ c+32(FP), AX;       \
begin:                       \
	TESTQ DX, DX;            \
	JZ   store;              \
seg:                         \
	MOVQ 0(SI), R8;          \
	MOVQ 8(SI), R9;          \
	MOVQ 16(SI), CX;         \
	ADDQ $24, SI;            \
	SUBQ $4, CX;             \
	JLT  rest;               \
	PCALIGN $64;             \
loop:                        \
	STEP;                    \
	PREFETCHT1 (R12);        \
	STEP;                    \
	STEP;                    \
	PREFETCHT1 64(R12);      \
	STEP;                    \
	ADDQ R13, R12;           \
	SUBQ $4, CX;             \
	JGE  loop;               \
rest:                        \
	ADDQ $4, CX;             \
	JZ   next;               \
one:                         \
	STEP;                    \
	DECQ CX;                 \
	JNZ  one;                \
next:                        \
	DECQ DX;                 \
	JNZ  seg;                \
store:                       \
	CMPB load+48(FP), $0;    \
	JNE  add;                \
	STORE(PUT);              \
	JMP  done;               \
add:                         \
	STORE(ADD);              \
done:                        \
	VZEROUPPER

// func GemmOuterAVX2x4x16(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)
TEXT ·GemmOuterAVX2x4x16(SB), NOSPLIT, $0-72
	OUTERTILE(STEP16, ZERO16, STORE16, GET16, PUT16, ADD16)
	RET

// func GemmOuterAVX2x4x8(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)
TEXT ·GemmOuterAVX2x4x8(SB), NOSPLIT, $0-72
	OUTERTILE(STEP8, ZERO8, STORE8, GET8, PUT8, ADD8)
	RET
