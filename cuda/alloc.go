package cuda

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/kernels"
)

// Sizes of the caching allocator. The driver gives memory in 2 MiB pages and
// takes its time (and, freeing, the whole device's), so segments are whole
// pages, pieces up to smallPiece share one, and what is freed is kept.
const (
	grain      = 512
	segmentMin = 2 << 20
	smallPiece = 1 << 20
)

// pool is the caching allocator: segments from the driver, split into pieces,
// neighbours joined again when they are free. Everything runs on one stream in
// the order of the calls, so a freed piece may be given out at once.
type pool struct {
	d     *Device
	used  map[driver.Ptr]*piece
	idle  [2][]*piece // by class: small, large; by size, then address
	stats MemoryStats
}

// piece is a part of a segment. prev and next are its neighbours there.
type piece struct {
	p          driver.Ptr
	size       int
	want       int // bytes asked for, while in use
	large      bool
	prev, next *piece
	by         source
}

// source says who asked for memory; it is put into words when it is needed.
type source struct {
	what string
	pcs  [16]uintptr
	n    int
}

// MemoryStats are the allocator's figures, in bytes and counts.
type MemoryStats struct {
	Allocated    int64 // in use, rounded up to 512
	Peak         int64 // the most of it
	Reserved     int64 // held from the driver
	PeakReserved int64
	LargestFree  int64
	Pieces       int // in use
	Segments     int
	Flushes      int // times that free segments went back because the driver had no more
}

// Memory returns the allocator's figures.
func (d *Device) Memory() MemoryStats {
	d.lock()
	defer d.unlock()
	s := d.pool.stats
	s.LargestFree = d.pool.largestFree()
	return s
}

// ResetPeak makes the present figures the peaks.
func (d *Device) ResetPeak() {
	d.lock()
	defer d.unlock()
	d.pool.stats.Peak, d.pool.stats.PeakReserved = d.pool.stats.Allocated, d.pool.stats.Reserved
}

// FlushCache gives free segments back to the driver, for other programs.
func (d *Device) FlushCache() error {
	d.lock()
	defer d.unlock()
	err := d.sync()
	d.pool.flush()
	return err
}

func (p *pool) init(d *Device) {
	p.d = d
	p.used = map[driver.Ptr]*piece{}
}

func bySize(a, b *piece) int { return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.p, b.p)) }

func class(large bool) int {
	if large {
		return 1
	}
	return 0
}

// alloc finds the smallest free piece that holds the bytes, else takes a
// segment. The error is a *kernels.MemoryError.
func (p *pool) alloc(bytes int, by source) (driver.Ptr, error) {
	if bytes < 0 || bytes > 1<<50 {
		panic(&kernels.ArgError{Op: "Alloc", Rule: fmt.Sprintf("%d bytes", bytes)})
	}
	if p.d.options.NoCache {
		c, err := p.segment(max(bytes, 1), true)
		if err != nil {
			return 0, p.explain(int64(bytes), err)
		}
		return p.give(c, bytes, by), nil
	}
	size := (max(bytes, 1) + grain - 1) &^ (grain - 1)
	large := size > smallPiece
	list := &p.idle[class(large)]
	i, _ := slices.BinarySearchFunc(*list, &piece{size: size}, bySize)
	var c *piece
	if i < len(*list) {
		c = (*list)[i]
		*list = slices.Delete(*list, i, i+1)
	} else {
		var err error
		if c, err = p.segment(max(segmentMin, (size+segmentMin-1)&^(segmentMin-1)), large); err != nil {
			return 0, p.explain(int64(bytes), err)
		}
	}
	if rest := c.size - size; rest >= grain && (!large || rest > smallPiece) {
		r := &piece{p: c.p + driver.Ptr(size), size: rest, large: large, prev: c, next: c.next}
		if c.next != nil {
			c.next.prev = r
		}
		c.next, c.size = r, size
		p.insert(r)
	}
	return p.give(c, bytes, by), nil
}

// give marks a piece as in use.
func (p *pool) give(c *piece, bytes int, by source) driver.Ptr {
	c.want, c.by = bytes, by
	p.used[c.p] = c
	p.stats.Pieces++
	p.stats.Allocated += int64(c.size)
	p.stats.Peak = max(p.stats.Peak, p.stats.Allocated)
	return c.p
}

