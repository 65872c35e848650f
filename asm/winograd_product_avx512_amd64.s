//go:build amd64 && !purego

#include "textflag.h"

// Twelve tiles in all frequencies at once for AVX-512: 36 products of 12 x k by
// k x 32 (or 16), operands and results at constant strides (loop in
// winograd_patch_amd64.go).
//
//	     Z0          Z1            12 x 32, one step of k:
//	Z8  m0[0:16]   Z9  m0[16:32]    2 loads of U, 12 broadcast loads of V,
//	 ...            ...             24 FMAs
//	Z30 m11[0:16]  Z31 m11[16:32]  Z2-Z7 take v[i][k] in turn
//
// 12 x 16 has m0..m11 in Z8..Z19 and broadcasts inside the FMA: 13 loads and 12
// FMAs a step. R8-R11 point at rows 0, 3, 6 and 9 of V, R12 bytes apart; DX
// walks U, whose k x 32 follow each other. What RowTile takes for a product of
// depth 16, twelve addresses to write and to read, 36 calls for 48 tiles, took
// two fifths of the time here.
//
// Every four steps two lines at R13 are fetched for reading, to the second cache,
// and two at BX for writing: the products of narrow layers leave memory idle, and
// what surrounds them waits for it. Counters and m live in the arguments' memory.
//
// The caller guarantees k > 0, a multiple of 4.
//
// Why assembly: as RowTile.

#define ROW32(a, t, lo, hi) \
	VBROADCASTSS a, t;      \
	VFMADD231PS Z0, t, lo;  \
	VFMADD231PS Z1, t, hi

#define STEP32(ao, bo) \
	VMOVUPS (bo)(DX), Z0;                  \
	VMOVUPS (bo+64)(DX), Z1;               \
	ROW32((ao)(R8), Z2, Z8, Z9);           \
	ROW32((ao)(R8)(R12*1), Z3, Z10, Z11);  \
	ROW32((ao)(R8)(R12*2), Z4, Z12, Z13);  \
	ROW32((ao)(R9), Z5, Z14, Z15);         \
	ROW32((ao)(R9)(R12*1), Z6, Z16, Z17);  \
	ROW32((ao)(R9)(R12*2), Z7, Z18, Z19);  \
	ROW32((ao)(R10), Z2, Z20, Z21);        \
	ROW32((ao)(R10)(R12*1), Z3, Z22, Z23); \
	ROW32((ao)(R10)(R12*2), Z4, Z24, Z25); \
	ROW32((ao)(R11), Z5, Z26, Z27);        \
	ROW32((ao)(R11)(R12*1), Z6, Z28, Z29); \
	ROW32((ao)(R11)(R12*2), Z7, Z30, Z31)

// PREFETCHW, which the assembler does not know.
#define PREFETCHW_BX \
	WORD $0x0d0f; BYTE $0x0b // prefetchw [rbx]

#define PREFETCHW_BX64 \
	WORD $0x0d0f; WORD $0x404b // prefetchw [rbx+64]

#define AHEAD \
	PREFETCHT1 (R13);          \
	PREFETCHT1 64(R13);        \
	ADDQ readStep+88(FP), R13; \
	PREFETCHW_BX;              \
	PREFETCHW_BX64;            \
	ADDQ writeStep+104(FP), BX

#define FOUR32 \
	STEP32(0, 0);   \
	STEP32(4, 128); \
	STEP32(8, 256); \
	STEP32(12, 384); \
	ADDQ $512, DX;   \
	AHEAD

#define STEP16(ao, bo) \
	VMOVUPS (bo)(DX), Z0;                             \
	VFMADD231PS.BCST (ao)(R8), Z0, Z8;                \
	VFMADD231PS.BCST (ao)(R8)(R12*1), Z0, Z9;         \
	VFMADD231PS.BCST (ao)(R8)(R12*2), Z0, Z10;        \
	VFMADD231PS.BCST (ao)(R9), Z0, Z11;               \
	VFMADD231PS.BCST (ao)(R9)(R12*1), Z0, Z12;        \
	VFMADD231PS.BCST (ao)(R9)(R12*2), Z0, Z13;        \
	VFMADD231PS.BCST (ao)(R10), Z0, Z14;              \
	VFMADD231PS.BCST (ao)(R10)(R12*1), Z0, Z15;       \
	VFMADD231PS.BCST (ao)(R10)(R12*2), Z0, Z16;       \
	VFMADD231PS.BCST (ao)(R11), Z0, Z17;              \
	VFMADD231PS.BCST (ao)(R11)(R12*1), Z0, Z18;       \
	VFMADD231PS.BCST (ao)(R11)(R12*2), Z0, Z19

