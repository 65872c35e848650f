//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// Batch normalisation for AVX2 and FMA: the loops of NormSums and NormSpan,
// with the bits of the AVX-512 rows.
//
// Sums. Four whole units side by side; s and q of a unit never leave their
// registers, and the chain of a channel stays in row order:
//
//	unit        0   1   2   3
//	s           Y0  Y1  Y2  Y3
//	q           Y4  Y5  Y6  Y7
//	coef        Y8  Y9  Y10 Y11      shift or mean
//	temps       Y12 g, Y13 d         Y14 zero    Y15 lanes
//	offsets     R8  R9  R10 R11
//
// A row of a unit is 1 load and 3 arithmetic instructions for statistics, 2 or
// 3 loads and 3 to 5 for gradients. Units left over and those of fewer than 8
// lanes run one at a time through masked moves. Spans are 3 loads, 1 FMA and 1
// store a vector, or 5 to 7 loads, 2 FMAs and 1 store, four vectors a turn.
//
// The caller guarantees Rows > 0, 1 <= Lanes <= 8, N > 0, dense spans.
//
// Why assembly: Go has no vectors and no float32 fused multiply-add, and the
// contract's sums need both.

// The mask of n lanes is at normLanes + 4*(8-n).
DATA normLanes<>+0(SB)/8, $-1
DATA normLanes<>+8(SB)/8, $-1
DATA normLanes<>+16(SB)/8, $-1
DATA normLanes<>+24(SB)/8, $-1
DATA normLanes<>+32(SB)/8, $0
DATA normLanes<>+40(SB)/8, $0
DATA normLanes<>+48(SB)/8, $0
DATA normLanes<>+56(SB)/8, $0
GLOBL normLanes<>(SB), RODATA|NOPTR, $64

// LANES makes Y15 of the lanes in CX.
#define LANES \
	LEAQ    normLanes<>+32(SB), DX \
	SHLQ    $2, CX                 \
	SUBQ    CX, DX                 \
	VMOVUPS (DX), Y15

// Rows fetched ahead, as powers of two.
#define STATSAHEAD 3
#define REDUCEAHEAD 2

// UNIT loads unit u's offset in the streams and its coefficients, and clears
// its sums; BX is the units, SI the coefficients.
#define UNIT(u, off, s, q, coef) \
	MOVQ    (u*NormUnit__size+NormUnit_Coef)(BX), DI \
	MOVQ    (u*NormUnit__size+NormUnit_X)(BX), off   \
	VMOVUPS (SI)(DI*1), coef                         \
	VXORPS  s, s, s                                  \
	VXORPS  q, q, q

#define UNITS \
	UNIT(0, R8, Y0, Y4, Y8)   \
	UNIT(1, R9, Y1, Y5, Y9)   \
	UNIT(2, R10, Y2, Y6, Y10) \
	UNIT(3, R11, Y3, Y7, Y11)

// ONEUNIT is UNIT 0 within the lanes.
#define ONEUNIT \
	MOVQ       NormUnit_Coef(BX), DI \
	MOVQ       NormUnit_X(BX), R8    \
	VMASKMOVPS (SI)(DI*1), Y15, Y8   \
	VXORPS     Y0, Y0, Y0            \
	VXORPS     Y4, Y4, Y4

// PART stores unit u's sums; SI is the result, DI the result of q.
#define PART(u, s, q) \
	MOVQ    (u*NormUnit__size+NormUnit_Part)(BX), DX \
	VMOVUPS s, (SI)(DX*1)                            \
	VMOVUPS q, (DI)(DX*1)

#define PARTS \
	PART(0, Y0, Y4) \
	PART(1, Y1, Y5) \
	PART(2, Y2, Y6) \
	PART(3, Y3, Y7)

#define ONEPART \
	MOVQ       NormUnit_Part(BX), DX \
	VMASKMOVPS Y0, Y15, (SI)(DX*1)   \
	VMASKMOVPS Y4, Y15, (DI)(DX*1)

#define STATS(off, s, q, coef) \
	VMOVUPS     (SI)(off*1), Y12 \
	VSUBPS      coef, Y12, Y12   \
	VADDPS      Y12, s, s        \
	VFMADD231PS Y12, Y12, q

// AHEAD fetches the four units' lines BP bytes on: a unit's rows lie a whole
// row apart, where the hardware sees no stream. Two units share a line.
#define AHEAD(p) \
	ADDQ       BP, p      \
	PREFETCHT0 (p)(R8*1)  \
	PREFETCHT0 (p)(R10*1) \
	SUBQ       BP, p

