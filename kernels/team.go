package kernels

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sectile-ml/sectile/asm"
)

// Job is the work of one op, cut into tiles 0..n-1 that may run in any order
// and at once. How its sums are cut depends on its shape alone, never on the
// number of threads: that is what keeps results equal at any GOMAXPROCS.
type Job interface {
	Tile(w *Worker, i int)
}

// Background is work that idle workers take between ops. Step does one small
// piece (at most about 50 µs) and reports whether there was one.
type Background interface {
	Step() bool
}

// Worker is one thread's place in a team: its scratch memory and number.
type Worker struct {
	ID      int
	scratch Mem
}

// ScratchFloats is the length of a worker's scratch: 4 Mi float32, mapped
// once and touched only where used.
const ScratchFloats = 4 << 20

// Scratch is the worker's own memory as n float32, with whatever an earlier
// tile left in it. It panics beyond ScratchFloats.
func (w *Worker) Scratch(n int) []float32 {
	if w.scratch.IsNil() {
		m, err := hostAlloc(Float32, ScratchFloats)
		if err != nil {
			panic(err)
		}
		w.scratch = m
	}
	return w.scratch.At(0, n).F32()
}

// Team is a set of threads that run the tiles of one op at a time. The caller
// works too: a team of size 1 has no goroutine. Between Enter and Leave the
// helpers spin for the next op (0.2 to 0.5 µs to join); outside they park
// after spinBrief and cost a wake-up.
//
// Callers in several goroutines may share a team: one has the helpers, the
// others run their tiles themselves, so nobody waits for anybody.
type Team struct {
	fixed  int // threads asked for; 0 follows GOMAXPROCS
	cpus   int // CPUs of the affinity mask: more spinners than that would fight
	op     sync.Mutex
	mu     sync.Mutex // guards helpers
	awake  atomic.Int32
	size   atomic.Int32
	closed atomic.Bool

	// state is epoch<<16 | open<<15 | helpers inside: helpers join the op of
	// an epoch by adding 1 while it is open, so a late one never delays it.
	state atomic.Uint64
	next  atomic.Int64
	n     int64
	job   Job
	panik atomic.Pointer[workerPanic]

	inOrder func(n int, job Job) // tests: runs the tiles of every op, in an order of its own

	bg      atomic.Pointer[bgBox]
	helpers []*helper
	caller  Worker
	spare   freelist[Worker]
}

type bgBox struct{ Background }

type helper struct {
	Worker
	parked atomic.Bool
	wake   chan struct{}
}

type workerPanic struct {
	value any
	stack []byte
}

// WorkerPanic is what a panic in a tile becomes on the caller: the value and
// the stack of the worker that met it.
type WorkerPanic struct {
	Value any
	Stack string
}

func (p *WorkerPanic) Error() string {
	return fmt.Sprintf("%v\n\nworker's stack:\n%s", p.Value, p.Stack)
}

// Unwrap gives the panic's value when it is an error.
func (p *WorkerPanic) Unwrap() error { e, _ := p.Value.(error); return e }

const (
	openBit   = 1 << 15
	insideBit = openBit - 1

	// spinRegion bounds the spinning for the next op inside a region,
	// spinBrief outside of one.
	spinRegion = 4 * time.Millisecond
	spinBrief  = 60 * time.Microsecond

	// minRegion and minCold are the costs in nanoseconds below which an op
	// stays on the caller: joining costs about 1 µs awake and up to 20 cold.
	minRegion = 4_000
	minCold   = 20_000
)

// NewTeam makes a team of n threads, the caller among them; 0 follows
// GOMAXPROCS within the CPUs the process may use. Goroutines start at need.
func NewTeam(n int) *Team {
	t := &Team{fixed: n, cpus: runtime.NumCPU()}
	t.resize()
	return t
}

// Size is the number of threads the next op may use.
func (t *Team) Size() int { return int(t.size.Load()) }

// resize follows GOMAXPROCS.
func (t *Team) resize() int {
	n := t.fixed
	if n == 0 {
		n = min(runtime.GOMAXPROCS(0), t.cpus)
	}
	if int(t.size.Load()) != n {
		t.size.Store(int32(n))
	}
	return n
}

// Close ends the team's goroutines. Later ops run on the caller alone.
func (t *Team) Close() {
	t.closed.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range t.helpers {
		t.rouse(h)
	}
	t.helpers = nil
}

// SetBackground gives idle workers something to do; nil takes it away.
func (t *Team) SetBackground(b Background) {
	if b == nil {
		t.bg.Store(nil)
		return
	}
	t.bg.Store(&bgBox{b})
}

// Enter opens a region: helpers wake and stay awake until as many Leave calls
// have come. A training step is one region.
func (t *Team) Enter() {
	if t.resize() > 1 && !t.closed.Load() {
		t.grow()
		t.awake.Add(1)
		t.rouseAll()
	} else {
		t.awake.Add(1)
	}
}

// Leave closes a region opened by Enter.
func (t *Team) Leave() { t.awake.Add(-1) }

