package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// between draws from [lo, hi].
func between(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// convKinds are the shapes that random cases are drawn from, and how often:
// any, and those that have algorithms or kernels of their own.
var convKinds = []struct {
	name  string
	often int
	draw  func(r *rand.Rand) ConvShape
}{
	{"any", 30, func(r *rand.Rand) ConvShape {
		g := 1
		if r.IntN(4) == 0 {
			g = between(r, 1, 4)
		}
		return ConvShape{N: between(r, 1, 3), H: between(r, 1, 17), W: between(r, 1, 17), C: g * between(r, 1, 40/g), OC: g * between(r, 1, 40/g),
			KH: between(r, 1, 7), KW: between(r, 1, 7), StrideH: between(r, 1, 3), StrideW: between(r, 1, 3),
			PadH: between(r, 0, 3), PadW: between(r, 0, 3), DilH: between(r, 1, 3), DilW: between(r, 1, 3), Groups: g}
	}},
	{"3x3", 15, func(r *rand.Rand) ConvShape { return vectors(r, 1) }}, // Winograd
	{"3x3/2", 15, func(r *rand.Rand) ConvShape { return vectors(r, 2) }},
	{"depthwise", 12, func(r *rand.Rand) ConvShape {
		c := between(r, 1, 80)
		if r.IntN(2) == 0 {
			c = 16 * between(r, 1, 8)
		}
		return grouped(r, c, c, c*between(r, 1, 1+r.IntN(2)))
	}},
	{"grouped", 12, func(r *rand.Rand) ConvShape {
		g := between(r, 2, 16)
		return grouped(r, g, g*between(r, 1, 16), g*between(r, 1, 16))
	}},
	{"stem", 8, func(r *rand.Rand) ConvShape {
		k, s := between(r, 3, 7), between(r, 1, 4)
		return ConvShape{N: between(r, 1, 3), H: between(r, 7, 40), W: between(r, 7, 40), C: between(r, 1, 4), OC: between(r, 1, 70),
			KH: k, KW: k, StrideH: s, StrideW: s, PadH: between(r, 0, k/2), PadW: between(r, 0, k/2), DilH: 1, DilW: 1, Groups: 1}
	}},
	{"1x1", 8, func(r *rand.Rand) ConvShape {
		s := between(r, 1, 2)
		return ConvShape{N: between(r, 1, 8), H: between(r, 1, 9), W: between(r, 1, 9), C: between(r, 1, 900), OC: between(r, 1, 300),
			KH: 1, KW: 1, StrideH: s, StrideW: s, DilH: 1, DilW: 1, Groups: 1}
	}},
}

// vectors is a 3x3 kernel over whole vectors of channels.
func vectors(r *rand.Rand, stride int) ConvShape {
	return ConvShape{N: between(r, 1, 1+r.IntN(16)), H: between(r, 1, 15), W: between(r, 1, 15), C: 16 * between(r, 1, 1+r.IntN(6)), OC: 16 * between(r, 1, 1+r.IntN(6)),
		KH: 3, KW: 3, StrideH: stride, StrideW: stride, PadH: between(r, 0, 3), PadW: between(r, 0, 3), DilH: 1, DilW: 1, Groups: 1}
}

// grouped is c to oc channels in groups.
func grouped(r *rand.Rand, groups, c, oc int) ConvShape {
	k, s, d := between(r, 1, 3)*2-r.IntN(2), between(r, 1, 2), 1
	if r.IntN(4) == 0 {
		d = 2
	}
	return ConvShape{N: between(r, 1, 4), H: between(r, 1, 20), W: between(r, 1, 20), C: c, OC: oc,
		KH: k, KW: k, StrideH: s, StrideW: s, PadH: between(r, 0, 3), PadW: between(r, 0, 3), DilH: d, DilW: d, Groups: groups}
}

// drawConv draws a shape of a kind until it has an output and at most flop.
func drawConv(r *rand.Rand, draw func(r *rand.Rand) ConvShape, flop int) ConvShape {
	for {
		if s := draw(r); s.OH() > 0 && s.OW() > 0 && s.H+2*s.PadH > s.DilH*(s.KH-1) && s.W+2*s.PadW > s.DilW*(s.KW-1) && s.FLOP() <= flop {
			return s
		}
	}
}

// randomConv draws a shape and its surroundings. One in sixteen may be large:
// the reference is slow, and small shapes find most.
func randomConv(r *rand.Rand) convCase {
	flop := 2_000_000
	if r.IntN(16) == 0 {
		flop = 12_000_000
	}
	sum := 0
	for _, k := range convKinds {
		sum += k.often
	}
	i := 0
	for at := r.IntN(sum); at >= convKinds[i].often; i++ {
		at -= convKinds[i].often
	}
	return randomCall(r, drawConv(r, convKinds[i].draw, flop))
}

// randomCall draws a pass over s and what surrounds it.
func randomCall(r *rand.Rand, s ConvShape) convCase {
	flip := func() bool { return r.IntN(2) == 0 }
	c := convCase{ConvShape: s, pass: Pass(r.IntN(3)), seed: r.Uint64(), acc: flip(), prepared: flip()}
	if c.pass == PassForward {
		c.stats, c.bias, c.resid, c.relu = flip(), flip(), flip(), flip()
		if flip() {
			c.group = c.OH() * c.OW()
		}
	}
	if c.pass != PassGradInput && flip() {
		c.proX, c.relux = ProAffine, flip()
	}
	if c.pass != PassForward && flip() {
		c.proY = ProBNBackward
		switch r.IntN(3) {
		case 0:
			c.mask = true
		case 1:
			c.sign = true
		}
	}
	return c
}

// convNight is how many random shapes a night tries, convSlice how many of them
// every run of the tests does.
const convNight, convSlice = 20000, 300

// night is case i of a seed.
func night(seed uint64, i int) convCase { return randomConv(rand.New(rand.NewPCG(seed, uint64(i)))) }

// TestConvRandom tries the first random shapes of a fixed seed on every
// backend. With SECTILE_NIGHTLY it is a night's work, 20,000 of the seed that
// the variable gives; SEED:CASE is one of them alone.
//
//	SECTILE_NIGHTLY=$(date +%Y%m%d) go test -timeout 2h -v -run '^TestConvRandom$' ./kernels
func TestConvRandom(t *testing.T) {
	seed, first, n := uint64(1), 0, convSlice
	if testing.Short() {
		n /= 10
	}
	var done func(cases int)
	if v := os.Getenv("SECTILE_NIGHTLY"); v != "" {
		s, at, alone := strings.Cut(v, ":")
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("SECTILE_NIGHTLY=%s: want a seed, or a seed and a case, as numbers: 7 or 7:19", v)
		}
		n = convNight
		if alone {
			if first, err = strconv.Atoi(at); err != nil {
				t.Fatalf("SECTILE_NIGHTLY=%s: %v", v, err)
			}
			n = 1
		}
		start := time.Now()
		done = func(cases int) {
			if cases%1000 == 0 {
				t.Logf("seed %d: %d of %d shapes after %v", seed, cases, n, time.Since(start).Round(time.Second))
			}
		}
	}
	checkAll(t, n, func(check *convCheck, i int) error {
		if err := check.try(t, night(seed, first+i)); err != nil {
			return fmt.Errorf("SECTILE_NIGHTLY=%d:%d: %w", seed, first+i, err)
		}
		return nil
	}, done)
}