// func NormStatsAVX2(a *NormSums)
TEXT ·NormStatsAVX2(SB), NOSPLIT, $16-8
	MOVQ a+0(FP), AX
	MOVQ NormSums_Lanes(AX), CX
	LANES
	LEAQ NormSums_Unit(AX), BX
	MOVQ NormSums_N(AX), DX
	MOVQ DX, left-8(SP)

four:
	CMPQ left-8(SP), $4
	JLT  one
	CMPQ NormSums_Lanes(AX), $8
	JLT  one
	MOVQ NormSums_Coef(AX), SI
	UNITS
	MOVQ NormSums_X(AX), SI
	MOVQ NormSums_Ld(AX), DX
	MOVQ NormSums_Rows(AX), CX
	MOVQ DX, BP
	SHLQ $STATSAHEAD, BP

row4:
	AHEAD(SI)
	STATS(R8, Y0, Y4, Y8)
	STATS(R9, Y1, Y5, Y9)
	STATS(R10, Y2, Y6, Y10)
	STATS(R11, Y3, Y7, Y11)
	ADDQ DX, SI
	DECQ CX
	JNZ  row4

	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	PARTS
	ADDQ $(4*NormUnit__size), BX
	SUBQ $4, left-8(SP)
	JMP  four

one:
	CMPQ left-8(SP), $0
	JEQ  done
	MOVQ NormSums_Coef(AX), SI
	ONEUNIT
	MOVQ NormSums_X(AX), SI
	MOVQ NormSums_Ld(AX), DX
	MOVQ NormSums_Rows(AX), CX

row1:
	VMASKMOVPS  (SI)(R8*1), Y15, Y12
	VSUBPS      Y8, Y12, Y12
	VADDPS      Y12, Y0, Y0
	VFMADD231PS Y12, Y12, Y4
	ADDQ        DX, SI
	DECQ        CX
	JNZ         row1

	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	ONEPART
	ADDQ $NormUnit__size, BX
	DECQ left-8(SP)
	JMP  one

done:
	VZEROUPPER
	RET

// In the gradient's loops SI is dy, DI x, DX the mask, BX the residual's
// gradient, AX the bytes of a row.

#define DY(off) \
	VMOVUPS (SI)(off*1), Y12

// 0 < mask, false for NaN, keeps dy.
#define DYMASKED(off) \
	VCMPPS $0x11, (DX)(off*1), Y14, Y12 \
	VANDPS (SI)(off*1), Y12, Y12

#define NORESID(off)

#define RESID(off) \
	VMOVUPS Y12, (BX)(off*1)

#define ACCRESID(off) \
	VADDPS  (BX)(off*1), Y12, Y12 \
	VMOVUPS Y12, (BX)(off*1)

#define REDUCE(LOAD, KEEP, off, s, q, coef) \
	LOAD(off)                    \
	VMOVUPS     (DI)(off*1), Y13 \
	VSUBPS      coef, Y13, Y13   \
	VADDPS      Y12, s, s        \
	VFMADD231PS Y13, Y12, q      \
	KEEP(off)

// The gate of unit k lies at DX + 128k: dy where scale x + shift > 0.
#define REDUCEGATED(KEEP, k, off, s, q, coef) \
	VMOVUPS     (DI)(off*1), Y13         \
	VMOVUPS     (k*128)(DX), Y12         \
	VFMADD213PS (k*128+64)(DX), Y13, Y12 \
	VCMPPS      $0x11, Y12, Y14, Y12     \
	VANDPS      (SI)(off*1), Y12, Y12    \
	VSUBPS      coef, Y13, Y13           \
	VADDPS      Y12, s, s                \
	VFMADD231PS Y13, Y12, q              \
	KEEP(off)

// The same within the lanes.
#define DY1 \
	VMASKMOVPS (SI)(R8*1), Y15, Y12

#define DYMASKED1 \
	VMASKMOVPS (DX)(R8*1), Y15, Y12 \
	VCMPPS     $0x1e, Y14, Y12, Y12 \
	VMASKMOVPS (SI)(R8*1), Y12, Y12

#define NORESID1

#define RESID1 \
	VMASKMOVPS Y12, Y15, (BX)(R8*1)

#define ACCRESID1 \
	VMASKMOVPS (BX)(R8*1), Y15, Y13 \
	VADDPS     Y13, Y12, Y12        \
	VMASKMOVPS Y12, Y15, (BX)(R8*1)

