package kernels

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// hostBytes is the host memory that backends hold now, hostLimit what they may
// hold (0: no bound), hostPace where the next collection starts.
var hostBytes, hostLimit, hostPace atomic.Int64

const (
	// guardBytes follow every allocation, so that a zero-length one has an
	// address.
	guardBytes = 64

	// mapBytes is the size from which memory is mapped, not taken from the Go
	// heap: a mapping costs two system calls, a page fault per page and one of
	// the system's 65,530 regions.
	mapBytes = 1 << 20

	// mapRound is what mappings are rounded up to: Linux puts one at a
	// boundary of huge pages only when its length is a multiple of theirs.
	mapRound = 2 << 20

	// paceBytes is the least host memory at which a collection is started.
	paceBytes = 256 << 20
)

// HostBytes is the host memory, in bytes, that Alloc holds now.
func HostBytes() int64 { return hostBytes.Load() }

// SetHostLimit bounds the host memory of all backends together, in bytes; 0
// takes the bound away. It returns the bound before, which is at first 80 % of
// what the system grants: the least of RAM and the control group's limits.
func SetHostLimit(n int64) int64 {
	firstLimit()
	return hostLimit.Swap(max(n, 0))
}

var firstLimit = sync.OnceFunc(func() {
	hostLimit.Store(systemMemory() / 10 * 8)
	hostPace.Store(paceBytes)
})

// hostAlloc makes n elements of type t at a 64-byte boundary. Large memory is
// mapped, outside the Go heap, and zero. Under the race detector and the tag
// tensordebug all memory is the Go heap's, which is all that the detector
// sees, and floats are NaN until they are written.
func hostAlloc(t DType, n int) (Mem, error) {
	firstLimit()
	if n < 0 || int64(n) > math.MaxInt/16 {
		return Mem{}, &MemoryError{Want: math.MaxInt64, InUse: hostBytes.Load(), Limit: hostLimit.Load()}
	}
	b := reserved(n * t.Size())
	p, err := reserve(b)
	if err != nil {
		p, err = reclaim(b)
	}
	if err != nil {
		return Mem{}, err
	}
	m := Mem{Host: p, Len: n, Type: t}
	if debugMemory && t != Int32 {
		poison(m.Host, m.Bytes())
	}
	return m, nil
}

// reserved is what an allocation of so many bytes takes.
func reserved(bytes int) int64 {
	b := int64(bytes) + guardBytes
	if b >= mapBytes && !debugMemory {
		b = (b + mapRound - 1) &^ (mapRound - 1)
	}
	return b
}

// reserve counts b bytes and gets them.
func reserve(b int64) (unsafe.Pointer, error) {
	now, limit := hostBytes.Add(b), hostLimit.Load()
	if limit > 0 && now > limit {
		hostBytes.Add(-b)
		return nil, &MemoryError{Want: b, InUse: now - b, Limit: limit}
	}
	if debugMemory || b < mapBytes {
		pace(now)
		return heapMemory(int(b)), nil
	}
	p, err := mapMemory(int(b))
	if err != nil {
		hostBytes.Add(-b)
		return nil, &MemoryError{Want: b, InUse: now - b, Limit: limit, Cause: fmt.Errorf("map memory: %w", err)}
	}
	pace(now)
	return p, nil
}

// reclaim runs the collector, because tensors that nobody can reach any more
// may hold what is missing, and tries again until their cleanups, which run
// some milliseconds later, have freed enough.
func reclaim(b int64) (p unsafe.Pointer, err error) {
	runtime.GC()
	for range 100 {
		if p, err = reserve(b); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return p, err
}

func hostFree(m Mem) {
	if m.Host == nil {
		return
	}
	b := reserved(m.Bytes())
	switch {
	case debugMemory:
		poison(m.Host, int(b))
	case b >= mapBytes:
		unmapMemory(m.Host, int(b))
	}
	hostBytes.Add(-b)
}

// heapMemory is n zero bytes at a 64-byte boundary, the collector's.
func heapMemory(n int) unsafe.Pointer {
	b := make([]byte, n+64)
	p := unsafe.Pointer(unsafe.SliceData(b))
	return unsafe.Add(p, -uintptr(p)&63)
}

// poison makes every float of the bytes NaN, as float32, float64 or bfloat16,
// and every integer far out of range, so that a value read before it is
// written or after it is freed shows.
func poison(p unsafe.Pointer, bytes int) {
	s := unsafe.Slice((*uint16)(p), bytes/2)
	for i := range s {
		s[i] = 0x7fff
	}
}

// pace starts a collection whenever memory has doubled: the collector does not
// see mappings, so nothing else would free unreachable tensors.
func pace(now int64) {
	at := hostPace.Load()
	if now < at || !hostPace.CompareAndSwap(at, math.MaxInt64) {
		return
	}
	go func() {
		runtime.GC()
		time.Sleep(10 * time.Millisecond) // cleanups run after the collector
		hostPace.Store(max(paceBytes, 2*hostBytes.Load()))
	}()
}
