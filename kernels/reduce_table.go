package kernels

import "github.com/sectile-ml/sectile/asm"

// reduceRows is the table of sums and maxima.
var reduceRows = register([]reduceRow{
	{
		Kernel: Kernel{Op: "reduce", Name: "avx512", Needs: asm.AVX2 | asm.AVX512},
		Sum:    asm.RowSumAVX512, Dot: asm.RowDotAVX512, Find: asm.RowFindAVX512,
		Max: asm.RowMaxAVX512, MaxCols: asm.ColMaxAVX512, SumCols: asm.ColSumAVX512,
	},
	{
		Kernel: Kernel{Op: "reduce", Name: "avx2", Needs: asm.AVX2},
		Sum:    asm.RowSumAVX2, Dot: asm.RowDotAVX2, Find: asm.RowFindAVX2,
		Max: asm.RowMaxAVX2, MaxCols: asm.ColMaxAVX2, SumCols: asm.ColSumAVX2,
	},
	goReduce,
})