#define FETCH \
	AHEAD(SI) \
	AHEAD(DI)

#define FETCHMASK \
	AHEAD(SI) \
	AHEAD(DI) \
	AHEAD(DX)

#define ADVANCE \
	ADDQ AX, SI \
	ADDQ AX, DI \
	ADDQ AX, DX \
	ADDQ AX, BX \
	DECQ CX

#define REDUCE4(label, LOAD, KEEP, FETCH) \
label:                                   \
	FETCH                                \
	REDUCE(LOAD, KEEP, R8, Y0, Y4, Y8)   \
	REDUCE(LOAD, KEEP, R9, Y1, Y5, Y9)   \
	REDUCE(LOAD, KEEP, R10, Y2, Y6, Y10) \
	REDUCE(LOAD, KEEP, R11, Y3, Y7, Y11) \
	ADVANCE                              \
	JNZ  label                           \
	JMP  parts4

#define ADVANCEGATED \
	ADDQ AX, SI \
	ADDQ AX, DI \
	ADDQ AX, BX \
	DECQ CX

#define GATED4(label, KEEP) \
label:                                      \
	FETCH                                   \
	REDUCEGATED(KEEP, 0, R8, Y0, Y4, Y8)    \
	REDUCEGATED(KEEP, 1, R9, Y1, Y5, Y9)    \
	REDUCEGATED(KEEP, 2, R10, Y2, Y6, Y10)  \
	REDUCEGATED(KEEP, 3, R11, Y3, Y7, Y11)  \
	ADVANCEGATED                            \
	JNZ  label                              \
	JMP  parts4

#define GATED1(label, KEEP) \
label:                               \
	VMASKMOVPS  (DI)(R8*1), Y15, Y13 \
	VMOVUPS     (DX), Y12            \
	VFMADD213PS 64(DX), Y13, Y12     \
	VCMPPS      $0x11, Y12, Y14, Y12 \
	VMASKMOVPS  (SI)(R8*1), Y12, Y12 \
	VSUBPS      Y8, Y13, Y13         \
	VADDPS      Y12, Y0, Y0          \
	VFMADD231PS Y13, Y12, Y4         \
	KEEP                             \
	ADVANCEGATED                     \
	JNZ  label                       \
	JMP  parts1

#define REDUCE1(label, LOAD, KEEP) \
label:                               \
	LOAD                             \
	VMASKMOVPS  (DI)(R8*1), Y15, Y13 \
	VSUBPS      Y8, Y13, Y13         \
	VADDPS      Y12, Y0, Y0          \
	VFMADD231PS Y13, Y12, Y4         \
	KEEP                             \
	ADVANCE                          \
	JNZ  label                       \
	JMP  parts1

// STREAMS loads the loop's registers from the arguments at AX.
#define STREAMS \
	MOVQ NormSums_DY(AX), SI    \
	MOVQ NormSums_X(AX), DI     \
	MOVQ NormSums_Mask(AX), DX  \
	MOVQ NormSums_Resid(AX), BX \
	MOVQ NormSums_Rows(AX), CX

// func NormReduceAVX2(a *NormSums)
TEXT ·NormReduceAVX2(SB), NOSPLIT, $40-8
	MOVQ   a+0(FP), AX
	MOVQ   NormSums_Lanes(AX), CX
	LANES
	VXORPS Y14, Y14, Y14
	LEAQ   NormSums_Unit(AX), BX
	MOVQ   BX, unit-16(SP)
	MOVQ   NormSums_N(AX), DX
	MOVQ   DX, left-8(SP)

	// kind is 0, 1, 2 for no residual, a stored, an added one; + 3 for a mask,
	// + 6 for a gate.
	MOVQ   NormSums_Gate(AX), DX
	MOVQ   DX, gate-32(SP)
	XORL    DX, DX
	CMPQ    NormSums_Resid(AX), $0
	JEQ     nores
	MOVBLZX NormSums_Acc(AX), DX
	INCL    DX

nores:
	CMPQ NormSums_Mask(AX), $0
	JEQ  nomask
	ADDL $3, DX
	JMP  kinds

nomask:
	CMPQ NormSums_Gate(AX), $0
	JEQ  kinds
	ADDL $6, DX

kinds:
	MOVL DX, kind-24(SP)

