package kernels

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const ulp = 0x1p-24 // unit roundoff of float32

// normData is one problem: all operands that the passes over memory read.
type normData struct {
	rows, ch, group      int
	x, dy, mask, res     []float32
	shift, mean, a, b, c []float32
}

func (d *normData) String() string { return fmt.Sprintf("%dx%d group %d", d.rows, d.ch, d.group) }

func newNormData(rows, ch, group int) *normData {
	r := rand.New(rand.NewPCG(uint64(rows), uint64(ch*1000+group)))
	v := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(r.NormFloat64())
		}
		return s
	}
	n, _ := groups(rows, group)
	d := &normData{rows: rows, ch: ch, group: group,
		x: v(rows * ch), dy: v(rows * ch), mask: v(rows * ch), res: v(rows * ch),
		shift: v(ch), mean: v(n * ch), a: v(n * ch), b: v(n * ch), c: v(n * ch)}
	for i := range d.mask {
		d.mask[i] *= float32(r.IntN(3)) // a third are zeros of both signs
	}
	return d
}

// run passes d through every op and variant on b and gives what they wrote.
// put places an operand.
func (d *normData) run(t testing.TB, b normBackend, put func([]float32) Mem) map[string][]float64 {
	out := map[string][]float64{}
	read := func(name string, m Mem) {
		if m.Type == Float64 {
			out[name] = slices.Clone(m.F64())
			return
		}
		s := make([]float64, m.Len)
		for i, v := range m.F32() {
			s[i] = float64(v)
		}
		out[name] = s
	}
	n, _ := groups(d.rows, d.group)
	nan := slices.Repeat([]float32{float32(math.NaN())}, max(len(d.x), 2*StatsChunks(d.rows, d.group)*d.ch))
	blank := func() Mem { return put(nan[:len(d.x)]) }
	x, dy, mask, res := put(d.x), put(d.dy), put(d.mask), put(d.res)
	mean, ca, cb, cc := put(d.mean), put(d.a), put(d.b), put(d.c)
	part := put(nan[:2*StatsChunks(d.rows, d.group)*d.ch])
	wide := normMem(t, b, Float64, 2*n*d.ch)

	for name, shift := range map[string]Mem{"": {}, " shifted": put(d.shift)} {
		s := Stats{Part: part, Shift: shift, Group: d.group}
		b.ChannelStats(&ChannelStatsArgs{Rows: d.rows, C: d.ch, X: x, Stats: s})
		read("stats"+name, part)
		b.BNMoments(&BNMomentsArgs{Rows: d.rows, C: d.ch, Stats: s, Moments: wide})
		read("moments"+name, wide)
	}
	for name, gate := range map[string][3]Mem{"": {}, " masked": {mask}, " gated": {{}, put(d.a), put(d.b)}} {
		m, scale, shift := gate[0], gate[1], gate[2]
		reduce := BNReduceArgs{Rows: d.rows, C: d.ch, Group: d.group, DY: dy, X: x, Mask: m, Scale: scale, Shift: shift, Mean: mean, Sums: wide, Work: part}
		b.BNReduce(&reduce)
		read("reduce"+name, wide)
		reduce.DResid = blank()
		b.BNReduce(&reduce)
		read("reduce resid"+name, wide)
		read("resid"+name, reduce.DResid)
		reduce.DResid, reduce.AccResid = put(d.res), true
		b.BNReduce(&reduce)
		read("reduce acc"+name, wide)
		read("resid acc"+name, reduce.DResid)

		back := BNBackwardArgs{Rows: d.rows, C: d.ch, Group: d.group, DY: dy, X: x, Mask: m, Scale: scale, Shift: shift, CoefA: ca, CoefB: cb, CoefC: cc, DX: blank()}
		b.BNBackward(&back)
		read("dx"+name, back.DX)
		back.DX, back.Accumulate = put(d.res), true
		b.BNBackward(&back)
		read("dx acc"+name, back.DX)
		back.DY, back.Accumulate = put(d.dy), false
		back.DX = back.DY
		b.BNBackward(&back)
		read("dx in place"+name, back.DX)
	}
	for _, relu := range []bool{false, true} {
		for name, r := range map[string]Mem{"": {}, " residual": res} {
			y := blank()
			a := BNApplyArgs{Rows: d.rows, C: d.ch, Group: d.group, X: x, Scale: ca, Shift: cb, Residual: r, ReLU: relu, Y: y}
			b.BNApply(&a)
			read(fmt.Sprint("y ", relu, name), y)
			a.X = put(d.x)
			a.Y = a.X
			b.BNApply(&a)
			read(fmt.Sprint("y in place ", relu, name), a.Y)
		}
	}
	return out
}

