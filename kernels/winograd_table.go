package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// convTable is the family "conv": the algorithms of a convolution. The contract
// chooses between them by shape; pinning conv:direct forbids Winograd.
var convTable = register([]Kernel{
	{Op: "conv", Name: "winograd_f4x4"},
	{Op: "conv", Name: "polyphase_f4x4"},
	{Op: "conv", Name: "direct"},
})

// winogradRow is one implementation of the five transforms; their formulas
// stand in asm/winograd_amd64.go. n is a multiple of Lanes.
type winogradRow struct {
	Kernel
	Lanes   int
	Input   func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	Output  func(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
	Weights func(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)

	GradOutput  func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	GradWeights func(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
}

// winogradTable is the family "winograd".
var winogradTable = register([]winogradRow{
	{
		Kernel: Kernel{Op: "winograd", Name: "avx512", Needs: asm.AVX2 | asm.AVX512}, Lanes: 16,
		Input: asm.WinogradInputAVX512, Output: asm.WinogradOutputAVX512, Weights: asm.WinogradWeightsAVX512,
		GradOutput: asm.WinogradGradOutputAVX512, GradWeights: asm.WinogradGradWeightsAVX512,
	},
	{
		Kernel: Kernel{Op: "winograd", Name: "avx2", Needs: asm.AVX2}, Lanes: 8,
		Input: asm.WinogradInputAVX2, Output: asm.WinogradOutputAVX2, Weights: asm.WinogradWeightsAVX2,
		GradOutput: asm.WinogradGradOutputAVX2, GradWeights: asm.WinogradGradWeightsAVX2,
	},
	{
		Kernel: Kernel{Op: "winograd", Name: "go"}, Lanes: 1,
		Input: goWinogradInput, Output: goWinogradOutput, Weights: goWinogradWeights,
		GradOutput: goWinogradGradOutput, GradWeights: goWinogradGradWeights,
	},
})
