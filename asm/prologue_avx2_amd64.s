//go:build amd64 && !purego

#include "textflag.h"

// Prologues over rows, for AVX2 and FMA (loops in epilogue_amd64.go): the
// affine map of batch norm with its ReLU, and batch norm's backward. 8
// elements a step, then one at a time: scalar steps round as vectors do.
//
// The caller guarantees m, n >= 1 and that rows of n elements lie behind every
// pointer but a nil mask or gate.
//
// Why assembly: fused multiply-adds and 8 lanes; Go has neither.

// func AffineRowsAVX2(m, n int, dst *float32, ldd int, x *float32, ldx int, scale, shift *float32, relu bool)
TEXT ·AffineRowsAVX2(SB), NOSPLIT, $0-65
	MOVL $0x7fc00000, AX // without ReLU the limit is NaN: every value stays
	CMPB relu+64(FP), $0
	JEQ  limit
	XORL AX, AX

limit:
	VMOVD AX, X15
	VBROADCASTSS X15, Y15
	MOVQ m+0(FP), BX
	MOVQ dst+16(FP), DI
	MOVQ ldd+24(FP), R10
	SHLQ $2, R10
	MOVQ x+32(FP), SI
	MOVQ ldx+40(FP), R11
	SHLQ $2, R11
	MOVQ scale+48(FP), R8
	MOVQ shift+56(FP), R9

row:
	MOVQ n+8(FP), CX
	XORL DX, DX
	SUBQ $8, CX
	JLT  rest

loop:
	VMOVUPS (SI)(DX*1), Y0
	VMOVUPS (R8)(DX*1), Y1
	VFMADD213PS (R9)(DX*1), Y1, Y0
	VCMPPS $22, Y15, Y0, Y2 // !(v <= limit)
	VANDPS Y2, Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	ADDQ $32, DX
	SUBQ $8, CX
	JGE  loop

rest:
	ADDQ $8, CX
	JZ   done

one:
	VMOVSS (SI)(DX*1), X0
	VMOVSS (R8)(DX*1), X1
	VFMADD213SS (R9)(DX*1), X1, X0
	VCMPSS $22, X15, X0, X2
	VANDPS X2, X0, X0
	VMOVSS X0, (DI)(DX*1)
	ADDQ $4, DX
	DECQ CX
	JNZ  one

done:
	ADDQ R11, SI
	ADDQ R10, DI
	DECQ BX
	JNZ  row
	VZEROUPPER
	RET

// func BNBackRowsAVX2(m, n int, dst *float32, ldd int, dy *float32, lddy int, x, mask *float32, ld int, scale, shift, a, b, c *float32)
TEXT ·BNBackRowsAVX2(SB), NOSPLIT, $8-112
	MOVQ m+0(FP), AX
	MOVQ AX, left-8(SP)
	MOVQ dst+16(FP), DI
	MOVQ dy+32(FP), SI
	MOVQ x+48(FP), R8
	MOVQ mask+56(FP), R9
	MOVQ scale+72(FP), R14
	MOVQ shift+80(FP), R15
	MOVQ a+88(FP), R10
	MOVQ b+96(FP), R11
	MOVQ c+104(FP), R12

row:
	MOVQ n+8(FP), CX
	XORL DX, DX
	VXORPS Y5, Y5, Y5
	SUBQ $8, CX
	JLT  rest

loop:
	VMOVUPS (SI)(DX*1), Y0
	VMOVUPS (R8)(DX*1), Y1
	TESTQ R9, R9
	JZ   gate
	VMOVUPS (R9)(DX*1), Y2
	JMP  mask

gate:
	TESTQ R14, R14
	JZ   open
	VMOVUPS (R14)(DX*1), Y2
	VFMADD213PS (R15)(DX*1), Y1, Y2 // x*scale + shift

mask:
	VCMPPS $30, Y5, Y2, Y2 // > 0
	VANDPS Y2, Y0, Y0

open:
	VMOVUPS (R11)(DX*1), Y2
	VFMADD213PS (R12)(DX*1), Y2, Y1 // b*x + c
	VMOVUPS (R10)(DX*1), Y2
	VFMADD213PS Y1, Y2, Y0          // a*dy' + that
	VMOVUPS Y0, (DI)(DX*1)
	ADDQ $32, DX
	SUBQ $8, CX
	JGE  loop

rest:
	ADDQ $8, CX
	JZ   done

one:
	VMOVSS (SI)(DX*1), X0
	VMOVSS (R8)(DX*1), X1
	TESTQ R9, R9
	JZ   gateone
	VMOVSS (R9)(DX*1), X2
	JMP  maskone

gateone:
	TESTQ R14, R14
	JZ   openone
	VMOVSS (R14)(DX*1), X2
	VFMADD213SS (R15)(DX*1), X1, X2

maskone:
	VCMPSS $30, X5, X2, X2
	VANDPS X2, X0, X0

openone:
	VMOVSS (R11)(DX*1), X2
	VFMADD213SS (R12)(DX*1), X2, X1
	VMOVSS (R10)(DX*1), X2
	VFMADD213SS X1, X2, X0
	VMOVSS X0, (DI)(DX*1)
	ADDQ $4, DX
	DECQ CX
	JNZ  one

done:
	MOVQ ldd+24(FP), AX
	LEAQ (DI)(AX*4), DI
	MOVQ lddy+40(FP), AX
	LEAQ (SI)(AX*4), SI
	MOVQ ld+64(FP), AX
	LEAQ (R8)(AX*4), R8
	TESTQ R9, R9
	JZ   unmasked
	LEAQ (R9)(AX*4), R9

unmasked:
	DECQ left-8(SP)
	JNZ  row
	VZEROUPPER
	RET
