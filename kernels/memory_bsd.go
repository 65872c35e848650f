//go:build darwin || freebsd

package kernels

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapMemory leaves page sizes to the system: FreeBSD promotes to superpages by
// itself, darwin has no advice for it.
func mapMemory(n int) (unsafe.Pointer, error) {
	return unix.MmapPtr(-1, 0, nil, uintptr(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
}

func unmapMemory(p unsafe.Pointer, n int) { _ = unix.MunmapPtr(p, uintptr(n)) }

// systemMemory is the machine's RAM in bytes, 0 when it cannot be read.
func systemMemory() int64 {
	name := "hw.physmem"
	if runtime.GOOS == "darwin" {
		name = "hw.memsize"
	}
	n, err := unix.SysctlUint64(name)
	if err != nil {
		return 0
	}
	return int64(n)
}
