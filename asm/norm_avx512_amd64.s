//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// Batch normalisation for AVX-512: the loops of NormSums and NormSpan.
//
// Sums. Eight units side by side; s and q of a unit never leave their
// registers, and the chain of a channel stays in row order:
//
//	unit        0    1   ...  7
//	s          Z0   Z1   ... Z7
//	q          Z8   Z9   ... Z15
//	coef       Z16  Z17  ... Z23     shift or mean
//	temps      Z24 g, Z25 d, Z26     Z31 zero    K1 lanes, K2 mask
//	offsets    R8   R9   ... R15
//
// A row of a unit is 1 load and 3 arithmetic instructions for statistics, 2 or
// 3 loads and 3 or 4 for gradients (the ReLU mask is the load's mask). Units
// left over run one at a time. Spans are 3 loads, 1 FMA and 1 store a vector,
// or 5 to 7 loads, 2 FMAs and 1 store, four vectors a turn.
//
// The caller guarantees Rows > 0, 1 <= Lanes <= 16, N > 0, dense spans.
//
// Why assembly: Go has no vectors and no float32 fused multiply-add, and the
// contract's sums need both.

// Rows fetched ahead, as powers of two; without, 256 channels from memory
// reach 16 GB/s in place of 41 (statistics), 27 in place of 36.
#define STATSAHEAD 3
#define REDUCEAHEAD 2

// UNIT loads unit u's offset in the streams and its coefficients, and clears
// its sums; AX is the arguments, BX the units, SI the coefficients.
#define UNIT(u, off, s, q, coef) \
	MOVQ      (u*NormUnit__size+NormUnit_Coef)(BX), DI \
	MOVQ      (u*NormUnit__size+NormUnit_X)(BX), off   \
	VMOVUPS.Z (SI)(DI*1), K1, coef                     \
	VPXORD    s, s, s                                  \
	VPXORD    q, q, q

#define UNITS \
	UNIT(0, R8, Z0, Z8, Z16)   \
	UNIT(1, R9, Z1, Z9, Z17)   \
	UNIT(2, R10, Z2, Z10, Z18) \
	UNIT(3, R11, Z3, Z11, Z19) \
	UNIT(4, R12, Z4, Z12, Z20) \
	UNIT(5, R13, Z5, Z13, Z21) \
	UNIT(6, R14, Z6, Z14, Z22) \
	UNIT(7, R15, Z7, Z15, Z23)

// PART stores unit u's sums; SI is the result, DI the result of q.
#define PART(u, s, q) \
	MOVQ    (u*NormUnit__size+NormUnit_Part)(BX), DX \
	VMOVUPS s, K1, (SI)(DX*1)                        \
	VMOVUPS q, K1, (DI)(DX*1)

#define PARTS \
	PART(0, Z0, Z8)  \
	PART(1, Z1, Z9)  \
	PART(2, Z2, Z10) \
	PART(3, Z3, Z11) \
	PART(4, Z4, Z12) \
	PART(5, Z5, Z13) \
	PART(6, Z6, Z14) \
	PART(7, Z7, Z15)

// LANES makes K1 from the arguments at AX.
#define LANES(field) \
	MOVQ  field(AX), CX \
	MOVL  $-1, DX       \
	BZHIL CX, DX, DX    \
	KMOVW DX, K1

#define STATS(off, s, q, coef) \
	VMOVUPS.Z   (SI)(off*1), K1, Z24 \
	VSUBPS      coef, Z24, Z24       \
	VADDPS      Z24, s, s            \
	VFMADD231PS Z24, Z24, q

// AHEAD fetches the eight units' lines BP bytes on: a unit's rows lie a whole
// row apart, where the hardware sees no stream.
#define AHEAD(p) \
	ADDQ       BP, p        \
	PREFETCHT0 (p)(R8*1)    \
	PREFETCHT0 (p)(R9*1)    \
	PREFETCHT0 (p)(R10*1)   \
	PREFETCHT0 (p)(R11*1)   \
	PREFETCHT0 (p)(R12*1)   \
	PREFETCHT0 (p)(R13*1)   \
	PREFETCHT0 (p)(R14*1)   \
	PREFETCHT0 (p)(R15*1)   \
	SUBQ       BP, p

