package kernels

import (
	"math"
	"slices"
	"testing"

	"github.com/sectile-ml/sectile/internal/pairwise"
)

// The factors of a convolution: every choice that a call makes. A class of
// shapes lists the values of each; prologues and what follows are numbered.
const (
	convN = iota
	convH
	convW
	convC
	convOC
	convKH
	convKW
	convStrideH
	convStrideW
	convPadH
	convPadW
	convDilH
	convDilW
	convGroups
	convPass
	convProX  // none, affine, affine with ReLU
	convProY  // none, batch norm backward: without ReLU, with a mask, with the sign made again
	convStats // none, one group, a group for each image
	convBias
	convResid
	convReLU
	convAcc
	convPrep
	convFactors
)

// Values of paddings and groups that other factors decide.
const (
	padPast   = -1 // one more than the kernel's extent
	groupsOf1 = -1 // groupsOf1: as many groups as channels
	groupsOf2 = -2 // two, four, eight channels in a group
	groupsOf4 = -4
	groupsOf8 = -8
)

// convClass is a class of shapes: the values of each factor, of which all pairs
// are tried.
type convClass struct {
	name   string
	values [convFactors][]int
	limit  int // FLOP that a case should not pass
}

// upTo is 1..n and some more.
func upTo(n int, more ...int) []int {
	var v []int
	for i := range n {
		v = append(v, i+1)
	}
	return append(v, more...)
}

// anyConv is every kind of shape: small ones, and those around the tiles'
// widths.
func anyConv(short bool) convClass {
	size, pixels, images := upTo(17, 31, 32, 33, 48, 64), upTo(17, 31, 32, 33, 48, 64), upTo(17, 31, 32, 33, 48, 64)
	if short {
		size, pixels, images = []int{1, 3, 4, 8, 15, 16, 17, 33}, []int{1, 2, 3, 5, 8, 13, 17}, []int{1, 2, 5}
	}
	c := convClass{name: "any", limit: 1e6}
	c.values = [convFactors][]int{
		convN: images, convH: pixels, convW: pixels, convC: size, convOC: size,
		convKH: upTo(7), convKW: upTo(7), convStrideH: upTo(3), convStrideW: upTo(3),
		convPadH: {0, 1, 2, 3, padPast}, convPadW: {0, 1, 2, 3, padPast}, convDilH: upTo(3), convDilW: upTo(3),
		convGroups: {1, 2, 3, 4, groupsOf1, groupsOf2, groupsOf4, groupsOf8},
		convPass:   {int(PassForward), int(PassGradInput), int(PassGradWeight)}, convProX: {0, 1, 2}, convProY: {0, 1, 2, 3},
		convStats: {0, 1, 2}, convBias: {0, 1}, convResid: {0, 1}, convReLU: {0, 1}, convAcc: {0, 1}, convPrep: {0, 1},
	}
	return c
}