four:
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	CMPQ left-8(SP), $4
	JLT  one
	CMPQ NormSums_Lanes(AX), $8
	JLT  one
	MOVQ NormSums_Coef(AX), SI
	UNITS
	STREAMS
	MOVQ NormSums_Ld(AX), AX
	MOVQ AX, BP
	SHLQ $REDUCEAHEAD, BP
	CMPL kind-24(SP), $1
	JLT  plain4
	JEQ  resid4
	CMPL kind-24(SP), $3
	JLT  acc4
	JEQ  mask4
	CMPL kind-24(SP), $4
	JEQ  maskresid4
	CMPL kind-24(SP), $6
	JLT  maskacc4
	MOVQ gate-32(SP), DX
	JEQ  gate4
	CMPL kind-24(SP), $7
	JEQ  gateresid4
	JMP  gateacc4

	REDUCE4(plain4, DY, NORESID, FETCH)
	REDUCE4(resid4, DY, RESID, FETCH)
	REDUCE4(acc4, DY, ACCRESID, FETCH)
	REDUCE4(mask4, DYMASKED, NORESID, FETCHMASK)
	REDUCE4(maskresid4, DYMASKED, RESID, FETCHMASK)
	REDUCE4(maskacc4, DYMASKED, ACCRESID, FETCHMASK)
	GATED4(gate4, NORESID)
	GATED4(gateresid4, RESID)
	GATED4(gateacc4, ACCRESID)

parts4:
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	PARTS
	ADDQ $(4*NormUnit__size), unit-16(SP)
	ADDQ $512, gate-32(SP)
	SUBQ $4, left-8(SP)
	JMP  four

one:
	CMPQ left-8(SP), $0
	JEQ  done
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	MOVQ NormSums_Coef(AX), SI
	ONEUNIT
	STREAMS
	MOVQ NormSums_Ld(AX), AX
	CMPL kind-24(SP), $1
	JLT  plain1
	JEQ  resid1
	CMPL kind-24(SP), $3
	JLT  acc1
	JEQ  mask1
	CMPL kind-24(SP), $4
	JEQ  maskresid1
	CMPL kind-24(SP), $6
	JLT  maskacc1
	MOVQ gate-32(SP), DX
	JEQ  gate1
	CMPL kind-24(SP), $7
	JEQ  gateresid1
	JMP  gateacc1

	REDUCE1(plain1, DY1, NORESID1)
	REDUCE1(resid1, DY1, RESID1)
	REDUCE1(acc1, DY1, ACCRESID1)
	REDUCE1(mask1, DYMASKED1, NORESID1)
	REDUCE1(maskresid1, DYMASKED1, RESID1)
	REDUCE1(maskacc1, DYMASKED1, ACCRESID1)
	GATED1(gate1, NORESID1)
	GATED1(gateresid1, RESID1)
	GATED1(gateacc1, ACCRESID1)

parts1:
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	ONEPART
	ADDQ $NormUnit__size, unit-16(SP)
	ADDQ $128, gate-32(SP)
	DECQ left-8(SP)
	JMP  one

done:
	VZEROUPPER
	RET

// In the spans SI is x, DI dy, DX mask or residual, BX y; R10, R11, R12 are A,
// B, C. R8 runs over the streams, R9 over a row's coefficients; a row has R13
// bytes in whole turns, R14 in whole vectors and R15 beyond.
#define SPAN \
	MOVQ a+0(FP), AX           \
	MOVQ NormSpan_N(AX), R14   \
	MOVQ R14, CX               \
	ANDL $7, CX                \
	LANES                      \
	MOVQ CX, R15               \
	SHLQ $2, R14               \
	MOVQ R14, R13              \
	ANDQ $~31, R14             \
	ANDQ $~127, R13            \
	MOVQ NormSpan_X(AX), SI    \
	MOVQ NormSpan_Y(AX), BX    \
	MOVQ NormSpan_A(AX), R10   \
	MOVQ NormSpan_C(AX), R12   \
	MOVQ NormSpan_Rows(AX), CX \
	XORL R8, R8

// PASS is the loop over rows: four vectors a turn, one, then Y15's lanes.
#define PASS(row, four, single, tail, next, OP, TAIL) \
row:                    \
	XORL R9, R9         \
four:                   \
	CMPQ R9, R13        \
	JGE  single         \
	OP(0, Y0, Y1)       \
	OP(32, Y2, Y3)      \
	OP(64, Y4, Y5)      \
	OP(96, Y6, Y7)      \
	ADDQ $128, R8       \
	ADDQ $128, R9       \
	JMP  four           \
single:                 \
	CMPQ R9, R14        \
	JGE  tail           \
	OP(0, Y0, Y1)       \
	ADDQ $32, R8        \
	ADDQ $32, R9        \
	JMP  single         \
