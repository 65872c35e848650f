package kernels

import "github.com/sectile-ml/sectile/asm"

// GemmKernel is a row of the table that matrix products and direct
// convolutions share: the two tile forms, each in the full width NR and in a
// narrow one for the last columns, and the row helpers of epilogue.go. The
// columns of both forms agree, so that they read the same packed panels.
type GemmKernel struct {
	Kernel
	MR, NR, Narrow   int // RowTile; MR divides StatsChunk
	Row, RowNarrow   RowTile
	RowPast          RowTile   // Row, storing past the caches; nil: none
	Tails            []RowTail // the last rows, fewest first
	OuterMR          int       // OuterTile, NR and Narrow columns
	Outer, OutNarrow OuterTile
	Rows             *rowHelpers
	PackRows         func(k, panels, nr int, src *float32, ld int, dst *float32, stride int)
	PackCols         func(k, nr int, src *float32, ld int, dst *float32, ldd int)
	Stems            *stemTiles // nil: none
	Rate             int        // flop per nanosecond of one thread, an estimate for Team.Do
}

// gemmTable is the family "gemm".
var gemmTable = register([]GemmKernel{
	{
		Kernel: Kernel{Op: "gemm", Name: "avx512_12x32", Needs: asm.AVX2 | asm.AVX512},
		MR:     12, NR: 32, Narrow: 16,
		Row: asm.GemmRowAVX512x12x32, RowNarrow: asm.GemmRowAVX512x12x16,
		RowPast: asm.GemmRowAVX512x12x32Past,
		Tails:   []RowTail{{4, asm.GemmRowAVX512x4x32}, {8, asm.GemmRowAVX512x8x32}},
		OuterMR: 8, Outer: asm.GemmOuterAVX512x8x32, OutNarrow: asm.GemmOuterAVX512x8x16,
		PackRows: asm.GemmPackRowsAVX512, PackCols: packColsAVX512,
		Stems: &stemTiles{Grey3: asm.StemGradAVX512x3x3, Colour3: asm.StemGradAVX512x3x9, Colour7: asm.StemGradAVX512x1x21, Grey: asm.StemAVX512x3x3},
		Rows:  &rowsAVX512, Rate: 100,
	},
	{
		Kernel: Kernel{Op: "gemm", Name: "avx2_6x16", Needs: asm.AVX2},
		MR:     6, NR: 16, Narrow: 8,
		Row: asm.GemmRowAVX2x6x16, RowNarrow: asm.GemmRowAVX2x6x8,
		Tails:   []RowTail{{2, asm.GemmRowAVX2x2x16}, {4, asm.GemmRowAVX2x4x16}},
		OuterMR: 4, Outer: asm.GemmOuterAVX2x4x16, OutNarrow: asm.GemmOuterAVX2x4x8,
		PackRows: asm.GemmPackRowsAVX2, PackCols: asm.GemmPackColsAVX2,
		Rows: &rowsAVX2, Rate: 80,
	},
	{
		Kernel: Kernel{Op: "gemm", Name: "go_4x4"},
		MR:     4, NR: 4, Narrow: 4,
		Row: goRow4x4, RowNarrow: goRow4x4,
		OuterMR: 4, Outer: goOuter4x4, OutNarrow: goOuter4x4,
		PackRows: goPackRows, PackCols: goPackCols,
		Rows: &rowsGo, Rate: 2,
	},
})

// paddedCols is n rounded up to whole panels: panels of NR, the last one of
// Narrow columns when the rest fits.
func (k *GemmKernel) paddedCols(n int) int {
	rest := n % k.NR
	if rest > 0 {
		rest = k.width(rest)
	}
	return n - n%k.NR + rest
}

// width is the columns of the panel that serves n of them.
func (k *GemmKernel) width(n int) int {
	if n <= k.Narrow {
		return k.Narrow
	}
	return k.NR
}
