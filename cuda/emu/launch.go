package emu

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// launch is one kernel over one grid.
type launch struct {
	e       *Entry
	mem     *memory
	grid    driver.Dim3
	block   driver.Dim3
	dynamic int // bytes of dynamic shared memory
	params  []byte
	limit   int64 // warp instructions after which a warp counts as endless
	workers int

	mu      sync.Mutex
	touched []*page
	keep    bool // pages are saved before the first write
}

func (l *launch) threads() int   { return int(l.block.X) * int(l.block.Y) * int(l.block.Z) }
func (l *launch) blocks() uint64 { return uint64(l.grid.X) * uint64(l.grid.Y) * uint64(l.grid.Z) }

func (l *launch) blockName(i uint64) string {
	return fmt.Sprintf("(%d,%d,%d)", i%uint64(l.grid.X), i/uint64(l.grid.X)%uint64(l.grid.Y), i/uint64(l.grid.X)/uint64(l.grid.Y))
}

// arrays are the shared arrays of the launch in order of address, the dynamic
// one with its size.
func (l *launch) arrays() []*variable {
	out := slices.Clone(l.e.shared)
	slices.SortFunc(out, func(a, b *variable) int { return cmp.Compare(a.addr, b.addr) })
	if l.e.dynamic != nil && l.dynamic > 0 {
		v := *l.e.dynamic
		v.size = l.dynamic
		out = append(out, &v)
	}
	return out
}

// sharedEnd is one past the last byte of shared memory that can be named.
func (l *launch) sharedEnd() int {
	end := l.e.sharedEnd
	if l.e.dynamic != nil {
		end = max(end, int(l.e.dynamic.addr)+l.dynamic+sharedGap)
	}
	return (end + 15) / 16 * 16
}

// shade gives page p a shadow of this launch; p is locked.
func (l *launch) shade(p *page) {
	n := pageSize / l.e.globalUnit
	m := l.mem
	m.mu.Lock()
	var s *shadow
	if k := len(m.shadows); k > 0 {
		s, m.shadows = m.shadows[k-1], m.shadows[:k-1]
	}
	m.mu.Unlock()
	if s == nil {
		s = new(shadow)
	}
	if cap(s.cells) < n {
		s.cells = make([]cell, n)
	} else {
		s.cells = s.cells[:n]
		clear(s.cells)
	}
	s.l, s.keep, s.saved = l, l.keep, false
	p.sh = s
	l.mu.Lock()
	l.touched = append(l.touched, p)
	l.mu.Unlock()
}

// finish takes the shadows away; undo also brings back what pages held before
// the launch.
func (l *launch) finish(undo bool) {
	l.mem.mu.Lock()
	defer l.mem.mu.Unlock()
	for _, p := range l.touched {
		if undo && p.sh.saved {
			p.data, p.init = p.sh.data, p.sh.init
		}
		p.sh.l = nil
		if len(l.mem.shadows) < 1<<12 {
			l.mem.shadows = append(l.mem.shadows, p.sh)
		}
		p.sh = nil
	}
	l.touched = nil
}

// run executes the grid on several goroutines. When a block fails, memory
// goes back to what it was and the grid runs once more block by block, so that
// the report is the same on every run.
func (l *launch) run() (Counters, *Fault) {
	n := l.blocks()
	workers := int(min(uint64(l.workers), n))
	if workers < 1 {
		workers = 1
	}
	l.keep = workers > 1
	c, fault := l.grids(workers, n)
	if fault == nil || workers == 1 {
		l.finish(false)
		return c, fault
	}
	l.finish(true)
	l.keep = false
	c, again := l.grids(1, n)
	l.finish(false)
	if again != nil {
		fault = again
	}
	return c, fault
}

// grids runs all blocks; after a fault no further block begins.
func (l *launch) grids(workers int, n uint64) (Counters, *Fault) {
	var next atomic.Uint64
	var stop atomic.Bool
	var mu sync.Mutex
	var total Counters
	var first *Fault
	work := func() {
		b := newBlock(l)
		for !stop.Load() {
			i := next.Add(1) - 1
			if i >= n {
				break
			}
			if f := b.run(i); f != nil {
				stop.Store(true)
				mu.Lock()
				if first == nil {
					first = f
				}
				mu.Unlock()
			}
		}
		mu.Lock()
		total.add(&b.n)
		mu.Unlock()
	}
	if workers == 1 {
		work()
	} else {
		var wg sync.WaitGroup
		for range workers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				work()
			}()
		}
		wg.Wait()
	}
	total.Launches, total.Blocks = 1, int64(n)
	return total, first
}

// check refuses a launch that a device would refuse, and argument blocks of
// the wrong size, which a device would read past.
func (l *launch) check() *Fault {
	bad := func(format string, args ...any) *Fault {
		return &Fault{Kind: BadLaunch, Kernel: l.e.Name, File: l.e.File, Detail: fmt.Sprintf(format, args...)}
	}
	g, b, m := l.grid, l.block, l.e.MaxThread
	switch n := l.threads(); {
	case g.X == 0 || g.Y == 0 || g.Z == 0 || g.X > 1<<31-1 || g.Y > 65535 || g.Z > 65535:
		return bad("grid (%d,%d,%d): sides are 1 to 2147483647, 65535, 65535", g.X, g.Y, g.Z)
	case b.X == 0 || b.Y == 0 || b.Z == 0 || b.X > 1024 || b.Y > 1024 || b.Z > 64 || n > 1024:
		return bad("block (%d,%d,%d): at most 1024 threads", b.X, b.Y, b.Z)
	case m[0] > 0 && n > int(m[0]*m[1]*m[2]):
		return bad("block of %d threads, .maxntid allows %d", n, m[0]*m[1]*m[2])
	case l.blocks() > maxBlocks:
		return bad("grid of %d blocks: the emulator takes at most %d", l.blocks(), maxBlocks)
	case len(l.params) != l.e.paramBytes:
		return bad("%d bytes of arguments, the kernel has %d bytes of parameters (%s)", len(l.params), l.e.paramBytes, l.e.signature())
	case l.e.dynamic == nil && l.dynamic > 0:
		return bad("%d bytes of dynamic shared memory, the kernel declares no .extern .shared array", l.dynamic)
	}
	return nil
}

// signature lists the parameters with offsets.
func (e *Entry) signature() string {
	s := ""
	for i, v := range e.params {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s: %d bytes at %d", v.name, v.size, v.addr)
	}
	return s
}

func defaultWorkers() int { return runtime.GOMAXPROCS(0) }
