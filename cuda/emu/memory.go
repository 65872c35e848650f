package emu

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const (
	pageSize    = 4096
	granule     = 64 << 20    // addresses given to one buffer come in granules
	beforeStart = granule / 2 // of them this many lie before the buffer
	firstBase   = 0x10_0000_0000

	sharedWindow = 0x7e00_0000_0000 // generic addresses of shared memory
	localWindow  = 0x7f00_0000_0000 // and of local memory
	localBase    = 1024
)

// memory is a device's global memory. Buffers lie so far apart that an
// overrun never reaches a neighbour, addresses are never given out twice, and
// what was freed is remembered: each wild access names the buffer it left.
type memory struct {
	mu       sync.RWMutex
	granules map[uint64]*buffer
	next     uint64 // first unused granule
	serial   int
	used     int64
	limit    int64

	shadows []*shadow // unused
}

// buffer is one allocation. Its pages are made when they are first touched.
type buffer struct {
	base   uint64
	size   int
	serial int
	name   string // of a .global or .const variable
	freed  bool
	pages  []atomic.Pointer[page]
}

// page holds 4 KiB of a buffer. Kernels of several blocks at once hold mu
// while they touch it.
type page struct {
	mu   sync.Mutex
	data [pageSize]byte
	init [pageSize / 64]uint64 // a bit for each byte that has been written
	sh   *shadow               // of the launch that runs
}

func newMemory(limit int64) *memory {
	return &memory{granules: map[uint64]*buffer{}, next: firstBase / granule, limit: limit}
}

// alloc reserves size bytes; nil when memory is used up.
func (m *memory) alloc(size int, name string) *buffer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if size <= 0 || m.used+int64(size) > m.limit || m.next > sharedWindow/granule-uint64(size/granule)-2 {
		return nil
	}
	n := uint64(size)/granule + 2
	m.serial++
	b := &buffer{base: m.next*granule + beforeStart, size: size, serial: m.serial, name: name, pages: make([]atomic.Pointer[page], (size+pageSize-1)/pageSize)}
	for i := range n {
		m.granules[m.next+i] = b
	}
	m.next += n
	m.used += int64(size)
	return b
}

// free gives a buffer's memory back and keeps its addresses out of use.
func (m *memory) free(b *buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b.freed, b.pages = true, nil
	m.used -= int64(b.size)
}

// find is the buffer to whose addresses a belongs, also beyond its ends; nil
// for an address that no buffer ever had.
func (m *memory) find(a uint64) *buffer {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.granules[a/granule]
}

// span checks that n bytes at a lie in one live buffer, for the host's copies.
func (m *memory) span(a uint64, n int) (*buffer, error) {
	b := m.find(a)
	if b == nil || b.freed || a < b.base || n < 0 || uint64(n) > uint64(b.size) || a-b.base > uint64(b.size-n) {
		return nil, fmt.Errorf("%d bytes at %s", n, m.describe(a, n))
	}
	return b, nil
}

// describe says where n bytes at a lie.
func (m *memory) describe(a uint64, n int) string {
	b := m.find(a)
	if b == nil {
		return fmt.Sprintf("%#x, which no allocation ever had", a)
	}
	what := fmt.Sprintf("allocation %d (%d bytes at %#x)", b.serial, b.size, b.base)
	if b.name != "" {
		what = fmt.Sprintf("variable %s (%d bytes at %#x)", b.name, b.size, b.base)
	}
	switch off := int64(a - b.base); {
	case b.freed:
		return fmt.Sprintf("%#x, in freed %s", a, what)
	case off < 0:
		return fmt.Sprintf("%#x, %d bytes before the start of %s", a, -off, what)
	case off+int64(n) > int64(b.size):
		return fmt.Sprintf("%#x, %d bytes past the end of %s", a, off+int64(n)-int64(b.size), what)
	default:
		return fmt.Sprintf("%#x, byte %d of %s", a, off, what)
	}
}

// page is page i, made when it is not there.
func (b *buffer) page(i int) *page {
	p := &b.pages[i]
	if have := p.Load(); have != nil {
		return have
	}
	if fresh := new(page); p.CompareAndSwap(nil, fresh) {
		return fresh
	}
	return p.Load()
}

// written marks n bytes at off of the page as initialised.
func (p *page) written(off, n int) {
	for n > 0 {
		k := min(n, 64-off%64)
		p.init[off/64] |= ^uint64(0) >> (64 - k) << (off % 64)
		off, n = off+k, n-k
	}
}

// poison stands for memory that nobody has written: as float32, float64 or
// bfloat16 a NaN, as an index far out of every bound.
var poison = [4]byte{0xc5, 0x7f, 0xc5, 0x7f}

// upload writes host bytes.
func (b *buffer) upload(off int, src []byte) {
	for len(src) > 0 {
		at := off % pageSize
		n := min(len(src), pageSize-at)
		p := b.page(off / pageSize)
		copy(p.data[at:], src[:n])
		p.written(at, n)
		off, src = off+n, src[n:]
	}
}

// download reads bytes; those nobody has written come as poison.
func (b *buffer) download(dst []byte, off int) {
	for len(dst) > 0 {
		at := off % pageSize
		n := min(len(dst), pageSize-at)
		p := b.pages[off/pageSize].Load()
		for i := range dst[:n] {
			if p != nil && p.init[(at+i)/64]>>((at+i)%64)&1 != 0 {
				dst[i] = p.data[at+i]
			} else {
				dst[i] = poison[(at+i)%4]
			}
		}
		off, dst = off+n, dst[n:]
	}
}

// fill writes n bytes that repeat pattern.
func (b *buffer) fill(off, n int, pattern []byte) {
	chunk := make([]byte, min(n, pageSize))
	for i := range chunk {
		chunk[i] = pattern[i%len(pattern)]
	}
	for n > 0 {
		k := min(n, len(chunk))
		b.upload(off, chunk[:k])
		off, n = off+k, n-k
	}
}

// move copies n bytes of src, and whether they have been written.
func (b *buffer) move(off int, src *buffer, from, n int) {
	tmp, has := make([]byte, n), make([]bool, n)
	for i := range n {
		if p := src.pages[(from+i)/pageSize].Load(); p != nil {
			at := (from + i) % pageSize
			tmp[i], has[i] = p.data[at], p.init[at/64]>>(at%64)&1 != 0
		}
	}
	for i := range n {
		p, at := b.page((off+i)/pageSize), (off+i)%pageSize
		p.data[at] = tmp[i]
		p.init[at/64] = p.init[at/64]&^(1<<(at%64)) | uint64(b2i(has[i]))<<(at%64)
	}
}

func b2i(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