tail:                   \
	TESTQ R15, R15      \
	JEQ  next           \
	TAIL                \
	ADDQ R15, R8        \
next:                   \
	DECQ CX             \
	JNZ  row            \
	VZEROUPPER          \
	RET

// Y14 is what ReLU raises to: 0, or -Inf for none. VMAXPS returns its second
// source (Go's first) when either is NaN, so NaN stays.
#define APPLY(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x     \
	VMOVUPS     at(R12)(R9*1), v    \
	VFMADD231PS at(R10)(R9*1), x, v \
	VMAXPS      v, Y14, v           \
	VMOVUPS     v, at(BX)(R8*1)

#define APPLYRESID(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x     \
	VMOVUPS     at(R12)(R9*1), v    \
	VFMADD231PS at(R10)(R9*1), x, v \
	VADDPS      at(DX)(R8*1), v, v  \
	VMAXPS      v, Y14, v           \
	VMOVUPS     v, at(BX)(R8*1)

#define AFFINETAIL \
	VMASKMOVPS  (SI)(R8*1), Y15, Y0  \
	VMASKMOVPS  (R12)(R9*1), Y15, Y1 \
	VMASKMOVPS  (R10)(R9*1), Y15, Y2 \
	VFMADD231PS Y2, Y0, Y1

#define APPLYTAIL \
	AFFINETAIL                      \
	VMAXPS     Y1, Y14, Y1          \
	VMASKMOVPS Y1, Y15, (BX)(R8*1)

#define APPLYRESIDTAIL \
	AFFINETAIL                      \
	VMASKMOVPS (DX)(R8*1), Y15, Y3  \
	VADDPS     Y3, Y1, Y1           \
	VMAXPS     Y1, Y14, Y1          \
	VMASKMOVPS Y1, Y15, (BX)(R8*1)

// func NormApplyAVX2(a *NormSpan)
TEXT ·NormApplyAVX2(SB), NOSPLIT, $0-8
	SPAN
	MOVQ NormSpan_Resid(AX), DX
	MOVL $0xff800000, R9
	CMPB NormSpan_ReLU(AX), $0
	JEQ  floor
	XORL R9, R9

floor:
	VMOVD        R9, X14
	VPBROADCASTD X14, Y14
	TESTQ        DX, DX
	JNE          rowr

	PASS(row, four, single, tail, next, APPLY, APPLYTAIL)
	PASS(rowr, fourr, singler, tailr, nextr, APPLYRESID, APPLYRESIDTAIL)

#define GRAD(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v    \
	VMOVUPS     at(SI)(R8*1), x     \
	VFMADD231PS at(R11)(R9*1), x, v \
	VMOVUPS     at(DI)(R8*1), x     \
	VFMADD231PS at(R10)(R9*1), x, v \
	VMOVUPS     v, at(BX)(R8*1)

#define GRADACC(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v    \
	VMOVUPS     at(SI)(R8*1), x     \
	VFMADD231PS at(R11)(R9*1), x, v \
	VMOVUPS     at(DI)(R8*1), x     \
	VFMADD231PS at(R10)(R9*1), x, v \
	VADDPS      at(BX)(R8*1), v, v  \
	VMOVUPS     v, at(BX)(R8*1)

// 0 < mask, false for NaN, keeps dy.
#define GRADMASK(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v          \
	VMOVUPS     at(SI)(R8*1), x           \
	VFMADD231PS at(R11)(R9*1), x, v       \
	VCMPPS      $0x11, at(DX)(R8*1), Y14, x \
	VANDPS      at(DI)(R8*1), x, x        \
	VFMADD231PS at(R10)(R9*1), x, v       \
	VMOVUPS     v, at(BX)(R8*1)

#define GRADMASKACC(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v          \
	VMOVUPS     at(SI)(R8*1), x           \
	VFMADD231PS at(R11)(R9*1), x, v       \
	VCMPPS      $0x11, at(DX)(R8*1), Y14, x \
	VANDPS      at(DI)(R8*1), x, x        \
	VFMADD231PS at(R10)(R9*1), x, v       \
	VADDPS      at(BX)(R8*1), v, v        \
	VMOVUPS     v, at(BX)(R8*1)

// In the gated passes DX is the gate's scale, AX its shift.
#define GRADGATE(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x      \
	VMOVUPS     at(DX)(R9*1), v      \
	VFMADD213PS at(AX)(R9*1), x, v   \
	VCMPPS      $0x11, v, Y14, v     \
	VANDPS      at(DI)(R8*1), v, v   \
	VMOVUPS     at(R12)(R9*1), Y12   \
	VFMADD231PS at(R11)(R9*1), x, Y12 \
	VFMADD231PS at(R10)(R9*1), v, Y12 \
	VMOVUPS     Y12, at(BX)(R8*1)

