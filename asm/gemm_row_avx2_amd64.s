//go:build amd64 && !purego

#include "textflag.h"

// RowTile for AVX2 and FMA: tiles of C whose rows of A lie anywhere (loop in
// gemm_amd64.go), 6 x 16 and 6 x 8.
//
//	     Y0         Y1             6 x 16, one step of k:
//	Y4  c0[0:8]   Y5  c0[8:16]      2 loads of B, 6 broadcast loads of A,
//	Y6  c1[0:8]   Y7  c1[8:16]      12 FMAs: 6 cycles on two ports, 4 of
//	 ...           ...              loads. Y2, Y3 take a[i][k] in turn.
//	Y14 c5[0:8]   Y15 c5[8:16]
//
// 6 x 8 has c0..c5 in Y4..Y9 (7 loads, 6 FMAs: latency binds; it serves the
// last 8 columns only).
//
// R8-R13 point at the 6 rows of A, CX is k, DX walks B.
//
// The caller guarantees kc readable elements behind every row pointer,
// segs*kc*NR behind b and the whole tile behind c; any alignment works.
// Nothing else is read or written.
//
// Why assembly: the compiler keeps no tile in registers (and Go has no
// float32 fused multiply-add).

#define LOADROWS \
	MOVQ rows-8(SP), DX; \
	MOVQ 0(DX), R8;   \
	MOVQ 8(DX), R9;   \
	MOVQ 16(DX), R10; \
	MOVQ 24(DX), R11; \
	MOVQ 32(DX), R12; \
	MOVQ 40(DX), R13; \
	ADDQ $48, DX;     \
	MOVQ DX, rows-8(SP)

// Row i: both halves of c[i] += a[i][k] * b[k].
#define ROW16(a, t, lo, hi) \
	VBROADCASTSS a, t;     \
	VFMADD231PS Y0, t, lo; \
	VFMADD231PS Y1, t, hi

#define ROW8(a, t, c) \
	VBROADCASTSS a, t; \
	VFMADD231PS Y0, t, c

#define STEP16(ao, bo) \
	VMOVUPS (bo)(DX), Y0;                   \
	VMOVUPS (bo+32)(DX), Y1;                \
	ROW16((ao)(R8)(CX*4), Y2, Y4, Y5);    \
	ROW16((ao)(R9)(CX*4), Y3, Y6, Y7);    \
	ROW16((ao)(R10)(CX*4), Y2, Y8, Y9);   \
	ROW16((ao)(R11)(CX*4), Y3, Y10, Y11); \
	ROW16((ao)(R12)(CX*4), Y2, Y12, Y13); \
	ROW16((ao)(R13)(CX*4), Y3, Y14, Y15)

#define STEP8(ao, bo) \
	VMOVUPS (bo)(DX), Y0;            \
	ROW8((ao)(R8)(CX*4), Y2, Y4);  \
	ROW8((ao)(R9)(CX*4), Y3, Y5);  \
	ROW8((ao)(R10)(CX*4), Y2, Y6); \
	ROW8((ao)(R11)(CX*4), Y3, Y7); \
	ROW8((ao)(R12)(CX*4), Y2, Y8); \
	ROW8((ao)(R13)(CX*4), Y3, Y9)

#define ZERO2(a, b) \
	VXORPS a, a, a; \
	VXORPS b, b, b

#define ZERO8 \
	ZERO2(Y4, Y5); \
	ZERO2(Y6, Y7); \
	ZERO2(Y8, Y9)

#define ZERO16 \
	ZERO8;           \
	ZERO2(Y10, Y11); \
	ZERO2(Y12, Y13); \
	ZERO2(Y14, Y15)

// One row of the tile into C; AX walks the rows of C by BX bytes.
#define PUT16(lo, hi) \
	VMOVUPS lo, (AX);   \
	VMOVUPS hi, 32(AX); \
	ADDQ BX, AX

#define ADD16(lo, hi) \
	VADDPS (AX), lo, lo;   \
	VADDPS 32(AX), hi, hi; \
	PUT16(lo, hi)

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
	PUT(Y6, Y7); \
	PUT(Y8, Y9)

#define STORE16(PUT) \
	STORE8(PUT);   \
	PUT(Y10, Y11); \
	PUT(Y12, Y13); \
	PUT(Y14, Y15)

// The loops over tiles, segments and k that both widths share; nb is the
// bytes of one step of B.
#define ROWTILE(STEP, ZERO, STORE, PUT, ADD, nb) \
	MOVQ rows+24(FP), AX;    \
	MOVQ AX, rows-8(SP);     \
	MOVQ c+40(FP), AX;       \
	MOVQ AX, c-16(SP);       \
	MOVQ kc+16(FP), AX;      \
	SUBQ $3, AX;             \
	MOVQ AX, kc4-32(SP);     \
tile:                        \
	ZERO;                    \
	MOVQ segs+8(FP), AX;     \
	MOVQ AX, seg-24(SP);     \
	MOVQ b+32(FP), CX;       \
	TESTQ AX, AX;            \
	JZ   store;              \
seg:                         \
	LOADROWS;                \
	MOVQ CX, DX;             \
	XORQ CX, CX;             \
	CMPQ CX, kc4-32(SP);     \
	JGE  rest;               \
	PCALIGN $64;             \
loop:                        \
	STEP(0, 0);              \
	STEP(4, nb);             \
	STEP(8, 2*nb);           \
	STEP(12, 3*nb);          \
	ADDQ $4, CX;             \
	ADDQ $(4*nb), DX;        \
	CMPQ CX, kc4-32(SP);     \
	JLT  loop;               \
rest:                        \
	CMPQ CX, kc+16(FP);      \
	JGE  next;               \
	STEP(0, 0);              \
	INCQ CX;                 \
	ADDQ $nb, DX;            \
	JMP  rest;               \
next:                        \
	MOVQ DX, CX;             \
	DECQ seg-24(SP);         \
	JNZ  seg;                \
store:                       \
	MOVQ c-16(SP), AX;       \
	MOVQ ldc+48(FP), BX;     \
	SHLQ $2, BX;             \
	CMPB load+56(FP), $0;    \
	JNE  add;                \
	STORE(PUT);              \
	JMP  done;               \
add:                         \
	STORE(ADD);              \
done:                        \
	MOVQ AX, c-16(SP);       \
	DECQ tiles+0(FP);        \
	JG   tile;               \
	VZEROUPPER

// func GemmRowAVX2x6x16(tiles, segs, kc int, rows *unsafe.Pointer, b, c *float32, ldc int, load bool)
TEXT ·GemmRowAVX2x6x16(SB), NOSPLIT, $32-57
	ROWTILE(STEP16, ZERO16, STORE16, PUT16, ADD16, 64)
	RET

// func GemmRowAVX2x6x8(tiles, segs, kc int, rows *unsafe.Pointer, b, c *float32, ldc int, load bool)
TEXT ·GemmRowAVX2x6x8(SB), NOSPLIT, $32-57
	ROWTILE(STEP8, ZERO8, STORE8, PUT8, ADD8, 32)
	RET
