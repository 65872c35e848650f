package data

import (
	"os"
	"strings"

	"github.com/sectile-ml/sectile/asm"
)

// vector says that sums of levels are made by package asm's AVX2 kernels. They
// are the same integers either way. SECTILE_KERNELS=go turns them off.
var vector = asm.Has(asm.AVX2) && !pinnedToGo()

// vectorLevels is the shortest row that the kernels take.
const vectorLevels = 32

func pinnedToGo() bool {
	for f := range strings.SplitSeq(os.Getenv("SECTILE_KERNELS"), ",") {
		if isa, ok := asm.ParseISA(strings.TrimSpace(f)); ok && isa&asm.AVX2 == 0 {
			return true
		}
	}
	return false
}
