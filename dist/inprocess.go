package dist

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// InProcess returns the n ranks of a group that lives in this process, one for
// each of n goroutines. It panics if n < 1.
//
// A collective has two halves. In the first each rank lays its call and its
// memory on the table; the last to arrive compares them. In the second the
// ranks share the work: each reduces its own range of elements over all
// ranks' memory, left to right, and writes the result to all of it. No copy of
// the data is made and no call allocates. Own.
func InProcess(n int) []Group {
	if n < 1 {
		panic(fmt.Sprintf("dist: InProcess(%d): a group has at least one rank", n))
	}
	t := &table{
		calls: make([]call, n),
		f64:   make([][]float64, n),
		f32:   make([][]float32, n),
		ints:  make([][]int, n),
	}
	t.wake.L = &t.mu
	groups := make([]Group, n)
	for r := range groups {
		groups[r] = &member{t, r}
	}
	return groups
}

// table is what the ranks share. Entry r of each slice is written by rank r
// before the meeting and read by all between meeting and parting.
type table struct {
	calls []call
	f64   [][]float64
	f32   [][]float32
	ints  [][]int

	mu      sync.Mutex
	wake    sync.Cond
	arrived int
	err     error         // the first; set once
	turn    atomic.Uint64 // completed meetings and partings
}

// member is rank's end of the table.
type member struct {
	*table
	rank int
}

func (m *member) Rank() int { return m.rank }
func (m *member) Size() int { return len(m.calls) }

func (m *member) AllReduceSum(x []float64) error {
	m.f64[m.rank] = x
	if err := m.meet(call{op: sum64, n: len(x)}); err != nil {
		return err
	}
	lo, hi := m.share(len(x))
	sum(m.f64, lo, hi)
	m.part()
	return nil
}

func (m *member) AllReduceSum32(x []float32) error {
	m.f32[m.rank] = x
	if err := m.meet(call{op: sum32, n: len(x)}); err != nil {
		return err
	}
	lo, hi := m.share(len(x))
	sum(m.f32, lo, hi)
	m.part()
	return nil
}

func (m *member) AllReduceMax(x []float64) error {
	m.f64[m.rank] = x
	if err := m.meet(call{op: max64, n: len(x)}); err != nil {
		return err
	}
	lo, hi := m.share(len(x))
	largest(m.f64, lo, hi)
	m.part()
	return nil
}

func (m *member) AllGather(dst, src []float64) error {
	m.f64[m.rank] = src
	if err := m.meet(call{op: gather64, n: len(src), dst: len(dst)}); err != nil {
		return err
	}
	for r, piece := range m.f64 {
		copy(dst[r*len(src):], piece)
	}
	m.part()
	return nil
}

func (m *member) AllGather32(dst, src []float32) error {
	m.f32[m.rank] = src
	if err := m.meet(call{op: gather32, n: len(src), dst: len(dst)}); err != nil {
		return err
	}
	for r, piece := range m.f32 {
		copy(dst[r*len(src):], piece)
	}
	m.part()
	return nil
}

func (m *member) Broadcast32(x []float32, root int) error {
	m.f32[m.rank] = x
	if err := m.meet(call{op: broadcast32, n: len(x), root: root}); err != nil {
		return err
	}
	if m.rank != root {
		copy(x, m.f32[root])
	}
	m.part()
	return nil
}

func (m *member) BroadcastInts(x []int, root int) error {
	m.ints[m.rank] = x
	if err := m.meet(call{op: broadcastInts, n: len(x), root: root}); err != nil {
		return err
	}
	if m.rank != root {
		copy(x, m.ints[root])
	}
	m.part()
	return nil
}

// Barrier is a meeting about nothing.
func (m *member) Barrier() error { return m.meet(call{op: barrier}) }

func (m *member) Abort(cause error) {
	if cause == nil {
		cause = ErrLeft
	}
	m.mu.Lock()
	m.fail(&AbortError{Rank: m.rank, Cause: cause})
	m.mu.Unlock()
}

// share is the range of n elements that this rank reduces: whole blocks of 16,
// so that two ranks seldom write to one cache line.
func (m *member) share(n int) (lo, hi int) {
	blocks, size := (n+15)/16, len(m.calls)
	return min(blocks*m.rank/size*16, n), min(blocks*(m.rank+1)/size*16, n)
}

// strip is how many elements are reduced before they are copied out: 16 KiB of
// float32, which stays in the first-level cache.
const strip = 4096

// sum leaves x[0][i] + x[1][i] + ... in every x[r][i], for lo <= i < hi.
func sum[F float32 | float64](x [][]F, lo, hi int) {
	for ; lo < hi; lo += strip {
		end := min(lo+strip, hi)
		acc := x[0][lo:end]
		for _, y := range x[1:] {
			y = y[lo:end]
			for i, v := range y {
				acc[i] += v
			}
		}
		for _, y := range x[1:] {
			copy(y[lo:end], acc)
		}
	}
}

// largest leaves the maximum over r of x[r][i] in every x[r][i].
func largest(x [][]float64, lo, hi int) {
	for i := lo; i < hi; i++ {
		v := x[0][i]
		for _, y := range x[1:] {
			v = max(v, y[i])
		}
		for _, y := range x {
			y[i] = v
		}
	}
}

// meet waits until every rank has laid down its call and returns nil if they
// agree. The first error of the group frees all who wait.
func (m *member) meet(c call) error {
	m.calls[m.rank] = c
	m.mu.Lock()
	if m.err == nil && m.arrived == len(m.calls)-1 {
		m.fail(m.compare())
	}
	if m.err != nil {
		m.mu.Unlock()
		return m.err
	}
	return m.arrive(true)
}

// part waits until every rank has done its share of the second half. All of
// them are in it, and nothing there can fail, so an Abort has to wait: no rank
// returns while another still reads or writes its memory.
func (m *member) part() {
	m.mu.Lock()
	m.arrive(false)
}

// arrive counts this rank in, and returns when all have come, or, if that is
// allowed, when the group has failed. It is entered with mu held and leaves it
// unlocked.
func (m *member) arrive(mayFail bool) error {
	turn := m.turn.Load()
	if m.arrived++; m.arrived == len(m.calls) {
		m.arrived = 0
		m.turn.Add(1)
		m.wake.Broadcast()
		m.mu.Unlock()
		return nil
	}
	m.mu.Unlock()
	// Ranks come within microseconds of each other; parking and waking costs
	// more than that.
	for range 100 {
		if m.turn.Load() != turn {
			return nil
		}
		runtime.Gosched()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.turn.Load() == turn {
		if mayFail && m.err != nil {
			return m.err
		}
		m.wake.Wait()
	}
	return nil
}

// fail ends the group with its first error; mu is held.
func (t *table) fail(err error) {
	if t.err == nil && err != nil {
		t.err = err
		t.wake.Broadcast()
	}
}

// compare reports how the calls on the table do not fit together; mu is held.
func (t *table) compare() error {
	for r, c := range t.calls {
		if c != t.calls[0] {
			return &CallError{RankB: r, CallA: t.calls[0].String(), CallB: c.String()}
		}
	}
	return t.calls[0].check(0, len(t.calls))
}
