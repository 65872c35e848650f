package kernels

import "github.com/sectile-ml/sectile/asm"

// softmaxRows is the table of exponential row kernels.
var softmaxRows = register([]softmaxRow{
	{
		Kernel: Kernel{Op: "softmax", Name: "avx512", Needs: asm.AVX2 | asm.AVX512},
		ExpSum: asm.ExpSumAVX512, ExpCols: asm.ExpColsAVX512, Exp: asm.ExpRowAVX512,
	},
	{
		Kernel: Kernel{Op: "softmax", Name: "avx2", Needs: asm.AVX2},
		ExpSum: asm.ExpSumAVX2, ExpCols: asm.ExpColsAVX2, Exp: asm.ExpRowAVX2,
	},
	goSoftmax,
})
