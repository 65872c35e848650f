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
	square(12, 8, 64, 64, 3, 2, 1),  // one tile an image
	square(3, 13, 64, 80, 3, 2, 1),  // a narrow panel, ragged tiles, several chunks
	square(5, 7, 96, 64, 3, 2, 0),   // no padding
	square(2, 12, 64, 64, 3, 2, 0),  // pixels that nothing reads
	square(1, 5, 64, 64, 3, 2, 3),   // more padding than the kernel reaches
	square(2, 1, 80, 64, 3, 2, 1),   // less than a tile
	square(7, 14, 64, 272, 3, 2, 1), // several blocks, column items and groups of columns
	square(26, 5, 144, 64, 3, 2, 2),
	square(18, 15, 144, 64, 3, 2, 1), // several chunks and blocks of a weight gradient
	square(66, 8, 64, 64, 3, 2, 1),   // several lanes of one
	{N: 1, H: 5, W: 423, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 2, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
	{N: 0, H: 4, W: 4, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
}

func TestPolyphase(t *testing.T) {
	var all []*CPU
	gemmRows(t, func(t *testing.T, k *GemmKernel) { all = append(all, onRow(k, 2)) })
	shapes, random := polyphaseShapes, 8
	if testing.Short() {
		shapes, random = shapes[1:3], 2
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
		c.C, c.OC = 64+16*r.IntN(3), 64+16*r.IntN(3)
		c.H, c.W = max(c.H, 3), max(c.W, 3)
		if c.group > 0 {
			c.group = c.OH() * c.OW()
		}
		c.check(t, all...)
	}
	for _, cpu := range all {
		for _, pass := range []Pass{PassForward, PassGradInput, PassGradWeight} {
			if !cpu.polyphased(&polyphaseShapes[0], pass) {
				t.Errorf("%s takes no shape in pass %d", cpu.Name(), pass)
			}
		}
		cpu.team.Close()
	}
}

// polyphaseError is the contract's bound for roundings that do not conspire: the
// error of an output over c channels whose operands are at most size and 1.
func polyphaseError(c int, size float64) float64 {
	return 0x1p-24 * polyphaseGrowth * size * math.Sqrt(float64(c))
}

// polyphaseRows are the signs of the rows of the input transform: at 1/2 and 3/2,
// at -1/2 and -3/2, for both phases, and at infinity.
var polyphaseRows = [][9]float64{
	{-1, -1, -1, -1, 1, 1, 1, 1, 0}, {1, 1, -1, -1, -1, -1, 1, 1, 0}, {1, 0, 0, 0, -1, 0, 0, 0, 1},
}

// TestPolyphaseError holds random operands, and the worst that the bound's
// derivation knows, to float64: a tile has the signs of one row of the input
// transform in both directions and a kernel those of the weights' transform, so
// that a frequency is as large as it can be, and half of the channels cancel
// the other half.
func TestPolyphaseError(t *testing.T) {
	in := polyphaseRows
	kern := [][3]float64{{1, 1, 1}, {1, 1, -1}, {0, 0, 1}}
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

// polyphaseWeightError is the same for a weight gradient over n tiles.
func polyphaseWeightError(n int, size float64) float64 {
	return 0x1p-24 * polyphaseWeightGrowth * size * math.Sqrt(float64(n))
}

// TestPolyphaseWeightError does the same for weight gradients: images of one
// tile, whose signs are those of a row of the two operands' transforms, x of
// every other one negated.
func TestPolyphaseWeightError(t *testing.T) {
	dy := [][4]float64{{1, 1, 1, 1}, {1, -1, 1, -1}, {0, 0, 0, 1}}
	var all []*CPU
	gemmRows(t, func(t *testing.T, k *GemmKernel) { all = append(all, onRow(k, 1)) })
	for _, images := range []int{12, 130} {
		if images > 12 && testing.Short() {
			continue
		}
		for pattern := range len(dy) + 1 {
			c := convCase{ConvShape: square(images, 9, 64, 64, 3, 2, 0), pass: PassGradWeight, seed: uint64(pattern)}
			d := c.data()
			if pattern < len(dy) {
				polyphaseSigns(d, polyphaseRows[pattern], dy[pattern])
			}
			want, _ := c.reference(d)
			for _, cpu := range all {
				got, _ := c.run(t, cpu, d)
				worst := 0.0
				for i := range want {
					worst = max(worst, math.Abs(float64(got[i])-want[i]))
				}
				bound := polyphaseWeightError(images, 1)
				t.Logf("%d images, pattern %d, %s: largest error %.3g, %.2g of the bound, largest output %.3g",
					images, pattern, cpu.kernel.Name, worst, worst/bound, max(slices.Max(want), -slices.Min(want)))
				if !(worst <= bound) {
					t.Errorf("%d images, pattern %d, %s: error %g, bound %g", images, pattern, cpu.kernel.Name, worst, bound)
				}
			}
		}
	}
}

// polyphaseSigns makes x, images of 9x9 pixels and 64 channels, every other one
// negated, and dy, of 4x4.
func polyphaseSigns(d *convData, x [9]float64, dy [4]float64) {
	r := rand.New(rand.NewPCG(3, 4))
	fill := func(v []float32, size int, next float32, sign func(p int) float64) {
		for i := range v {
			if n := i / 64 / size; n%2 == 1 {
				v[i] = next * v[i-size*64]
				continue
			}
			v[i] = float32((0.99 + 0.01*r.Float64()) * sign(i/64%size))
		}
	}
	fill(d.x, 81, -1, func(p int) float64 { return x[p/9] * x[p%9] })
	fill(d.y, 16, 1, func(p int) float64 { return dy[p/4] * dy[p%4] })
}

// TestPolyphaseSpecial: an infinity or NaN reaches every output that it reaches
// in the reference and nothing but its tiles' outputs or its channels' taps.
func TestPolyphaseSpecial(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, pass := range []Pass{PassForward, PassGradInput, PassGradWeight} {
				for operand := range 3 {
					c := convCase{ConvShape: square(2, 31, 64, 64, 3, 2, 1), pass: pass, seed: 4}
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
						if !finite && !polyphaseReaches(&c.ConvShape, pass, operand, at, i) {
							t.Fatalf("%v operand %d: element %d is %g", c, operand, i, g)
						}
					}
				}
			}
		}
	})
}