// func NormStatsAVX512(a *NormSums)
TEXT ·NormStatsAVX512(SB), NOSPLIT, $16-8
	MOVQ a+0(FP), AX
	LANES(NormSums_Lanes)
	LEAQ NormSums_Unit(AX), BX
	MOVQ NormSums_N(AX), DX
	MOVQ DX, left-8(SP)

eight:
	CMPQ left-8(SP), $8
	JLT  one
	MOVQ NormSums_Coef(AX), SI
	UNITS
	MOVQ NormSums_X(AX), SI
	MOVQ NormSums_Ld(AX), DX
	MOVQ NormSums_Rows(AX), CX
	MOVQ DX, BP
	SHLQ $STATSAHEAD, BP

row8:
	AHEAD(SI)
	STATS(R8, Z0, Z8, Z16)
	STATS(R9, Z1, Z9, Z17)
	STATS(R10, Z2, Z10, Z18)
	STATS(R11, Z3, Z11, Z19)
	STATS(R12, Z4, Z12, Z20)
	STATS(R13, Z5, Z13, Z21)
	STATS(R14, Z6, Z14, Z22)
	STATS(R15, Z7, Z15, Z23)
	ADDQ DX, SI
	DECQ CX
	JNZ  row8

	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	PARTS
	ADDQ $(8*NormUnit__size), BX
	SUBQ $8, left-8(SP)
	JMP  eight

one:
	CMPQ left-8(SP), $0
	JEQ  done
	MOVQ NormSums_Coef(AX), SI
	UNIT(0, R8, Z0, Z8, Z16)
	MOVQ NormSums_X(AX), SI
	MOVQ NormSums_Ld(AX), DX
	MOVQ NormSums_Rows(AX), CX

row1:
	STATS(R8, Z0, Z8, Z16)
	ADDQ DX, SI
	DECQ CX
	JNZ  row1

	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	PART(0, Z0, Z8)
	ADDQ $NormUnit__size, BX
	DECQ left-8(SP)
	JMP  one

done:
	VZEROUPPER
	RET

// In the gradient's loops SI is dy, DI x, DX the mask, BX the residual's
// gradient, AX the bytes of a row.

#define DY(off) \
	VMOVUPS.Z (SI)(off*1), K1, Z24

// 0 < mask, false for NaN, is the mask of dy's load.
#define DYMASKED(off) \
	VCMPPS    $0x11, (DX)(off*1), Z31, K1, K2 \
	VMOVUPS.Z (SI)(off*1), K2, Z24

#define NORESID(off)

#define RESID(off) \
	VMOVUPS Z24, K1, (BX)(off*1)

#define ACCRESID(off) \
	VMOVUPS.Z (BX)(off*1), K1, Z26 \
	VADDPS    Z24, Z26, Z26        \
	VMOVUPS   Z26, K1, (BX)(off*1)

#define REDUCE(LOAD, KEEP, off, s, q, coef) \
	LOAD(off)                         \
	VMOVUPS.Z   (DI)(off*1), K1, Z25  \
	VSUBPS      coef, Z25, Z25        \
	VADDPS      Z24, s, s             \
	VFMADD231PS Z25, Z24, q           \
	KEEP(off)

// The gate of unit k lies at DX + 128k: dy where scale x + shift > 0.
#define REDUCEGATED(KEEP, k, off, s, q, coef) \
	VMOVUPS.Z   (DI)(off*1), K1, Z25       \
	VMOVUPS     (k*128)(DX), Z26           \
	VFMADD213PS (k*128+64)(DX), Z25, Z26   \
	VCMPPS      $0x11, Z26, Z31, K1, K2    \
	VMOVUPS.Z   (SI)(off*1), K2, Z24       \
	VSUBPS      coef, Z25, Z25             \
	VADDPS      Z24, s, s                  \
	VFMADD231PS Z25, Z24, q                \
	KEEP(off)

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

