package kernels

import "github.com/sectile-ml/sectile/asm"

// vecRows is the table of elementwise kernels. Copying is the runtime's
// memmove on every row.
var vecRows = register([]vecRow{
	{
		Kernel: Kernel{Op: "vec", Name: "avx512", Needs: asm.AVX2 | asm.AVX512},
		Map: [mapOps]mapFn{
			MapCopy:     goCopy,
			MapFill:     asm.VecFillAVX512,
			MapScale:    asm.VecScaleAVX512,
			MapAdd:      asm.VecAddAVX512,
			MapSub:      asm.VecSubAVX512,
			MapMul:      asm.VecMulAVX512,
			MapDiv:      asm.VecDivAVX512,
			MapAXPY:     asm.VecAXPYAVX512,
			MapAXPBY:    asm.VecAXPBYAVX512,
			MapReLU:     asm.VecReLUAVX512,
			MapReLUGrad: asm.VecReLUGradAVX512,
			MapExp:      asm.VecExpAVX512,
			MapLog:      asm.VecLogAVX512,
			MapSqrt:     asm.VecSqrtAVX512,
			MapAffine:   asm.VecAffineAVX512,
			MapExpGrad:  asm.VecMulAVX512,
		},
	},
	{
		Kernel: Kernel{Op: "vec", Name: "avx2", Needs: asm.AVX2},
		Map: [mapOps]mapFn{
			MapCopy:     goCopy,
			MapFill:     asm.VecFillAVX2,
			MapScale:    asm.VecScaleAVX2,
			MapAdd:      asm.VecAddAVX2,
			MapSub:      asm.VecSubAVX2,
			MapMul:      asm.VecMulAVX2,
			MapDiv:      asm.VecDivAVX2,
			MapAXPY:     asm.VecAXPYAVX2,
			MapAXPBY:    asm.VecAXPBYAVX2,
			MapReLU:     asm.VecReLUAVX2,
			MapReLUGrad: asm.VecReLUGradAVX2,
			MapExp:      asm.VecExpAVX2,
			MapLog:      asm.VecLogAVX2,
			MapSqrt:     asm.VecSqrtAVX2,
			MapAffine:   asm.VecAffineAVX2,
			MapExpGrad:  asm.VecMulAVX2,
		},
	},
	{Kernel: Kernel{Op: "vec", Name: "go"}, Map: goMap},
})
