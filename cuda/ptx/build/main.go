// Command build prints the GEMM and convolution kernels of cuda/ptx. The text
// is committed; a test prints it again and compares.
//
// What stands here is a typewriter for PTX: one call is one instruction,
// registers have the names their authors gave them, and there is no optimizer
// and no allocation of registers. Go contributes loops, arguments and names.
//
// # Glossary
//
//	tile      the part of C that a block computes, BM x BN
//	step      16 of k; of the BF16 product 32
//	stage     one step's A and B in shared memory; two of them take turns, in BF16 a ring of three
//	operand   how A or B comes from global memory: along k, along its rows, or gathered pixels
//	prologue  what happens to an element between global and shared memory
//	piece     rows of the tile that pass through shared memory on the way to C
//	split     a part of k; its partial C goes to the workspace
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	for name, text := range files() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// files is every text by its file name.
func files() map[string]string {
	m := map[string]string{}
	for _, f := range families {
		simt, tensor := []*Kernel{f.entry(f32x32), f.entry(f32x64)}, []*Kernel{f.entry(tf32x64)}
		if !f.rare {
			simt, tensor = append(simt, f.entry(f32x128)), append(tensor, f.entry(tf32x128))
		}
		m[f.name+".ptx"] = Module(fmt.Sprintf(moduleHeader, f.name, "FP32 lanes", f.formula), simt...)
		m[f.name+"_tf32.ptx"] = Module(fmt.Sprintf(moduleHeader, f.name, "tensor cores, TF32 products and FP32 sums", f.formula), tensor...)
	}
	m["gemm_sums.ptx"] = Module(sumsHeader, reduceSplits(), joinStats())
	m["gemm_bf16.ptx"] = Module(bf16Header, gemmBF16(false), gemmBF16(true))
	return m
}

const moduleHeader = `Printed by build (go generate); do not edit.

%s on the %s:
%s

Row-major FP32; grid (tiles, splits of k, convolution groups). Blocks walk in
groups of 8 row tiles. Source: own; fragment layout of mma.sync from the PTX ISA.`

const sumsHeader = `Printed by build (go generate); do not edit.

The second passes of products: gemm_reduce adds the splits of k and does the
epilogue, gemm_stats adds the slots of statistics chunks. Both in fixed order.
Source: own.`