#define GRADGATEACC(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x      \
	VMOVUPS     at(DX)(R9*1), v      \
	VFMADD213PS at(AX)(R9*1), x, v   \
	VCMPPS      $0x11, v, Y14, v     \
	VANDPS      at(DI)(R8*1), v, v   \
	VMOVUPS     at(R12)(R9*1), Y12   \
	VFMADD231PS at(R11)(R9*1), x, Y12 \
	VFMADD231PS at(R10)(R9*1), v, Y12 \
	VADDPS      at(BX)(R8*1), Y12, Y12 \
	VMOVUPS     Y12, at(BX)(R8*1)

#define GATELANES \
	VMASKMOVPS  (SI)(R8*1), Y15, Y0 \
	VMASKMOVPS  (DX)(R9*1), Y15, Y3 \
	VMASKMOVPS  (AX)(R9*1), Y15, Y2 \
	VFMADD213PS Y2, Y0, Y3          \
	VCMPPS      $0x1e, Y14, Y3, Y3

// GRADLANES leaves fma(A, dy under mask, fma(B, x, C)) in Y0.
#define GRADLANES(mask) \
	VMASKMOVPS  (R12)(R9*1), Y15, Y0 \
	VMASKMOVPS  (SI)(R8*1), Y15, Y1  \
	VMASKMOVPS  (R11)(R9*1), Y15, Y2 \
	VFMADD231PS Y2, Y1, Y0           \
	VMASKMOVPS  (DI)(R8*1), mask, Y1 \
	VMASKMOVPS  (R10)(R9*1), Y15, Y2 \
	VFMADD231PS Y2, Y1, Y0

#define MASKLANES \
	VMASKMOVPS (DX)(R8*1), Y15, Y3 \
	VCMPPS     $0x1e, Y14, Y3, Y3

#define STORELANES \
	VMASKMOVPS Y0, Y15, (BX)(R8*1)

#define ADDLANES \
	VMASKMOVPS (BX)(R8*1), Y15, Y1 \
	VADDPS     Y1, Y0, Y0          \
	VMASKMOVPS Y0, Y15, (BX)(R8*1)

#define GRADTAIL \
	GRADLANES(Y15) \
	STORELANES

#define GRADACCTAIL \
	GRADLANES(Y15) \
	ADDLANES

#define GRADMASKTAIL \
	MASKLANES     \
	GRADLANES(Y3) \
	STORELANES

#define GRADMASKACCTAIL \
	MASKLANES     \
	GRADLANES(Y3) \
	ADDLANES

#define GRADGATETAIL \
	GATELANES     \
	GRADLANES(Y3) \
	STORELANES

#define GRADGATEACCTAIL \
	GATELANES     \
	GRADLANES(Y3) \
	ADDLANES

// func NormBackwardAVX2(a *NormSpan)
TEXT ·NormBackwardAVX2(SB), NOSPLIT, $0-8
	SPAN
	VXORPS  Y14, Y14, Y14
	MOVQ    NormSpan_DY(AX), DI
	MOVQ    NormSpan_Mask(AX), DX
	MOVQ    NormSpan_B(AX), R11
	MOVBLZX NormSpan_Acc(AX), R9
	TESTQ   DX, DX
	JNE     masked
	MOVQ    NormSpan_Scale(AX), DX
	MOVQ    NormSpan_Shift(AX), AX
	TESTQ   DX, DX
	JNE     gated
	TESTL   R9, R9
	JNE     rowa

	PASS(row, four, single, tail, next, GRAD, GRADTAIL)
	PASS(rowa, foura, singlea, taila, nexta, GRADACC, GRADACCTAIL)

masked:
	TESTL R9, R9
	JNE   rowma

	PASS(rowm, fourm, singlem, tailm, nextm, GRADMASK, GRADMASKTAIL)
	PASS(rowma, fourma, singlema, tailma, nextma, GRADMASKACC, GRADMASKACCTAIL)

gated:
	TESTL R9, R9
	JNE   rowga

	PASS(rowg, fourg, singleg, tailg, nextg, GRADGATE, GRADGATETAIL)
	PASS(rowga, fourga, singlega, tailga, nextga, GRADGATEACC, GRADGATEACCTAIL)
