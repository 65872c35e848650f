//go:build amd64 && !purego

#include "textflag.h"

// n times 12 independent multiply-adds on registers of zeros: the rate that
// no kernel of this instruction set can pass. Twelve chains cover four
// (Haswell: five) cycles of latency on two ports.

// func PeakAVX2(n int)
TEXT ·PeakAVX2(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX
	VZEROALL
	PCALIGN $64

loop:
	VFMADD231PS Y14, Y15, Y0
	VFMADD231PS Y14, Y15, Y1
	VFMADD231PS Y14, Y15, Y2
	VFMADD231PS Y14, Y15, Y3
	VFMADD231PS Y14, Y15, Y4
	VFMADD231PS Y14, Y15, Y5
	VFMADD231PS Y14, Y15, Y6
	VFMADD231PS Y14, Y15, Y7
	VFMADD231PS Y14, Y15, Y8
	VFMADD231PS Y14, Y15, Y9
	VFMADD231PS Y14, Y15, Y10
	VFMADD231PS Y14, Y15, Y11
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
