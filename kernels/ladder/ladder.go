package ladder

import "github.com/sectile-ml/sectile/asm"

// Product is C = A*B for A [m,k], B [k,n] and C [m,n], dense and row-major.
type Product func(m, n, k int, a, b, c []float32)

// Rung is one step of the ladder.
type Rung struct {
	Name     string
	Idea     string
	Threaded bool
	Product  Product
	Skip     string // why Product cannot run here, empty where it can
}

// Rungs lists the ladder from the ground up.
func Rungs() []Rung {
	return []Rung{
		{Name: "naive", Idea: "the definition, three loops", Product: Naive},
		{Name: "order", Idea: "inner loop along rows", Product: Order},
		{Name: "tile", Idea: "2 x 4 of C in registers", Product: Tile},
		{Name: "pack", Idea: "panels of B in reading order", Product: Pack},
		{Name: "blocks", Idea: "five loops round the tile", Product: Blocks},
		{Name: "simd", Idea: "4 x 32 tile, simd/archsimd", Product: SIMD, Skip: skipSIMD()},
		{Name: "avx2", Idea: "6 x 16 tile in assembly", Product: AVX2, Skip: lacks(asm.AVX2)},
		{Name: "avx512", Idea: "12 x 32 tile in assembly", Product: AVX512, Skip: lacks(asm.AVX512)},
		{Name: "threads", Idea: "blocks of C by a counter", Product: Threads, Threaded: true},
	}
}

func lacks(need asm.ISA) string {
	if asm.Has(need) {
		return ""
	}
	return "this CPU or build has no " + need.String()
}
