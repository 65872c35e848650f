//go:build amd64 && !purego

#include "textflag.h"

// What happens to a block of C after a product, for AVX2 and FMA (loops in
// epilogue_amd64.go): statistics, sums and the final pass. Statistics walk
// stripes of 32 columns, then of 8, the rest masked, a column's sum being a
// chain down its rows; a row takes 4 loads, 8 sums and 4 FMAs:
//
//	Y0-Y3 shift   Y4-Y7 sums   Y8-Y11 squares   Y12-Y15 values
//
// The other passes walk stripes of 8. The caller guarantees the blocks; masked
// elements are neither read nor written. Why assembly: fused multiply-adds and
// 8 lanes; Go has neither.

DATA ·lanes8<>+0(SB)/8, $0x0000000100000000
DATA ·lanes8<>+8(SB)/8, $0x0000000300000002
DATA ·lanes8<>+16(SB)/8, $0x0000000500000004
DATA ·lanes8<>+24(SB)/8, $0x0000000700000006
GLOBL ·lanes8<>(SB), RODATA|NOPTR, $32

// Y15 = ones in the lanes below DX.
#define MASK8 \
	VMOVD DX, X15;         \
	VPBROADCASTD X15, Y15; \
	VPCMPGTD ·lanes8<>(SB), Y15, Y15

#define STAT(v, shift, s, q) \
	VSUBPS shift, v, v;  \
	VADDPS v, s, s;      \
	VFMADD231PS v, v, q

#define LOAD4(p, a, b, c, d) \
	VMOVUPS (p), a;   \
	VMOVUPS 32(p), b; \
	VMOVUPS 64(p), c; \
	VMOVUPS 96(p), d

#define STORE4(a, b, c, d, p) \
	VMOVUPS a, (p);   \
	VMOVUPS b, 32(p); \
	VMOVUPS c, 64(p); \
	VMOVUPS d, 96(p)

#define ZERO4(a, b, c, d) \
	VXORPS a, a, a; \
	VXORPS b, b, b; \
	VXORPS c, c, c; \
	VXORPS d, d, d

// func StatsRowsAVX2(m, n int, c *float32, ldc int, shift, sum, sq *float32)
TEXT ·StatsRowsAVX2(SB), NOSPLIT, $0-56
	MOVQ n+8(FP), DX
	MOVQ c+16(FP), SI
	MOVQ ldc+24(FP), R9
	MOVQ shift+32(FP), R8
	MOVQ sum+40(FP), R10
	MOVQ sq+48(FP), R11
	SHLQ $2, R9
	ZERO4(Y0, Y1, Y2, Y3)

wide:
	CMPQ DX, $32
	JLT  narrow
	TESTQ R8, R8
	JZ   start
	LOAD4(R8, Y0, Y1, Y2, Y3)
	ADDQ $128, R8

start:
	ZERO4(Y4, Y5, Y6, Y7)
	ZERO4(Y8, Y9, Y10, Y11)
	MOVQ SI, AX
	MOVQ m+0(FP), CX

row:
	LOAD4(AX, Y12, Y13, Y14, Y15)
	STAT(Y12, Y0, Y4, Y8)
	STAT(Y13, Y1, Y5, Y9)
	STAT(Y14, Y2, Y6, Y10)
	STAT(Y15, Y3, Y7, Y11)
	ADDQ R9, AX
	DECQ CX
	JG   row
	STORE4(Y4, Y5, Y6, Y7, R10)
	STORE4(Y8, Y9, Y10, Y11, R11)
	ADDQ $128, R10
	ADDQ $128, R11
	ADDQ $128, SI
	SUBQ $32, DX
	JMP  wide

narrow:
	CMPQ DX, $0
	JLE  done
	MASK8
	TESTQ R8, R8
	JZ   start8
	VMASKMOVPS (R8), Y15, Y0
	ADDQ $32, R8

start8:
	VXORPS Y4, Y4, Y4
	VXORPS Y8, Y8, Y8
	MOVQ SI, AX
	MOVQ m+0(FP), CX

row8:
	VMASKMOVPS (AX), Y15, Y12
	STAT(Y12, Y0, Y4, Y8)
	ADDQ R9, AX
	DECQ CX
	JG   row8
	VMASKMOVPS Y4, Y15, (R10)
	VMASKMOVPS Y8, Y15, (R11)
	ADDQ $32, R10
	ADDQ $32, R11
	ADDQ $32, SI
	SUBQ $8, DX
	JMP  narrow

done:
	VZEROUPPER
	RET

// Plain and masked moves between memory and a register.
#define LOAD(p, v)       VMOVUPS p, v
#define STORE(v, p)      VMOVUPS v, p
#define LOADMASK(p, v)   VMASKMOVPS p, Y15, v
#define STOREMASK(v, p)  VMASKMOVPS v, Y15, p

