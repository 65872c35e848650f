//go:build amd64 && !purego

package asm

import "math"

// expTable holds the constants of exp and log for the macros EXP and LOG, each
// in all lanes of a YMM register, in the order of the offsets in exp_amd64.h.
var expTable = [...][8]float32{
	lanes(ExpMin), lanes(ExpMax),
	lanes(Log2E), lanes(Ln2Hi), lanes(Ln2Lo),
	lanes(ExpC6), lanes(ExpC5), lanes(ExpC4), lanes(ExpC3), lanes(ExpC2),
	lanes(1),
	lanes(math.Float32frombits(127)), // the exponent's bias
	lanes(LogC10), lanes(LogC9), lanes(LogC8), lanes(LogC7), lanes(LogC6),
	lanes(LogC5), lanes(LogC4), lanes(LogC3), lanes(LogC2),
	lanes(0.75), lanes(23),
	lanes(0x1p-126), lanes(0x1p+23),
	lanes(float32(math.Inf(1))), lanes(float32(math.Inf(-1))),
	lanes(float32(math.NaN())),
}

func lanes(v float32) [8]float32 { return [8]float32{v, v, v, v, v, v, v, v} }

// laneMasks is 16 lanes on, then 16 off: the mask of the first r of 16 lanes
// starts at 16-r.
var laneMasks = [32]int32{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}

// zeros stands in for an operand that is not given.
var zeros [16]float32
