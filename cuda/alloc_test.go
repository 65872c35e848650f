package cuda

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/kernels"
)

func TestPoolReuses(t *testing.T) {
	f := newFake()
	d := open(t, f, Options{})
	start := f.calls["cuMemAlloc"]
	a := alloc(t, d, kernels.Float32, 100)
	b := alloc(t, d, kernels.Float32, 100)
	if b.Dev != a.Dev+grain {
		t.Errorf("%#x after %#x: small pieces share a segment, %d bytes apart", b.Dev, a.Dev, grain)
	}
	d.Free(a)
	if c := alloc(t, d, kernels.Int32, 128); c.Dev != a.Dev {
		t.Errorf("a freed piece is not given out again")
	}
	big := alloc(t, d, kernels.Float32, 1<<20) // 4 MiB: a segment of its own
	if big.Dev == a.Dev || f.calls["cuMemAlloc"] != start+2 {
		t.Errorf("%d calls of cuMemAlloc", f.calls["cuMemAlloc"]-start)
	}
	d.Free(big)
	alloc(t, d, kernels.Float32, 1<<20-100)
	if n := f.calls["cuMemAlloc"]; n != start+2 {
		t.Errorf("a freed segment is not given out again")
	}
	s := d.Memory()
	if s.Allocated != 2*grain+4<<20 || s.Reserved != 6<<20 || s.Peak != s.Allocated || s.Pieces != 3 || s.Segments != 2 {
		t.Errorf("%+v", s)
	}
}

// TestPoolRandom allocates and frees at random and holds the allocator to its
// books: nothing overlaps, nothing is lost, all is one piece again at the end.
func TestPoolRandom(t *testing.T) {
	for _, o := range []Options{{}, {NoCache: true}} {
		f := newFake()
		d := open(t, f, o)
		r := rand.New(rand.NewPCG(1, 2))
		var live []kernels.Mem
		for range 3000 {
			if len(live) > 0 && r.IntN(100) < 48 {
				i := r.IntN(len(live))
				d.Free(live[i])
				live = slices.Delete(live, i, i+1)
				continue
			}
			n := 1 + r.IntN(1<<(4+r.IntN(16)))
			m, err := d.Alloc(kernels.Float32, n)
			if err != nil {
				t.Fatal(err)
			}
			live = append(live, m)
		}
		sorted := slices.Clone(live)
		slices.SortFunc(sorted, func(a, b kernels.Mem) int { return cmp.Compare(a.Dev, b.Dev) })
		var sum int64
		for i, m := range sorted {
			if i > 0 && sorted[i-1].Dev+uint64(sorted[i-1].Bytes()) > m.Dev {
				t.Fatalf("%#x overlaps %#x", sorted[i-1].Dev, m.Dev)
			}
			if _, err := f.at(driver.Ptr(m.Dev), m.Bytes()); err != nil {
				t.Fatal(err)
			}
			sum += int64(m.Bytes()+grain-1) &^ (grain - 1)
		}
		s := d.Memory()
		if s.Pieces != len(live) || (!o.NoCache && (s.Allocated < sum || s.Allocated > s.Reserved)) {
			t.Errorf("%+v, want %d bytes", s, sum)
		}
		for _, m := range live {
			d.Free(m)
		}
		if err := d.FlushCache(); err != nil {
			t.Error(err)
		}
		if s := d.Memory(); s.Allocated != 0 || s.Reserved != 0 || s.Segments != 0 {
			t.Errorf("after all was freed: %+v", s)
		}
	}
}

func TestOutOfMemory(t *testing.T) {
	f := newFake()
	f.limit = 64 << 20
	d := open(t, f, Options{})
	const mib = 1 << 18 // elements
	a := alloc(t, d, kernels.Float32, 20*mib)
	b := alloc(t, d, kernels.Float32, 30*mib)
	d.Free(a)
	// 20 MiB are cached, 12 free: 25 can be had only after a flush.
	c := alloc(t, d, kernels.Float32, 25*mib)
	if s := d.Memory(); s.Flushes != 1 {
		t.Errorf("%+v", s)
	}
	_, err := d.Alloc(kernels.Float32, 40*mib)
	var m *kernels.MemoryError
	var o *OutOfMemory
	if !errors.As(err, &m) || !errors.As(err, &o) || !driver.IsCode(err, driver.OutOfMemory) {
		t.Fatalf("%T %v", err, err)
	}
	if m.Want != 40<<20 || m.InUse != 56<<20 || len(o.Holders) != 2 || o.Holders[0].Bytes != 30<<20 {
		t.Errorf("%+v %+v", m, o)
	}
	for _, want := range []string{"30.0 MiB float32[7864320] by", "(device_test.go:", "largest holders", "56 MiB in use", "use a smaller batch"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	// The device lives on.
	d.Free(b)
	d.Free(c)
	if x, err := d.Alloc(kernels.Float32, 40*mib); err != nil {
		t.Error(err)
	} else {
		d.Free(x)
	}
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
}
