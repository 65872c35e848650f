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

#define STEP2x16(ao) \
	VMOVUPS (DX), Y0;                     \
	VMOVUPS 32(DX), Y1;                   \
	ADDQ R14, DX;                         \
	ROW16((ao)(R8)(CX*4), Y2, Y4, Y5);    \
	ROW16((ao)(R9)(CX*4), Y3, Y6, Y7)

#define STEP4x16(ao) \
	STEP2x16(ao);                         \
	ROW16((ao)(R10)(CX*4), Y2, Y8, Y9);   \
	ROW16((ao)(R11)(CX*4), Y3, Y10, Y11)

#define STEP16(ao) \
	STEP4x16(ao);                         \
	ROW16((ao)(R12)(CX*4), Y2, Y12, Y13); \
	ROW16((ao)(R13)(CX*4), Y3, Y14, Y15)

#define STEP8(ao) \
	VMOVUPS (DX), Y0;              \
	ADDQ R14, DX;                  \
	ROW8((ao)(R8)(CX*4), Y2, Y4);  \
	ROW8((ao)(R9)(CX*4), Y3, Y5);  \
	ROW8((ao)(R10)(CX*4), Y2, Y6); \
	ROW8((ao)(R11)(CX*4), Y3, Y7); \
	ROW8((ao)(R12)(CX*4), Y2, Y8); \
	ROW8((ao)(R13)(CX*4), Y3, Y9)

#define ZERO2(a, b) \
	VXORPS a, a, a; \
	VXORPS b, b, b

#define ZERO2x16 \
	ZERO2(Y4, Y5); \
	ZERO2(Y6, Y7)

#define ZERO8 \
	ZERO2x16; \
	ZERO2(Y8, Y9)

#define ZERO4x16 \
	ZERO8; \
	ZERO2(Y10, Y11)

#define ZERO16 \
	ZERO4x16;        \
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

#define STORE2x16(PUT) \
	PUT(Y4, Y5); \
	PUT(Y6, Y7)

#define STORE8(PUT) \
	STORE2x16(PUT); \
	PUT(Y8, Y9)

#define STORE4x16(PUT) \
	STORE8(PUT); \
	PUT(Y10, Y11)

#define STORE16(PUT) \
	STORE4x16(PUT); \
	PUT(Y12, Y13);  \
	PUT(Y14, Y15)

// The loops over tiles, segments and k that all widths share. Every four steps
// fetch two lines that are read later (SI).
#define ROWTILE(STEP, ZERO, STORE, PUT, ADD) \
	MOVQ rows+24(FP), AX;    \
	MOVQ AX, rows-8(SP);     \
	MOVQ c+48(FP), AX;       \
	MOVQ AX, c-16(SP);       \
	MOVQ kc+16(FP), R15;     \
	SUBQ $3, R15;            \
	MOVQ ldb+40(FP), R14;    \
	SHLQ $2, R14;            \
	MOVQ ahead+72(FP), SI;   \
	MOVQ step+80(FP), DI;    \
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
	CMPQ CX, R15;            \
	JGE  rest;               \
	PCALIGN $64;             \
loop:                        \
	STEP(0);                 \
	PREFETCHT1 (SI);         \
	STEP(4);                 \
	STEP(8);                 \
	PREFETCHT1 64(SI);       \
	STEP(12);                \
	ADDQ $4, CX;             \
	ADDQ DI, SI;             \
	CMPQ CX, R15;            \
	JLT  loop;               \
rest:                        \
	CMPQ CX, kc+16(FP);      \
	JGE  next;               \
	STEP(0);                 \
	INCQ CX;                 \
	JMP  rest;               \
next:                        \
	MOVQ DX, CX;             \
	DECQ seg-24(SP);         \
	JNZ  seg;                \
store:                       \
	MOVQ c-16(SP), AX;       \
	MOVQ ldc+56(FP), BX;     \
	SHLQ $2, BX;             \
	CMPB load+64(FP), $0;    \
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

// func GemmRowAVX2x6x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX2x6x16(SB), NOSPLIT, $24-88
	ROWTILE(STEP16, ZERO16, STORE16, PUT16, ADD16)
	RET

// func GemmRowAVX2x4x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX2x4x16(SB), NOSPLIT, $24-88
	ROWTILE(STEP4x16, ZERO4x16, STORE4x16, PUT16, ADD16)
	RET

// func GemmRowAVX2x2x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX2x2x16(SB), NOSPLIT, $24-88
	ROWTILE(STEP2x16, ZERO2x16, STORE2x16, PUT16, ADD16)
	RET

// func GemmRowAVX2x6x8(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX2x6x8(SB), NOSPLIT, $24-88
	ROWTILE(STEP8, ZERO8, STORE8, PUT8, ADD8)
	RET
