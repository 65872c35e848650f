//go:build amd64 && !purego

#include "textflag.h"

// OuterTile for AVX-512: a tile of C whose operands are both stored k-major
// (loop in gemm_amd64.go), 8 x 32 and 8 x 16.
//
//	     Z0          Z1            8 x 32, one step of k:
//	Z8  c0[0:16]   Z9  c0[16:32]    2 loads of B, 8 broadcast loads of A,
//	 ...            ...             16 FMAs: 8 cycles on two FMA ports
//	Z22 c7[0:16]   Z23 c7[16:32]   (5 of loads), 16 on one. Z2-Z7 take
//	                               a[k][i] in turn.
//
// 8 x 16 has c0..c7 in Z8..Z15 and broadcasts inside the FMA: 9 loads and 8
// FMAs a step. A is fetched 8 steps ahead: its rows are whole pages apart in a
// weight gradient, where the cores' prefetchers lose the track (69 to 75 % of
// the peak on BenchmarkGemm/shape=wgrad).
//
// SI walks the segments, R8 a segment's A by R10 bytes a step, R9 its B by
// R11, CX counts k. R12 is what a later call reads, two lines every four steps.
//
// The caller guarantees 8 readable elements of A and NR of B at every step
// and the whole tile behind c; any alignment works. Nothing else is read or
// written.
//
// Why assembly: the compiler keeps no tile in registers (and Go has no
// float32 fused multiply-add).

// Row i: both halves of c[i] += a[k][i] * b[k].
#define ROW(a, t, lo, hi) \
	VBROADCASTSS a, t;     \
	VFMADD231PS Z0, t, lo; \
	VFMADD231PS Z1, t, hi

#define STEP32 \
	PREFETCHT0 (R8)(R10*8);    \
	VMOVUPS (R9), Z0;         \
	VMOVUPS 64(R9), Z1;       \
	ROW(0(R8), Z2, Z8, Z9);   \
	ROW(4(R8), Z3, Z10, Z11);  \
	ROW(8(R8), Z4, Z12, Z13);  \
	ROW(12(R8), Z5, Z14, Z15); \
	ROW(16(R8), Z6, Z16, Z17); \
	ROW(20(R8), Z7, Z18, Z19); \
	ROW(24(R8), Z2, Z20, Z21); \
	ROW(28(R8), Z3, Z22, Z23); \
	ADDQ R10, R8;             \
	ADDQ R11, R9

#define STEP16 \
	VMOVUPS (R9), Z0;                 \
	VFMADD231PS.BCST 0(R8), Z0, Z8;   \
	VFMADD231PS.BCST 4(R8), Z0, Z9;   \
	VFMADD231PS.BCST 8(R8), Z0, Z10;  \
	VFMADD231PS.BCST 12(R8), Z0, Z11; \
	VFMADD231PS.BCST 16(R8), Z0, Z12; \
	VFMADD231PS.BCST 20(R8), Z0, Z13; \
	VFMADD231PS.BCST 24(R8), Z0, Z14; \
	VFMADD231PS.BCST 28(R8), Z0, Z15; \
	ADDQ R10, R8;                     \
	ADDQ R11, R9

#define ZERO2(a, b) \
	VPXORD a, a, a; \
	VPXORD b, b, b

#define ZERO16 \
	ZERO2(Z8, Z9);   \
	ZERO2(Z10, Z11); \
	ZERO2(Z12, Z13); \
	ZERO2(Z14, Z15)

#define ZERO32 \
	ZERO16;          \
	ZERO2(Z16, Z17); \
	ZERO2(Z18, Z19); \
	ZERO2(Z20, Z21); \
	ZERO2(Z22, Z23)

// One row of the tile into C; AX walks the rows of C by BX bytes.
#define PUT32(lo, hi) \
	VMOVUPS lo, (AX);   \
	VMOVUPS hi, 64(AX); \
	ADDQ BX, AX

#define ADD32(lo, hi) \
	VADDPS (AX), lo, lo;   \
	VADDPS 64(AX), hi, hi; \
	PUT32(lo, hi)

// The other way: the chain goes on from what C holds.
#define GET32(lo, hi) \
	VMOVUPS (AX), lo;   \
	VMOVUPS 64(AX), hi; \
	ADDQ BX, AX

#define GET16(c0, c1) \
	VMOVUPS (AX), c0;       \
	VMOVUPS (AX)(BX*1), c1; \
	LEAQ (AX)(BX*2), AX

// Two rows of the narrow tile.
#define PUT16(c0, c1) \
	VMOVUPS c0, (AX);       \
	VMOVUPS c1, (AX)(BX*1); \
	LEAQ (AX)(BX*2), AX

#define ADD16(c0, c1) \
	VADDPS (AX), c0, c0;       \
	VADDPS (AX)(BX*1), c1, c1; \
	PUT16(c0, c1)

#define STORE16(PUT) \
	PUT(Z8, Z9);   \
	PUT(Z10, Z11); \
	PUT(Z12, Z13); \
	PUT(Z14, Z15)

#define STORE32(PUT) \
	STORE16(PUT);  \
	PUT(Z16, Z17); \
	PUT(Z18, Z19); \
	PUT(Z20, Z21); \
	PUT(Z22, Z23)

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

// func GemmOuterAVX512x8x32(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)
TEXT ·GemmOuterAVX512x8x32(SB), NOSPLIT, $0-72
	OUTERTILE(STEP32, ZERO32, STORE32, GET32, PUT32, ADD32)
	RET

// func GemmOuterAVX512x8x16(segs int, seg *Seg, lda, ldb int, c *float32, ldc int, load, on bool, ahead uintptr, step int)
TEXT ·GemmOuterAVX512x8x16(SB), NOSPLIT, $0-72
	OUTERTILE(STEP16, ZERO16, STORE16, GET16, PUT16, ADD16)
	RET