// TestConvRandomSpecial: an output that is infinite or NaN in the reference is
// not finite in any backend, whatever its algorithm, and the bits agree.
// TestConvSpecial and TestWinogradSpecial say where else the values go.
func TestConvRandomSpecial(t *testing.T) {
	n := 200
	if testing.Short() {
		n = 20
	}
	checkAll(t, n, func(check *convCheck, i int) error {
		r := rand.New(rand.NewPCG(2, uint64(i)))
		c := randomConv(r)
		d := c.data()
		for _, v := range [][]float32{d.x, d.w, d.y, d.px} {
			if r.IntN(2) == 0 {
				v[r.IntN(len(v))] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[r.IntN(3)]
			}
		}
		want, wantPart := c.reference(d)
		return check.each(t, c, d, func(cpu *CPU, out, part []float32) error {
			for _, v := range []struct {
				what string
				want []float64
				got  []float32
			}{{"element", want, out}, {"statistic", wantPart, part}} {
				for k, w := range v.want {
					if g := v.got[k]; w-w != 0 && g-g == 0 {
						return fmt.Errorf("case %d: %v on %s: %s %d is %g, the reference has %g", i, c, cpu.Name(), v.what, k, g, w)
					}
				}
			}
			return nil
		})
	}, nil)
}

// TestConvKinds: every kind of shape is drawn, and today's algorithms are among
// what the fixed slice takes in each pass.
func TestConvKinds(t *testing.T) {
	cpu := NewCPU(NewTeam(1), Pins{})
	hit := map[string]int{}
	for i := range convSlice {
		c := night(1, i)
		hit[fmt.Sprintf("pass %d, own error %v", c.pass, c.errorOf(cpu).own > 0)]++
	}
	if len(hit) < 6 {
		t.Errorf("only %v", hit)
	}
	t.Log(hit)
}
