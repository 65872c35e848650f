//go:build amd64 && !purego

#include "textflag.h"

// Weight gradients of stems for AVX-512: lanes are 16 output channels, the taps
// of few input channels are registers (loop in conv_stem_amd64.go).
//
//	Z31 dy[pixel][0:16]      a pixel: 1 load, T FMAs that broadcast x
//	Z0  tap (0,0)  Z1 ...    9 chains cover 4 cycles of latency on two ports,
//	Z26 tap (2,8)            27 and 21 any
//
// Every lane of every FMA counts: an outer tile of 32 columns has room for 27 or
// 9 taps, and its patches must be copied first.
//
// SI walks dy by R8 bytes, R9, R10, R11 the three lines of x by R12. The caller
// guarantees n > 0, whole taps behind every pixel, 16 floats of dy.
//
// Why assembly: as OuterTile.

#define LOAD9 \
	VMOVUPS 0(DI), Z0; \
	VMOVUPS 64(DI), Z1; \
	VMOVUPS 128(DI), Z2; \
	VMOVUPS 192(DI), Z3; \
	VMOVUPS 256(DI), Z4; \
	VMOVUPS 320(DI), Z5; \
	VMOVUPS 384(DI), Z6; \
	VMOVUPS 448(DI), Z7; \
	VMOVUPS 512(DI), Z8

#define STORE9 \
	VMOVUPS Z0, 0(DI); \
	VMOVUPS Z1, 64(DI); \
	VMOVUPS Z2, 128(DI); \
	VMOVUPS Z3, 192(DI); \
	VMOVUPS Z4, 256(DI); \
	VMOVUPS Z5, 320(DI); \
	VMOVUPS Z6, 384(DI); \
	VMOVUPS Z7, 448(DI); \
	VMOVUPS Z8, 512(DI)

#define LOAD21 \
	LOAD9; \
	VMOVUPS 576(DI), Z9; \
	VMOVUPS 640(DI), Z10; \
	VMOVUPS 704(DI), Z11; \
	VMOVUPS 768(DI), Z12; \
	VMOVUPS 832(DI), Z13; \
	VMOVUPS 896(DI), Z14; \
	VMOVUPS 960(DI), Z15; \
	VMOVUPS 1024(DI), Z16; \
	VMOVUPS 1088(DI), Z17; \
	VMOVUPS 1152(DI), Z18; \
	VMOVUPS 1216(DI), Z19; \
	VMOVUPS 1280(DI), Z20

#define STORE21 \
	STORE9; \
	VMOVUPS Z9, 576(DI); \
	VMOVUPS Z10, 640(DI); \
	VMOVUPS Z11, 704(DI); \
	VMOVUPS Z12, 768(DI); \
	VMOVUPS Z13, 832(DI); \
	VMOVUPS Z14, 896(DI); \
	VMOVUPS Z15, 960(DI); \
	VMOVUPS Z16, 1024(DI); \
	VMOVUPS Z17, 1088(DI); \
	VMOVUPS Z18, 1152(DI); \
	VMOVUPS Z19, 1216(DI); \
	VMOVUPS Z20, 1280(DI)

#define LOAD27 \
	LOAD21; \
	VMOVUPS 1344(DI), Z21; \
	VMOVUPS 1408(DI), Z22; \
	VMOVUPS 1472(DI), Z23; \
	VMOVUPS 1536(DI), Z24; \
	VMOVUPS 1600(DI), Z25; \
	VMOVUPS 1664(DI), Z26

#define STORE27 \
	STORE21; \
	VMOVUPS Z21, 1344(DI); \
	VMOVUPS Z22, 1408(DI); \
	VMOVUPS Z23, 1472(DI); \
	VMOVUPS Z24, 1536(DI); \
	VMOVUPS Z25, 1600(DI); \
	VMOVUPS Z26, 1664(DI)

#define ROW3(p, base0, base1, base2) \
	VFMADD231PS.BCST (p), Z31, base0; \
	VFMADD231PS.BCST 4(p), Z31, base1; \
	VFMADD231PS.BCST 8(p), Z31, base2