#define REDUCE8(label, LOAD, KEEP, FETCH) \
label:                                    \
	FETCH                                 \
	REDUCE(LOAD, KEEP, R8, Z0, Z8, Z16)   \
	REDUCE(LOAD, KEEP, R9, Z1, Z9, Z17)   \
	REDUCE(LOAD, KEEP, R10, Z2, Z10, Z18) \
	REDUCE(LOAD, KEEP, R11, Z3, Z11, Z19) \
	REDUCE(LOAD, KEEP, R12, Z4, Z12, Z20) \
	REDUCE(LOAD, KEEP, R13, Z5, Z13, Z21) \
	REDUCE(LOAD, KEEP, R14, Z6, Z14, Z22) \
	REDUCE(LOAD, KEEP, R15, Z7, Z15, Z23) \
	ADVANCE                               \
	JNZ  label                            \
	JMP  parts8

#define ADVANCEGATED \
	ADDQ AX, SI \
	ADDQ AX, DI \
	ADDQ AX, BX \
	DECQ CX

#define GATED8(label, KEEP) \
label:                                         \
	FETCH                                      \
	REDUCEGATED(KEEP, 0, R8, Z0, Z8, Z16)      \
	REDUCEGATED(KEEP, 1, R9, Z1, Z9, Z17)      \
	REDUCEGATED(KEEP, 2, R10, Z2, Z10, Z18)    \
	REDUCEGATED(KEEP, 3, R11, Z3, Z11, Z19)    \
	REDUCEGATED(KEEP, 4, R12, Z4, Z12, Z20)    \
	REDUCEGATED(KEEP, 5, R13, Z5, Z13, Z21)    \
	REDUCEGATED(KEEP, 6, R14, Z6, Z14, Z22)    \
	REDUCEGATED(KEEP, 7, R15, Z7, Z15, Z23)    \
	ADVANCEGATED                               \
	JNZ  label                                 \
	JMP  parts8

#define GATED1(label, KEEP) \
label:                                    \
	REDUCEGATED(KEEP, 0, R8, Z0, Z8, Z16) \
	ADVANCEGATED                          \
	JNZ  label                            \
	JMP  parts1

#define REDUCE1(label, LOAD, KEEP) \
label:                                  \
	REDUCE(LOAD, KEEP, R8, Z0, Z8, Z16) \
	ADVANCE                             \
	JNZ  label                          \
	JMP  parts1

// STREAMS loads the loop's registers from the arguments at AX.
#define STREAMS \
	MOVQ NormSums_DY(AX), SI    \
	MOVQ NormSums_X(AX), DI     \
	MOVQ NormSums_Mask(AX), DX  \
	MOVQ NormSums_Resid(AX), BX \
	MOVQ NormSums_Rows(AX), CX

// func NormReduceAVX512(a *NormSums)
TEXT ·NormReduceAVX512(SB), NOSPLIT, $40-8
	MOVQ   a+0(FP), AX
	LANES(NormSums_Lanes)
	VPXORD Z31, Z31, Z31
	LEAQ   NormSums_Unit(AX), BX
	MOVQ   BX, unit-16(SP)
	MOVQ   NormSums_N(AX), DX
	MOVQ   DX, left-8(SP)

	// kind is 0, 1, 2 for no residual, a stored, an added one; + 3 for a mask,
	// + 6 for a gate.
	MOVQ   NormSums_Gate(AX), DX
	MOVQ   DX, gate-32(SP)
	XORL  DX, DX
	CMPQ  NormSums_Resid(AX), $0
	JEQ   nores
	MOVBLZX NormSums_Acc(AX), DX
	INCL  DX
nores:
	CMPQ  NormSums_Mask(AX), $0
	JEQ   nomask
	ADDL  $3, DX
	JMP   kinds
nomask:
	CMPQ  NormSums_Gate(AX), $0
	JEQ   kinds
	ADDL  $6, DX
kinds:
	MOVL  DX, kind-24(SP)

