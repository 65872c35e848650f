package kernels

import "github.com/sectile-ml/sectile/asm"

// optimRows is the table of optimizer kernels.
var optimRows = register([]optimRow{
	{
		Kernel:   Kernel{Op: "optim", Name: "avx512", Needs: asm.AVX2 | asm.AVX512},
		Momentum: asm.MomentumAVX512, Adam: asm.AdamAVX512,
	},
	{
		Kernel:   Kernel{Op: "optim", Name: "avx2", Needs: asm.AVX2},
		Momentum: asm.MomentumAVX2, Adam: asm.AdamAVX2,
	},
	goOptim,
})
