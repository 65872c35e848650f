package kernels

import "testing"

// winogradShapes takes every branch of the schedule once.
var winogradShapes = []ConvShape{
	square(1, 8, 64, 64, 3, 1, 1),
	square(3, 7, 64, 80, 3, 1, 1),   // a narrow panel, ragged tiles, several chunks
	square(5, 4, 128, 96, 3, 1, 1),  // one tile an image
	square(2, 13, 80, 64, 3, 1, 0),  // no padding
	square(1, 3, 64, 64, 3, 1, 3),   // more padding than the kernel reaches
	square(2, 1, 64, 128, 3, 1, 1),  // less than a tile
	square(40, 7, 64, 256, 3, 1, 1), // several blocks and column items
	{N: 2, H: 3, W: 190, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 2, DilH: 1, DilW: 1, Groups: 1},
	{N: 0, H: 4, W: 4, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
}

func TestWinograd(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 2)
		defer cpu.team.Close()
		for i, s := range winogradShapes {
			if !cpu.fast(&s) {
				t.Fatalf("%v is direct", s)
			}
			t.Run(s.String(), func(t *testing.T) {
				surround(s, uint64(i), func(c convCase) {
					if c.pass != PassGradWeight {
						c.check(t, cpu)
					}
				})
			})
		}
	})
}
