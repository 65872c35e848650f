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
	square(3, 7, 64, 80, 3, 1, 1),    // a narrow panel, ragged tiles, several chunks
	square(5, 4, 96, 64, 3, 1, 1),    // one tile an image
	square(2, 10, 80, 64, 3, 1, 0),   // no padding
	square(1, 3, 64, 64, 3, 1, 3),    // more padding than the kernel reaches
	square(2, 1, 64, 64, 3, 1, 1),    // less than a tile
	square(14, 7, 64, 256, 3, 1, 1),  // several blocks and column items
	square(130, 3, 16, 32, 3, 1, 1),  // several chunks and lanes of a weight gradient
	square(12, 3, 144, 160, 3, 1, 1), // several blocks of one
	square(2, 6, 16, 16, 3, 1, 1),    // one narrow panel
	square(1, 5, 48, 32, 3, 1, 2),
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
			surround(s, uint64(i), func(c convCase) { c.check(t, all...) })
		})
	}
	r := rand.New(rand.NewPCG(13, 14))
	for range random {
		c := randomCall(r, drawConv(r, func(r *rand.Rand) ConvShape { return vectors(r, 1) }, 4e6))
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

// winogradWeightError is the same for a weight gradient over n tiles.
func winogradWeightError(n int, size float64) float64 {
	return 0x1p-24 * winogradWeightGrowth * size * math.Sqrt(float64(n))
}

// TestWinogradWeightError does the same for weight gradients: images of one
// tile, whose signs are those of a row of the two operands' transforms, every
// other one negated.
func TestWinogradWeightError(t *testing.T) {
	x := [][6]float64{{1, 0, -1, 0, 1, 0}, {0, -1, -1, 1, 1, 0}, {0, 1, -1, -1, 1, 0}, {0, 1, 0, -1, 0, 1}}
	dy := [][4]float64{{1, 0, 0, 0}, {1, 1, 1, 1}, {1, -1, 1, -1}, {0, 0, 0, 1}}
	var all []*CPU
	gemmRows(t, func(t *testing.T, k *GemmKernel) { all = append(all, onRow(k, 1)) })
	for _, images := range []int{12, 130} {
		if images > 12 && testing.Short() {
			continue
		}
		for pattern := range len(x) + 1 {
			c := convCase{ConvShape: square(images, 4, 64, 64, 3, 1, 1), pass: PassGradWeight, seed: uint64(pattern)}
			d := c.data()
			if pattern < len(x) {
				r := rand.New(rand.NewPCG(3, 4))
				for i := range d.x {
					n, p := i/64/16, i/64%16
					if n%2 == 1 {
						d.x[i], d.y[i] = -d.x[i-16*64], d.y[i-16*64]
						continue
					}
					scale := 0.99 + 0.01*r.Float64()
					d.x[i] = float32(scale * x[pattern][p/4+1] * x[pattern][p%4+1])
					d.y[i] = float32(scale * dy[pattern][p/4] * dy[pattern][p%4])
				}
			}
			want, _ := c.reference(d)
			for _, cpu := range all {
				got, _ := c.run(t, cpu, d)
				worst := 0.0
				for i := range want {
					worst = max(worst, math.Abs(float64(got[i])-want[i]))
				}
				bound := winogradWeightError(images, 1)
				t.Logf("%d images, pattern %d, %s: largest error %.3g, %.2g of the bound, largest output %.3g",
					images, pattern, cpu.kernel.Name, worst, worst/bound, max(slices.Max(want), -slices.Min(want)))
				if !(worst <= bound) {
					t.Errorf("%d images, pattern %d, %s: error %g, bound %g", images, pattern, cpu.kernel.Name, worst, bound)
				}
			}
		}
	}
}

// TestWinogradSpecial: an infinity or NaN reaches every output that it reaches
// in the reference, all of its tiles' outputs or of its channels' taps, and
// nothing else.
func TestWinogradSpecial(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, pass := range []Pass{PassForward, PassGradInput, PassGradWeight} {
				for operand := range 3 {
					c := convCase{ConvShape: square(2, 9, 64, 64, 3, 1, 1), pass: pass, seed: 4}
					d := c.data()
					v := [][]float32{d.x, d.w, d.y}[operand]
					if (pass == PassForward && operand == 2) || (pass == PassGradInput && operand == 0) || (pass == PassGradWeight && operand == 1) {
						continue
					}
					at := len(v) / 3
					v[at] = float32(bad)
					want, _ := c.reference(d)
					got, _ := c.run(t, cpu, d)
					for i, g := range got {
						finite := !math.IsNaN(float64(g)) && !math.IsInf(float64(g), 0)
						if math.IsNaN(want[i]-want[i]) && finite {
							t.Fatalf("%v operand %d: element %d is %g, the reference has %g", c, operand, i, g, want[i])
						}
						if finite != !winogradReaches(&c.ConvShape, pass, operand, at, i) {
							t.Fatalf("%v operand %d: element %d is %g", c, operand, i, g)
						}
					}
				}
			}
		}
	})
}

// winogradReaches reports whether element at of an operand (x, w, dy) may move
// element i of a pass's output.
func winogradReaches(s *ConvShape, pass Pass, operand, at, i int) bool {
	if pass == PassGradWeight {
		if operand == 0 {
			return i%s.C == at%s.C
		}
		return i/(9*s.C) == at%s.OC
	}
	if operand == 1 { // one kernel: all pixels of a channel
		if pass == PassForward {
			return i%s.OC == at/(9*s.C)
		}
		return i%s.C == at%s.C
	}
	p, q := at/64, i/64 // pixels; both passes have 64 channels here
	img, y, x := p/(s.H*s.W), p/s.W%s.H, p%s.W
	ty, tx := q/s.W%s.H/4*4-1, q%s.W/4*4-1
	return q/(s.H*s.W) == img && y >= ty && y < ty+6 && x >= tx && x < tx+6
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
	s := square(3, 8, 64, 64, 3, 1, 1)
	if direct.fast(&s) || !chosen.fast(&s) || direct.fastWeight(&s) || !chosen.fastWeight(&s) {
		t.Fatalf("fast: %v, %v where it is forbidden, %v, %v where it is not",
			direct.fast(&s), direct.fastWeight(&s), chosen.fast(&s), chosen.fastWeight(&s))
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
