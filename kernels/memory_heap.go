//go:build !linux || race || tensordebug

package kernels

import "unsafe"

func mapMemory(n int) (unsafe.Pointer, error) {
	b := make([]byte, n+64)
	p := unsafe.Pointer(unsafe.SliceData(b))
	return unsafe.Add(p, -uintptr(p)&63), nil
}

// unmapMemory leaves the bytes to the collector. NaNs make a later use of
// freed memory visible.
func unmapMemory(p unsafe.Pointer, n int) {
	for i, s := 0, unsafe.Slice((*uint32)(p), n/4); i < len(s); i++ {
		s[i] = 0x7fc00000
	}
}
