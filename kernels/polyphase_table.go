package kernels

import (
	"slices"
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// polyphaseRow is one implementation of the transforms of polyphase Winograd;
// their formulas stand in asm/polyphase_amd64.go. n is a multiple of Lanes.
type polyphaseRow struct {
	Kernel
	Lanes   int
	Input   func(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
	Output  func(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)
	Weights func(n int, src *float32, tap int, dst *float32, plane int, tmp *float32)

	GradY func(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
	GradX func(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

	Spread func(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)
	Gather func(n int, src *float32, plane int, dst *float32, tap int, tmp *float32)
}

// polyphaseTable is the family "polyphase".
var polyphaseTable = register([]polyphaseRow{
	{
		Kernel: Kernel{Op: "polyphase", Name: "avx512", Needs: asm.AVX2 | asm.AVX512}, Lanes: 16,
		Input: asm.PolyphaseInputAVX512, Output: asm.PolyphaseOutputAVX512, Weights: asm.PolyphaseWeightsAVX512,
		GradY: asm.PolyphaseGradYAVX512, GradX: asm.PolyphaseGradXAVX512,
		Spread: asm.PolyphaseSpreadAVX512, Gather: asm.PolyphaseGatherAVX512,
	},
	{
		Kernel: Kernel{Op: "polyphase", Name: "avx2", Needs: asm.AVX2}, Lanes: 8,
		Input: asm.PolyphaseInputAVX2, Output: asm.PolyphaseOutputAVX2, Weights: asm.PolyphaseWeightsAVX2,
		GradY: asm.PolyphaseGradYAVX2, GradX: asm.PolyphaseGradXAVX2,
		Spread: asm.PolyphaseSpreadAVX2, Gather: asm.PolyphaseGatherAVX2,
	},
	{
		Kernel: Kernel{Op: "polyphase", Name: "go"}, Lanes: 1,
		Input: goPolyphaseInput, Output: goPolyphaseOutput, Weights: goPolyphaseWeights,
		GradY: goPolyphaseGradY, GradX: goPolyphaseGradX,
		Spread: goPolyphaseSpread, Gather: goPolyphaseGather,
	},
})

// polyphaseProduct is one of the 81 products of a tile: of the planes [9x9] of
// the phases, of the frequencies [5x5].
type polyphaseProduct struct{ plane, freq int }

// polyphaseProducts lists, for each of the 6x6 planes of kernels, the products
// that it takes part in: rows and columns 0 to 4 are the points of the taps w0 and
// w2, 5 is the tap w1, the same at the four finite points and zero at infinity.
var polyphaseProducts = func() (l [36][]polyphaseProduct) {
	points := func(i int) (n, first, phase int) {
		if i == 5 {
			return 4, 0, 5
		}
		return 1, i, 0
	}
	for k := range l {
		rows, y, py := points(k / 6)
		cols, x, px := points(k % 6)
		for i := y; i < y+rows; i++ {
			for j := x; j < x+cols; j++ {
				l[k] = append(l[k], polyphaseProduct{9*(py+i) + px + j, 5*i + j})
			}
		}
	}
	return l
}()

// polyphaseState is what the algorithm keeps between calls.
type polyphaseState struct {
	polyphaseJobs       freelist[polyphaseJob]
	polyphaseWeightJobs freelist[polyphaseWeightJob]
	phases              *polyphaseRow // nil: shapes of stride 2 are direct
	phasesName          string        // the row of prepared weights
}

func (s *polyphaseState) init(c *CPU) {
	allowed := func(k *Kernel) bool { return k.Name == "polyphase_f4x4" }
	if !slices.ContainsFunc(usable(c.pins, convTable), allowed) {
		return
	}
	for _, r := range usable(c.pins, polyphaseTable) {
		if r.Lanes <= c.kernel.NR { // a panel is whole steps of the transform
			s.phases, s.phasesName = r, "polyphase_f4x4 "+c.kernel.Name
			return
		}
	}
}

// polyphased reports whether a pass of a shape runs by polyphase Winograd.
func (s *polyphaseState) polyphased(shape *ConvShape, pass Pass) bool {
	if pass == PassGradWeight {
		return s.phases != nil && polyphaseWeightFits(shape)
	}
	return s.phases != nil && polyphaseFits(shape)
}
