package kernels

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// countJob counts how often each tile ran.
type countJob struct{ n []atomic.Int32 }

func (j *countJob) Tile(w *Worker, i int) { j.n[i].Add(1) }

const large = 1 << 30 // a cost in ns that always asks for the team

func TestTeamRunsEveryTileOnce(t *testing.T) {
	for _, size := range []int{1, 2, 7} {
		team := NewTeam(size)
		team.Enter()
		for _, n := range []int{0, 1, 2, 3, 100, 1000} {
			j := &countJob{make([]atomic.Int32, n)}
			team.Do(n, large, j)
			for i := range j.n {
				if c := j.n[i].Load(); c != 1 {
					t.Fatalf("team of %d, %d tiles: tile %d ran %d times", size, n, i, c)
				}
			}
		}
		team.Leave()
		team.Close()
	}
}

// meetJob ends only when as many threads as the team has are inside.
type meetJob struct {
	want   int32
	inside atomic.Int32
	late   atomic.Bool
}

func (j *meetJob) Tile(w *Worker, i int) {
	j.inside.Add(1)
	for end := time.Now().Add(10 * time.Second); j.inside.Load() < j.want; runtime.Gosched() {
		if time.Now().After(end) {
			j.late.Store(true)
			return
		}
	}
}

func TestTeamUsesAllItsThreads(t *testing.T) {
	for _, warm := range []bool{false, true} {
		team := NewTeam(3)
		if warm {
			team.Enter()
		}
		j := &meetJob{want: 3}
		team.Do(3, large, j)
		if j.late.Load() {
			t.Errorf("region %v: three tiles never ran at once", warm)
		}
		if warm {
			team.Leave()
		}
		team.Close()
	}
}

type panicJob struct{ err error }

func (j panicJob) Tile(w *Worker, i int) {
	if w.ID != 0 || i == 0 {
		panic(j.err)
	}
}

func TestPanicInATileReachesTheCaller(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	want := errors.New("tile")
	for range 50 {
		func() {
			defer func() {
				switch v := recover().(type) {
				case *WorkerPanic:
					if !errors.Is(v, want) || v.Stack == "" {
						t.Errorf("worker's panic became %v", v)
					}
				case error:
					if v != want {
						t.Errorf("caller's panic became %v", v)
					}
				default:
					t.Errorf("recovered %v", v)
				}
			}()
			team.Do(2, large, panicJob{want})
			t.Error("no panic")
		}()
	}
	j := &countJob{make([]atomic.Int32, 100)}
	team.Do(100, large, j)
	if j.n[99].Load() != 1 {
		t.Error("the team does not work after a panic")
	}
}

// nestJob runs another op on the same team from inside a tile.
type nestJob struct {
	team  *Team
	inner *countJob
}

func (j *nestJob) Tile(w *Worker, i int) { j.team.Do(len(j.inner.n), large, j.inner) }

func TestConcurrentAndNestedCallersDoNotDeadlock(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			team.Enter()
			defer team.Leave()
			for range 200 {
				j := &countJob{make([]atomic.Int32, 16)}
				team.Do(16, large, j)
				for i := range j.n {
					if j.n[i].Load() != 1 {
						t.Error("a tile did not run exactly once")
					}
				}
			}
		})
	}
	wg.Wait()
	in := &countJob{make([]atomic.Int32, 4)}
	team.Do(2, large, &nestJob{team, in})
	if in.n[0].Load() != 2 {
		t.Errorf("nested tiles ran %d times, want 2", in.n[0].Load())
	}
}

func TestTeamFollowsGOMAXPROCS(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("one CPU: GOMAXPROCS cannot grow the team")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	team := NewTeam(0)
	defer team.Close()
	if team.Size() != 1 {
		t.Errorf("size %d at GOMAXPROCS 1", team.Size())
	}
	runtime.GOMAXPROCS(2)
	team.Enter()
	if team.Size() != 2 {
		t.Errorf("size %d at GOMAXPROCS 2", team.Size())
	}
	team.Leave()
}

// drip is background work of n pieces.
type drip struct{ left atomic.Int32 }

func (d *drip) Step() bool { return d.left.Add(-1) >= 0 }

func TestIdleWorkersTakeBackgroundWork(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	d := &drip{}
	d.left.Store(100)
	team.SetBackground(d)
	team.Enter()
	defer team.Leave()
	for end := time.Now().Add(10 * time.Second); d.left.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d pieces left", d.left.Load())
		}
	}
	team.SetBackground(nil)
}

type emptyJob struct{}

func (emptyJob) Tile(w *Worker, i int) {}

func TestTeamAllocatesNothing(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	var j Job = emptyJob{}
	team.Do(2, large, j)
	if n := testing.AllocsPerRun(100, func() { team.Enter(); team.Do(2, large, j); team.Leave() }); n != 0 {
		t.Errorf("%v allocations in a region with one op", n)
	}
}

func BenchmarkTeamEnter(b *testing.B) {
	team := NewTeam(0)
	defer team.Close()
	team.Enter()
	team.Leave()
	b.ReportAllocs()
	var inside time.Duration
	n := 0
	for b.Loop() {
		time.Sleep(300 * time.Microsecond) // helpers park
		start := time.Now()
		team.Enter()
		inside += time.Since(start)
		team.Leave()
		n++
	}
	b.ReportMetric(float64(inside.Nanoseconds())/float64(n), "ns/enter")
}

func BenchmarkTeamEmptyOp(b *testing.B) {
	team := NewTeam(0)
	defer team.Close()
	team.Enter()
	defer team.Leave()
	var j Job = emptyJob{}
	b.ReportAllocs()
	for b.Loop() {
		team.Do(2, large, j)
	}
}