#define ADDSTRIPE(LD, ST) \
	LD((AX), Y0);      \
	LD((BX), Y1);      \
	VADDPS Y1, Y0, Y0; \
	ST(Y0, (AX));      \
	ADDQ R9, AX;       \
	ADDQ R10, BX;      \
	DECQ CX

// func AddRowsAVX2(m, n int, c *float32, ldc int, x *float32, ldx int)
TEXT ·AddRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ n+8(FP), DX
	MOVQ c+16(FP), SI
	MOVQ ldc+24(FP), R9
	MOVQ x+32(FP), R8
	MOVQ ldx+40(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10

stripe:
	MOVQ SI, AX
	MOVQ R8, BX
	MOVQ m+0(FP), CX
	CMPQ DX, $8
	JLT  last

row:
	ADDSTRIPE(LOAD, STORE)
	JG   row
	ADDQ $32, SI
	ADDQ $32, R8
	SUBQ $8, DX
	JG   stripe
	VZEROUPPER
	RET

last:
	MASK8

rowlast:
	ADDSTRIPE(LOADMASK, STOREMASK)
	JG   rowlast
	VZEROUPPER
	RET

// A row of eight columns from BX to AX.
#define COPYSTRIPE(LD, ST) \
	LD((BX), Y0);          \
	ST(Y0, (AX));          \
	ADDQ R9, AX;           \
	ADDQ R10, BX;          \
	DECQ CX

// func CopyRowsAVX2(m, n int, dst *float32, ldd int, src *float32, lds int)
TEXT ·CopyRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ n+8(FP), DX
	MOVQ dst+16(FP), SI
	MOVQ ldd+24(FP), R9
	MOVQ src+32(FP), R8
	MOVQ lds+40(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10

stripe:
	MOVQ SI, AX
	MOVQ R8, BX
	MOVQ m+0(FP), CX
	CMPQ DX, $8
	JLT  last

row:
	COPYSTRIPE(LOAD, STORE)
	JG   row
	ADDQ $32, SI
	ADDQ $32, R8
	SUBQ $8, DX
	JG   stripe
	VZEROUPPER
	RET

last:
	MASK8

rowlast:
	COPYSTRIPE(LOADMASK, STOREMASK)
	JG   rowlast
	VZEROUPPER
	RET

// c = (c + bias) + res, 0 where it is at or below the limit Y14.
#define FINISH(LD, ST) \
	LD((AX), Y0);            \
	VADDPS Y2, Y0, Y0;       \
	LD((BX), Y1);            \
	VADDPS Y1, Y0, Y0;       \
	VCMPPS $22, Y14, Y0, Y3; \
	VANDPS Y3, Y0, Y0;       \
	ST(Y0, (AX));            \
	ADDQ R9, AX;             \
	ADDQ R10, BX;            \
	DECQ CX

// func FinishRowsAVX2(m, n int, c *float32, ldc int, bias, res *float32, ldres int, relu bool)
TEXT ·FinishRowsAVX2(SB), NOSPLIT, $32-57
	MOVL $0x7fc00000, AX // without ReLU the limit is NaN: every value stays
	CMPB relu+56(FP), $0
	JEQ  limit
	XORL AX, AX

limit:
	VMOVD AX, X14
	VBROADCASTSS X14, Y14
	MOVQ n+8(FP), DX
	MOVQ c+16(FP), SI
	MOVQ ldc+24(FP), R9
	MOVQ bias+32(FP), R8
	MOVQ res+40(FP), R11
	MOVQ ldres+48(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10
	MOVL $0x80000000, AX // v + -0 is v, whatever v
	VMOVD AX, X2
	VBROADCASTSS X2, Y2
	VMOVUPS Y2, none-32(SP)
	MOVQ $32, R13        // bytes that res moves a stripe
	TESTQ R11, R11
	JNZ  stripe
	LEAQ none-32(SP), R11
	XORQ R10, R10
	XORQ R13, R13

stripe:
	MOVQ SI, AX
	MOVQ R11, BX
	MOVQ m+0(FP), CX
	CMPQ DX, $8
	JLT  last
	TESTQ R8, R8
	JZ   row
	VMOVUPS (R8), Y2
	ADDQ $32, R8

row:
	FINISH(LOAD, STORE)
	JG   row
	ADDQ $32, SI
	ADDQ R13, R11
	SUBQ $8, DX
	JG   stripe
	VZEROUPPER
	RET

last:
	MASK8
	TESTQ R8, R8
	JZ   rowlast
	VMASKMOVPS (R8), Y15, Y2

rowlast:
	FINISH(LOADMASK, STOREMASK)
	JG   rowlast
	VZEROUPPER
	RET
