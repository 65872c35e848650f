package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// convTable is the family "conv": the algorithms of a convolution. The contract
// chooses between them by shape (contract_winograd.go, contract_polyphase.go).
// Pinning conv:direct forbids all but indirect products, the kernels over
// channels (families "depthwise" and "grouped") too; pinning one of the others
// gives it all shapes that it fits and leaves the rest to direct.
var convTable = register([]Kernel{
	{Op: "conv", Name: "winograd_f4x4"},
	{Op: "conv", Name: "winograd_f2x2"},
	{Op: "conv", Name: "polyphase_f4x4"},
	{Op: "conv", Name: "direct"},
})

// winogradRow is one implementation of the transforms. n is a multiple of Lanes.
type winogradRow struct {
	Kernel
	Lanes              int
	winogradTransforms                    // of F(4x4,3x3): formulas in asm/winograd_amd64.go
	small              winogradTransforms // of F(2x2,3x3): asm/winograd2_amd64.go
}

// winogradTransforms are the five transforms of one tile size.
type winogradTransforms struct {
	tile    int // outputs of a tile's side
	Input   func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	Output  func(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
	Weights func(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)

	GradOutput  func(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)
	GradWeights func(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)

	// Of strips; nil: none.
	PatchInput, PatchSpread func(n int, src *float32, row, pixel int, dst *float32, freq int)
	PatchOutput             func(n int, src *float32, freq int, dst *float32, row, pixel, h, w int, add bool)
	Product, ProductNarrow  func(freqs, k int, v *float32, ldv, freqV int, u *float32, freqU int, m *float32, ldm, freqM int, read uintptr, readStep int, write uintptr, writeStep int)
}

// winogradTable is the family "winograd".
var winogradTable = register([]winogradRow{
	{
		Kernel: Kernel{Op: "winograd", Name: "avx512", Needs: asm.AVX2 | asm.AVX512}, Lanes: 16,
		winogradTransforms: winogradTransforms{
			tile:  winogradTile,
			Input: asm.WinogradInputAVX512, Output: asm.WinogradOutputAVX512, Weights: asm.WinogradWeightsAVX512,
			GradOutput: asm.WinogradGradOutputAVX512, GradWeights: asm.WinogradGradWeightsAVX512,
			PatchInput: asm.WinogradPatchInputAVX512, PatchSpread: asm.WinogradPatchSpreadAVX512, PatchOutput: asm.WinogradPatchOutputAVX512,
			Product: asm.WinogradProductAVX512x12x32, ProductNarrow: asm.WinogradProductAVX512x12x16,
		},
		small: winogradTransforms{
			tile:  winogradSmall,
			Input: asm.Winograd2InputAVX512, Output: asm.Winograd2OutputAVX512, Weights: asm.Winograd2WeightsAVX512,
			GradOutput: asm.Winograd2GradOutputAVX512, GradWeights: asm.Winograd2GradWeightsAVX512,
		},
	},
	{
		Kernel: Kernel{Op: "winograd", Name: "avx2", Needs: asm.AVX2}, Lanes: 8,
		winogradTransforms: winogradTransforms{
			tile:  winogradTile,
			Input: asm.WinogradInputAVX2, Output: asm.WinogradOutputAVX2, Weights: asm.WinogradWeightsAVX2,
			GradOutput: asm.WinogradGradOutputAVX2, GradWeights: asm.WinogradGradWeightsAVX2,
		},
		small: winogradTransforms{
			tile:  winogradSmall,
			Input: asm.Winograd2InputAVX2, Output: asm.Winograd2OutputAVX2, Weights: asm.Winograd2WeightsAVX2,
			GradOutput: asm.Winograd2GradOutputAVX2, GradWeights: asm.Winograd2GradWeightsAVX2,
		},
	},
	{
		Kernel: Kernel{Op: "winograd", Name: "go"}, Lanes: 1,
		winogradTransforms: winogradTransforms{
			tile:  winogradTile,
			Input: goWinogradInput, Output: goWinogradOutput, Weights: goWinogradWeights,
			GradOutput: goWinogradGradOutput, GradWeights: goWinogradGradWeights,
		},
		small: winogradTransforms{
			tile:  winogradSmall,
			Input: goWinograd2Input, Output: goWinograd2Output, Weights: goWinograd2Weights,
			GradOutput: goWinograd2GradOutput, GradWeights: goWinograd2GradWeights,
		},
	},
})

// by is the row's transforms for a tile size.
func (r *winogradRow) by(tile int) *winogradTransforms {
	if tile == winogradSmall {
		return &r.small
	}
	return &r.winogradTransforms
}

// side is the side of a tile of inputs, freqs its frequencies.
func (t *winogradTransforms) side() int  { return t.tile + 2 }
func (t *winogradTransforms) freqs() int { return t.side() * t.side() }
