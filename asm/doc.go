// Package asm holds the micro-kernels: one tile, one row or one strip a call,
// written by hand for AVX2 and AVX-512. There is no policy here, no thread and
// no allocation; package kernels decides which kernel runs and on what.
//
// How to read a .s file: its header gives the formula, the register picture,
// the loads and multiply-adds of one step and what the caller guarantees. The
// doc comment of each Go stub is the loop that the assembly replaces. Names
// are op_isa: gemm_avx512_amd64.s holds the matrix-product tiles for AVX-512.
//
// Every kernel keeps the numeric contract of package kernels: an element of a
// product is a chain of fused multiply-adds in ascending k, sums use a fixed
// order, so that AVX2 and AVX-512 give the same bits.
//
// Read next: package kernels.
package asm
