package kernels

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapMemory reserves and commits. Large pages would need a privilege that
// accounts do not have.
func mapMemory(n int) (unsafe.Pointer, error) {
	a, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil, err
	}
	// The address is the system's, not the collector's: it stays where it is.
	return *(*unsafe.Pointer)(unsafe.Pointer(&a)), nil
}

func unmapMemory(p unsafe.Pointer, n int) {
	_ = windows.VirtualFree(uintptr(p), 0, windows.MEM_RELEASE)
}

var globalMemoryStatus = windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")

// systemMemory is the machine's RAM in bytes, 0 when it cannot be read.
func systemMemory() int64 {
	var s struct { // MEMORYSTATUSEX
		length, load                        uint32
		physical, free                      uint64
		pageFile, freePageFile              uint64
		virtual, freeVirtual, freeExtension uint64
	}
	s.length = uint32(unsafe.Sizeof(s))
	if ok, _, _ := globalMemoryStatus.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return 0
	}
	return int64(s.physical)
}
