package dist

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var sizes = []int{1, 2, 3, 4, 7}

// groups runs f with each kind of group.
func groups(t *testing.T, f func(Group) error) {
	t.Run("solo", func(t *testing.T) {
		if err := f(Solo()); err != nil {
			t.Error(err)
		}
	})
	for _, n := range sizes {
		t.Run(fmt.Sprint("ranks=", n), func(t *testing.T) {
			if err := Run(n, f); err != nil {
				t.Error(err)
			}
		})
	}
}

// values are one rank's n numbers, of very different sizes, so that the order
// of a sum shows in its bits.
func values(rank, n int) []float64 {
	r := rand.New(rand.NewPCG(uint64(rank), uint64(n)))
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64() * math.Pow(10, float64(r.IntN(12)-6))
	}
	return v
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

func TestCollectives(t *testing.T) {
	groups(t, func(g Group) error {
		for _, n := range []int{0, 1, 15, 16, 17, 100, 3*strip + 5} {
			if err := collectives(g, n); err != nil {
				return fmt.Errorf("length %d: %w", n, err)
			}
		}
		return nil
	})
}

func collectives(g Group, n int) error {
	sum, largest := make([]float64, n), make([]float64, n)
	sum32 := make([]float32, n)
	var all []float64
	for r := range g.Size() {
		v := values(r, n)
		all = append(all, v...)
		for i, x := range v {
			if r == 0 {
				sum[i], sum32[i], largest[i] = x, float32(x), x
				continue
			}
			sum[i] += x
			sum32[i] += float32(x)
			largest[i] = max(largest[i], x)
		}
	}
	mine := values(g.Rank(), n)
	expect := func(what string, err error, same bool) error {
		if err == nil && !same {
			err = errors.New("wrong values")
		}
		if err != nil {
			return fmt.Errorf("rank %d: %s: %w", g.Rank(), what, err)
		}
		return nil
	}

	x := slices.Clone(mine)
	if err := expect("AllReduceSum", g.AllReduceSum(x), slices.Equal(x, sum)); err != nil {
		return err
	}
	x = slices.Clone(mine)
	if err := expect("AllReduceMax", g.AllReduceMax(x), slices.Equal(x, largest)); err != nil {
		return err
	}
	x32 := narrow(mine)
	if err := expect("AllReduceSum32", g.AllReduceSum32(x32), slices.Equal(x32, sum32)); err != nil {
		return err
	}
	dst := make([]float64, len(all))
	if err := expect("AllGather", g.AllGather(dst, mine), slices.Equal(dst, all)); err != nil {
		return err
	}
	dst32 := make([]float32, len(all))
	if err := expect("AllGather32", g.AllGather32(dst32, narrow(mine)), slices.Equal(dst32, narrow(all))); err != nil {
		return err
	}
	for root := range g.Size() {
		x32 := narrow(mine)
		if err := expect("Broadcast32", g.Broadcast32(x32, root), slices.Equal(x32, narrow(values(root, n)))); err != nil {
			return err
		}
		ids, want := make([]int, n), make([]int, n)
		for i := range ids {
			ids[i], want[i] = g.Rank()*i, root*i
		}
		if err := expect("BroadcastInts", g.BroadcastInts(ids, root), slices.Equal(ids, want)); err != nil {
			return err
		}
	}
	return expect("Barrier", g.Barrier(), true)
}

func TestMaxOfNaN(t *testing.T) {
	groups(t, func(g Group) error {
		x := []float64{1, math.Inf(-1)}
		if g.Rank() == g.Size()/2 {
			x[0] = math.NaN()
		}
		if err := g.AllReduceMax(x); err != nil {
			return err
		}
		if !math.IsNaN(x[0]) || !math.IsInf(x[1], -1) {
			return fmt.Errorf("maximum is %v", x)
		}
		return nil
	})
}