#define ROW9(p, a, b, c, d, e, f, g, h, i) \
	ROW3(p, a, b, c); \
	VFMADD231PS.BCST 12(p), Z31, d; \
	VFMADD231PS.BCST 16(p), Z31, e; \
	VFMADD231PS.BCST 20(p), Z31, f; \
	VFMADD231PS.BCST 24(p), Z31, g; \
	VFMADD231PS.BCST 28(p), Z31, h; \
	VFMADD231PS.BCST 32(p), Z31, i

// func StemGradAVX512x3x3(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)
TEXT ·StemGradAVX512x3x3(SB), NOSPLIT, $0-64
	MOVQ n+0(FP), CX
	MOVQ dy+8(FP), SI
	MOVQ lddy+16(FP), R8
	MOVQ x0+24(FP), R9
	MOVQ x1+32(FP), R10
	MOVQ x2+40(FP), R11
	MOVQ step+48(FP), R12
	MOVQ acc+56(FP), DI
	SHLQ $2, R8
	SHLQ $2, R12
	LOAD9

pixel:
	VMOVUPS (SI), Z31
	PREFETCHT0 (SI)(R8*8)
	ADDQ R8, SI
	ROW3(R9, Z0, Z1, Z2)
	ROW3(R10, Z3, Z4, Z5)
	ROW3(R11, Z6, Z7, Z8)
	ADDQ R12, R9
	ADDQ R12, R10
	ADDQ R12, R11
	DECQ CX
	JG   pixel
	STORE9
	VZEROUPPER
	RET

// func StemGradAVX512x3x9(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)
TEXT ·StemGradAVX512x3x9(SB), NOSPLIT, $0-64
	MOVQ n+0(FP), CX
	MOVQ dy+8(FP), SI
	MOVQ lddy+16(FP), R8
	MOVQ x0+24(FP), R9
	MOVQ x1+32(FP), R10
	MOVQ x2+40(FP), R11
	MOVQ step+48(FP), R12
	MOVQ acc+56(FP), DI
	SHLQ $2, R8
	SHLQ $2, R12
	LOAD27

pixel:
	VMOVUPS (SI), Z31
	PREFETCHT0 (SI)(R8*8)
	ADDQ R8, SI
	ROW9(R9, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8)
	ROW9(R10, Z9, Z10, Z11, Z12, Z13, Z14, Z15, Z16, Z17)
	ROW9(R11, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26)
	ADDQ R12, R9
	ADDQ R12, R10
	ADDQ R12, R11
	DECQ CX
	JG   pixel
	STORE27
	VZEROUPPER
	RET

// func StemGradAVX512x1x21(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)
TEXT ·StemGradAVX512x1x21(SB), NOSPLIT, $0-64
	MOVQ n+0(FP), CX
	MOVQ dy+8(FP), SI
	MOVQ lddy+16(FP), R8
	MOVQ x0+24(FP), R9
	MOVQ x1+32(FP), R10
	MOVQ x2+40(FP), R11
	MOVQ step+48(FP), R12
	MOVQ acc+56(FP), DI
	SHLQ $2, R8
	SHLQ $2, R12
	LOAD21

pixel:
	VMOVUPS (SI), Z31
	PREFETCHT0 (SI)(R8*8)
	ADDQ R8, SI
	ROW9(R9, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8)
	VFMADD231PS.BCST 36(R9), Z31, Z9
	VFMADD231PS.BCST 40(R9), Z31, Z10
	VFMADD231PS.BCST 44(R9), Z31, Z11
	VFMADD231PS.BCST 48(R9), Z31, Z12
	VFMADD231PS.BCST 52(R9), Z31, Z13
	VFMADD231PS.BCST 56(R9), Z31, Z14
	VFMADD231PS.BCST 60(R9), Z31, Z15
	VFMADD231PS.BCST 64(R9), Z31, Z16
	VFMADD231PS.BCST 68(R9), Z31, Z17
	VFMADD231PS.BCST 72(R9), Z31, Z18
	VFMADD231PS.BCST 76(R9), Z31, Z19
	VFMADD231PS.BCST 80(R9), Z31, Z20
	ADDQ R12, R9
	DECQ CX
	JG   pixel
	STORE21
	VZEROUPPER
	RET
