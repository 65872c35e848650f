package cuda

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// toy is a training step in small: it uploads, launches with a scalar of the
// step, copies, and downloads in the middle.
type toy struct {
	d          *Device
	x, y, z, k kernels.Mem
}

func newToy(t *testing.T, d *Device) *toy {
	return &toy{d, alloc(t, d, kernels.Float32, 600), alloc(t, d, kernels.Float32, 600), alloc(t, d, kernels.Float32, 600), alloc(t, d, kernels.Int32, 600)}
}

// step returns what it downloaded on the way. extra makes it another step.
func (s *toy) step(t *testing.T, i int, extra bool) (loss float32) {
	d := s.d
	d.Enter()
	defer d.Leave()
	d.Enter() // regions nest
	x := make([]float32, 600)
	labels := make([]int32, 600)
	for j := range x {
		x[j], labels[j] = float32(i*1000+j), int32(i-j)
	}
	d.Upload(s.x, x)
	d.UploadInts(s.k, labels)
	d.Copy(s.y, s.x)
	fill(d, s.y.At(0, 300), float32(i)/2) // the learning rate, so to speak
	if extra {
		fill(d, s.y.At(500, 100), -7)
	}
	d.Copy(s.z.At(10, 500), s.y.At(50, 500))
	d.Leave()
	v := make([]float32, 1)
	if err := d.Download(v, s.z.At(10, 1)); err != nil {
		t.Fatal(err)
	}
	fill(d, s.z.At(0, 5), v[0]+1)
	fill(d, s.z.At(5, 5), v[0]+2)
	d.Copy(s.x, s.y)
	fill(d, s.x.At(7, 1), 9)
	return v[0]
}

func (s *toy) state(t *testing.T) []float32 {
	k := make([]int32, 600)
	if err := s.d.DownloadInts(k, s.k); err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(get(t, s.d, s.x), get(t, s.d, s.y), get(t, s.d, s.z))
	for _, v := range k {
		all = append(all, float32(v))
	}
	return all
}

