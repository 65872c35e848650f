package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// convCase is one call of one pass with everything that may surround it.
type convCase struct {
	ConvShape
	pass          Pass
	proX, proY    ProKind
	relux         bool // ReLU of the prologue
	mask, sign    bool // ReLU of ProBNBackward: by its mask, by the sign of its value made again
	relu          bool // of the epilogue
	stats         bool
	group         int // rows of a statistics group of the epilogue, 0: one
	bias, resid   bool
	acc, prepared bool
	seed          uint64
}

func (s ConvShape) String() string {
	return fmt.Sprintf("n%d_%dx%dx%d_to%d_k%dx%d_s%dx%d_p%dx%d_d%dx%d_g%d", s.N, s.H, s.W, s.C, s.OC,
		s.KH, s.KW, s.StrideH, s.StrideW, s.PadH, s.PadW, s.DilH, s.DilW, s.Groups)
}

func (c convCase) String() string {
	s := fmt.Sprintf("%v/pass%d_pro%d%d", c.ConvShape, c.pass, c.proX, c.proY)
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"relux", c.relux}, {"mask", c.mask}, {"sign", c.sign}, {"stats", c.stats}, {fmt.Sprintf("group%d", c.group), c.group > 0},
		{"bias", c.bias}, {"resid", c.resid}, {"relu", c.relu}, {"acc", c.acc}, {"prep", c.prepared},
	} {
		if f.on {
			s += "_" + f.name
		}
	}
	return s + fmt.Sprintf("_seed%d", c.seed)
}

// convData is a case's operands as float32.
type convData struct {
	x, w, y                []float32
	scale, shift, a, b, c  []float32
	px, mask               []float32
	signScale, signShift   []float32 // of px
	bias, resid, statShift []float32
	part                   []float32
}

func (c convCase) rowsX() int { return c.N * c.H * c.W }
func (c convCase) rowsY() int { return c.N * c.OH() * c.OW() }

func (c convCase) data() *convData {
	r := rand.New(rand.NewPCG(c.seed, 7))
	const sets = 2
	d := &convData{
		x: randFloats(r, c.rowsX()*c.C), w: randFloats(r, c.OC*c.KH*c.KW*c.C/c.Groups), y: randFloats(r, c.rowsY()*c.OC),
		scale: randFloats(r, sets*c.C), shift: randFloats(r, sets*c.C),
		a: randFloats(r, sets*c.OC), b: randFloats(r, sets*c.OC), c: randFloats(r, sets*c.OC),
		px: coarse(randFloats(r, c.rowsY()*c.OC)), mask: randFloats(r, c.rowsY()*c.OC),
		signScale: coarse(randFloats(r, sets*c.OC)), signShift: coarse(randFloats(r, sets*c.OC)),
		bias: randFloats(r, c.OC), resid: randFloats(r, c.rowsY()*c.OC), statShift: randFloats(r, c.OC),
	}
	d.part = make([]float32, 2*StatsChunks(c.rowsY(), c.group)*c.OC)
	return d
}

// coarse keeps 11 bits, so that a product of two values is exact and the sign
// of a sum with it is the same in float32 and float64, fused or not.
func coarse(v []float32) []float32 {
	for i, x := range v {
		v[i] = float32(math.Floor(float64(x)*1024)) / 1024
	}
	return v
}

// abs makes every operand its magnitude, so that the reference computes the
// sums of absolute products that error bounds are made of.
func (d *convData) abs() *convData {
	e := &convData{}
	for _, p := range []struct{ to, from *[]float32 }{
		{&e.x, &d.x}, {&e.w, &d.w}, {&e.y, &d.y}, {&e.scale, &d.scale}, {&e.shift, &d.shift}, {&e.a, &d.a},
		{&e.b, &d.b}, {&e.c, &d.c}, {&e.px, &d.px}, {&e.signScale, &d.signScale}, {&e.signShift, &d.signShift}, {&e.bias, &d.bias}, {&e.resid, &d.resid}, {&e.part, &d.part},
	} {
		*p.to = slices.Clone(*p.from)
		for i, v := range *p.to {
			(*p.to)[i] = float32(math.Abs(float64(v)))
		}
	}
	e.mask = d.mask
	e.statShift = slices.Clone(d.statShift)
	for i, v := range e.statShift {
		e.statShift[i] = -float32(math.Abs(float64(v)))
	}
	return e
}

