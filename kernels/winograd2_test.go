package kernels

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestWinograd2Transforms holds the five transforms of F(2x2,3x3) to the Go ones,
// bit by bit: they only add and halve.
func TestWinograd2Transforms(t *testing.T) {
	const n, ld = 32, 48 // channels, and the stride between pixels or frequencies
	want := &winogradTable[len(winogradTable)-1].small
	r := rand.New(rand.NewPCG(21, 22))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	list := func(v []float32) []unsafe.Pointer { // twice, as what is fetched
		var l []unsafe.Pointer
		for range 2 {
			for p := 0; p < len(v); p += ld {
				l = append(l, unsafe.Pointer(&v[p]))
			}
		}
		return l
	}
	pixels, outs, kernels := random(16*ld), random(4*ld), random(9*ld)
	run := func(w *winogradTransforms) map[string][]float32 {
		var tmp [winogradTmp]float32
		all := map[string][]float32{}
		out := func(name string, n int) *float32 {
			all[name] = random(n)
			for i := range all[name] {
				all[name][i] = 7
			}
			return &all[name][0]
		}
		w.Input(n, &list(pixels)[0], 8, out("input", 16*ld), ld, &tmp[0])
		w.Weights(n, &kernels[0], ld, out("weights", 16*ld), ld, &tmp[0])
		w.Weights(n, &kernels[8*ld], -ld, out("rotated weights", 16*ld), ld, &tmp[0])
		w.GradOutput(n, &list(outs)[0], 8, out("grad output", 16*ld), ld, &tmp[0])
		w.GradWeights(n, &pixels[0], ld, out("grad weights", 9*ld), ld, &tmp[0])
		out("output", 4*ld)
		w.Output(n, &pixels[0], ld, &list(all["output"])[0], 8, &tmp[0], false)
		w.Output(n, &pixels[0], ld, &list(all["output"])[0], 8, &tmp[0], true)
		return all
	}
	all := run(want)
	for _, k := range usable(Pins{}, winogradTable) {
		for name, got := range run(&k.small) {
			if i := differ(all[name], got); i >= 0 {
				t.Errorf("%s, %s: element %d is %g, want %g", k.Name, name, i, got[i], all[name][i])
			}
		}
	}
}

// TestWinograd2Bits holds F(2x2,3x3) to the same bits on AVX2, AVX-512 and any
// number of threads.
func TestWinograd2Bits(t *testing.T) {
	var all []*CPU
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		if k.Needs != 0 {
			all = append(all, onAlgorithm(k, 1, "winograd_f2x2"), onAlgorithm(k, 3, "winograd_f2x2"))
		}
	})
	shapes := winogradShapes
	if testing.Short() {
		shapes = shapes[1:3]
	}
	for i, s := range shapes {
		surround(s, uint64(i), func(c convCase) {
			d := c.data()
			var out, part []float32
			for i, cpu := range all {
				o, p := c.run(t, cpu, d)
				if i == 0 {
					out, part = o, p
					continue
				}
				if k := differ(out, o); k >= 0 {
					t.Fatalf("%v: element %d is %g or %g", c, k, out[k], o[k])
				}
				if k := differ(part, p); k >= 0 {
					t.Fatalf("%v: statistic %d is %g or %g", c, k, part[k], p[k])
				}
			}
		})
	}
	for _, cpu := range all {
		cpu.team.Close()
	}
}

// TestWinogradTiles: maps of 2x2, 5x5 and 6x6 run by F(2x2,3x3), others by F(4x4,3x3),
// and a pinned algorithm takes all of them; weights that one of them prepared are
// refused by the other.
func TestWinogradTiles(t *testing.T) {
	team := NewTeam(1)
	cpu := map[string]*CPU{}
	for _, name := range []string{"", "conv:winograd_f4x4", "conv:winograd_f2x2"} {
		pins, err := ParsePins(name)
		if err != nil {
			t.Fatal(err)
		}
		cpu[name] = NewCPU(team, pins)
	}
	for _, c := range []struct {
		h, w int
		pins string
		tile int
	}{
		{2, 2, "", 2}, {1, 2, "", 2}, {3, 2, "", 2}, {3, 3, "", 4}, {4, 4, "", 4}, {5, 5, "", 2}, {6, 6, "", 2}, {5, 7, "", 4}, {7, 7, "", 4}, {9, 9, "", 4}, {10, 10, "", 4},
		{2, 56, "", 2}, {28, 28, "", 4},
		{2, 2, "conv:winograd_f4x4", 4}, {8, 8, "conv:winograd_f4x4", 4},
		{2, 2, "conv:winograd_f2x2", 2}, {8, 8, "conv:winograd_f2x2", 2},
	} {
		if got := cpu[c.pins].tile(c.h, c.w); got != c.tile {
			t.Errorf("%q: %dx%d by tiles of %d, want %d", c.pins, c.h, c.w, got, c.tile)
		}
	}
	if s := square(12, 8, 64, 64, 3, 1, 1); cpu[""].weightTile(&s) != 4 || cpu["conv:winograd_f2x2"].weightTile(&s) != 2 {
		t.Errorf("weight gradient by tiles of %d, %d pinned", cpu[""].weightTile(&s), cpu["conv:winograd_f2x2"].weightTile(&s))
	}
	c := convCase{ConvShape: square(3, 8, 64, 64, 3, 1, 1), prepared: true}
	a := c.args(c.data(), func(v []float32) Mem { return F32Mem(v) })
	c.prepare(cpu["conv:winograd_f4x4"], a, poisoned)
	defer func() {
		if _, ok := recover().(*ArgError); !ok {
			t.Error("weights of F(4x4,3x3) were taken by F(2x2,3x3)")
		}
	}()
	cpu["conv:winograd_f2x2"].Conv2D(a)
}