// convClasses are all shapes, and again those that algorithms and kernels of
// their own are made for, which pairs of all would hardly ever meet.
func convClasses(short bool) []convClass {
	all := anyConv(short)
	narrow := func(name string, limit int, set map[int][]int) convClass {
		c := all
		c.name, c.limit = name, limit
		c.values[convN] = []int{1, 2, 3, 7, 13}
		c.values[convDilH], c.values[convDilW], c.values[convGroups] = []int{1}, []int{1}, []int{1}
		for f, v := range set {
			c.values[f] = v
			if short {
				c.values[f] = thin(v)
			}
		}
		return c
	}
	vectors, pixels, pads := []int{16, 32, 48, 64, 80, 96}, upTo(10, 13, 17), []int{0, 1, 2, 3, padPast}
	return []convClass{
		all,
		narrow("3x3", 2e6, map[int][]int{ // Winograd
			convKH: {3}, convKW: {3}, convStrideH: {1}, convStrideW: {1}, convC: vectors, convOC: vectors, convH: pixels, convW: pixels, convPadH: pads, convPadW: pads}),
		narrow("3x3/2", 2e6, map[int][]int{
			convKH: {3}, convKW: {3}, convStrideH: {2}, convStrideW: {2}, convC: vectors, convOC: vectors, convH: pixels, convW: pixels, convPadH: pads, convPadW: pads}),
		narrow("1x1", 4e6, map[int][]int{
			convKH: {1}, convKW: {1}, convStrideH: {1, 2}, convStrideW: {1, 2}, convPadH: {0}, convPadW: {0},
			convC: {1, 16, 40, 64, 256, 320, 512, 800}, convOC: {1, 16, 40, 64, 256, 320, 512, 800}, convH: pixels, convW: pixels}),
		narrow("depthwise", 2e6, map[int][]int{
			convC: {1, 3, 8, 16, 17, 24, 32, 33, 48, 64, 96}, convOC: {1, 6, 8, 16, 17, 24, 32, 33, 48, 64, 66, 96, 192}, convGroups: {groupsOf1},
			convKH: {1, 2, 3, 5, 7}, convKW: {1, 2, 3, 5, 7}, convDilH: {1, 2}, convDilW: {1, 2}, convH: pixels, convW: pixels}),
		narrow("grouped", 2e6, map[int][]int{
			convC: {8, 16, 24, 32, 48, 64, 96, 128}, convOC: {8, 16, 24, 32, 48, 64, 96, 128}, convGroups: {2, 4, 8, groupsOf2, groupsOf4, groupsOf8},
			convKH: {1, 3, 5}, convKW: {1, 3, 5}, convStrideH: {1, 2}, convStrideW: {1, 2}, convH: pixels, convW: pixels}),
		narrow("stem", 2e6, map[int][]int{
			convC: {1, 2, 3, 4}, convOC: {8, 16, 24, 32, 64, 65}, convKH: {3, 4, 5, 7, 11}, convKW: {3, 4, 5, 7, 11}, convStrideH: {1, 2, 4}, convStrideW: {1, 2, 4},
			convH: {5, 8, 12, 17, 28, 32, 35}, convW: {5, 8, 12, 17, 28, 32, 35, 64}, convN: {1, 2, 3}}),
	}
}

// thin is every third value, the first and the last.
func thin(v []int) []int {
	var w []int
	for i := 0; i < len(v); i += 3 {
		w = append(w, v[i])
	}
	return slices.Compact(append(w, v[len(v)-1]))
}

// groupCount makes the number of groups of a value.
func groupCount(v, c int) int {
	switch {
	case v == groupsOf1:
		return c
	case v < 0:
		return c / -v
	}
	return v
}

// groupsFit reports whether channels can be in the groups of a value.
func groupsFit(v, c, oc int) bool {
	g := groupCount(v, c)
	return g > 0 && c%g == 0 && oc%g == 0 && (v > groupsOf1 || c%v == 0)
}

// padOf makes the padding of a value.
func padOf(v, k, dil int) int {
	if v == padPast {
		return dil*(k-1) + 2
	}
	return v
}

// plan is the class as factors and rules: an output has a pixel, groups divide
// the channels, and a pass has only what it takes.
func (c *convClass) plan() *pairwise.Plan {
	names := []string{"N", "H", "W", "C", "OC", "KH", "KW", "StrideH", "StrideW", "PadH", "PadW", "DilH", "DilW", "Groups",
		"Pass", "ProX", "ProY", "Stats", "Bias", "Residual", "ReLU", "Accumulate", "Prepared"}
	p := &pairwise.Plan{Seed: 1, Cost: c.costs()}
	for f, v := range c.values {
		p.Factors = append(p.Factors, pairwise.Factor{Name: names[f], Levels: len(v)})
	}
	rule := func(holds func(v []int) bool, on ...int) {
		p.Rules = append(p.Rules, pairwise.Rule{On: on, Holds: func(levels []int) bool {
			v := make([]int, len(on))
			for i, f := range on {
				v[i] = c.values[f][levels[i]]
			}
			return holds(v)
		}})
	}
	fits := func(v []int) bool { return v[0]+2*padOf(v[2], v[1], v[3]) >= v[3]*(v[1]-1)+1 }
	rule(fits, convH, convKH, convPadH, convDilH)
	rule(fits, convW, convKW, convPadW, convDilW)
	rule(func(v []int) bool { return groupsFit(v[0], v[1], v[2]) }, convGroups, convC, convOC)
	rule(func(v []int) bool {
		switch Pass(v[0]) {
		case PassForward:
			return v[2] == 0
		case PassGradInput:
			return v[1]+v[3]+v[4]+v[5]+v[6] == 0
		}
		return v[3]+v[4]+v[5]+v[6]+v[7] == 0
	}, convPass, convProX, convProY, convStats, convBias, convResid, convReLU, convPrep)
	return p
}

