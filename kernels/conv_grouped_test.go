package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// few is a convolution of groups groups of cg to og channels.
func few(n, h, w, groups, cg, og, k, stride, pad, dil int) ConvShape {
	return ConvShape{N: n, H: h, W: w, C: groups * cg, OC: groups * og, KH: k, KW: k,
		StrideH: stride, StrideW: stride, PadH: pad, PadW: pad, DilH: dil, DilW: dil, Groups: groups}
}

// fewShapes takes every branch of the kernels over channels once.
var fewShapes = []ConvShape{
	few(2, 14, 14, 32, 1, 1, 3, 1, 1, 1), // tiles of eight, four and one pixel; several chunks
	few(3, 7, 7, 40, 1, 1, 3, 2, 1, 1),   // parity classes, a half vector
	few(1, 9, 11, 19, 1, 1, 5, 1, 2, 1),  // a masked vector, three calls of taps
	few(1, 12, 12, 16, 1, 1, 7, 1, 3, 1),
	few(1, 13, 13, 8, 1, 1, 3, 1, 2, 2),
	few(1, 9, 9, 24, 1, 1, 3, 3, 0, 2),  // dilation and stride without a common factor
	few(1, 9, 9, 24, 1, 1, 3, 2, 2, 2),  // and with one: classes without taps
	few(2, 5, 5, 48, 1, 1, 1, 2, 0, 1),  // one tap, and classes without
	few(2, 6, 6, 48, 1, 1, 1, 1, 0, 1),  // one long line
	few(2, 6, 6, 48, 1, 1, 1, 1, 1, 1),  // one tap and padding
	few(1, 5, 4, 600, 1, 1, 3, 1, 1, 1), // two blocks of channels
	few(1, 1, 3, 1030, 1, 1, 3, 1, 3, 1),
	few(13, 9, 9, 64, 1, 1, 3, 1, 1, 1), // many items, lanes of a weight gradient
	few(2, 14, 14, 16, 4, 4, 3, 1, 1, 1),
	few(3, 7, 7, 9, 4, 4, 3, 2, 1, 1), // a block that is not whole
	few(2, 9, 11, 24, 2, 2, 5, 1, 2, 1),
	few(2, 9, 9, 6, 8, 8, 3, 1, 1, 2),
	few(2, 9, 9, 7, 3, 3, 3, 1, 1, 1), // blocks of 15 channels
	few(1, 9, 9, 5, 5, 5, 3, 2, 1, 1),
	few(1, 9, 9, 5, 6, 7, 3, 2, 2, 2),
	few(1, 9, 9, 20, 1, 2, 3, 1, 1, 1), // more outputs than inputs, and fewer
	few(1, 9, 9, 20, 8, 1, 3, 2, 1, 1),
	few(2, 6, 6, 24, 4, 4, 1, 1, 0, 1),
	few(2, 6, 6, 24, 4, 4, 1, 2, 0, 1),
	few(1, 5, 4, 150, 4, 4, 3, 1, 1, 1), // two blocks of channels
	few(13, 9, 9, 16, 4, 4, 3, 1, 1, 1),
	{N: 2, H: 6, W: 9, C: 24, OC: 24, KH: 2, KW: 3, StrideH: 1, StrideW: 2, PadH: 1, PadW: 0, DilH: 1, DilW: 3, Groups: 24},
	{N: 0, H: 6, W: 9, C: 24, OC: 24, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 24},
}

// fewBackends calls f with each instruction set's kernels over channels, on
// three threads, and the direct path that they stand for, on one.
func fewBackends(t *testing.T, f func(t *testing.T, few, direct *CPU)) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		direct := NewCPU(NewTeam(1), Pins{rows: map[string]string{"gemm": k.Name, "conv": "direct"}})
		cpu := onRow(k, 3)
		defer cpu.team.Close()
		f(t, cpu, direct)
	})
}

