package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// poolData is one pool and what flows through it.
type poolData struct {
	PoolArgs
	x, dy, old []float32
}

func (d *poolData) String() string {
	return fmt.Sprintf("kind %d n %d %dx%dx%d window %dx%d stride %dx%d pad %dx%d",
		d.Kind, d.N, d.H, d.W, d.C, d.KH, d.KW, d.StrideH, d.StrideW, d.PadH, d.PadW)
}

// run gives Y and Index, then dX plain and added to old; put places memory.
func (d *poolData) run(t testing.TB, b normBackend, put func([]float32) Mem, ints func([]int32) Mem) (float map[string][]float64, index []int32) {
	a := d.PoolArgs
	out := a.N * a.OH() * a.OW() * a.C
	nan := slices.Repeat([]float32{float32(math.NaN())}, max(out, len(d.x)))
	float = map[string][]float64{}
	read := func(name string, m Mem) {
		for _, v := range normGet(t, b, m) {
			float[name] = append(float[name], float64(v))
		}
	}
	a.X, a.Y, a.Index = put(d.x), put(nan[:out]), ints(make([]int32, out))
	b.Pool(&a)
	read("y", a.Y)
	a.X, a.Y = put(nan[:len(d.x)]), put(d.dy)
	b.PoolGrad(&a)
	read("dx", a.X)
	a.X, a.Accumulate = put(d.old), true
	b.PoolGrad(&a)
	read("dx acc", a.X)
	return float, a.Index.I32()
}

// poolCases visits windows that overlap, touch and leave gaps, borders on each
// side, and channels about the vectors. Values are small integers, so that
// maxima tie, with a NaN or an infinity now and then for PoolMax.
func poolCases() []*poolData {
	var cases []*poolData
	add := func(kind PoolKind, n, h, w, c, kh, kw, sh, sw, ph, pw int) {
		d := &poolData{PoolArgs: PoolArgs{Kind: kind, N: n, H: h, W: w, C: c, KH: kh, KW: kw, StrideH: sh, StrideW: sw, PadH: ph, PadW: pw}}
		r := rand.New(rand.NewPCG(uint64(len(cases)), 7))
		v := func(n int) []float32 {
			s := make([]float32, n)
			for i := range s {
				s[i] = float32(r.NormFloat64())
			}
			return s
		}
		d.x, d.old, d.dy = v(n*h*w*c), v(n*h*w*c), v(n*d.OH()*d.OW()*c)
		for i := range d.x {
			if kind == PoolMax {
				d.x[i] = float32(r.IntN(4))
				switch r.IntN(40) {
				case 0:
					d.x[i] = float32(math.NaN())
				case 1, 2, 3:
					d.x[i] = float32(math.Inf(-1))
				case 4:
					d.x[i] = float32(math.Inf(1))
				}
			}
		}
		cases = append(cases, d)
	}
	for _, kind := range []PoolKind{PoolMax, PoolAvg, PoolAvgValid} {
		for c := 1; c <= 40; c++ {
			add(kind, 1, 5, 6, c, 3, 3, 2, 2, 1, 1)
		}
		for _, c := range []int{3, 16, 64, 72, 130} {
			for _, n := range []int{1, 3} {
				add(kind, n, 9, 7, c, 2, 2, 2, 2, 0, 0)
				add(kind, n, 6, 7, c, 6, 7, 1, 1, 0, 0) // global
				add(kind, n, 8, 8, c, 3, 3, 1, 1, 1, 1)
				add(kind, n, 11, 5, c, 2, 1, 3, 2, 0, 0) // gaps
				add(kind, n, 4, 9, c, 4, 5, 1, 3, 3, 2)  // windows that hang over both sides
				add(kind, n, 1, 1, c, 1, 1, 1, 1, 0, 0)
				add(kind, n, 13, 14, c, 5, 5, 2, 3, 2, 2)
			}
		}
	}
	add(PoolMax, 2, 56, 56, 64, 3, 3, 2, 2, 1, 1)
	add(PoolAvg, 0, 4, 4, 8, 2, 2, 2, 2, 0, 0)
	if testing.Short() {
		cases = everyFifth(cases)
	}
	return cases
}