// costs makes the function that says how far the least that a row can become
// passes the limit of FLOP, or 64 Ki values.
func (c *convClass) costs() func(row []int) float64 {
	axis := func(size, k, stride, pad, dil int) func(row []int) int {
		return c.least(func(v []int) int {
			return (v[0] + 2*padOf(v[3], v[1], v[4]) - v[4]*(v[1]-1) - 1 + v[2]) / v[2]
		}, size, k, stride, pad, dil)
	}
	value := func(f int) func(row []int) int { return c.least(func(v []int) int { return v[0] }, f) }
	n, h, w, oc, kh, kw := value(convN), value(convH), value(convW), value(convOC), value(convKH), value(convKW)
	oh, ow := axis(convH, convKH, convStrideH, convPadH, convDilH), axis(convW, convKW, convStrideW, convPadW, convDilW)
	cg := c.least(func(v []int) int { return v[0] / max(1, groupCount(v[1], v[0])) }, convC, convGroups)
	ch := value(convC)
	const values = 1 << 16
	return func(row []int) float64 {
		pixels := n(row) * oh(row) * ow(row)
		flop := 2 * pixels * oc(row) * kh(row) * kw(row) * cg(row)
		return max(float64(flop)/float64(c.limit), float64(max(pixels*oc(row), n(row)*h(row)*w(row)*ch(row)))/values)
	}
}

// least makes the function that is the least positive value of f over what some
// factors of a row can become.
func (c *convClass) least(f func(v []int) int, on ...int) func(row []int) int {
	known := map[[5]int]int{}
	var find func(row []int, v []int) int
	find = func(row []int, v []int) int {
		if len(v) == len(on) {
			if x := f(v); x > 0 {
				return x
			}
			return math.MaxInt
		}
		values := c.values[on[len(v)]]
		if l := row[on[len(v)]]; l != pairwise.Open {
			values = values[l : l+1]
		}
		least := math.MaxInt
		for _, x := range values {
			least = min(least, find(row, append(v, x)))
		}
		return least
	}
	return func(row []int) int {
		var key [5]int
		for i, f := range on {
			key[i] = row[f]
		}
		x, ok := known[key]
		if !ok {
			x = find(row, make([]int, 0, len(on)))
			known[key] = x
		}
		return x
	}
}

// convCase is the call of a row.
func (c *convClass) convCase(row []int, seed uint64) convCase {
	var v [convFactors]int
	for f, l := range row {
		v[f] = c.values[f][l]
	}
	on := func(f int) bool { return v[f] != 0 }
	k := convCase{
		ConvShape: ConvShape{N: v[convN], H: v[convH], W: v[convW], C: v[convC], OC: v[convOC], KH: v[convKH], KW: v[convKW],
			StrideH: v[convStrideH], StrideW: v[convStrideW], PadH: padOf(v[convPadH], v[convKH], v[convDilH]), PadW: padOf(v[convPadW], v[convKW], v[convDilW]),
			DilH: v[convDilH], DilW: v[convDilW], Groups: groupCount(v[convGroups], v[convC])},
		pass: Pass(v[convPass]), relux: v[convProX] == 2, mask: v[convProY] == 2, sign: v[convProY] == 3,
		stats: on(convStats), bias: on(convBias), resid: on(convResid), relu: on(convReLU), acc: on(convAcc), prepared: on(convPrep), seed: seed,
	}
	if on(convProX) {
		k.proX = ProAffine
	}
	if on(convProY) {
		k.proY = ProBNBackward
	}
	if v[convStats] == 2 {
		k.group = k.OH() * k.OW()
	}
	return k
}