// TestFewChannelsBits holds all passes, with everything that may surround them,
// to the bits of the direct path.
func TestFewChannelsBits(t *testing.T) {
	fewBackends(t, func(t *testing.T, cpu, direct *CPU) {
		if direct.fewFits(&fewShapes[0]) || !cpu.fewFits(&fewShapes[0]) {
			t.Fatal("the path is not chosen by the pin")
		}
		for i, s := range fewShapes {
			surround(s, uint64(i), func(c convCase) { sameAsDirect(t, c, cpu, direct) })
		}
		n := 60
		if testing.Short() {
			n = 15
		}
		r := rand.New(rand.NewPCG(17, 18))
		for range n {
			sameAsDirect(t, randomFew(r), cpu, direct)
		}
	})
}

// TestFewChannelsWide: lines too long to be copied through a prologue, whose
// taps are, and for one call of zeros.
func TestFewChannelsWide(t *testing.T) {
	fewBackends(t, func(t *testing.T, cpu, direct *CPU) {
		for _, s := range []ConvShape{few(1, 3, 350, 512, 1, 1, 3, 1, 1, 1), few(1, 3, 350, 128, 4, 4, 3, 1, 1, 1)} {
			var p groupedPlan
			p.plan(cpu, &s, PassForward, ProAffine, 0)
			if p.mode != convGather {
				t.Fatalf("%v: its lines are copied", s)
			}
			for _, c := range []convCase{
				{pass: PassForward}, {pass: PassForward, proX: ProAffine, stats: true},
				{pass: PassGradInput, proY: ProBNBackward, mask: true, acc: true}, {pass: PassGradWeight},
			} {
				c.ConvShape = s
				sameAsDirect(t, c, cpu, direct)
			}
		}
	})
}

// randomFew is a random case that has few channels a group.
func randomFew(r *rand.Rand) convCase {
	c := randomConv(r)
	c.Groups = 1 + r.IntN(50)
	c.C, c.OC = c.Groups, c.Groups
	if r.IntN(2) == 0 {
		c.C, c.OC = c.Groups*(1+r.IntN(fewChannels)), c.Groups*(1+r.IntN(fewChannels))
		if r.IntN(2) == 0 {
			c.OC = c.C
		}
	}
	return c
}

func sameAsDirect(t *testing.T, c convCase, cpu, direct *CPU) {
	t.Helper()
	d := c.data()
	out, part := c.run(t, direct, d)
	o, p := c.run(t, cpu, d)
	if k := differ(out, o); k >= 0 {
		t.Fatalf("%v: element %d is %g, direct %g", c, k, o[k], out[k])
	}
	if k := differ(part, p); k >= 0 {
		t.Fatalf("%v: statistic %d is %g, direct %g", c, k, p[k], part[k])
	}
}

// TestFewChannels holds them to the reference.
func TestFewChannels(t *testing.T) {
	fewBackends(t, func(t *testing.T, cpu, _ *CPU) {
		for i, s := range fewShapes[:9] {
			surround(s, uint64(i), func(c convCase) { c.check(t, cpu) })
		}
	})
}

// TestFewChannelsSpecial: infinities, NaN and negative zeros give the direct
// path's bits too, but for the payloads of NaN, and cross no channels.
func TestFewChannelsSpecial(t *testing.T) {
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 1e-40, -1e-40}
	fewBackends(t, func(t *testing.T, cpu, direct *CPU) {
		for i, s := range fewShapes {
			surround(s, 5, func(c convCase) {
				d := c.data()
				r := rand.New(rand.NewPCG(5, uint64(i)))
				for _, v := range [][]float32{d.x, d.w, d.y} {
					for range min(len(v), 12) {
						v[r.IntN(len(v))] = special[r.IntN(len(special))]
					}
				}
				want, _ := c.run(t, direct, d)
				got, _ := c.run(t, cpu, d)
				for k, w := range want {
					if g := got[k]; g != w && (g == g || w == w) || math.Signbit(float64(g)) != math.Signbit(float64(w)) && g == g {
						t.Fatalf("%v: element %d is %g, direct %g", c, k, g, w)
					}
				}
			})
		}
	})
}