eight:
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	CMPQ left-8(SP), $8
	JLT  one
	MOVQ NormSums_Coef(AX), SI
	UNITS
	STREAMS
	MOVQ NormSums_Ld(AX), AX
	MOVQ AX, BP
	SHLQ $REDUCEAHEAD, BP
	CMPL kind-24(SP), $1
	JLT  plain8
	JEQ  resid8
	CMPL kind-24(SP), $3
	JLT  acc8
	JEQ  mask8
	CMPL kind-24(SP), $4
	JEQ  maskresid8
	CMPL kind-24(SP), $6
	JLT  maskacc8
	MOVQ gate-32(SP), DX
	JEQ  gate8
	CMPL kind-24(SP), $7
	JEQ  gateresid8
	JMP  gateacc8

	REDUCE8(plain8, DY, NORESID, FETCH)
	REDUCE8(resid8, DY, RESID, FETCH)
	REDUCE8(acc8, DY, ACCRESID, FETCH)
	REDUCE8(mask8, DYMASKED, NORESID, FETCHMASK)
	REDUCE8(maskresid8, DYMASKED, RESID, FETCHMASK)
	REDUCE8(maskacc8, DYMASKED, ACCRESID, FETCHMASK)
	GATED8(gate8, NORESID)
	GATED8(gateresid8, RESID)
	GATED8(gateacc8, ACCRESID)

parts8:
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	PARTS
	ADDQ $(8*NormUnit__size), unit-16(SP)
	ADDQ $1024, gate-32(SP)
	SUBQ $8, left-8(SP)
	JMP  eight

one:
	CMPQ left-8(SP), $0
	JEQ  done
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	MOVQ NormSums_Coef(AX), SI
	UNIT(0, R8, Z0, Z8, Z16)
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

	REDUCE1(plain1, DY, NORESID)
	REDUCE1(resid1, DY, RESID)
	REDUCE1(acc1, DY, ACCRESID)
	REDUCE1(mask1, DYMASKED, NORESID)
	REDUCE1(maskresid1, DYMASKED, RESID)
	REDUCE1(maskacc1, DYMASKED, ACCRESID)
	GATED1(gate1, NORESID)
	GATED1(gateresid1, RESID)
	GATED1(gateacc1, ACCRESID)

parts1:
	MOVQ a+0(FP), AX
	MOVQ unit-16(SP), BX
	MOVQ NormSums_Part(AX), SI
	MOVQ NormSums_Second(AX), DI
	ADDQ SI, DI
	PART(0, Z0, Z8)
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
	MOVQ  a+0(FP), AX              \
	MOVQ  NormSpan_N(AX), R14      \
	MOVQ  R14, CX                  \
	ANDL  $15, CX                  \
	MOVL  $-1, DX                  \
	BZHIL CX, DX, DX               \
	KMOVW DX, K1                   \
	SHLQ  $2, R14                  \
	MOVQ  R14, R13                 \
	ANDQ  $~63, R14                \
	ANDQ  $~255, R13               \
	MOVQ  NormSpan_X(AX), SI       \
	MOVQ  NormSpan_Y(AX), BX       \
	MOVQ  NormSpan_A(AX), R10      \
	MOVQ  NormSpan_C(AX), R12      \
	SHLQ  $2, CX                   \
	MOVQ  CX, R15                  \
	MOVQ  NormSpan_Rows(AX), CX    \
	XORL  R8, R8

// PASS is the loop over rows: four vectors a turn, one, then K1's lanes.
#define PASS(row, four, single, tail, next, OP, TAIL) \
row:                    \
	XORL R9, R9         \
four:                   \
	CMPQ R9, R13        \
	JGE  single         \
	OP(0, Z0, Z1)       \
	OP(64, Z2, Z3)      \
	OP(128, Z4, Z5)     \
	OP(192, Z6, Z7)     \
	ADDQ $256, R8       \
	ADDQ $256, R9       \
	JMP  four           \
single:                 \
	CMPQ R9, R14        \
	JGE  tail           \
	OP(0, Z0, Z1)       \
	ADDQ $64, R8        \
	ADDQ $64, R9        \
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

