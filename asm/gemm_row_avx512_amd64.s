//go:build amd64 && !purego

#include "textflag.h"

// RowTile for AVX-512: tiles of C whose rows of A lie anywhere (loop in
// gemm_amd64.go), 12 x 32 and 12 x 16; 8 x 32 and 4 x 32 for the last rows, and
// 12 x 32 that stores past the caches.
//
//	     Z0          Z1            12 x 32, one step of k:
//	Z8  c0[0:16]   Z9  c0[16:32]    2 loads of B, 12 broadcast loads of A,
//	Z10 c1[0:16]   Z11 c1[16:32]    24 FMAs: 12 cycles on two FMA ports
//	 ...            ...             (7 of loads), 24 on one.
//	Z30 c11[0:16]  Z31 c11[16:32]  Z2-Z7 take a[i][k] in turn.
//
// 8 x 32 and 4 x 32 are its first rows: c0..c7 in Z8..Z23, c0..c3 in Z8..Z15.
//
// 12 x 16 has c0..c11 in Z8..Z19 and broadcasts inside the FMA: 13 loads and
// 12 FMAs a step.
//
// R8-R15, AX, BX, SI, DI point at the 12 rows of A, CX is k, DX walks B.
// 24 (12) independent chains cover 4 cycles of latency on two ports.
//
// The caller guarantees kc readable elements behind every row pointer,
// segs*kc*NR behind b and the whole tile behind c; any alignment works, 64
// bytes for b is fast. Nothing else is read or written.
//
// Why assembly: the compiler keeps no tile in registers (and Go has no
// float32 fused multiply-add).

#define LOADROWS \
	MOVQ rows-8(SP), DX;  \
	MOVQ 0(DX), R8;   \
	MOVQ 8(DX), R9;   \
	MOVQ 16(DX), R10; \
	MOVQ 24(DX), R11; \
	MOVQ 32(DX), R12; \
	MOVQ 40(DX), R13; \
	MOVQ 48(DX), R14; \
	MOVQ 56(DX), R15; \
	MOVQ 64(DX), AX;  \
	MOVQ 72(DX), BX;  \
	MOVQ 80(DX), SI;  \
	MOVQ 88(DX), DI;  \
	ADDQ $96, DX;     \
	MOVQ DX, rows-8(SP)

// Row i: both halves of c[i] += a[i][k] * b[k].
#define ROW(a, t, lo, hi) \
	VBROADCASTSS a, t;      \
	VFMADD231PS Z0, t, lo;  \
	VFMADD231PS Z1, t, hi

#define STEP4x32(ao) \
	VMOVUPS (DX), Z0;                   \
	VMOVUPS 64(DX), Z1;                 \
	ADDQ ldb4-40(SP), DX;               \
	ROW((ao)(R8)(CX*4), Z2, Z8, Z9);    \
	ROW((ao)(R9)(CX*4), Z3, Z10, Z11);  \
	ROW((ao)(R10)(CX*4), Z4, Z12, Z13); \
	ROW((ao)(R11)(CX*4), Z5, Z14, Z15)

#define STEP8x32(ao) \
	STEP4x32(ao);                       \
	ROW((ao)(R12)(CX*4), Z6, Z16, Z17); \
	ROW((ao)(R13)(CX*4), Z7, Z18, Z19); \
	ROW((ao)(R14)(CX*4), Z2, Z20, Z21); \
	ROW((ao)(R15)(CX*4), Z3, Z22, Z23)

#define STEP32(ao) \
	STEP8x32(ao);                       \
	ROW((ao)(AX)(CX*4), Z4, Z24, Z25);  \
	ROW((ao)(BX)(CX*4), Z5, Z26, Z27);  \
	ROW((ao)(SI)(CX*4), Z6, Z28, Z29);  \
	ROW((ao)(DI)(CX*4), Z7, Z30, Z31)

