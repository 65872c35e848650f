package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// winogradError is the contract's bound for roundings that do not conspire: the
// error of an output over c channels whose operands are at most size and 1.
func winogradError(tile, c int, size float64) float64 {
	growth := winogradGrowth
	if tile == winogradSmall {
		growth = winograd2Growth
	}
	return 0x1p-24 * growth * size * math.Sqrt(float64(c))
}

// winogradWeightError is the same for a weight gradient over n tiles.
func winogradWeightError(tile, n int, size float64) float64 {
	growth := winogradWeightGrowth
	if tile == winogradSmall {
		growth = winograd2WeightGrowth
	}
	return 0x1p-24 * growth * size * math.Sqrt(float64(n))
}

// winogradWorst are the worst operands that the bounds' derivation knows: the
// signs of the rows of an algorithm's transforms.
type winogradWorst struct {
	name  string
	tile  int
	in    [][]float64 // of the input transform
	kern  [][]float64 // of the weights'
	x, dy [][]float64 // of a weight gradient's
}

var winogradWorsts = []winogradWorst{
	{
		name: "winograd_f4x4", tile: winogradTile,
		in:   [][]float64{{1, 0, -1, 0, 1, 0}, {0, -1, -1, 1, 1, 0}, {0, -1, -1, 1, 1, 0}, {0, 1, 0, -1, 0, 1}},
		kern: [][]float64{{1, 0, 0}, {-1, -1, -1}, {1, 1, 1}, {0, 0, 1}},
		x:    [][]float64{{1, 0, -1, 0, 1, 0}, {0, -1, -1, 1, 1, 0}, {0, 1, -1, -1, 1, 0}, {0, 1, 0, -1, 0, 1}},
		dy:   [][]float64{{1, 0, 0, 0}, {1, 1, 1, 1}, {1, -1, 1, -1}, {0, 0, 0, 1}},
	},
	{
		name: "winograd_f2x2", tile: winogradSmall,
		in:   [][]float64{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
		kern: [][]float64{{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 1}},
		x:    [][]float64{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
		dy:   [][]float64{{1, 0}, {1, 1}, {1, -1}, {0, 1}},
	},
}

// worst compares a case with float64: the largest error, and the largest output.
func (c convCase) worst(t *testing.T, cpu *CPU, d *convData, want []float64) (err, size float64) {
	got, _ := c.run(t, cpu, d)
	for i := range want {
		err = max(err, math.Abs(float64(got[i])-want[i]))
	}
	return err, max(slices.Max(want), -slices.Min(want))
}

// TestWinogradError holds random operands, and the worst ones, to float64: a
// tile has the signs of one row of the input transform in both directions and a
// kernel those of the weights' transform, so that a frequency is as large as it
// can be, and half of the channels cancel the other half.
func TestWinogradError(t *testing.T) {
	for _, a := range winogradWorsts {
		gemmRows(t, func(t *testing.T, k *GemmKernel) {
			cpu := onAlgorithm(k, 1, a.name)
			for _, channels := range []int{64, 512} {
				if channels > 64 && testing.Short() {
					continue
				}
				s := square(1, a.tile, channels, 64, 3, 1, 1)
				for pattern := range len(a.in) + 1 {
					t.Run(fmt.Sprintf("%s/%d/%d", a.name, channels, pattern), func(t *testing.T) {
						c := convCase{ConvShape: s, seed: uint64(pattern)}
						d := c.data()
						if pattern < len(a.in) {
							a.cancel(d, pattern, channels)
						}
						want, _ := c.reference(d)
						worst, size := c.worst(t, cpu, d, want)
						bound := winogradError(a.tile, channels, 1)
						t.Logf("largest error %.3g, %.2g of the bound, largest output %.3g", worst, worst/bound, size)
						if !(worst <= bound) {
							t.Errorf("error %g, bound %g", worst, bound)
						}
					})
				}
			}
		})
	}
}

// cancel fills one tile and 64 kernels with a pattern's worst.
func (a *winogradWorst) cancel(d *convData, pattern, channels int) {
	r := rand.New(rand.NewPCG(1, 2))
	in, kern := a.in[pattern], a.kern[pattern]
	for ch := 0; ch < channels; ch += 2 {
		scale := 0.5 + 0.5*r.Float64()
		for p := range a.tile * a.tile {
			v := float32(scale * in[p/a.tile+1] * in[p%a.tile+1])
			d.x[p*channels+ch], d.x[p*channels+ch+1] = v, -v
		}
		for oc := range 64 {
			for q := range 9 {
				v := float32(kern[q/3] * kern[q%3] * (0.999 + 0.001*r.Float64()))
				d.w[(oc*9+q)*channels+ch], d.w[(oc*9+q)*channels+ch+1] = v, v
			}
		}
	}
}

// TestWinogradWeightError does the same for weight gradients: images of one
// tile, whose signs are those of a row of the two operands' transforms, every
// other one negated.
func TestWinogradWeightError(t *testing.T) {
	for _, a := range winogradWorsts {
		var all []*CPU
		gemmRows(t, func(t *testing.T, k *GemmKernel) { all = append(all, onAlgorithm(k, 1, a.name)) })
		for _, images := range []int{12, 130} {
			if images > 12 && testing.Short() {
				continue
			}
			for pattern := range len(a.x) + 1 {
				c := convCase{ConvShape: square(images, a.tile, 64, 64, 3, 1, 1), pass: PassGradWeight, seed: uint64(pattern)}
				d := c.data()
				if pattern < len(a.x) {
					a.negate(d, pattern)
				}
				want, _ := c.reference(d)
				for _, cpu := range all {
					worst, size := c.worst(t, cpu, d, want)
					bound := winogradWeightError(a.tile, images, 1)
					t.Logf("%s, %d images, pattern %d, %s: largest error %.3g, %.2g of the bound, largest output %.3g",
						a.name, images, pattern, cpu.kernel.Name, worst, worst/bound, size)
					if !(worst <= bound) {
						t.Errorf("%s, %d images, pattern %d, %s: error %g, bound %g", a.name, images, pattern, cpu.kernel.Name, worst, bound)
					}
				}
			}
		}
	}
}

// negate fills images of one tile and 64 channels with a pattern's worst.
func (a *winogradWorst) negate(d *convData, pattern int) {
	r := rand.New(rand.NewPCG(3, 4))
	size := a.tile * a.tile
	for i := range d.x {
		n, p := i/64/size, i/64%size
		if n%2 == 1 {
			d.x[i], d.y[i] = -d.x[i-size*64], d.y[i-size*64]
			continue
		}
		scale := 0.99 + 0.01*r.Float64()
		x, dy := a.x[pattern], a.dy[pattern]
		d.x[i] = float32(scale * x[p/a.tile+1] * x[p%a.tile+1])
		d.y[i] = float32(scale * dy[p/a.tile] * dy[p%a.tile])
	}
}
