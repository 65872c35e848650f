package kernels

import "github.com/sectile-ml/sectile/asm"

// poolRow is one implementation of the four runs.
type poolRow struct {
	Kernel
	Max, Avg, MaxGrad, AvgGrad func(*asm.PoolRun)
	MaxPast, MaxGradPast       func(*asm.PoolRun) // storing past the caches; nil: none
}

// poolRows is the family "pool".
var poolRows = register([]poolRow{
	{
		Kernel: Kernel{Op: "pool", Name: "avx512", Needs: asm.AVX2 | asm.AVX512},
		Max:    asm.PoolMaxAVX512, Avg: asm.PoolAvgAVX512,
		MaxGrad: asm.PoolMaxGradAVX512, AvgGrad: asm.PoolAvgGradAVX512,
		MaxPast: asm.PoolMaxPastAVX512, MaxGradPast: asm.PoolMaxGradPastAVX512,
	},
	{
		Kernel: Kernel{Op: "pool", Name: "avx2", Needs: asm.AVX2},
		Max:    asm.PoolMaxAVX2, Avg: asm.PoolAvgAVX2,
		MaxGrad: asm.PoolMaxGradAVX2, AvgGrad: asm.PoolAvgGradAVX2,
	},
	{
		Kernel: Kernel{Op: "pool", Name: "go"},
		Max:    poolMaxGo, Avg: poolAvgGo,
		MaxGrad: poolMaxGradGo, AvgGrad: poolAvgGradGo,
	},
})