// TestReplay: steps with graphs are the steps without, across a change of the
// step scalar (every step), a step that does more, and a way back.
func TestReplay(t *testing.T) {
	f := newFake()
	eager, replayed := newToy(t, open(t, newFake(), Options{NoGraphs: true})), newToy(t, open(t, f, Options{}))
	for i := range 20 {
		extra := i >= 8 && i < 16
		a, b := eager.step(t, i, extra), replayed.step(t, i, extra)
		if a != b || !slices.Equal(eager.state(t), replayed.state(t)) {
			t.Fatalf("step %d differs: %v, %v", i, a, b)
		}
	}
	s := replayed.d.Graphs()
	// Two blocks of the stage, two segments a step, two kinds of step: each of
	// the eight runs once by itself and is a graph from then on.
	if want := (GraphStats{Eager: 8, Captured: 8, Replayed: 32, Commands: s.Commands}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	if n := f.calls["cuGraphLaunch"]; n != 32 {
		t.Errorf("%d graph launches", n)
	}
	if e := eager.d.Graphs(); e.Captured != 0 || e.Commands != s.Commands {
		t.Errorf("without graphs: %+v", e)
	}
}

// TestReplayDiverges: a step that begins as one before and goes on otherwise
// runs command by command, and right.
func TestReplayDiverges(t *testing.T) {
	d := open(t, newFake(), Options{})
	m := alloc(t, d, kernels.Float32, 64)
	for i := range 12 {
		d.Enter()
		for j := range 8 {
			n := 8
			if i == 9 && j >= 5 {
				n = 4
			}
			if i == 10 && j == 7 {
				break
			}
			fill(d, m.At(8*j, n), float32(100*i+j))
		}
		d.Leave()
		v := get(t, d, m)
		for j := range 8 {
			last, first := float32(100*i+j), float32(100*i+j)
			if i == 9 && j >= 5 {
				last = float32(100*8 + j)
			}
			if i == 10 && j == 7 {
				first, last = 907, 807
			}
			if v[8*j] != first || v[8*j+7] != last {
				t.Errorf("step %d: %v ... %v at %d, want %v ... %v", i, v[8*j], v[8*j+7], j, first, last)
			}
		}
	}
	if s := d.Graphs(); s.Eager != 4 || s.Captured != 2 || s.Replayed != 8 {
		t.Errorf("%+v", s)
	}
}

// TestGraphsRefused: a driver that makes no graphs is no failure.
func TestGraphsRefused(t *testing.T) {
	for _, call := range []string{"cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiate"} {
		f := newFake()
		f.faults[call] = fault{0, driver.OutOfMemory}
		var said []string
		d := open(t, f, Options{Warn: func(s string) { said = append(said, s) }})
		s := newToy(t, d)
		for i := range 6 {
			if v := s.step(t, i, false); v != float32(i)/2 {
				t.Errorf("%s: step %d: %v", call, i, v)
			}
		}
		if len(said) == 0 || !strings.Contains(said[0], "it runs command by command") || d.Graphs().Replayed != 0 {
			t.Errorf("%s: %q %+v", call, said, d.Graphs())
		}
		delete(f.faults, call)
		for h, k := range f.handles { // what EndCapture's failure lost is the fake's
			if k == "graph" {
				delete(f.handles, h)
			}
		}
	}
}

// TestManyKinds: recordings are bounded, and what is forgotten is given back.
func TestManyKinds(t *testing.T) {
	f := newFake()
	d := open(t, f, Options{})
	m := alloc(t, d, kernels.Float32, 256)
	for range 4 {
		for kind := range 3 * keepRecordings / 2 {
			for range 4 {
				d.Enter()
				for j := range minGraph {
					fill(d, m.At(kind, j+1), float32(kind))
				}
				d.Leave()
			}
		}
	}
	n := 0
	for _, k := range f.handles {
		if k == "graph exec" {
			n++
		}
	}
	if n == 0 || n > keepRecordings || len(d.region.recordings) > keepRecordings {
		t.Errorf("%d graphs, %d recordings", n, len(d.region.recordings))
	}
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
}

// TestStageGrows: a region may upload more than the stage holds.
func TestStageGrows(t *testing.T) {
	d := open(t, newFake(), Options{})
	const n = 3*stageMin/4 + 11
	m, o := alloc(t, d, kernels.Float32, n), alloc(t, d, kernels.Float32, n)
	v := make([]float32, n)
	for i := range 8 {
		for j := range v {
			v[j] = float32(i + j)
		}
		d.Enter()
		fill(d, o.At(0, 9), float32(i))
		d.Upload(m, v)
		fill(d, o.At(9, 9), float32(i+1))
		v[0] = -1 // Upload has read it
		d.Upload(o.At(18, 100), v[:100])
		fill(d, m.At(5, 1), -3)
		d.Leave()
		got, small := get(t, d, m), get(t, d, o)
		if got[0] != float32(i) || got[5] != -3 || got[n-1] != float32(i+n-1) || small[0] != float32(i) || small[9] != float32(i+1) || small[18] != -1 {
			t.Fatalf("step %d: %v %v %v %v", i, got[:6], got[n-1], small[:10], small[18])
		}
	}
	if s := d.Graphs(); s.Captured != 2 || s.Replayed < 4 {
		t.Errorf("%+v", s)
	}
}

// TestStageFull: without memory for a larger stage, uploads go past it.
func TestStageFull(t *testing.T) {
	f := newFake()
	var said []string
	d := open(t, f, Options{Warn: func(s string) { said = append(said, s) }})
	const n = stageMin
	m := alloc(t, d, kernels.Float32, n)
	f.limit = f.inUse
	v := make([]float32, n)
	v[n-1] = 5
	d.Enter()
	d.Upload(m, v)
	d.Leave()
	if got := get(t, d, m); got[n-1] != 5 || len(said) == 0 || !strings.Contains(said[0], "no 8 MiB for staging") {
		t.Errorf("%v, %q", got[n-1], said)
	}
}

// TestFailureInRegion: what comes after a failure does not run, inside a graph
// or not, and Leave is still called.
func TestFailureInRegion(t *testing.T) {
	for _, call := range []string{"cuGraphLaunch", "cuLaunchKernel", "cuMemcpyHtoDAsync"} {
		f := newFake()
		d := open(t, f, Options{})
		m := alloc(t, d, kernels.Float32, 64)
		step := func() error {
			d.Enter()
			defer d.Leave()
			for j := range 8 {
				fill(d, m.At(j, 1), float32(j))
			}
			return d.Sync()
		}
		for range 4 {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		f.faults[call] = fault{f.calls[call], driver.LaunchFailed}
		if call == "cuLaunchKernel" {
			fill(d, m, 1)
		}
		for range 3 {
			if err := step(); !driver.IsCode(err, driver.LaunchFailed) {
				t.Errorf("%s: %v", call, err)
			}
		}
		delete(f.faults, call)
	}
}

// TestNoAllocations: a launch and a replayed step take nothing from the heap.
func TestNoAllocations(t *testing.T) {
	d := open(t, newFake(), Options{})
	d.api = quiet{d.api}
	m := alloc(t, d, kernels.Float32, 64)
	v := make([]float32, 64)
	step := func() {
		d.Enter()
		d.Upload(m, v)
		for j := range 8 {
			fill(d, m.At(j, 1), float32(j))
		}
		d.Leave()
	}
	for range 5 {
		step()
	}
	if n := testing.AllocsPerRun(50, step); n > 0 {
		t.Errorf("%v allocations a replayed step", n)
	}
	if n := testing.AllocsPerRun(50, func() { fill(d, m, 1) }); n > 0 {
		t.Errorf("%v allocations a launch", n)
	}
	d.api = d.api.(quiet).API
}

// quiet is a driver that does nothing where the fake allocates.
type quiet struct{ driver.API }

func (quiet) LaunchKernel(driver.Function, driver.Dim3, driver.Dim3, int, driver.Stream, []byte) error {
	return nil
}
func (quiet) GraphLaunch(driver.GraphExec, driver.Stream) error { return nil }

// TestEmptyGrid: nothing to do is no launch.
func TestEmptyGrid(t *testing.T) {
	f := newFake()
	d := open(t, f, Options{})
	l := d.op(ptx.FillF32)
	l.mem(kernels.Mem{})
	l.step(1)
	l.i32(0)
	l.run(0, 1, 1, 0)
	if f.calls["cuLaunchKernel"] != 0 {
		t.Error("launched")
	}
	defer func() {
		if e := fmt.Sprint(recover()); !strings.Contains(e, "grid 1 x 70000 x 1") {
			t.Error(e)
		}
	}()
	l.run(1, 70000, 1, 0)
}
