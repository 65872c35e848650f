package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func mustLoader(t testing.TB, c LoaderConfig) *Loader {
	t.Helper()
	l, err := NewLoader(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// small is a loader's configuration with 3 batches of 16 an epoch and 2 images
// left over.
func small(t testing.TB, source Source) LoaderConfig {
	return LoaderConfig{Source: source, Views: mustViews(t, allSteps(1), twoSizes), Batch: 16, Seed: 9}
}

// take returns a copy of the next batch.
func take(t *testing.T, l *Loader) *Batch {
	t.Helper()
	b, err := l.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &Batch{Epoch: b.Epoch, Step: b.Step, Index: slices.Clone(b.Index), Labels: slices.Clone(b.Labels)}
	for _, v := range b.Views {
		c.Views = append(c.Views, slices.Clone(v))
	}
	return c
}

func equal(t *testing.T, got, want *Batch) {
	t.Helper()
	if got.Epoch != want.Epoch || got.Step != want.Step || !slices.Equal(got.Index, want.Index) || !slices.Equal(got.Labels, want.Labels) {
		t.Fatalf("batch (%d,%d) of %v, want (%d,%d) of %v", got.Epoch, got.Step, got.Index, want.Epoch, want.Step, want.Index)
	}
	for g := range want.Views {
		for i, v := range want.Views[g] {
			if math.Float32bits(v) != math.Float32bits(got.Views[g][i]) {
				t.Fatalf("batch (%d,%d), group %d: value %d is %v, want %v", want.Epoch, want.Step, g, i, got.Views[g][i], v)
			}
		}
	}
}

// helpers calls Step in n goroutines until the test ends.
func helpers(t testing.TB, n int, l *Loader) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for !stop.Load() {
				if !l.Step() {
					runtime.Gosched()
				}
			}
		})
	}
	t.Cleanup(func() { stop.Store(true); wg.Wait() })
}

func TestLoaderBatch(t *testing.T) {
	set := noise(50, 28, 28, 1)
	c := small(t, set)
	l := mustLoader(t, c)
	var m Image
	var s Scratch
	want := make([]float32, 28*28)
	for epoch := range 2 {
		seen := map[int]bool{}
		for step := range 3 {
			b := take(t, l)
			if b.Epoch != epoch || b.Step != step || len(b.Views) != 2 || len(b.Views[0]) != 2*16*28*28 || len(b.Views[1]) != 4*16*14*14 {
				t.Fatalf("batch (%d,%d) with %d groups, want (%d,%d)", b.Epoch, b.Step, len(b.Views), epoch, step)
			}
			for row, i := range b.Index {
				if seen[i] || b.Labels[row] != i%10 {
					t.Fatalf("image %d twice, or label %d", i, b.Labels[row])
				}
				seen[i] = true
				set.Image(i, &m)
				for crop := range 6 {
					g, v, n := 0, crop, 28*28
					if crop >= 2 {
						g, v, n = 1, crop-2, 14*14
					}
					if err := c.Views.View(want, &m, Key{9, epoch, i, crop}, &s); err != nil {
						t.Fatal(err)
					}
					if at := (v*16 + row) * n; !slices.Equal(b.Views[g][at:at+n], want[:n]) {
						t.Fatalf("epoch %d, image %d, crop %d is not in row %d of group %d", epoch, i, crop, v*16+row, g)
					}
				}
			}
		}
	}
}

func TestLoaderIsDeterministic(t *testing.T) {
	set := noise(50, 28, 28, 1)
	alone, helped, far := mustLoader(t, small(t, set)), mustLoader(t, small(t, set)), small(t, set)
	far.Ahead = 7
	many := mustLoader(t, far)
	helpers(t, 3, helped)
	helpers(t, 2, many)
	for range 12 {
		want := take(t, alone)
		equal(t, take(t, helped), want)
		equal(t, take(t, many), want)
	}
}

func TestLoaderResumes(t *testing.T) {
	set := noise(50, 28, 28, 1)
	whole := mustLoader(t, small(t, set))
	for at := range 8 {
		c := small(t, set)
		c.Epoch, c.Step = at/3, at%3
		want := take(t, whole)
		resumed := mustLoader(t, c)
		equal(t, take(t, resumed), want)
	}
}

// torn is a set some of whose images cannot be read.
type torn struct {
	*Set
	bad   map[int]bool
	reads atomic.Int64
}

func (s *torn) Image(i int, buf *Image) error {
	if s.bad[i] {
		s.reads.Add(1)
		return fmt.Errorf("img/%d.jpg: torn", i)
	}
	return s.Set.Image(i, buf)
}

func TestLoaderSkipsBadImages(t *testing.T) {
	set := &torn{Set: noise(50, 28, 28, 1), bad: map[int]bool{3: true, 4: true, 49: true}}
	alone, helped := mustLoader(t, small(t, set)), mustLoader(t, small(t, set))
	helpers(t, 3, helped)
	for range 9 {
		want := take(t, alone)
		equal(t, take(t, helped), want)
		for row, i := range want.Index {
			if set.bad[i] || want.Labels[row] != i%10 {
				t.Fatalf("bad image %d in the batch, or label %d", i, want.Labels[row])
			}
		}
	}
	bad := alone.Stats().Bad
	if len(bad) != 3 || bad[0].Index != 3 || bad[2].Index != 49 || bad[2].Err.Error() != "img/49.jpg: torn" {
		t.Errorf("bad images %v", bad)
	}
	set.reads.Store(0)
	for range 9 {
		take(t, alone)
	}
	for range 9 {
		take(t, helped)
	}
	if n := set.reads.Load(); n != 0 {
		t.Errorf("bad images were asked for %d times again", n)
	}
}