// Z31 is what ReLU raises to: 0, or -Inf for none. VMAXPS returns its second
// source (Go's first) when either is NaN, so NaN stays.
#define APPLY(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x     \
	VMOVUPS     at(R12)(R9*1), v    \
	VFMADD231PS at(R10)(R9*1), x, v \
	VMAXPS      v, Z31, v           \
	VMOVUPS     v, at(BX)(R8*1)

#define APPLYRESID(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x     \
	VMOVUPS     at(R12)(R9*1), v    \
	VFMADD231PS at(R10)(R9*1), x, v \
	VADDPS      at(DX)(R8*1), v, v  \
	VMAXPS      v, Z31, v           \
	VMOVUPS     v, at(BX)(R8*1)

#define AFFINETAIL \
	VMOVUPS.Z   (SI)(R8*1), K1, Z0  \
	VMOVUPS.Z   (R12)(R9*1), K1, Z1 \
	VMOVUPS.Z   (R10)(R9*1), K1, Z2 \
	VFMADD231PS Z2, Z0, Z1

#define APPLYTAIL \
	AFFINETAIL                      \
	VMAXPS      Z1, Z31, Z1         \
	VMOVUPS     Z1, K1, (BX)(R8*1)

#define APPLYRESIDTAIL \
	AFFINETAIL                      \
	VMOVUPS.Z   (DX)(R8*1), K1, Z3  \
	VADDPS      Z3, Z1, Z1          \
	VMAXPS      Z1, Z31, Z1         \
	VMOVUPS     Z1, K1, (BX)(R8*1)

// func NormApplyAVX512(a *NormSpan)
TEXT ·NormApplyAVX512(SB), NOSPLIT, $0-8
	SPAN
	MOVQ         NormSpan_Resid(AX), DX
	MOVL         $0xff800000, R9
	CMPB         NormSpan_ReLU(AX), $0
	JEQ          floor
	XORL         R9, R9
floor:
	VPBROADCASTD R9, Z31
	TESTQ        DX, DX
	JNE          rowr

	PASS(row, four, single, tail, next, APPLY, APPLYTAIL)
	PASS(rowr, fourr, singler, tailr, nextr, APPLYRESID, APPLYRESIDTAIL)

#define GRAD(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v     \
	VMOVUPS     at(SI)(R8*1), x      \
	VFMADD231PS at(R11)(R9*1), x, v  \
	VMOVUPS     at(DI)(R8*1), x      \
	VFMADD231PS at(R10)(R9*1), x, v  \
	VMOVUPS     v, at(BX)(R8*1)

#define GRADACC(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v     \
	VMOVUPS     at(SI)(R8*1), x      \
	VFMADD231PS at(R11)(R9*1), x, v  \
	VMOVUPS     at(DI)(R8*1), x      \
	VFMADD231PS at(R10)(R9*1), x, v  \
	VADDPS      at(BX)(R8*1), v, v   \
	VMOVUPS     v, at(BX)(R8*1)

#define GRADMASK(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v            \
	VMOVUPS     at(SI)(R8*1), x             \
	VCMPPS      $0x11, at(DX)(R8*1), Z31, K2 \
	VFMADD231PS at(R11)(R9*1), x, v         \
	VMOVUPS.Z   at(DI)(R8*1), K2, x         \
	VFMADD231PS at(R10)(R9*1), x, v         \
	VMOVUPS     v, at(BX)(R8*1)

#define GRADMASKACC(at, v, x) \
	VMOVUPS     at(R12)(R9*1), v            \
	VMOVUPS     at(SI)(R8*1), x             \
	VCMPPS      $0x11, at(DX)(R8*1), Z31, K2 \
	VFMADD231PS at(R11)(R9*1), x, v         \
	VMOVUPS.Z   at(DI)(R8*1), K2, x         \
	VFMADD231PS at(R10)(R9*1), x, v         \
	VADDPS      at(BX)(R8*1), v, v          \
	VMOVUPS     v, at(BX)(R8*1)