// bounds says how far float32 may be from float64 for each result of run,
// element by element: a chain of n fused steps errs by at most n+1 roundings
// of the sum of its absolute terms, merging in float64 by nothing to speak of.
func (d *normData) bounds() map[string][]float64 {
	abs := func(v float32) float64 { return math.Abs(float64(v)) }
	wide := func(v []float64, by float64) []float64 {
		s := make([]float64, len(v))
		for i := range v {
			s[i] = by * v[i]
		}
		return s
	}
	n, size := groups(d.rows, d.group)
	out := map[string][]float64{}
	chain := float64(min(StatsChunk, size) + 4)
	sums := func(f func(g, r, c int) (s, d float64)) (part, merged []float64) {
		part, merged = make([]float64, 2*StatsChunks(d.rows, d.group)*d.ch), make([]float64, 2*n*d.ch)
		chunkSums(d.rows, d.ch, d.group, part, f)
		eachGroup(d.rows, d.ch, d.group, part, merged, func(rows int, part, out []float64) {
			mergeSums(0, d.ch, d.ch, rows, part, nil, out)
		})
		return wide(part, chain*ulp), wide(merged, chain*ulp)
	}
	for _, name := range []string{"", " shifted"} {
		part, moments := sums(func(g, r, c int) (float64, float64) {
			v := float64(d.x[r*d.ch+c])
			if name != "" {
				v -= float64(d.shift[c])
			}
			return math.Abs(v), math.Abs(v)
		})
		// A chunk's M2 subtracts s*s/n, and merging adds deltas: both are
		// at most the sum of squares, each with its own error.
		for i := range moments {
			if i/d.ch%2 == 0 {
				moments[i] /= float64(max(size, 1))
			} else {
				moments[i] *= 8
			}
		}
		out["stats"+name], out["moments"+name] = part, moments
	}
	_, reduce := sums(func(g, r, c int) (s, e float64) {
		return abs(d.dy[r*d.ch+c]), abs(d.x[r*d.ch+c]) + abs(d.mean[g*d.ch+c])
	})
	dx, y, resid := make([]float64, len(d.x)), make([]float64, len(d.x)), make([]float64, len(d.x))
	for i := range dx {
		k := i/d.ch/size*d.ch + i%d.ch
		dx[i] = 4 * ulp * (abs(d.a[k])*abs(d.dy[i]) + abs(d.b[k])*abs(d.x[i]) + abs(d.c[k]) + abs(d.res[i]))
		y[i] = 3 * ulp * (abs(d.a[k])*abs(d.x[i]) + abs(d.b[k]) + abs(d.res[i]))
		resid[i] = ulp * (abs(d.dy[i]) + abs(d.res[i]))
	}
	for _, name := range []string{"", " masked", " gated"} {
		for _, s := range []string{"reduce", "reduce resid", "reduce acc"} {
			out[s+name] = reduce
		}
		for _, s := range []string{"dx", "dx acc", "dx in place"} {
			out[s+name] = dx
		}
		out["resid"+name], out["resid acc"+name] = resid, resid
	}
	for _, name := range []string{"false", "true"} {
		for _, s := range []string{"y ", "y in place "} {
			out[s+name], out[s+name+" residual"] = y, y
		}
	}
	return out
}

// normCases visits every branch: rows about the chunk, channels about the
// vectors, one to four groups; with -short one case in five.
func normCases() []*normData {
	var d []*normData
	d = append(d, newNormData(0, 5, 0), newNormData(5, 0, 0))
	for _, rows := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 167, 168, 169, 335, 336, 337, 504} {
		for _, ch := range []int{1, 5, 16, 24, 40, 64, 130, 256} {
			d = append(d, newNormData(rows, ch, 0))
		}
	}
	for ch := 1; ch <= 40; ch++ {
		d = append(d, newNormData(2*(ch%5)+169, ch, 0))
	}
	for _, g := range []int{1, 3, 167, 168, 169, 340} {
		for _, ch := range []int{3, 16, 37, 64, 136} {
			d = append(d, newNormData(g*2, ch, g), newNormData(g*4, ch, g))
		}
	}
	if testing.Short() {
		d = everyFifth(d)
	}
	return d
}

// everyFifth thins the cases of slow builds (race, purego, pinned).
func everyFifth[T any](cases []T) []T {
	var few []T
	for i := 0; i < len(cases); i += 5 {
		few = append(few, cases[i])
	}
	return few
}

func TestBNRows(t *testing.T) {
	cpus := normBackends(t, "norm", 1)
	for _, d := range normCases() {
		want := d.run(t, Ref64{}, func(v []float32) Mem { return normPut(t, Ref64{}, v) })
		bounds := d.bounds()
		for row, b := range cpus {
			if row == "ref64" {
				continue
			}
			got := d.run(t, b, func(v []float32) Mem { return edgeF32(t, v) })
			for name, w := range want {
				checkNear(t, fmt.Sprint(row, " ", d, " ", name), got[name], w, bounds[name])
			}
		}
		if t.Failed() {
			return
		}
	}
}

