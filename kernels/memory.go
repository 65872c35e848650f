package kernels

import "sync/atomic"

// hostBytes is the host memory that backends hold now, hostLimit what they may.
var hostBytes, hostLimit atomic.Int64

// HostBytes is the host memory, in bytes, that Alloc holds now.
func HostBytes() int64 { return hostBytes.Load() }

// SetHostLimit bounds the host memory of all backends together, in bytes; 0
// takes the bound away. It returns the bound before.
func SetHostLimit(n int64) int64 { return hostLimit.Swap(n) }

// hostAlloc makes n elements of type t outside the Go heap (inside under the
// race detector and the tag tensordebug, which see nothing else). The memory
// is zero and starts at a 64-byte boundary.
func hostAlloc(t DType, n int) (Mem, error) {
	b := int64(n)*int64(t.Size()) + guardBytes
	now := hostBytes.Add(b)
	if l := hostLimit.Load(); l > 0 && now > l {
		hostBytes.Add(-b)
		return Mem{}, &MemoryError{Want: b, InUse: now - b, Limit: l}
	}
	p, err := mapMemory(int(b))
	if err != nil {
		hostBytes.Add(-b)
		return Mem{}, &MemoryError{Want: b, InUse: now - b, Limit: hostLimit.Load(), Cause: err}
	}
	return Mem{Host: p, Len: n, Type: t}, nil
}

func hostFree(m Mem) {
	if m.Host == nil {
		return
	}
	b := m.Bytes() + guardBytes
	unmapMemory(m.Host, b)
	hostBytes.Add(-int64(b))
}

// guardBytes follow every allocation, so that a zero-length one has an address.
const guardBytes = 64