// In the gated passes DX is the gate's scale, AX its shift.
#define GRADGATE(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x         \
	VMOVUPS     at(DX)(R9*1), v         \
	VFMADD213PS at(AX)(R9*1), x, v      \
	VCMPPS      $0x11, v, Z31, K2       \
	VMOVUPS     at(R12)(R9*1), v        \
	VFMADD231PS at(R11)(R9*1), x, v     \
	VMOVUPS.Z   at(DI)(R8*1), K2, x     \
	VFMADD231PS at(R10)(R9*1), x, v     \
	VMOVUPS     v, at(BX)(R8*1)

#define GRADGATEACC(at, v, x) \
	VMOVUPS     at(SI)(R8*1), x         \
	VMOVUPS     at(DX)(R9*1), v         \
	VFMADD213PS at(AX)(R9*1), x, v      \
	VCMPPS      $0x11, v, Z31, K2       \
	VMOVUPS     at(R12)(R9*1), v        \
	VFMADD231PS at(R11)(R9*1), x, v     \
	VMOVUPS.Z   at(DI)(R8*1), K2, x     \
	VFMADD231PS at(R10)(R9*1), x, v     \
	VADDPS      at(BX)(R8*1), v, v      \
	VMOVUPS     v, at(BX)(R8*1)

#define GATELANES \
	VMOVUPS.Z   (SI)(R8*1), K1, Z0         \
	VMOVUPS.Z   (DX)(R9*1), K1, Z1         \
	VMOVUPS.Z   (AX)(R9*1), K1, Z2         \
	VFMADD213PS Z2, Z0, Z1                 \
	VCMPPS      $0x11, Z1, Z31, K1, K2

// GRADLANES leaves fma(A, dy under mask k, fma(B, x, C)) in Z0.
#define GRADLANES(k) \
	VMOVUPS.Z   (R12)(R9*1), K1, Z0 \
	VMOVUPS.Z   (SI)(R8*1), K1, Z1  \
	VMOVUPS.Z   (R11)(R9*1), K1, Z2 \
	VFMADD231PS Z2, Z1, Z0          \
	VMOVUPS.Z   (DI)(R8*1), k, Z1   \
	VMOVUPS.Z   (R10)(R9*1), K1, Z2 \
	VFMADD231PS Z2, Z1, Z0

#define MASKLANES \
	VCMPPS $0x11, (DX)(R8*1), Z31, K1, K2

#define STORELANES \
	VMOVUPS Z0, K1, (BX)(R8*1)

#define ADDLANES \
	VMOVUPS.Z (BX)(R8*1), K1, Z1 \
	VADDPS    Z1, Z0, Z0         \
	VMOVUPS   Z0, K1, (BX)(R8*1)

#define GRADTAIL \
	GRADLANES(K1) \
	STORELANES

#define GRADACCTAIL \
	GRADLANES(K1) \
	ADDLANES

#define GRADMASKTAIL \
	MASKLANES     \
	GRADLANES(K2) \
	STORELANES

#define GRADMASKACCTAIL \
	MASKLANES     \
	GRADLANES(K2) \
	ADDLANES

#define GRADGATETAIL \
	GATELANES     \
	GRADLANES(K2) \
	STORELANES

#define GRADGATEACCTAIL \
	GATELANES     \
	GRADLANES(K2) \
	ADDLANES

// func NormBackwardAVX512(a *NormSpan)
TEXT ·NormBackwardAVX512(SB), NOSPLIT, $0-8
	SPAN
	VPXORD  Z31, Z31, Z31
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
	TESTL   R9, R9
	JNE     rowma

	PASS(rowm, fourm, singlem, tailm, nextm, GRADMASK, GRADMASKTAIL)
	PASS(rowma, fourma, singlema, tailma, nextma, GRADMASKACC, GRADMASKACCTAIL)

gated:
	TESTL   R9, R9
	JNE     rowga

	PASS(rowg, fourg, singleg, tailg, nextg, GRADGATE, GRADGATETAIL)
	PASS(rowga, fourga, singlega, tailga, nextga, GRADGATEACC, GRADGATEACCTAIL)
