//go:build amd64 && !purego

#include "textflag.h"

// n times 12 independent multiply-adds on registers of zeros: the rate that
// no kernel of this instruction set can pass. Twelve chains cover four
// cycles of latency on two ports.

// func PeakAVX512(n int)
TEXT ·PeakAVX512(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX
	VZEROALL
	VPXORD Z30, Z30, Z30
	VPXORD Z31, Z31, Z31
	PCALIGN $64

loop:
	VFMADD231PS Z30, Z31, Z0
	VFMADD231PS Z30, Z31, Z1
	VFMADD231PS Z30, Z31, Z2
	VFMADD231PS Z30, Z31, Z3
	VFMADD231PS Z30, Z31, Z4
	VFMADD231PS Z30, Z31, Z5
	VFMADD231PS Z30, Z31, Z6
	VFMADD231PS Z30, Z31, Z7
	VFMADD231PS Z30, Z31, Z8
	VFMADD231PS Z30, Z31, Z9
	VFMADD231PS Z30, Z31, Z10
	VFMADD231PS Z30, Z31, Z11
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