// edgeConvs are shapes at the edges of what is allowed.
var edgeConvs = []ConvShape{
	{N: 2, H: 1, W: 1, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},   // one pixel
	{N: 3, H: 1, W: 1, C: 16, OC: 32, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},   //
	{N: 2, H: 1, W: 1, C: 5, OC: 7, KH: 7, KW: 7, StrideH: 3, StrideW: 3, PadH: 3, PadW: 3, DilH: 1, DilW: 1, Groups: 1},     // a kernel that fits only with padding
	{N: 2, H: 2, W: 3, C: 6, OC: 6, KH: 7, KW: 5, StrideH: 1, StrideW: 2, PadH: 6, PadW: 4, DilH: 2, DilW: 2, Groups: 3},     //
	{N: 1, H: 1, W: 9, C: 32, OC: 32, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 32},  // one line
	{N: 1, H: 9, W: 1, C: 32, OC: 32, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 32},  // one column
	{N: 1, H: 5, W: 5, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 7, PadW: 9, DilH: 1, DilW: 1, Groups: 1},   // rings of padding alone
	{N: 1, H: 5, W: 5, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 7, PadW: 9, DilH: 1, DilW: 1, Groups: 1},   //
	{N: 2, H: 5, W: 5, C: 16, OC: 16, KH: 5, KW: 5, StrideH: 1, StrideW: 1, PadH: 0, PadW: 0, DilH: 1, DilW: 1, Groups: 1},   // one output
	{N: 2, H: 3, W: 3, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 0, PadW: 0, DilH: 1, DilW: 1, Groups: 1},   //
	{N: 1, H: 3, W: 700, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 2, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1}, // a row longer than a chunk of pixels
	{N: 1, H: 2, W: 700, C: 8, OC: 8, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 8},   //
	{N: 170, H: 1, W: 1, C: 16, OC: 31, KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, Groups: 1},                   // one more chunk of statistics
	{N: 1, H: 13, W: 13, C: 32, OC: 32, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1}, //
	{N: 1, H: 7, W: 7, C: 8, OC: 8, KH: 3, KW: 3, StrideH: 5, StrideW: 4, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},     // a stride beyond the kernel
	{N: 7, H: 1, W: 25, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},  // a block of Winograd's tiles that brings the last pixel of a chunk alone
	{N: 0, H: 4, W: 4, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},   // no image
	{N: 0, H: 4, W: 4, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},   //
	{N: 0, H: 4, W: 4, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 16},  //
	{N: 0, H: 4, W: 4, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 4},   //
	{N: 0, H: 7, W: 7, C: 3, OC: 8, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadH: 3, PadW: 3, DilH: 1, DilW: 1, Groups: 1},     //
	{N: 0, H: 4, W: 4, C: 16, OC: 16, KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, Groups: 1},                     //
}

// TestConvPairs tries every pair of choices of every class, and the edges in
// all surroundings, on every backend.
func TestConvPairs(t *testing.T) {
	var cases []convCase
	for _, class := range convClasses(testing.Short()) {
		p := class.plan()
		rows := p.Cover()
		if missing, err := p.Missing(rows); err != nil || len(missing) > 0 {
			t.Fatalf("%s: %d pairs are missing: %v, %v", class.name, len(missing), missing, err)
		}
		t.Logf("%s: %d cases", class.name, len(rows))
		for i, row := range rows {
			cases = append(cases, class.convCase(row, uint64(i)))
		}
	}
	for i, s := range edgeConvs {
		surround(s, uint64(i), func(c convCase) { cases = append(cases, c) })
	}
	checkAll(t, len(cases), func(check *convCheck, i int) error { return check.try(t, cases[i]) }, nil)
}
