//go:build amd64 && !purego

#include "textflag.h"

// Forward passes of a grey stem, 3x3 over one channel, for AVX-512: nine taps of
// 16 output channels stay in registers, eight pixels at a time (loop in
// conv_stem_amd64.go).
//
//	Z0-Z8 the taps   Z16-Z23 eight pixels: 72 FMAs that broadcast x, 8 stores
//
// Eight chains of nine cover 4 cycles of latency on two ports. SI, BX, DI are
// the three lines of x, R9, R10, R11 they three pixels on, R12 the bytes of a
// pixel, R15 of three; DX walks the output by R8 bytes.
//
// The caller guarantees n > 0 and three readable floats behind every pixel of a
// line.
//
// Why assembly: as RowTile.

#define EIGHT(line, three, w0, w1, w2) \
	VFMADD231PS.BCST (line), w0, Z16; \
	VFMADD231PS.BCST (line)(R12*1), w0, Z17; \
	VFMADD231PS.BCST (line)(R12*2), w0, Z18; \
	VFMADD231PS.BCST (three), w0, Z19; \
	VFMADD231PS.BCST (line)(R12*4), w0, Z20; \
	VFMADD231PS.BCST (three)(R12*2), w0, Z21; \
	VFMADD231PS.BCST (three)(R15*1), w0, Z22; \
	VFMADD231PS.BCST (three)(R12*4), w0, Z23; \
	VFMADD231PS.BCST 4(line), w1, Z16; \
	VFMADD231PS.BCST 4(line)(R12*1), w1, Z17; \
	VFMADD231PS.BCST 4(line)(R12*2), w1, Z18; \
	VFMADD231PS.BCST 4(three), w1, Z19; \
	VFMADD231PS.BCST 4(line)(R12*4), w1, Z20; \
	VFMADD231PS.BCST 4(three)(R12*2), w1, Z21; \
	VFMADD231PS.BCST 4(three)(R15*1), w1, Z22; \
	VFMADD231PS.BCST 4(three)(R12*4), w1, Z23; \
	VFMADD231PS.BCST 8(line), w2, Z16; \
	VFMADD231PS.BCST 8(line)(R12*1), w2, Z17; \
	VFMADD231PS.BCST 8(line)(R12*2), w2, Z18; \
	VFMADD231PS.BCST 8(three), w2, Z19; \
	VFMADD231PS.BCST 8(line)(R12*4), w2, Z20; \
	VFMADD231PS.BCST 8(three)(R12*2), w2, Z21; \
	VFMADD231PS.BCST 8(three)(R15*1), w2, Z22; \
	VFMADD231PS.BCST 8(three)(R12*4), w2, Z23

#define ONE(line, w0, w1, w2) \
	VFMADD231PS.BCST (line), w0, Z16; \
	VFMADD231PS.BCST 4(line), w1, Z16; \
	VFMADD231PS.BCST 8(line), w2, Z16

// func StemAVX512x3x3(n int, x0, x1, x2 *float32, step int, w *float32, ldw int, y *float32, ldy int)
TEXT ·StemAVX512x3x3(SB), NOSPLIT, $0-72
	MOVQ n+0(FP), CX
	MOVQ x0+8(FP), SI
	MOVQ x1+16(FP), BX
	MOVQ x2+24(FP), DI
	MOVQ step+32(FP), R12
	MOVQ w+40(FP), AX
	MOVQ ldw+48(FP), R13
	MOVQ y+56(FP), DX
	MOVQ ldy+64(FP), R8
	SHLQ $2, R12
	LEAQ (R12)(R12*2), R15
	SHLQ $2, R13
	SHLQ $2, R8
	VMOVUPS (AX), Z0
	ADDQ R13, AX
	VMOVUPS (AX), Z1
	ADDQ R13, AX
	VMOVUPS (AX), Z2
	ADDQ R13, AX
	VMOVUPS (AX), Z3
	ADDQ R13, AX
	VMOVUPS (AX), Z4
	ADDQ R13, AX
	VMOVUPS (AX), Z5
	ADDQ R13, AX
	VMOVUPS (AX), Z6
	ADDQ R13, AX
	VMOVUPS (AX), Z7
	ADDQ R13, AX
	VMOVUPS (AX), Z8
	SUBQ $8, CX
	JL   rest

eight:
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	VPXORD Z18, Z18, Z18
	VPXORD Z19, Z19, Z19
	VPXORD Z20, Z20, Z20
	VPXORD Z21, Z21, Z21
	VPXORD Z22, Z22, Z22
	VPXORD Z23, Z23, Z23
	LEAQ (SI)(R15*1), R9
	LEAQ (BX)(R15*1), R10
	LEAQ (DI)(R15*1), R11
	EIGHT(SI, R9, Z0, Z1, Z2)
	EIGHT(BX, R10, Z3, Z4, Z5)
	EIGHT(DI, R11, Z6, Z7, Z8)
	LEAQ (SI)(R12*8), SI
	LEAQ (BX)(R12*8), BX
	LEAQ (DI)(R12*8), DI
	VMOVUPS Z16, (DX)
	ADDQ R8, DX
	VMOVUPS Z17, (DX)
	ADDQ R8, DX
	VMOVUPS Z18, (DX)
	ADDQ R8, DX
	VMOVUPS Z19, (DX)
	ADDQ R8, DX
	VMOVUPS Z20, (DX)
	ADDQ R8, DX
	VMOVUPS Z21, (DX)
	ADDQ R8, DX
	VMOVUPS Z22, (DX)
	ADDQ R8, DX
	VMOVUPS Z23, (DX)
	ADDQ R8, DX
	SUBQ $8, CX
	JGE  eight

rest:
	ADDQ $8, CX
	JLE  done

one:
	VPXORD Z16, Z16, Z16
	ONE(SI, Z0, Z1, Z2)
	ONE(BX, Z3, Z4, Z5)
	ONE(DI, Z6, Z7, Z8)
	ADDQ R12, SI
	ADDQ R12, BX
	ADDQ R12, DI
	VMOVUPS Z16, (DX)
	ADDQ R8, DX
	DECQ CX
	JG   one

done:
	VZEROUPPER
	RET
