package kernels

import "github.com/sectile-ml/sectile/asm"

// normRow is one implementation of the streaming parts of batch norm. Width
// is the channels of one unit of sums.
type normRow struct {
	Kernel
	Width    int
	Stats    func(*asm.NormSums)
	Reduce   func(*asm.NormSums)
	Apply    func(*asm.NormSpan)
	Backward func(*asm.NormSpan)
}

// normRows is the family "norm".
var normRows = register([]normRow{
	{
		Kernel: Kernel{Op: "norm", Name: "avx512", Needs: asm.AVX2 | asm.AVX512}, Width: 16,
		Stats: asm.NormStatsAVX512, Reduce: asm.NormReduceAVX512,
		Apply: asm.NormApplyAVX512, Backward: asm.NormBackwardAVX512,
	},
	{
		Kernel: Kernel{Op: "norm", Name: "avx2", Needs: asm.AVX2}, Width: 8,
		Stats: asm.NormStatsAVX2, Reduce: asm.NormReduceAVX2,
		Apply: asm.NormApplyAVX2, Backward: asm.NormBackwardAVX2,
	},
	{
		Kernel: Kernel{Op: "norm", Name: "go"}, Width: 16,
		Stats: normStatsGo, Reduce: normReduceGo,
		Apply: normApplyGo, Backward: normBackwardGo,
	},
})