// checkNear fails unless every got is within its bound of want.
func checkNear(t testing.TB, what string, got, want, bound []float64) {
	t.Helper()
	if len(got) != len(want) || len(bound) != len(want) {
		t.Errorf("%s: %d results, %d bounds, want %d", what, len(got), len(bound), len(want))
		return
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= bound[i]) {
			t.Errorf("%s [%d]: %g, want %g, off by %.3g, bound %.3g", what, i, got[i], w, got[i]-w, bound[i])
			return
		}
	}
}

// checkBits fails unless two runs gave the same bits.
func checkBits(t testing.TB, what string, a, b map[string][]float64) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(a)) {
		for i, v := range a[name] {
			if math.Float64bits(v) != math.Float64bits(b[name][i]) {
				t.Errorf("%s: %s [%d]: %g and %g", what, name, i, v, b[name][i])
				break
			}
		}
	}
}

// TestBNBits: AVX2 and AVX-512 agree to the bit, and so do teams of 1, 2 and 7.
func TestBNBits(t *testing.T) {
	put := func(v []float32) Mem { return F32Mem(slices.Clone(v)) }
	one := normBackends(t, "norm", 1)
	teams := map[int]map[string]normBackend{2: normBackends(t, "norm", 2), 7: normBackends(t, "norm", 7)}
	for _, d := range normCases() {
		if one["avx512"] != nil {
			checkBits(t, "avx2, avx512 "+d.String(), d.run(t, one["avx2"], put), d.run(t, one["avx512"], put))
		}
		if d.rows*d.ch < 336*64 {
			continue // too small to leave the caller
		}
		for row, b := range one {
			if row == "ref64" {
				continue
			}
			want := d.run(t, b, put)
			for threads, team := range teams {
				c := team[row].(*CPU)
				c.Enter()
				checkBits(t, fmt.Sprint(row, " ", d, " team of ", threads), want, d.run(t, c, put))
				c.Leave()
			}
		}
	}
}

// TestBNNonFinite: NaN and Inf come out where the formulas put them; ReLU
// keeps NaN, a mask of NaN stops the gradient, and moments of NaN are NaN.
func TestBNNonFinite(t *testing.T) {
	odd := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, float32(math.Copysign(0, -1)), 1e-45, 1e10}
	for _, ch := range []int{3, 16, 37} {
		d := newNormData(40, ch, 20)
		for i := range d.x {
			d.x[i], d.mask[i] = odd[i%7], odd[i/7%7]
			if i%3 == 0 {
				d.res[i], d.dy[i] = odd[i/3%7], odd[i/2%7]
			}
		}
		want := d.run(t, Ref64{}, func(v []float32) Mem { return normPut(t, Ref64{}, v) })
		for row, b := range normBackends(t, "norm", 1) {
			if row == "ref64" {
				continue
			}
			got := d.run(t, b, func(v []float32) Mem { return edgeF32(t, v) })
			for name, w := range want {
				for i := range w {
					if math.IsNaN(w[i]) != math.IsNaN(got[name][i]) {
						t.Fatalf("%s ch %d %s [%d]: %g, want %g", row, ch, name, i, got[name][i], w[i])
					}
				}
			}
			for i, v := range got["y true"] {
				if x := d.x[i]; x != x && v == v {
					t.Fatalf("%s: ReLU lost a NaN at %d", row, i)
				}
			}
		}
	}
}

