//go:build amd64 && !purego

#include "textflag.h"

// Prologues along a row, for AVX2 and FMA (loops in epilogue_amd64.go): the
// affine map of batch norm with its ReLU, and batch norm's backward. 8
// elements a step, then one at a time: scalar steps round as vectors do.
//
// The caller guarantees n >= 1 elements behind every pointer but a nil mask.
//
// Why assembly: fused multiply-adds and 8 lanes; Go has neither.

// func AffineRowAVX2(n int, dst, x, scale, shift *float32, relu bool)
TEXT ·AffineRowAVX2(SB), NOSPLIT, $0-41
	MOVL $0x7fc00000, AX // without ReLU the limit is NaN: every value stays
	CMPB relu+40(FP), $0
	JEQ  limit
	XORL AX, AX

limit:
	VMOVD AX, X15
	VBROADCASTSS X15, Y15
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ scale+24(FP), R8
	MOVQ shift+32(FP), R9
	XORQ DX, DX
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
	VZEROUPPER
	RET

// func BNBackRowAVX2(n int, dst, dy, x, mask, scale, shift, a, b, c *float32)
TEXT ·BNBackRowAVX2(SB), NOSPLIT, $0-80
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ dy+16(FP), SI
	MOVQ x+24(FP), R8
	MOVQ mask+32(FP), R9
	MOVQ scale+40(FP), R14
	MOVQ shift+48(FP), R15
	MOVQ a+56(FP), R10
	MOVQ b+64(FP), R11
	MOVQ c+72(FP), R12
	XORQ DX, DX
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
	VZEROUPPER
	RET