#define STEP16(ao) \
	VMOVUPS (DX), Z0;                          \
	ADDQ ldb4-40(SP), DX;                      \
	VFMADD231PS.BCST (ao)(R8)(CX*4), Z0, Z8;   \
	VFMADD231PS.BCST (ao)(R9)(CX*4), Z0, Z9;   \
	VFMADD231PS.BCST (ao)(R10)(CX*4), Z0, Z10; \
	VFMADD231PS.BCST (ao)(R11)(CX*4), Z0, Z11; \
	VFMADD231PS.BCST (ao)(R12)(CX*4), Z0, Z12; \
	VFMADD231PS.BCST (ao)(R13)(CX*4), Z0, Z13; \
	VFMADD231PS.BCST (ao)(R14)(CX*4), Z0, Z14; \
	VFMADD231PS.BCST (ao)(R15)(CX*4), Z0, Z15; \
	VFMADD231PS.BCST (ao)(AX)(CX*4), Z0, Z16;  \
	VFMADD231PS.BCST (ao)(BX)(CX*4), Z0, Z17;  \
	VFMADD231PS.BCST (ao)(SI)(CX*4), Z0, Z18;  \
	VFMADD231PS.BCST (ao)(DI)(CX*4), Z0, Z19

#define ZERO2(a, b) \
	VPXORD a, a, a; \
	VPXORD b, b, b

#define ZERO4x32 \
	ZERO2(Z8, Z9);   \
	ZERO2(Z10, Z11); \
	ZERO2(Z12, Z13); \
	ZERO2(Z14, Z15)

#define ZERO16 \
	ZERO4x32;        \
	ZERO2(Z16, Z17); \
	ZERO2(Z18, Z19)

#define ZERO8x32 \
	ZERO16;          \
	ZERO2(Z20, Z21); \
	ZERO2(Z22, Z23)

#define ZERO32 \
	ZERO8x32;        \
	ZERO2(Z24, Z25); \
	ZERO2(Z26, Z27); \
	ZERO2(Z28, Z29); \
	ZERO2(Z30, Z31)

// One row of the tile into C; AX walks the rows of C by BX bytes.
#define PUT32(lo, hi) \
	VMOVUPS lo, (AX);   \
	VMOVUPS hi, 64(AX); \
	ADDQ BX, AX

#define ADD32(lo, hi) \
	VADDPS (AX), lo, lo;   \
	VADDPS 64(AX), hi, hi; \
	PUT32(lo, hi)

// The same where the line shall not come into the caches first: half the
// traffic of a C that they cannot hold anyway.
#define PAST32(lo, hi) \
	VMOVNTPS lo, (AX);   \
	VMOVNTPS hi, 64(AX); \
	ADDQ BX, AX

// Two rows of the narrow tile.
#define PUT16(c0, c1) \
	VMOVUPS c0, (AX);       \
	VMOVUPS c1, (AX)(BX*1); \
	LEAQ (AX)(BX*2), AX

#define ADD16(c0, c1) \
	VADDPS (AX), c0, c0;       \
	VADDPS (AX)(BX*1), c1, c1; \
	PUT16(c0, c1)

#define STORE4x32(PUT) \
	PUT(Z8, Z9);   \
	PUT(Z10, Z11); \
	PUT(Z12, Z13); \
	PUT(Z14, Z15)

#define STORE16(PUT) \
	STORE4x32(PUT); \
	PUT(Z16, Z17);  \
	PUT(Z18, Z19)

#define STORE8x32(PUT) \
	STORE16(PUT);  \
	PUT(Z20, Z21); \
	PUT(Z22, Z23)

#define STORE32(PUT) \
	STORE8x32(PUT); \
	PUT(Z24, Z25); \
	PUT(Z26, Z27); \
	PUT(Z28, Z29); \
	PUT(Z30, Z31)

// The lines of C are called SOON steps before they are written, late enough to
// be still there.
#define SOON 32

#define FETCH2 \
	PREFETCHT0 (AX);         \
	PREFETCHT0 64(AX);       \
	PREFETCHT0 (AX)(BX*1);   \
	PREFETCHT0 64(AX)(BX*1); \
	LEAQ (AX)(BX*2), AX