#define FOUR16 \
	STEP16(0, 0);   \
	STEP16(4, 64);  \
	STEP16(8, 128); \
	STEP16(12, 192); \
	ADDQ $256, DX;   \
	AHEAD

#define ZERO4(a, b, c, d) \
	VPXORD a, a, a; \
	VPXORD b, b, b; \
	VPXORD c, c, c; \
	VPXORD d, d, d

#define ZERO16 \
	ZERO4(Z8, Z9, Z10, Z11);   \
	ZERO4(Z12, Z13, Z14, Z15); \
	ZERO4(Z16, Z17, Z18, Z19)

#define ZERO32 \
	ZERO16;                    \
	ZERO4(Z20, Z21, Z22, Z23); \
	ZERO4(Z24, Z25, Z26, Z27); \
	ZERO4(Z28, Z29, Z30, Z31)

#define PUT(lo, hi) \
	VMOVUPS lo, (AX);   \
	VMOVUPS hi, 64(AX); \
	ADDQ R14, AX

#define STORE32 \
	PUT(Z8, Z9);   \
	PUT(Z10, Z11); \
	PUT(Z12, Z13); \
	PUT(Z14, Z15); \
	PUT(Z16, Z17); \
	PUT(Z18, Z19); \
	PUT(Z20, Z21); \
	PUT(Z22, Z23); \
	PUT(Z24, Z25); \
	PUT(Z26, Z27); \
	PUT(Z28, Z29); \
	PUT(Z30, Z31)

#define PUT2(c0, c1) \
	VMOVUPS c0, (AX);       \
	VMOVUPS c1, (AX)(R14*1); \
	LEAQ (AX)(R14*2), AX

#define STORE16 \
	PUT2(Z8, Z9);   \
	PUT2(Z10, Z11); \
	PUT2(Z12, Z13); \
	PUT2(Z14, Z15); \
	PUT2(Z16, Z17); \
	PUT2(Z18, Z19)

#define PRODUCT(ZERO, FOUR, STORE) \
	MOVQ v+16(FP), SI;     \
	MOVQ ldv+24(FP), R12;  \
	MOVQ freqV+32(FP), R15; \
	MOVQ u+40(FP), DI;     \
	MOVQ read+80(FP), R13;  \
	MOVQ write+96(FP), BX;  \
	MOVQ ldm+64(FP), R14;  \
	SHLQ $2, R12;          \
	SHLQ $2, R15;          \
	SHLQ $2, R14;          \
freq:                      \
	MOVQ SI, R8;           \
	LEAQ (R12)(R12*2), CX; \
	LEAQ (R8)(CX*1), R9;   \
	LEAQ (R8)(CX*2), R10;  \
	LEAQ (R9)(CX*2), R11;  \
	MOVQ DI, DX;           \
	MOVQ k+8(FP), CX;      \
	ZERO;                  \
step:                      \
	FOUR;                  \
	ADDQ $16, R8;          \
	ADDQ $16, R9;          \
	ADDQ $16, R10;         \
	ADDQ $16, R11;         \
	SUBQ $4, CX;           \
	JG   step;             \
	MOVQ m+56(FP), AX;     \
	STORE;                 \
	ADDQ R15, SI;          \
	MOVQ freqU+48(FP), CX; \
	LEAQ (DI)(CX*4), DI;   \
	MOVQ freqM+72(FP), CX; \
	SHLQ $2, CX;           \
	ADDQ CX, m+56(FP);     \
	DECQ freqs+0(FP);      \
	JG   freq;             \
	VZEROUPPER

// func WinogradProductAVX512x12x32(freqs, k int, v *float32, ldv, freqV int, u *float32, freqU int, m *float32, ldm, freqM int, read uintptr, readStep int, write uintptr, writeStep int)
TEXT ·WinogradProductAVX512x12x32(SB), NOSPLIT, $0-112
	PRODUCT(ZERO32, FOUR32, STORE32)
	RET

// func WinogradProductAVX512x12x16(freqs, k int, v *float32, ldv, freqV int, u *float32, freqU int, m *float32, ldm, freqM int, read uintptr, readStep int, write uintptr, writeStep int)
TEXT ·WinogradProductAVX512x12x16(SB), NOSPLIT, $0-112
	PRODUCT(ZERO16, FOUR16, STORE16)
	RET