func (t *Team) grow() {
	n := t.Size() - 1
	t.mu.Lock()
	for len(t.helpers) < n && !t.closed.Load() {
		h := &helper{wake: make(chan struct{}, 1)}
		h.ID = len(t.helpers) + 1
		t.helpers = append(t.helpers, h)
		go t.serve(h)
	}
	t.mu.Unlock()
}

func (t *Team) rouseAll() {
	t.mu.Lock()
	for i, h := range t.helpers {
		if i < t.Size()-1 {
			t.rouse(h)
		}
	}
	t.mu.Unlock()
}

func (t *Team) rouse(h *helper) {
	if h.parked.CompareAndSwap(true, false) {
		h.wake <- struct{}{}
	}
}

// Do runs tiles 0..n-1 of job and returns when all are done. cost is their
// estimated time on one thread in nanoseconds: small jobs stay on the caller.
// A panic in a tile is raised again here as *WorkerPanic once every helper has
// left the job (a panic on the caller's own tile passes through unchanged).
func (t *Team) Do(n, cost int, job Job) {
	if n <= 0 {
		return
	}
	if t.inOrder != nil {
		t.inOrder(n, job)
		return
	}
	cold := t.awake.Load() == 0
	if n == 1 || (cold && cost < minCold) || cost < minRegion || !t.op.TryLock() {
		t.alone(n, job)
		return
	}
	size := t.Size()
	if cold {
		size = t.resize()
	}
	if size == 1 || t.closed.Load() {
		t.runAll(&t.caller, n, job)
		t.op.Unlock()
		return
	}
	if cold {
		t.grow()
	}
	t.job, t.n = job, int64(n)
	t.next.Store(0)
	epoch := t.state.Load()>>16 + 1
	t.state.Store(epoch<<16 | openBit)
	t.rouseAll()
	defer t.finish()
	t.take(&t.caller)
}

// alone runs a job on the caller with a worker of its own.
func (t *Team) alone(n int, job Job) {
	w := t.spare.get()
	defer t.spare.put(w)
	t.runAll(w, n, job)
}

func (t *Team) runAll(w *Worker, n int, job Job) {
	for i := range n {
		job.Tile(w, i)
	}
}

func (t *Team) take(w *Worker) {
	for {
		i := t.next.Add(1) - 1
		if i >= t.n {
			return
		}
		t.job.Tile(w, int(i))
	}
}

// finish closes the op, waits for the helpers inside it and frees the team.
func (t *Team) finish() {
	t.next.Store(t.n) // a panic on the caller stops the others at their next tile
	t.state.And(^uint64(openBit))
	for spins := 0; t.state.Load()&insideBit != 0; spins++ {
		if spins > 2000 || t.Size() > t.cpus {
			runtime.Gosched()
		} else {
			asm.Pause(4)
		}
	}
	t.job = nil
	p := t.panik.Swap(nil)
	t.op.Unlock()
	if p != nil {
		panic(&WorkerPanic{p.value, string(p.stack)})
	}
}

// serve is a helper's life: join an open op, take background work, spin, park.
func (t *Team) serve(h *helper) {
	var seen uint64
	idle := time.Now()
	for spins := 0; !t.closed.Load(); spins++ {
		s := t.state.Load()
		if s&openBit != 0 && s>>16 != seen && h.ID < t.Size() {
			if t.state.CompareAndSwap(s, s+1) {
				seen = s >> 16
				t.guarded(h)
				t.state.Add(^uint64(0))
				idle, spins = time.Now(), 0
			}
			continue
		}
		if spins&63 != 63 {
			asm.Pause(4)
			if t.Size() > t.cpus {
				runtime.Gosched()
			}
			continue
		}
		if b := t.bg.Load(); b != nil && t.awake.Load() > 0 && b.Step() {
			idle = time.Now()
			continue
		}
		limit := spinBrief
		if t.awake.Load() > 0 && h.ID < t.Size() {
			limit = spinRegion
		}
		if time.Since(idle) > limit {
			h.parked.Store(true)
			// An op opened or a region entered meanwhile must not be missed.
			if s := t.state.Load(); s&openBit != 0 && s>>16 != seen && h.ID < t.Size() && h.parked.CompareAndSwap(true, false) {
				continue
			}
			<-h.wake
			idle, spins = time.Now(), 0
		}
	}
}

func (t *Team) guarded(h *helper) {
	defer func() {
		if v := recover(); v != nil {
			t.panik.CompareAndSwap(nil, &workerPanic{v, debug.Stack()})
			t.next.Store(t.n)
		}
	}()
	t.take(&h.Worker)
}

// freelist keeps values for reuse; unlike sync.Pool the collector does not
// empty it, so steady state allocates nothing.
type freelist[T any] struct {
	mu   sync.Mutex
	free []*T
}

func (f *freelist[T]) get() *T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.free); n > 0 {
		v := f.free[n-1]
		f.free = f.free[:n-1]
		return v
	}
	return new(T)
}

func (f *freelist[T]) put(v *T) {
	f.mu.Lock()
	f.free = append(f.free, v)
	f.mu.Unlock()
}