// segment takes memory from the driver; when there is none, it gives back
// what is free here and tries once more.
func (p *pool) segment(size int, large bool) (*piece, error) {
	at, err := p.d.api.MemAlloc(size)
	if driver.IsCode(err, driver.OutOfMemory) {
		if bad := p.d.sync(); bad != nil {
			return nil, bad
		}
		p.stats.Flushes++
		p.flush()
		at, err = p.d.api.MemAlloc(size)
	}
	if err != nil {
		return nil, err
	}
	p.stats.Segments++
	p.stats.Reserved += int64(size)
	p.stats.PeakReserved = max(p.stats.PeakReserved, p.stats.Reserved)
	return &piece{p: at, size: size, large: large}, nil
}

// free takes a piece back and joins it with free neighbours. It panics on
// memory that is not in use.
func (p *pool) free(at driver.Ptr) {
	c := p.used[at]
	if c == nil {
		panic(&kernels.ArgError{Op: "Free", Rule: fmt.Sprintf("%#x is not memory of Alloc, or was freed before", uint64(at))})
	}
	delete(p.used, at)
	p.stats.Pieces--
	p.stats.Allocated -= int64(c.size)
	c.by, c.want = source{}, 0
	if n := c.next; n != nil && p.used[n.p] == nil {
		p.remove(n)
		c.join(n)
	}
	if b := c.prev; b != nil && p.used[b.p] == nil {
		p.remove(b)
		b.join(c)
		c = b
	}
	p.insert(c)
	if p.d.options.NoCache {
		p.d.sync()
		p.flush()
	}
}

// join makes n, the next neighbour, a part of c.
func (c *piece) join(n *piece) {
	c.size += n.size
	c.next = n.next
	if n.next != nil {
		n.next.prev = c
	}
}

func (p *pool) insert(c *piece) {
	list := &p.idle[class(c.large)]
	i, _ := slices.BinarySearchFunc(*list, c, bySize)
	*list = slices.Insert(*list, i, c)
}

func (p *pool) remove(c *piece) {
	list := &p.idle[class(c.large)]
	i, _ := slices.BinarySearchFunc(*list, c, bySize)
	*list = slices.Delete(*list, i, i+1)
}

// flush gives segments without a piece in use back to the driver. The stream
// has been waited for.
func (p *pool) flush() {
	for i := range p.idle {
		p.idle[i] = slices.DeleteFunc(p.idle[i], func(c *piece) bool {
			if c.prev != nil || c.next != nil {
				return false
			}
			p.d.fail(p.d.api.MemFree(c.p))
			p.stats.Segments--
			p.stats.Reserved -= int64(c.size)
			return true
		})
	}
}

// release gives everything back.
func (p *pool) release() {
	for at := range p.used {
		p.free(at)
	}
	p.flush()
}

func (p *pool) largestFree() int64 {
	var n int
	for _, l := range p.idle {
		if len(l) > 0 {
			n = max(n, l[len(l)-1].size)
		}
	}
	return int64(n)
}

// explain makes the error of an allocation that failed.
func (p *pool) explain(want int64, err error) error {
	m := &kernels.MemoryError{Want: want, InUse: p.stats.Allocated, Limit: p.d.info.Memory, Cause: err}
	if driver.IsCode(err, driver.OutOfMemory) {
		o := &OutOfMemory{Device: p.d.Name(), Want: want, Allocated: p.stats.Allocated, Reserved: p.stats.Reserved,
			LargestFree: p.largestFree(), Holders: p.holders(5), Err: err}
		o.Free, o.Total, _ = p.d.api.MemGetInfo()
		m.Cause = o
	}
	return m
}

// holders sums pieces in use by who asked for them, and returns the largest.
func (p *pool) holders(most int) []Holder {
	sums := map[string]*Holder{}
	for _, c := range p.used {
		by := c.by.String()
		h := sums[by]
		if h == nil {
			h = &Holder{By: by}
			sums[by] = h
		}
		h.Bytes += int64(c.size)
		h.Count++
	}
	all := make([]Holder, 0, len(sums))
	for _, h := range sums {
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Holder) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.By, b.By)) })
	return all[:min(most, len(all))]
}

// caller notes who is asking for memory.
func caller(t kernels.DType, n int) source {
	s := source{what: fmt.Sprintf("%v[%d]", t, n)}
	s.n = runtime.Callers(3, s.pcs[:])
	return s
}

// String names the first caller above the layers that only pass memory on.
func (s source) String() string {
	frames := runtime.CallersFrames(s.pcs[:s.n])
	for more := s.n > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
		if strings.HasPrefix(name, "cuda.(*Device)") || strings.HasPrefix(name, "kernels.") || strings.HasPrefix(name, "tensor.") {
			continue
		}
		return fmt.Sprintf("%s by %s (%s:%d)", s.what, name, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
	}
	return s.what
}