func TestLoaderStopsAtTooManyBadImages(t *testing.T) {
	set := &torn{Set: noise(50, 28, 28, 1), bad: map[int]bool{}}
	for i := range 11 {
		set.bad[4*i] = true
	}
	l := mustLoader(t, small(t, set))
	helpers(t, 2, l)
	var err error
	for range 7 {
		if _, err = l.Next(t.Context()); err != nil {
			break
		}
	}
	var bad *BadImagesError
	if !errors.As(err, &bad) || bad.Limit != 10 || len(bad.Bad) < 11 || !strings.Contains(err.Error(), "img/0.jpg: torn") {
		t.Fatalf("11 bad images: %v", err)
	}
	if _, again := l.Next(t.Context()); again != err {
		t.Errorf("then: %v", again)
	}

	wrong := small(t, noise(16, 28, 28, 3))
	wrong.MaxBad = 100
	if _, err := mustLoader(t, wrong).Next(t.Context()); !errors.As(err, &bad) || !strings.Contains(err.Error(), "[28,28,3]") {
		t.Errorf("a source with no good image: %v", err)
	}
}

// slow is a set whose images come once gate is closed.
type slow struct {
	*Set
	begun chan struct{}
	gate  chan struct{}
}

func (s *slow) Image(i int, buf *Image) error {
	s.begun <- struct{}{}
	<-s.gate
	return s.Set.Image(i, buf)
}

func TestLoaderWaitEnds(t *testing.T) {
	set := &slow{noise(1, 28, 28, 1), make(chan struct{}, 10), make(chan struct{})}
	c := small(t, set)
	c.Batch = 1
	l := mustLoader(t, c)
	helper := make(chan bool)
	go func() { helper <- l.Step() }()
	<-set.begun // the only piece of the first batch is in the helper's hands
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Next at its deadline: %v", err)
	}
	close(set.gate)
	b, err := l.Next(t.Context())
	if err != nil || b.Epoch != 0 || !<-helper {
		t.Fatalf("the batch after the wait: %v", err)
	}
	if s := l.Stats(); s.Wait <= 0 || s.Elapsed < s.Wait {
		t.Errorf("waited %v of %v", s.Wait, s.Elapsed)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Next(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after the end: %v", err)
	}
}

func TestStepStopsAhead(t *testing.T) {
	c := small(t, noise(50, 28, 28, 1))
	c.Ahead = 1
	l := mustLoader(t, c)
	count := func() (n int) {
		for l.Step() {
			n++
		}
		return n
	}
	if n := count(); n != 32 {
		t.Errorf("%d pieces before the first batch, want two batches of 16", n)
	}
	b, err := l.Next(t.Context())
	if err != nil || count() != 0 {
		t.Errorf("pieces with a batch out and one ahead, or %v", err)
	}
	b.Release()
	b.Release()
	if n := count(); n != 16 {
		t.Errorf("%d pieces after a release, want one batch of 16", n)
	}
}

func TestLoaderErrors(t *testing.T) {
	set := noise(50, 28, 28, 1)
	for want, change := range map[string]func(*LoaderConfig){
		"no source":     func(c *LoaderConfig) { c.Source = nil },
		"batches of 51": func(c *LoaderConfig) { c.Batch = 51 },
		"batches of 0":  func(c *LoaderConfig) { c.Batch = 0 },
		"step 3 of 3":   func(c *LoaderConfig) { c.Step = 3 },
		"epoch -1":      func(c *LoaderConfig) { c.Epoch = -1 },
	} {
		c := small(t, set)
		change(&c)
		if _, err := NewLoader(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestLoaderAllocatesNothing(t *testing.T) {
	c := small(t, noise(50, 28, 28, 1))
	l := mustLoader(t, c)
	next := func() {
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		b.Release()
		for l.Step() {
		}
	}
	for range 30 {
		next()
	}
	if n := testing.AllocsPerRun(20, next); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func BenchmarkLoader(b *testing.B) {
	v := mustViews(b, GreyTone(), MultiCrop{{2, 28, [2]float64{0.3, 1}}})
	l := mustLoader(b, LoaderConfig{Source: noise(8000, 28, 28, 1), Views: v, Batch: 128, Seed: 1})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Next(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "views/s")
}

func BenchmarkOrder(b *testing.B) {
	var p []int
	for b.Loop() {
		p = order(p, 1281167, 1, 2)
	}
}

// gated is a source whose images wait for a token.
type gated struct {
	*Set
	tokens chan struct{}
}

func (g gated) Image(i int, buf *Image) error {
	<-g.tokens
	return g.Set.Image(i, buf)
}

// A batch that is ready is returned while a slow piece of a later one is in
// hand.
func TestSlowPieceBlocksNoReadyBatch(t *testing.T) {
	g := gated{noise(50, 28, 28, 1), make(chan struct{}, 1000)}
	l := mustLoader(t, small(t, g))
	for range 16 {
		g.tokens <- struct{}{}
		l.Step()
	}
	slow := make(chan bool)
	go func() { slow <- l.Step() }()
	for l.ticket.Load() < 17 {
		runtime.Gosched()
	}
	take(t, l)
	for range 100 {
		g.tokens <- struct{}{}
	}
	if !<-slow {
		t.Error("the slow piece was not one")
	}
	take(t, l)
}
