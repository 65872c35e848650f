package asm

import (
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// ISA is a set of instruction-set extensions that a kernel needs.
type ISA uint32

// AVX2 stands for AVX2 with FMA; AVX512 for the F, BW, DQ and VL subsets;
// AVX512BF16 for the BFloat16 dot products.
const (
	AVX2 ISA = 1 << iota
	AVX512
	AVX512BF16
)

var have = detect()

// Has reports whether this CPU (and this build: the tag purego compiles no
// assembly) offers all of need.
func Has(need ISA) bool { return have&need == need }

// Have is the set of extensions this CPU and build offer.
func Have() ISA { return have }

func detect() ISA {
	if !compiled {
		return 0
	}
	var h ISA
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		h |= AVX2
	}
	if h&AVX2 != 0 && cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL) {
		h |= AVX512
	}
	if h&AVX512 != 0 && cpuid.CPU.Supports(cpuid.AVX512BF16) {
		h |= AVX512BF16
	}
	return h
}

// String lists the extensions, "go" for none.
func (i ISA) String() string {
	var s []string
	for j, n := range [...]string{"avx2", "avx512", "avx512bf16"} {
		if i&(1<<j) != 0 {
			s = append(s, n)
		}
	}
	if len(s) == 0 {
		return "go"
	}
	return strings.Join(s, "+")
}

// ParseISA reads go, avx2, avx512 or avx512bf16 as the largest set allowed.
func ParseISA(s string) (ISA, bool) {
	switch s {
	case "go":
		return 0, true
	case "avx2":
		return AVX2, true
	case "avx512":
		return AVX2 | AVX512, true
	case "avx512bf16":
		return AVX2 | AVX512 | AVX512BF16, true
	}
	return 0, false
}

// CPUName is the processor's brand string.
func CPUName() string { return cpuid.CPU.BrandName }

// Caches are the data cache sizes of one core in bytes, 0 where unknown.
func Caches() (l1, l2, l3 int) {
	c := cpuid.CPU.Cache
	return max(c.L1D, 0), max(c.L2, 0), max(c.L3, 0)
}