func TestPoolRows(t *testing.T) {
	cpus := normBackends(t, "pool", 1)
	edgeInts := func(v []int32) Mem { return edgeF32(t, make([]float32, len(v))).As(Int32) }
	for _, d := range poolCases() {
		want, index := d.run(t, Ref64{}, func(v []float32) Mem { return normPut(t, Ref64{}, v) }, I32Mem)
		// A sum of k terms, each rounded once, then a division or an old value.
		taps := float64(d.KH * d.KW)
		size := 0.0
		for _, v := range slices.Concat(d.x, d.dy, d.old) {
			if a := math.Abs(float64(v)); a < 100 {
				size = max(size, a)
			}
		}
		for row, b := range cpus {
			if row == "ref64" {
				continue
			}
			got, at := d.run(t, b, func(v []float32) Mem { return edgeF32(t, v) }, edgeInts)
			if d.Kind == PoolMax && !slices.Equal(at, index) {
				t.Errorf("%s %v: indices differ", row, d)
			}
			for name, w := range want {
				for i := range w {
					g := got[name][i]
					if g == w[i] || math.IsNaN(g) && math.IsNaN(w[i]) {
						continue
					}
					if bound := (taps + 3) * ulp * size * (taps + 1); d.Kind == PoolMax && name == "y" || !(math.Abs(g-w[i]) <= bound) {
						t.Errorf("%s %v: %s [%d]: %g, want %g", row, d, name, i, g, w[i])
						break
					}
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

// TestPoolBits: AVX2 and AVX-512 agree to the bit, and so do teams of 1, 2, 7.
func TestPoolBits(t *testing.T) {
	put := func(v []float32) Mem { return F32Mem(slices.Clone(v)) }
	one := normBackends(t, "pool", 1)
	teams := map[int]map[string]normBackend{2: normBackends(t, "pool", 2), 7: normBackends(t, "pool", 7)}
	for _, d := range poolCases() {
		if one["avx512"] != nil {
			a, i := d.run(t, one["avx2"], put, I32Mem)
			b, k := d.run(t, one["avx512"], put, I32Mem)
			checkBits(t, "avx2, avx512 "+d.String(), a, b)
			if d.Kind == PoolMax && !slices.Equal(i, k) {
				t.Errorf("avx2, avx512 %v: indices differ", d)
			}
		}
		for row, b := range one {
			if row == "ref64" || len(d.x) < 10000 {
				continue
			}
			want, _ := d.run(t, b, put, I32Mem)
			for threads, team := range teams {
				c := team[row].(*CPU)
				c.Enter()
				got, _ := d.run(t, c, put, I32Mem)
				c.Leave()
				checkBits(t, fmt.Sprint(row, " ", d, " team of ", threads), want, got)
			}
		}
	}
}

// TestPoolPadding: padding as wide as the window would make empty windows.
func TestPoolPadding(t *testing.T) {
	for row, b := range normBackends(t, "pool", 1) {
		if row == "ref64" {
			continue
		}
		func() {
			defer func() {
				if _, ok := recover().(*ArgError); !ok {
					t.Errorf("%s: no *ArgError", row)
				}
			}()
			v := F32Mem(make([]float32, 64))
			b.Pool(&PoolArgs{Kind: PoolAvg, N: 1, H: 2, W: 2, C: 1, KH: 2, KW: 2, StrideH: 1, StrideW: 1, PadH: 2, PadW: 0, X: v, Y: v})
		}()
	}
}

func TestPoolAllocs(t *testing.T) {
	for row, b := range normBackends(t, "pool", 2) {
		if row == "ref64" {
			continue
		}
		for _, kind := range []PoolKind{PoolMax, PoolAvgValid} {
			a := PoolArgs{Kind: kind, N: 4, H: 28, W: 28, C: 32, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1}
			out := a.N * a.OH() * a.OW() * a.C
			a.X, a.Y, a.Index = F32Mem(make([]float32, a.N*a.H*a.W*a.C)), F32Mem(make([]float32, out)), I32Mem(make([]int32, out))
			both := func() { b.Pool(&a); b.PoolGrad(&a) }
			for range 20 {
				both()
			}
			if got := testing.AllocsPerRun(50, both); got != 0 {
				t.Errorf("%s kind %d: %g allocations", row, kind, got)
			}
		}
	}
}
