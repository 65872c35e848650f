package cuda

import (
	"fmt"
	"math"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// philox is Philox4x32-10 as Salmon et al. (2011) write it.
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		a, b := uint64(c[0])*0xD2511F53, uint64(c[2])*0xCD9E8D57
		c = [4]uint32{uint32(b>>32) ^ c[1] ^ k[0], uint32(b), uint32(a>>32) ^ c[3] ^ k[1], uint32(a)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// TestPhilox holds the reference to the known answers of the authors' Random123
// (kat_vectors) and the kernel to the reference.
func TestPhilox(t *testing.T) {
	const all = ^uint32(0)
	for _, v := range []struct {
		c    [4]uint32
		k    [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{all, all, all, all}, [2]uint32{all, all}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(v.c, v.k); got != v.want {
			t.Fatalf("philox(%x, %x) = %x, want %x", v.c, v.k, got, v.want)
		}
	}
	d := emulated(t)
	const seed = 0xfedcba9876543210
	for _, n := range []int{1, 2, 3, 4, 1027, 4096} {
		for _, off := range []int{0, 1} {
			m, err := d.Alloc(kernels.Int32, n+off+1)
			if err != nil {
				t.Fatal(err)
			}
			d.UploadInts(m, make([]int32, n+off+1))
			d.Random(m.At(off, n), seed, 7, 3)
			got := make([]int32, n+off+1)
			if err := d.DownloadInts(got, m); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				want := philox([4]uint32{uint32(i / 4), 0, 3, 7}, [2]uint32{0x76543210, 0xfedcba98})[i%4]
				if uint32(got[off+i]) != want {
					t.Fatalf("n=%d: [%d] = %x, want %x", n, i, got[off+i], want)
				}
			}
			if got[n+off] != 0 {
				t.Errorf("n=%d: wrote past the end", n)
			}
		}
	}
	e := &edge{t: t, b: d}
	u := e.in(5000, 0, 1)
	d.Random(u, 1, 0, 0)
	v := make([]float32, 5000)
	e.must(d.Download(v, u))
	mean := 0.0
	for i, x := range v {
		if want := float32(philox([4]uint32{uint32(i / 4)}, [2]uint32{1})[i%4]>>8) / (1 << 24); x != want {
			t.Fatalf("[%d] = %g, want %g", i, x, want)
		}
		mean += float64(x) / 5000
	}
	if math.Abs(mean-0.5) > 0.02 {
		t.Errorf("mean %g", mean)
	}
}

func TestCast(t *testing.T) {
	d := emulated(t)
	e := &edge{t: t, b: d}
	for _, off := range []int{0, 1} {
		n := 2050
		v := e.draw(n, -4, 4)
		copy(v[1020:], []float32{0, float32(math.Copysign(0, -1)), inf32, -inf32, nan32, 1.00390625, 1.01171875, 3.39e38, 3.4e38, 1e-40})
		src, back := e.in(n+off, 0, 1), e.in(n+off, 0, 1)
		d.Upload(src.At(off, n), v)
		half := e.alloc(kernels.BFloat16, n+off)
		d.ToBFloat16(half.At(off, n), src.At(off, n))
		d.FromBFloat16(back.At(off, n), half.At(off, n))
		got := make([]float32, n)
		e.must(d.Download(got, back.At(off, n)))
		for i, x := range v {
			b := math.Float32bits(x)
			want := math.Float32frombits((b + 0x7fff + b>>16&1) &^ 0xffff) // to nearest even
			if got[i] != want && x == x || x != x && got[i] == got[i] {
				t.Fatalf("offset %d: [%d] %g became %g, want %g", off, i, x, got[i], want)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	d := emulated(t)
	for _, s := range [][3]int{{1, 1, 1}, {70, 130, 20}, {64, 64, 16}, {5, 3, 33}} {
		e := &edge{t: t, b: d}
		m, n, depth := s[0], s[1], s[2]
		x, y := e.draw(m*depth, -1, 1), e.draw(n*depth, -1, 1)
		if n > 100 {
			copy(y[100*depth:101*depth], y[3*depth:4*depth]) // a tie: the first counts
			copy(x[:depth], y[3*depth:4*depth])
		}
		a := NearestArgs{Rows: m, Centroids: n, D: depth, X: e.hold(x), Y: e.hold(y), Index: e.ints(make([]int32, m)...), Score: e.in(m, 0, 1)}
		d.Nearest(&a)
		index, score := make([]int32, m), make([]float32, m)
		e.must(d.DownloadInts(index, a.Index))
		e.must(d.Download(score, a.Score))
		for r := range m {
			best, at := math.Inf(-1), 0
			sc := make([]float64, n)
			for c := range n {
				for k := range depth {
					p, q := float64(x[r*depth+k]), float64(y[c*depth+k])
					sc[c] += p*q - q*q/2
				}
				if sc[c] > best {
					best, at = sc[c], c
				}
			}
			tol := 4 * edgeTol * float64(depth)
			if got := int(index[r]); got < 0 || got >= n || sc[got] < best-tol || sc[got] == best && got != at {
				t.Errorf("%v: row %d goes to %d, nearest is %d", s, r, got, at)
			}
			if math.Abs(float64(score[r])-best) > tol {
				t.Errorf("%v: row %d scores %g, want %g", s, r, score[r], best)
			}
		}
	}
}

func TestQueueCrossEntropy(t *testing.T) {
	d := emulated(t)
	shapes := [][3]int{{3, 5, 4}, {65, 200, 70}, {64, 64, 16}}
	if testing.Short() {
		shapes = shapes[:2]
	}
	for _, s := range shapes {
		m, n, depth := s[0], s[1], s[2]
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			e := &edge{t: t, b: d}
			const invT = 5
			q, keys, pos := e.draw(m*depth, -0.5, 0.5), e.draw(n*depth, -0.5, 0.5), e.draw(m, -1, 1)
			a := QueueArgs{Rows: m, Keys: n, D: depth, Q: e.hold(q), Queue: e.hold(keys), Pos: e.hold(pos), InvT: invT, Loss: e.in(1, 0, 1), LSE: e.in(m, 0, 1),
				DLoss: e.hold([]float32{0.75}), DPos: e.in(m, 0, 1), Accumulate: true}
			before := e.draw(m*depth, -1, 1)
			a.DQ = e.hold(before)
			d.QueueCrossEntropy(&a)
			d.QueueCrossEntropyGrad(&a)
			loss, lse, dpos, dq := make([]float32, 1), make([]float32, m), make([]float32, m), make([]float32, m*depth)
			for _, o := range []struct {
				to   []float32
				from kernels.Mem
			}{{loss, a.Loss}, {lse, a.LSE}, {dpos, a.DPos}, {dq, a.DQ}} {
				e.must(d.Download(o.to, o.from))
			}
			var wantLoss float64
			near := func(what string, i int, got float32, want float64) {
				if math.Abs(float64(got)-want) > 16*edgeTol*(1+math.Abs(want)) {
					t.Errorf("%s[%d] = %g, want %g", what, i, got, want)
				}
			}
			for r := range m {
				l := make([]float64, n)
				l0 := float64(pos[r]) * invT
				sum := math.Exp(l0)
				for k := range n {
					for j := range depth {
						l[k] += float64(q[r*depth+j]) * float64(keys[k*depth+j]) * invT
					}
					sum += math.Exp(l[k])
				}
				log := math.Log(sum)
				wantLoss += (log - l0) / float64(m)
				g := 0.75 / float64(m) * invT
				near("lse", r, lse[r], log)
				near("dpos", r, dpos[r], g*(math.Exp(l0-log)-1))
				for j := range depth {
					want := float64(before[r*depth+j])
					for k := range n {
						want += g * math.Exp(l[k]-log) * float64(keys[k*depth+j])
					}
					near("dq", r*depth+j, dq[r*depth+j], want)
				}
			}
			near("loss", 0, loss[0], wantLoss)
		})
	}
}
