//go:build linux && !race && !tensordebug

package kernels

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size from which a mapping asks for huge pages.
const hugePage = 2 << 20

func mapMemory(n int) (unsafe.Pointer, error) {
	b, err := unix.MmapPtr(-1, 0, nil, uintptr(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	if n >= 2*hugePage {
		// Advice only: a system without huge pages serves small ones.
		_ = unix.Madvise(unsafe.Slice((*byte)(b), n), unix.MADV_HUGEPAGE)
	}
	return b, nil
}

func unmapMemory(p unsafe.Pointer, n int) { _ = unix.MunmapPtr(p, uintptr(n)) }
