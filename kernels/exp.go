package kernels

import (
	"math"

	"github.com/sectile-ml/sectile/asm"
)

// exp32 is the contract's exponential (asm.ExpMin and below) as the Go rows
// evaluate it: products are rounded before they are added.
func exp32(x float32) float32 {
	if x != x {
		return x
	}
	x = min(max(x, asm.ExpMin), asm.ExpMax)
	n := float32(math.RoundToEven(float64(x * asm.Log2E)))
	r := x - float32(n*asm.Ln2Hi)
	r -= float32(n * asm.Ln2Lo)
	p := float32(asm.ExpC6)
	p = float32(p*r) + asm.ExpC5
	p = float32(p*r) + asm.ExpC4
	p = float32(p*r) + asm.ExpC3
	p = float32(p*r) + asm.ExpC2
	p = float32(p*r) + 1
	p = float32(p*r) + 1
	i := int32(n)
	return p * pow2(i>>1) * pow2(i-i>>1) // the first product is exact, the second rounds
}

// pow2 is 2^n for -126 <= n <= 127.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

// log32 is the contract's logarithm as the Go rows evaluate it.
func log32(x float32) float32 {
	switch {
	case x != x || x < 0:
		return float32(math.NaN())
	case x == 0:
		return float32(math.Inf(-1))
	case x > math.MaxFloat32:
		return x
	}
	var n float32
	if x < 0x1p-126 {
		x *= 0x1p+23
		n = -23
	}
	const threeQuarters = 0x3f400000
	bits := math.Float32bits(x)
	e := int32(bits-threeQuarters) >> 23
	n += float32(e)
	f := math.Float32frombits(bits-uint32(e)<<23) - 1
	p := float32(asm.LogC10)
	p = float32(p*f) + asm.LogC9
	p = float32(p*f) + asm.LogC8
	p = float32(p*f) + asm.LogC7
	p = float32(p*f) + asm.LogC6
	p = float32(p*f) + asm.LogC5
	p = float32(p*f) + asm.LogC4
	p = float32(p*f) + asm.LogC3
	p = float32(p*f) + asm.LogC2
	ff := f * f
	p = float32(p*ff) + float32(n*asm.Ln2Lo)
	return float32(n*asm.Ln2Hi) + (f + p)
}