// args uploads a case through put.
func (c convCase) args(d *convData, put func([]float32) Mem) *ConvArgs {
	a := &ConvArgs{ConvShape: c.ConvShape, Accumulate: c.acc, Pass: c.pass}
	a.X, a.Wt, a.Y = put(d.x), put(d.w), put(d.y)
	half := func(rows int) int {
		if rows%2 == 0 {
			return rows / 2
		}
		return 0
	}
	if c.proX == ProAffine {
		a.ProX = Prologue{Kind: ProAffine, Scale: put(d.scale), Shift: put(d.shift), ReLU: c.relux, Group: half(c.rowsX())}
	}
	if c.proY == ProBNBackward {
		a.ProY = Prologue{Kind: ProBNBackward, A: put(d.a), B: put(d.b), C: put(d.c), X: put(d.px), Group: half(c.rowsY())}
		if c.mask {
			a.ProY.Mask = put(d.mask)
		}
		if c.sign {
			a.ProY.Scale, a.ProY.Shift = put(d.signScale), put(d.signShift)
		}
	}
	if c.pass != PassForward {
		return a
	}
	if c.stats {
		a.Epi.Stats = Stats{Part: put(d.part), Shift: put(d.statShift), Group: c.group}
	}
	if c.bias {
		a.Epi.Bias = put(d.bias)
	}
	if c.resid {
		a.Epi.Residual = Mat{put(d.resid), c.OC}
	}
	a.Epi.ReLU = c.relu
	return a
}

// out is the memory that the case's pass writes.
func (c convCase) out(a *ConvArgs) Mem {
	switch c.pass {
	case PassGradInput:
		return a.X
	case PassGradWeight:
		return a.Wt
	}
	return a.Y
}

// reference runs the case in float64 and returns its output and statistics.
func (c convCase) reference(d *convData) (out, part []float64) {
	a := c.args(d, func(v []float32) Mem {
		w := make([]float64, len(v))
		for i, x := range v {
			w[i] = float64(x)
		}
		return F64Mem(w)
	})
	runConv(Ref64{}, a)
	if !a.Epi.Stats.Part.IsNil() {
		part = a.Epi.Stats.Part.F64()
	}
	return c.out(a).F64(), part
}

func runConv(b interface {
	Conv2D(a *ConvArgs)
	Conv2DGradInput(a *ConvArgs)
	Conv2DGradWeight(a *ConvArgs)
}, a *ConvArgs) {
	switch a.Pass {
	case PassGradInput:
		b.Conv2DGradInput(a)
	case PassGradWeight:
		b.Conv2DGradWeight(a)
	default:
		b.Conv2D(a)
	}
}

// poisoned is n float32 of NaN.
func poisoned(n int) Mem {
	v := make([]float32, n+16)
	for i := range v {
		v[i] = float32(math.NaN())
	}
	return F32Mem(v[:n:n])
}

// prepare gives a its Work and Prepared memory.
func (c convCase) prepare(cpu *CPU, a *ConvArgs, alloc func(n int) Mem) {
	if c.prepared && c.pass != PassGradWeight {
		p := &PrepareArgs{Pass: c.pass, Conv: c.ConvShape, Wt: a.Wt}
		p.Dst = &Prepared{Mem: alloc(cpu.PreparedBytes(p) / 4)}
		cpu.Prepare(p)
		a.Prepared = p.Dst
	}
	a.Work = alloc(cpu.Workspace(a) / 4)
}

// run runs the case on a CPU backend.
func (c convCase) run(t testing.TB, cpu *CPU, d *convData) (out, part []float32) {
	a := c.args(d, func(v []float32) Mem { return F32Mem(slices.Clone(v)) })
	c.prepare(cpu, a, poisoned)
	runConv(cpu, a)
	if !a.Epi.Stats.Part.IsNil() {
		part = a.Epi.Stats.Part.F32()
	}
	return c.out(a).F32(), part
}

// onRow is a backend that runs row k, and the other rows of a convolution for the same
// instructions, with a team of threads.
func onRow(k *GemmKernel, threads int) *CPU { return rowOn(NewTeam(threads), k, "") }

// onAlgorithm is onRow with a row of convTable pinned.
func onAlgorithm(k *GemmKernel, threads int, name string) *CPU {
	return rowOn(NewTeam(threads), k, name)
}

func rowOn(team *Team, k *GemmKernel, algorithm string) *CPU {
	isa, _, _ := strings.Cut(k.Name, "_")
	rows := map[string]string{"gemm": k.Name, "winograd": isa, "polyphase": isa, "depthwise": isa, "grouped": isa}
	if algorithm != "" {
		rows["conv"] = algorithm
	}
	return NewCPU(team, Pins{rows: rows})
}

func square(n, h, c, oc, k, s, p int) ConvShape {
	return ConvShape{N: n, H: h, W: h, C: c, OC: oc, KH: k, KW: k, StrideH: s, StrideW: s, PadH: p, PadW: p, DilH: 1, DilW: 1, Groups: 1}
}

