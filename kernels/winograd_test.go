package kernels

import (
	"math"
	"math/rand/v2"
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
	square(1, 4, 272, 496, 3, 1, 1), // shared
	{N: 1, H: 3, W: 210, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 2, DilH: 1, DilW: 1, Groups: 1},
	{N: 0, H: 4, W: 4, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
}

func TestWinograd(t *testing.T) {
	var all []*CPU
	gemmRows(t, func(t *testing.T, k *GemmKernel) { all = append(all, onRow(k, 2), onAlgorithm(k, 2, "winograd_f2x2")) })
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