// TestFewChannelsPrepared: prepared weights serve every batch and image size,
// and those of the direct path are refused, as theirs are there.
func TestFewChannelsPrepared(t *testing.T) {
	fewBackends(t, func(t *testing.T, cpu, direct *CPU) {
		for _, groups := range []int{24, 6} {
			for _, pass := range []Pass{PassForward, PassGradInput} {
				n := 24 / groups
				small := convCase{ConvShape: few(1, 2, 2, groups, n, n, 3, 2, 1, 1), pass: pass, prepared: true}
				large := convCase{ConvShape: few(3, 11, 9, groups, n, n, 3, 2, 1, 1), pass: pass}
				d := large.data()
				want, _ := large.run(t, cpu, d)
				clones := func(v []float32) Mem { return F32Mem(slices.Clone(v)) }
				for _, c := range []struct{ makes, runs *CPU }{{cpu, cpu}, {direct, cpu}, {cpu, direct}} {
					b, a := small.args(d, clones), large.args(d, clones)
					small.prepare(c.makes, b, poisoned)
					a.Prepared = b.Prepared
					refused := func() (refused bool) {
						defer func() {
							if r := recover(); r != nil {
								_, refused = r.(*ArgError)
							}
						}()
						runConv(c.runs, a)
						return false
					}()
					if refused != (c.makes != c.runs) {
						t.Errorf("%v: refused is %v", large, refused)
					}
					if i := differ(want, large.out(a).F32()); !refused && i >= 0 {
						t.Errorf("%v: element %d is %g, want %g", large, i, large.out(a).F32()[i], want[i])
					}
				}
			}
		}
	})
}

// middleShapes have groups of one panel: they share addresses and copied lines.
var middleShapes = []ConvShape{
	few(2, 14, 14, 10, 16, 16, 3, 1, 1, 1), // a batch of copies that is not whole
	few(3, 9, 11, 7, 16, 16, 3, 2, 1, 1),
	few(3, 9, 9, 5, 24, 24, 3, 1, 1, 1),
	few(2, 9, 11, 3, 24, 24, 3, 2, 1, 1),
	few(5, 7, 7, 3, 32, 32, 3, 1, 1, 1),
	few(3, 9, 9, 4, 32, 16, 5, 2, 2, 1),
	few(1, 8, 8, 3, 32, 32, 7, 1, 3, 1),   // several chunks of k
	few(2, 6, 6, 9, 16, 16, 1, 2, 0, 1),   // one tap, and classes without
	few(1, 9, 9, 6, 12, 12, 3, 1, 1, 1),   // taps of a kernel row merge
	few(1, 3, 2800, 2, 32, 8, 3, 1, 1, 1), // lines too long for a batch
}

// TestMiddleGroups holds them to the reference, and to the same bits on one
// thread and on three.
func TestMiddleGroups(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		one, three := onRow(k, 1), onRow(k, 3)
		defer three.team.Close()
		for i, s := range middleShapes {
			surround(s, uint64(i), func(c convCase) {
				c.check(t, three)
				sameAsDirect(t, c, three, one)
			})
		}
	})
}

// TestMiddleGroupsAlone: a group has the bits that it has as a convolution of its
// own, which shares nothing.
func TestMiddleGroupsAlone(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu, direct := onRow(k, 1), onAlgorithm(k, 1, "direct")
		for _, s := range middleShapes {
			all, alone := convCase{ConvShape: s}, convCase{ConvShape: s}
			alone.C, alone.OC, alone.Groups = s.C/s.Groups, s.OC/s.Groups, 1
			d, part := all.data(), alone.data()
			for _, pass := range []Pass{PassForward, PassGradInput} {
				all.pass, alone.pass = pass, pass
				whole, _ := all.run(t, cpu, d)
				n := s.OC
				if pass == PassGradInput {
					n = s.C
				}
				for g := range s.Groups {
					copy(part.w, d.w[g*len(part.w):])
					part.x, part.y = channels(d.x, s.C, s.Groups, g), channels(d.y, s.OC, s.Groups, g)
					got, _ := alone.run(t, direct, part)
					if i := differ(channels(whole, n, s.Groups, g), got); i >= 0 {
						t.Fatalf("%v: element %d of group %d is not that of the group alone", all, i, g)
					}
				}
			}
		}
	})
}

// channels is group g of groups of pixels of c channels.
func channels(pixels []float32, c, groups, g int) (part []float32) {
	for p := range slices.Chunk(pixels, c) {
		part = append(part, p[c/groups*g:][:c/groups]...)
	}
	return part
}
