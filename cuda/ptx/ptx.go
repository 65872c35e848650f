// Package ptx holds the GPU kernels as PTX text, written by hand (short ones)
// or printed by the builder in cuda/ptx/build (the GEMM and convolution
// families; the printed text is what is committed). One file is one module of
// one or several entries, `.version 7.0 .target sm_80`, so that every driver
// from CUDA 11.0 on assembles it for every card from Ampere on.
//
// # Glossary
//
//	entry      a kernel: .visible .entry NAME
//	block      the threads that share shared memory and barriers; .maxntid fixes how many
//	grid       the blocks of a launch
//	.param     the arguments, in order, each at its natural alignment
package ptx

import (
	"embed"
	"fmt"
)

//go:embed *.ptx
var files embed.FS

// Kernel is one entry of one file.
type Kernel struct {
	File  string // "fill.ptx"
	Name  string // the entry's name, unique over all files
	Block int    // threads of a block: its .maxntid

	index int
}

// Index is the kernel's place in All.
func (k *Kernel) Index() int { return k.index }

var catalogue []*Kernel

// Entry adds a kernel to the catalogue; it serves the package's variables, and
// tests that bring their own text.
func Entry(file, name string, block int) *Kernel {
	k := &Kernel{File: file, Name: name, Block: block, index: len(catalogue)}
	catalogue = append(catalogue, k)
	return k
}

// All lists the kernels in the order of their index.
func All() []*Kernel { return catalogue }

// Text is a file's PTX. It panics when no such file is embedded.
func Text(file string) string {
	b, err := files.ReadFile(file)
	if err != nil {
		panic(fmt.Sprintf("ptx: %s is not embedded", file))
	}
	return string(b)
}