// convShapes takes every branch once.
var convShapes = []ConvShape{
	square(2, 8, 16, 16, 1, 1, 0),
	square(2, 9, 33, 31, 1, 1, 0),
	square(3, 14, 32, 64, 3, 1, 1), // several statistics chunks
	square(1, 7, 1, 16, 3, 1, 1),   // stems: merged taps, wide columns
	square(3, 30, 1, 48, 3, 1, 1),  // several chunks and lanes
	square(2, 19, 1, 16, 3, 2, 1),
	square(3, 21, 3, 32, 3, 1, 1),
	square(2, 23, 3, 16, 7, 2, 3),
	square(2, 9, 3, 10, 7, 2, 3),
	square(2, 8, 64, 48, 3, 2, 1), // parity classes
	square(1, 5, 8, 8, 1, 2, 0),   // a class without taps
	square(1, 5, 8, 8, 2, 3, 0),
	square(1, 6, 800, 8, 1, 1, 0), // several chunks of one tap
	square(1, 4, 300, 40, 3, 1, 1),
	square(1, 3, 790, 5, 2, 1, 1),
	square(9, 4, 32, 32, 3, 1, 1), // many images in a block
	square(1, 13, 288, 72, 1, 2, 0),
	{N: 2, H: 9, W: 9, C: 8, OC: 12, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 4},
	{N: 2, H: 8, W: 8, C: 6, OC: 6, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 6},
	{N: 1, H: 5, W: 11, C: 64, OC: 64, KH: 3, KW: 2, StrideH: 2, StrideW: 3, PadH: 2, PadW: 0, DilH: 2, DilW: 1, Groups: 2},
	{N: 1, H: 2, W: 600, C: 4, OC: 4, KH: 1, KW: 3, StrideH: 1, StrideW: 1, PadH: 0, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
	{N: 1, H: 1, W: 1, C: 3, OC: 5, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 3, PadW: 3, DilH: 2, DilW: 2, Groups: 1},
	{N: 0, H: 4, W: 4, C: 3, OC: 5, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1},
}

// surround calls f with the pass wrapped in different prologues, epilogues and
// modes.
func surround(s ConvShape, seed uint64, f func(c convCase)) {
	for _, c := range []convCase{
		{pass: PassForward},
		{pass: PassForward, proX: ProAffine, relux: true, relu: true, stats: true, acc: true, prepared: true},
		{pass: PassForward, proX: ProAffine, stats: true, bias: true, resid: true, group: s.OH() * s.OW()},
		{pass: PassForward, stats: true, bias: true, resid: true, relu: true, prepared: true, acc: true},
		{pass: PassGradInput},
		{pass: PassGradInput, acc: true, prepared: true},
		{pass: PassGradInput, proY: ProBNBackward, mask: true},
		{pass: PassGradInput, proY: ProBNBackward, sign: true, acc: true, prepared: true},
		{pass: PassGradWeight},
		{pass: PassGradWeight, acc: true, proX: ProAffine, relux: true},
		{pass: PassGradWeight, proY: ProBNBackward, mask: true},
		{pass: PassGradWeight, acc: true, proX: ProAffine, proY: ProBNBackward},
	} {
		c.ConvShape, c.seed = s, seed
		f(c)
	}
}

func TestConv(t *testing.T) {
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 1)
		for i, s := range convShapes {
			t.Run(s.String(), func(t *testing.T) {
				surround(s, uint64(i), func(c convCase) { c.check(t, cpu) })
			})
		}
	})
}

// TestConvBits holds every fused row and every team to the same bits.
func TestConvBits(t *testing.T) {
	type backend struct {
		name string
		cpu  *CPU
	}
	var all []backend
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		if k.Needs == 0 {
			return
		}
		for _, threads := range []int{1, 2, 7} {
			all = append(all, backend{fmt.Sprintf("%s on %d threads", k.Name, threads), onRow(k, threads)})
		}
		all = append(all, backend{k.Name + " in another order of tiles", rowOn(shuffled(), k, "")})
	})
	shapes := append(slices.Concat(convShapes, winogradShapes, polyphaseShapes, fewShapes), square(16, 14, 64, 64, 3, 1, 1), square(8, 28, 40, 72, 3, 2, 1))
	if !testing.Short() { // beyond the limits of lanes and blocks, where the reference takes too long
		shapes = append(shapes, square(8, 56, 64, 64, 3, 2, 1), square(2, 14, 256, 272, 3, 1, 1), square(2, 14, 320, 520, 1, 1, 0))
		for _, groups := range []int{64, 16} {
			s := square(2, 28, 64, 64, 3, 1, 1)
			s.Groups = groups
			shapes = append(shapes, s)
		}
	}
	for i, s := range shapes {
		surround(s, uint64(i), func(c convCase) {
			d := c.data()
			var out, part []float32
			for i, b := range all {
				o, p := c.run(t, b.cpu, d)
				if i == 0 {
					out, part = o, p
					continue
				}
				if k := differ(out, o); k >= 0 {
					t.Fatalf("%v: element %d is %g with %s and %g with %s", c, k, out[k], all[0].name, o[k], b.name)
				}
				if k := differ(part, p); k >= 0 {
					t.Fatalf("%v: statistic %d is %g with %s and %g with %s", c, k, part[k], all[0].name, p[k], b.name)
				}
			}
		})
	}
	for _, b := range all {
		b.cpu.team.Close()
	}
}

// differ is the first element whose bits differ, or -1.
func differ(a, b []float32) int {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return i
		}
	}
	return -1
}
