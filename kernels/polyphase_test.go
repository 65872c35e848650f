package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// polyphaseShapes takes every branch of the schedule once.
var polyphaseShapes = []ConvShape{
	square(1, 8, 64, 64, 3, 2, 1),    // one tile
	square(3, 13, 64, 80, 3, 2, 1),   // a narrow panel, ragged tiles, several chunks
	square(5, 7, 96, 64, 3, 2, 0),    // no padding
	square(2, 16, 16, 16, 3, 2, 0),   // pixels that nothing reads
	square(1, 5, 64, 64, 3, 2, 3),    // more padding than the kernel reaches
	square(2, 1, 32, 48, 3, 2, 1),    // less than a tile
	square(14, 14, 48, 256, 3, 2, 1), // several blocks and column items
	square(70, 9, 16, 32, 3, 2, 1),   // several chunks and lanes of a weight gradient
	square(12, 6, 144, 160, 3, 2, 2), // several blocks of one
	{N: 1, H: 5, W: 423, C: 32, OC: 64, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 2, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
	{N: 0, H: 4, W: 4, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
}

func TestPolyphase(t *testing.T) {
	var all []*CPU
	gemmRows(t, func(t *testing.T, k *GemmKernel) { all = append(all, onRow(k, 2)) })
	shapes, random := polyphaseShapes, 20
	if testing.Short() {
		shapes, random = shapes[1:3], 3
	}
	for i, s := range shapes {
		t.Run(s.String(), func(t *testing.T) {
			surround(s, uint64(i), func(c convCase) { c.check(t, all...) })
		})
	}
	r := rand.New(rand.NewPCG(15, 16))
	for range random {
		c := randomConv(r)
		c.KH, c.KW, c.StrideH, c.StrideW, c.DilH, c.DilW, c.Groups = 3, 3, 2, 2, 1, 1, 1
		c.C, c.OC = 16*(1+r.IntN(6)), 16*(1+r.IntN(6))
		c.H, c.W = max(c.H, 3), max(c.W, 3)
		if c.group > 0 {
			c.group = c.OH() * c.OW()
		}
		c.check(t, all...)
	}
	for _, cpu := range all {
		if !cpu.polyphased(&polyphaseShapes[0], PassForward) {
			t.Errorf("%s takes no shape", cpu.Name())
		}
		cpu.team.Close()
	}
}

// polyphaseError is the contract's bound for roundings that do not conspire: the
// error of an output over c channels whose operands are at most size and 1.
func polyphaseError(c int, size float64) float64 {
	return 0x1p-24 * polyphaseGrowth * size * 2 * math.Sqrt(float64(c))
}

// TestPolyphaseError holds random operands, and the worst that the bound's
// derivation knows, to float64: a tile has the signs of one row of the input
// transform in both directions and a kernel those of the weights' transform, so
// that a frequency is as large as it can be, and half of the channels cancel
// the other half.
func TestPolyphaseError(t *testing.T) {
	in := [][9]float64{ // rows of finite at +-1/2, +-3/2, the row at infinity; both phases
		{-1, -1, -1, -1, 1, 1, 1, 1, 0}, {1, 1, -1, -1, -1, -1, 1, 1, 0}, {-1, -1, -1, -1, 1, 1, 1, 1, 0},
		{1, 1, -1, -1, -1, -1, 1, 1, 0}, {1, 0, 0, 0, -1, 0, 0, 0, 1},
	}
	kern := [][3]float64{{-1, -1, -1}, {1, 1, -1}, {1, 1, 1}, {-1, -1, 1}, {0, 0, 1}}
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for _, channels := range []int{64, 512} {
			if channels > 64 && testing.Short() {
				continue
			}
			s := square(1, 9, channels, 64, 3, 2, 0)
			for pattern := range len(in) + 1 {
				t.Run(fmt.Sprintf("%d/%d", channels, pattern), func(t *testing.T) {
					c := convCase{ConvShape: s, seed: uint64(pattern)}
					d := c.data()
					if pattern < len(in) {
						polyphaseWorst(d, in[pattern], kern[pattern], channels)
					}
					want, _ := c.reference(d)
					got, _ := c.run(t, cpu, d)
					worst := 0.0
					for i := range want {
						worst = max(worst, math.Abs(float64(got[i])-want[i]))
					}
					bound := polyphaseError(channels, 1)
					t.Logf("largest error %.3g, %.2g of the bound, largest output %.3g", worst, worst/bound, max(slices.Max(want), -slices.Min(want)))
					if !(worst <= bound) {
						t.Errorf("error %g, bound %g", worst, bound)
					}
				})
			}
		}
	})
}

// polyphaseWorst makes x, one 9x9 image, and w of such signs.
func polyphaseWorst(d *convData, in [9]float64, kern [3]float64, channels int) {
	r := rand.New(rand.NewPCG(1, 2))
	for ch := 0; ch < channels; ch += 2 {
		scale := 0.5 + 0.5*r.Float64()
		for p := range 81 {
			v := float32(scale * in[p/9] * in[p%9])
			d.x[p*channels+ch], d.x[p*channels+ch+1] = v, -v
		}
		for oc := range len(d.w) / 9 / channels {
			for q := range 9 {
				v := float32(kern[q/3] * kern[q%3] * (0.999 + 0.001*r.Float64()))
				d.w[(oc*9+q)*channels+ch], d.w[(oc*9+q)*channels+ch+1] = v, v
			}
		}
	}
}