// TestBNFinalize compares both finalizers with the formulas in float64.
func TestBNFinalize(t *testing.T) {
	const groups, ch, count = 3, 11, 50
	r := rand.New(rand.NewPCG(1, 2))
	vec := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	moments, sums, local := make([]float64, 2*groups*ch), make([]float64, 2*groups*ch), make([]float64, 2*groups*ch)
	for i := range moments {
		moments[i], sums[i], local[i] = r.NormFloat64(), 10*r.NormFloat64(), 10*r.NormFloat64()
		if i/ch%2 == 1 {
			moments[i] = count * math.Abs(moments[i])
		}
	}
	gamma, beta, runMean, runVar, old := vec(ch), vec(ch), vec(ch), vec(ch), vec(ch)
	run := func(b normBackend, eval bool) map[string][]float64 {
		in := func(v []float32) Mem { return normPut(t, b, v) }
		many := func() Mem { return normMem(t, b, Float32, groups*ch) }
		f := BNFinalizeArgs{Groups: groups, C: ch, Count: count, Moments: F64Mem(moments), Gamma: in(gamma), Beta: in(beta),
			Eps: 1e-5, Momentum: 0.25, RunMean: in(runMean), RunVar: in(runVar),
			Mean: many(), InvStd: many(), Scale: many(), Shift: many()}
		b.BNFinalize(&f)
		g := BNGradFinalizeArgs{Groups: groups, C: ch, Count: count, Sums: F64Mem(sums), LocalSums: F64Mem(local),
			Gamma: f.Gamma, Mean: f.Mean, InvStd: f.InvStd, Eval: eval, CoefA: many(), CoefB: many(), CoefC: many(),
			DGamma: in(old), DBeta: in(old), AccGamma: true, AccBeta: eval}
		b.BNGradFinalize(&g)
		out := map[string][]float64{}
		for name, m := range map[string]Mem{"mean": f.Mean, "invstd": f.InvStd, "scale": f.Scale, "shift": f.Shift,
			"runmean": f.RunMean, "runvar": f.RunVar, "A": g.CoefA, "B": g.CoefB, "C": g.CoefC, "dgamma": g.DGamma, "dbeta": g.DBeta} {
			for _, v := range normGet(t, b, m) {
				out[name] = append(out[name], float64(v))
			}
		}
		return out
	}
	for _, eval := range []bool{false, true} {
		got, ref := run(&CPU{}, eval), run(Ref64{}, eval)
		want := map[string][]float64{}
		for g := range groups {
			for c := range ch {
				m, m2 := moments[2*g*ch+c], moments[(2*g+1)*ch+c]
				inv := 1 / math.Sqrt(m2/count+1e-5)
				k := float64(gamma[c]) * inv
				s0, s1 := sums[2*g*ch+c], sums[(2*g+1)*ch+c]
				b := -k * inv * inv * s1 / count
				cc := -k*s0/count - b*m
				if eval {
					b, cc = 0, 0
				}
				for name, v := range map[string]float64{"mean": m, "invstd": inv, "scale": k, "shift": float64(beta[c]) - m*k, "A": k, "B": b, "C": cc} {
					want[name] = append(want[name], v)
				}
			}
		}
		for c := range ch {
			var m, v, dg, db float64
			for g := range groups {
				m += moments[2*g*ch+c] / groups
				v += moments[(2*g+1)*ch+c] / (count - 1) / groups
				dg += local[(2*g+1)*ch+c] / math.Sqrt(moments[(2*g+1)*ch+c]/count+1e-5)
				db += local[2*g*ch+c]
			}
			if dg += float64(old[c]); eval {
				db += float64(old[c])
			}
			for name, v := range map[string]float64{"runmean": 0.75*float64(runMean[c]) + 0.25*m, "runvar": 0.75*float64(runVar[c]) + 0.25*v, "dgamma": dg, "dbeta": db} {
				want[name] = append(want[name], v)
			}
		}
		for name, w := range want {
			for i := range w {
				for _, v := range []float64{got[name][i], ref[name][i]} {
					if math.Abs(v-w[i]) > 16*ulp*(math.Abs(w[i])+30) {
						t.Errorf("%s [%d]: %g, want %g (eval %v)", name, i, v, w[i], eval)
					}
				}
			}
		}
	}
}

func TestBNAllocs(t *testing.T) {
	d := newNormData(700, 48, 350)
	c := normBackends(t, "norm", 2)
	for row, b := range c {
		if row == "ref64" {
			continue
		}
		n, _ := groups(d.rows, d.group)
		f, y := F32Mem, F32Mem(make([]float32, len(d.x)))
		part, wide := f(make([]float32, 2*StatsChunks(d.rows, d.group)*d.ch)), F64Mem(make([]float64, 2*n*d.ch))
		stats := Stats{Part: part, Group: d.group}
		cs := ChannelStatsArgs{Rows: d.rows, C: d.ch, X: f(d.x), Stats: stats}
		mo := BNMomentsArgs{Rows: d.rows, C: d.ch, Stats: stats, Moments: wide}
		ap := BNApplyArgs{Rows: d.rows, C: d.ch, Group: d.group, X: f(d.x), Scale: f(d.a), Shift: f(d.b), Y: y}
		re := BNReduceArgs{Rows: d.rows, C: d.ch, Group: d.group, DY: f(d.dy), X: f(d.x), Mean: f(d.mean), Sums: wide, Work: part}
		ba := BNBackwardArgs{Rows: d.rows, C: d.ch, Group: d.group, DY: f(d.dy), X: f(d.x), CoefA: f(d.a), CoefB: f(d.b), CoefC: f(d.c), DX: y}
		all := func() {
			b.ChannelStats(&cs)
			b.BNMoments(&mo)
			b.BNApply(&ap)
			b.BNReduce(&re)
			b.BNBackward(&ba)
		}
		for range 20 {
			all()
		}
		if got := testing.AllocsPerRun(50, all); got != 0 {
			t.Errorf("%s: %g allocations a round", row, got)
		}
	}
}
