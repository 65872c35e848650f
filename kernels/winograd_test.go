package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// winogradShapes takes every branch of the schedule once.
var winogradShapes = []ConvShape{
	square(1, 8, 64, 64, 3, 1, 1),
	square(3, 7, 64, 80, 3, 1, 1),   // a narrow panel, ragged tiles, several chunks
	square(5, 4, 96, 64, 3, 1, 1),   // one tile an image
	square(2, 10, 80, 64, 3, 1, 0),  // no padding
	square(1, 3, 64, 64, 3, 1, 3),   // more padding than the kernel reaches
	square(2, 1, 64, 64, 3, 1, 1),   // less than a tile
	square(14, 7, 64, 256, 3, 1, 1), // several blocks and column items
	{N: 1, H: 3, W: 210, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 2, DilH: 1, DilW: 1, Groups: 1},
	{N: 0, H: 4, W: 4, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
}

func TestWinograd(t *testing.T) {
	var all []*CPU
	gemmRows(t, func(t *testing.T, k *GemmKernel) { all = append(all, onRow(k, 2)) })
	shapes, random := winogradShapes, 20
	if testing.Short() {
		shapes, random = shapes[1:3], 3
	}
	for i, s := range shapes {
		t.Run(s.String(), func(t *testing.T) {
			surround(s, uint64(i), func(c convCase) {
				if c.pass != PassGradWeight {
					c.check(t, all...)
				}
			})
		})
	}
	r := rand.New(rand.NewPCG(13, 14))
	for range random {
		c := randomConv(r)
		c.KH, c.KW, c.StrideH, c.StrideW, c.DilH, c.DilW, c.Groups = 3, 3, 1, 1, 1, 1, 1
		c.C, c.OC = 64+16*r.IntN(3), 64+16*r.IntN(3)
		c.H, c.W = max(c.H%10, 3), max(c.W%10, 3)
		if c.pass == PassGradWeight {
			c.pass, c.proX = PassGradInput, ProNone
		}
		if c.group > 0 {
			c.group = c.OH() * c.OW()
		}
		c.check(t, all...)
	}
	for _, cpu := range all {
		if !cpu.fast(&winogradShapes[0]) {
			t.Errorf("%s takes no shape", cpu.Name())
		}
		cpu.team.Close()
	}
}

// winogradError is the contract's bound for roundings that do not conspire: the
// error of an output over c channels whose operands are at most size and 1.
func winogradError(c int, size float64) float64 {
	return 0x1p-24 * winogradGrowth * size * math.Sqrt(float64(c))
}

// TestWinogradError holds random operands, and the worst that the bound's
// derivation knows, to float64. A tile of the latter has the signs of one row
// of the input transform in both directions and a kernel those of the weights'
// transform, so that a frequency is as large as it can be, and half of the
// channels cancel the other half.
func TestWinogradError(t *testing.T) {
	in := [][6]float64{{1, 0, -1, 0, 1, 0}, {0, -1, -1, 1, 1, 0}, {0, -1, -1, 1, 1, 0}, {0, 1, 0, -1, 0, 1}}
	kern := [][3]float64{{1, 0, 0}, {-1, -1, -1}, {1, 1, 1}, {0, 0, 1}}
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for _, channels := range []int{64, 512} {
			if channels > 64 && testing.Short() {
				continue
			}
			s := square(1, 4, channels, 64, 3, 1, 1)
			for pattern := range len(in) + 1 {
				t.Run(fmt.Sprintf("%d/%d", channels, pattern), func(t *testing.T) {
					c := convCase{ConvShape: s, seed: uint64(pattern)}
					d := c.data()
					if pattern < len(in) {
						r := rand.New(rand.NewPCG(1, 2))
						for ch := 0; ch < channels; ch += 2 {
							scale := 0.5 + 0.5*r.Float64()
							for p := range 16 {
								v := float32(scale * in[pattern][p/4+1] * in[pattern][p%4+1])
								d.x[p*channels+ch], d.x[p*channels+ch+1] = v, -v
							}
							for oc := range 64 {
								for q := range 9 {
									v := float32(kern[pattern][q/3] * kern[pattern][q%3] * (0.999 + 0.001*r.Float64()))
									d.w[(oc*9+q)*channels+ch], d.w[(oc*9+q)*channels+ch+1] = v, v
								}
							}
						}
					}
					want, _ := c.reference(d)
					got, _ := c.run(t, cpu, d)
					worst := 0.0
					for i := range want {
						worst = max(worst, math.Abs(float64(got[i])-want[i]))
					}
					bound := winogradError(channels, 1)
					t.Logf("largest error %.3g, %.2g of the bound, largest output %.3g", worst, worst/bound, max(slices.Max(want), -slices.Min(want)))
					if !(worst <= bound) {
						t.Errorf("error %g, bound %g", worst, bound)
					}
				})
			}
		}
	})
}

// TestWinogradPinned: conv:direct forbids the algorithm, and weights that one
// of the two prepared are refused by the other.
func TestWinogradPinned(t *testing.T) {
	pins, err := ParsePins("conv:direct")
	if err != nil {
		t.Fatal(err)
	}
	team := NewTeam(1)
	direct, chosen := NewCPU(team, pins), NewCPU(team, Pins{})
	s := winogradShapes[0]
	if direct.fast(&s) || !chosen.fast(&s) {
		t.Fatalf("fast: %v where it is forbidden, %v where it is not", direct.fast(&s), chosen.fast(&s))
	}
	c := convCase{ConvShape: s, prepared: true}
	a := c.args(c.data(), func(v []float32) Mem { return F32Mem(v) })
	c.prepare(direct, a, poisoned)
	a.Prepared.Mem = poisoned(chosen.PreparedBytes(&PrepareArgs{Conv: s}) / 4)
	defer func() {
		if _, ok := recover().(*ArgError); !ok {
			t.Error("weights of the direct row were taken")
		}
	}()
	chosen.Conv2D(a)
}