// polyphaseReaches reports whether element at of an operand (x, w, dy) may move
// element i of a pass's output: both have 64 channels, padding is 1.
func polyphaseReaches(s *ConvShape, pass Pass, operand, at, i int) bool {
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
	p, q := at/64, i/64 // pixels
	if pass == PassForward {
		img, y, x := p/(s.H*s.W), p/s.W%s.H, p%s.W
		ty, tx := q/s.OW()%s.OH()/4*8-1, q%s.OW()/4*8-1
		return q/(s.OH()*s.OW()) == img && y >= ty && y < ty+9 && x >= tx && x < tx+9
	}
	img, y, x := p/(s.OH()*s.OW()), p/s.OW()%s.OH(), p%s.OW()
	ty, tx := q/s.W%s.H/8*4, q%s.W/8*4
	return q/(s.H*s.W) == img && y >= ty && y < ty+5 && x >= tx && x < tx+5
}

// TestPolyphasePinned: conv:direct forbids the algorithm, conv:winograd_f4x4 too,
// and weights that one of the two prepared are refused by the other.
func TestPolyphasePinned(t *testing.T) {
	team := NewTeam(1)
	on := func(pins string) *CPU {
		p, err := ParsePins(pins)
		if err != nil {
			t.Fatal(err)
		}
		return NewCPU(team, p)
	}
	s := square(3, 8, 64, 64, 3, 2, 1)
	for pins, want := range map[string]bool{"": true, "conv:polyphase_f4x4": true, "conv:direct": false, "conv:winograd_f4x4": false} {
		if got := on(pins).polyphased(&s, PassForward); got != want {
			t.Errorf("%q: %v, want %v", pins, got, want)
		}
	}
	one := square(3, 8, 64, 64, 3, 1, 1)
	if on("conv:polyphase_f4x4").fast(&one) {
		t.Error("stride 1 is not direct where only polyphase_f4x4 is allowed")
	}
	for _, pins := range [][2]string{{"", "conv:direct"}, {"conv:direct", ""}} {
		prepares, runs := on(pins[0]), on(pins[1])
		c := convCase{ConvShape: s, prepared: true}
		a := c.args(c.data(), func(v []float32) Mem { return F32Mem(v) })
		c.prepare(prepares, a, poisoned)
		a.Prepared.Mem = poisoned(max(prepares.PreparedBytes(&PrepareArgs{Conv: s}), runs.PreparedBytes(&PrepareArgs{Conv: s})) / 4)
		func() {
			defer func() {
				if _, ok := recover().(*ArgError); !ok {
					t.Errorf("weights prepared by pins %q were taken by %q", pins[0], pins[1])
				}
			}()
			runs.Conv2D(a)
		}()
	}
}