// TestBarrier has every rank count itself before each barrier: behind it all
// must be counted, round after round.
func TestBarrier(t *testing.T) {
	for _, n := range sizes {
		var count atomic.Int64
		err := Run(n, func(g Group) error {
			for round := 1; round <= 200; round++ {
				count.Add(1)
				if err := g.Barrier(); err != nil {
					return err
				}
				if c := count.Load(); c != int64(round*n) {
					return fmt.Errorf("rank %d passed barrier %d with %d of %d counted", g.Rank(), round, c, round*n)
				}
				if err := g.Barrier(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%d ranks: %v", n, err)
		}
	}
}

var errDisk = errors.New("disk is full")

func TestAbortFreesTheOthers(t *testing.T) {
	for _, n := range sizes[1:] {
		for _, late := range []time.Duration{0, 5 * time.Millisecond} { // while the others spin, and once they are parked
			g := InProcess(n)
			got := make(chan error, n)
			for _, m := range g[:n-1] {
				go func() { got <- m.AllReduceSum(make([]float64, 4)) }()
			}
			time.Sleep(late)
			g[n-1].Abort(errDisk)
			for range n - 1 {
				check(t, <-got, n-1, errDisk)
			}
			// The first error stays, for every rank and every call.
			g[0].Abort(errors.New("another"))
			for _, m := range g {
				check(t, m.Barrier(), n-1, errDisk)
				check(t, m.AllGather32(make([]float32, n), make([]float32, 1)), n-1, errDisk)
			}
		}
	}
}

func check(t *testing.T, err error, rank int, cause error) {
	t.Helper()
	var abort *AbortError
	if !errors.As(err, &abort) || abort.Rank != rank || !errors.Is(err, cause) {
		t.Errorf("got %v, want an abort by rank %d: %v", err, rank, cause)
	}
}

func TestRun(t *testing.T) {
	t.Run("own error wins over aborts", func(t *testing.T) {
		err := Run(4, func(g Group) error {
			if g.Rank() == 2 {
				return errDisk
			}
			return g.Barrier()
		})
		if err != errDisk {
			t.Errorf("got %v, want %v", err, errDisk)
		}
	})
	t.Run("leaving too early", func(t *testing.T) {
		err := Run(3, func(g Group) error {
			if g.Rank() == 1 {
				return nil
			}
			return g.Barrier()
		})
		check(t, err, 1, ErrLeft)
	})
	t.Run("panic", func(t *testing.T) {
		defer func() {
			p, ok := recover().(*RankPanic)
			if !ok || p.Rank != 1 || !errors.Is(p, errDisk) || !strings.Contains(string(p.Stack), "TestRun") {
				t.Errorf("panic is %v", p)
			}
		}()
		Run(3, func(g Group) error {
			if g.Rank() == 1 {
				panic(errDisk)
			}
			return g.Barrier()
		})
		t.Error("no panic")
	})
}

func TestMismatch(t *testing.T) {
	x, x32, ids := make([]float64, 8), make([]float32, 8), make([]int, 8)
	for _, c := range []struct {
		name  string
		calls [2]func(Group) error
		want  string
	}{
		{"length", [2]func(Group) error{
			func(g Group) error { return g.AllReduceSum(x[:3]) },
			func(g Group) error { return g.AllReduceSum(x[:4]) },
		}, "dist: calls differ: rank 0 called AllReduceSum(3), rank 1 called AllReduceSum(4)"},
		{"collective", [2]func(Group) error{
			func(g Group) error { return g.AllReduceSum32(x32) },
			func(g Group) error { return g.Barrier() },
		}, "dist: calls differ: rank 0 called AllReduceSum32(8), rank 1 called Barrier"},
		{"type", [2]func(Group) error{
			func(g Group) error { return g.AllGather(x, x[:4]) },
			func(g Group) error { return g.AllGather32(x32, x32[:4]) },
		}, "dist: calls differ: rank 0 called AllGather(dst of 8, src of 4), rank 1 called AllGather32(dst of 8, src of 4)"},
		{"root", [2]func(Group) error{
			func(g Group) error { return g.BroadcastInts(ids, 0) },
			func(g Group) error { return g.BroadcastInts(ids, 1) },
		}, "dist: calls differ: rank 0 called BroadcastInts(8, root 0), rank 1 called BroadcastInts(8, root 1)"},
		{"gathered length", [2]func(Group) error{
			func(g Group) error { return g.AllGather32(x32[:7], x32[:4]) },
			func(g Group) error { return g.AllGather32(x32[:7], x32[:4]) },
		}, "dist: rank 0 called AllGather32(dst of 7, src of 4): dst holds 2 · src"},
		{"no such root", [2]func(Group) error{
			func(g Group) error { return g.Broadcast32(x32, 2) },
			func(g Group) error { return g.Broadcast32(x32, 2) },
		}, "dist: rank 0 called Broadcast32(8, root 2): root is one of 2 ranks"},
	} {
		err := Run(2, func(g Group) error {
			err := c.calls[g.Rank()](g)
			if again := g.Barrier(); again != err {
				return fmt.Errorf("after %v the next call returned %v", err, again)
			}
			return err
		})
		var ce *CallError
		if !errors.As(err, &ce) || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestSoloChecks(t *testing.T) {
	g, x := Solo(), make([]float32, 4)
	if err := g.AllGather32(x, x[:2]); err == nil || !strings.Contains(err.Error(), "dst holds 1 · src") {
		t.Errorf("short gather: %v", err)
	}
	if err := g.Broadcast32(x, 1); err == nil || !strings.Contains(err.Error(), "root is one of 1 ranks") {
		t.Errorf("wrong root: %v", err)
	}
}

func TestNoRanks(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("InProcess(0) did not panic")
		}
	}()
	InProcess(0)
}

// TestAllocations counts what rank 0 and its neighbours allocate in a hundred
// rounds of every collective.
func TestAllocations(t *testing.T) {
	round := func(g Group, x, all []float64, x32, all32 []float32, ids []int) error {
		return errors.Join(g.AllReduceSum(x), g.AllReduceMax(x), g.AllReduceSum32(x32), g.AllGather(all, x),
			g.AllGather32(all32, x32), g.Broadcast32(x32, 0), g.BroadcastInts(ids, 0), g.Barrier())
	}
	for _, n := range []int{1, 3} {
		err := Run(n, func(g Group) error {
			x, all := make([]float64, 40), make([]float64, 40*n)
			x32, all32, ids := make([]float32, 40), make([]float32, 40*n), make([]int, 40)
			if g.Rank() == 0 {
				// AllocsPerRun runs once more to warm up.
				var err error
				a := testing.AllocsPerRun(100, func() { err = errors.Join(err, round(g, x, all, x32, all32, ids)) })
				if a != 0 {
					t.Errorf("%d ranks: %v allocations a round", n, a)
				}
				return err
			}
			for range 101 {
				if err := round(g, x, all, x32, all32, ids); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	x, x32 := make([]float64, 4), make([]float32, 4)
	if a := testing.AllocsPerRun(100, func() {
		if err := round(Solo(), x, x, x32, x32, nil); err != nil {
			t.Error(err)
		}
	}); a != 0 {
		t.Errorf("solo: %v allocations a round", a)
	}
}

// TestSameBits repeats a sum while the scheduler is disturbed.
func TestSameBits(t *testing.T) {
	var want []uint32
	for try := range 20 {
		err := Run(4, func(g Group) error {
			x := narrow(values(g.Rank(), 1000))
			for range try % 3 * g.Rank() {
				runtime.Gosched()
			}
			if err := g.AllReduceSum32(x); err != nil || g.Rank() != 1 {
				return err
			}
			bits := make([]uint32, len(x))
			for i, v := range x {
				bits[i] = math.Float32bits(v)
			}
			if want == nil {
				want = bits
			}
			if !slices.Equal(bits, want) {
				return errors.New("the sum has other bits than before")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkAllReduceSum(b *testing.B) {
	for _, n := range []int{2, 4} {
		for _, size := range []int{128, 11_689_512} { // a layer's sums; ResNet-18's gradients
			b.Run(fmt.Sprintf("ranks=%d/floats=%d", n, size), func(b *testing.B) {
				b.SetBytes(int64(4 * size))
				b.ReportAllocs()
				err := Run(n, func(g Group) error {
					x := make([]float32, size)
					if err := g.Barrier(); err != nil {
						return err
					}
					for range b.N {
						if err := g.AllReduceSum32(x); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