#define FETCH4 \
	FETCH2; \
	FETCH2

#define FETCH12 \
	FETCH4; \
	FETCH4; \
	FETCH4

#define NONE

// The loops over tiles, segments and k that all widths share. Every four steps
// fetch two lines that are read later (BP).
#define ROWTILE(STEP, ZERO, FETCH, STORE, PUT, ADD) \
	MOVQ rows+24(FP), AX;    \
	MOVQ AX, rows-8(SP);     \
	MOVQ c+48(FP), AX;       \
	MOVQ AX, c-16(SP);       \
	MOVQ kc+16(FP), AX;      \
	SUBQ $3, AX;             \
	MOVQ AX, kc4-32(SP);     \
	MOVQ ldb+40(FP), AX;     \
	SHLQ $2, AX;             \
	MOVQ AX, ldb4-40(SP);    \
	MOVQ ahead+72(FP), BP;   \
tile:                        \
	ZERO;                    \
	MOVQ segs+8(FP), AX;     \
	MOVQ AX, seg-24(SP);     \
	MOVQ b+32(FP), CX;       \
	TESTQ AX, AX;            \
	JZ   store;              \
seg:                         \
	MOVQ kc4-32(SP), AX;     \
	CMPQ seg-24(SP), $1;     \
	JNE  far;                \
	SUBQ $SOON, AX;          \
far:                         \
	MOVQ AX, until-48(SP);   \
	LOADROWS;                \
	MOVQ CX, DX;             \
	XORQ CX, CX;             \
	CMPQ CX, until-48(SP);   \
	JGE  soon;               \
	PCALIGN $64;             \
loop:                        \
	STEP(0);                 \
	PREFETCHT1 (BP);         \
	STEP(4);                 \
	STEP(8);                 \
	PREFETCHT1 64(BP);       \
	STEP(12);                \
	ADDQ $4, CX;             \
	ADDQ step+80(FP), BP;    \
	CMPQ CX, until-48(SP);   \
	JLT  loop;               \
	CMPQ CX, kc4-32(SP);     \
	JGE  rest;               \
soon:                        \
	MOVQ c-16(SP), AX;       \
	MOVQ ldc+56(FP), BX;     \
	SHLQ $2, BX;             \
	FETCH;                   \
	MOVQ kc4-32(SP), BX;     \
	MOVQ BX, until-48(SP);   \
	MOVQ rows-8(SP), BX;     \
	MOVQ -32(BX), AX;        \
	MOVQ -24(BX), BX;        \
	CMPQ CX, until-48(SP);   \
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

// func GemmRowAVX512x12x32(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX512x12x32(SB), NOSPLIT, $48-88
	ROWTILE(STEP32, ZERO32, FETCH12, STORE32, PUT32, ADD32)
	RET

// func GemmRowAVX512x12x32Past(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX512x12x32Past(SB), NOSPLIT, $48-88
	ROWTILE(STEP32, ZERO32, NONE, STORE32, PAST32, ADD32)
	SFENCE
	RET

// func GemmRowAVX512x8x32(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX512x8x32(SB), NOSPLIT, $48-88
	ROWTILE(STEP8x32, ZERO8x32, NONE, STORE8x32, PUT32, ADD32)
	RET

// func GemmRowAVX512x4x32(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX512x4x32(SB), NOSPLIT, $48-88
	ROWTILE(STEP4x32, ZERO4x32, NONE, STORE4x32, PUT32, ADD32)
	RET

// func GemmRowAVX512x12x16(tiles, segs, kc int, rows *unsafe.Pointer, b *float32, ldb int, c *float32, ldc int, load bool, ahead uintptr, step int)
TEXT ·GemmRowAVX512x12x16(SB), NOSPLIT, $48-88
	ROWTILE(STEP16, ZERO16, FETCH12, STORE16, PUT16, ADD16)
	RET
