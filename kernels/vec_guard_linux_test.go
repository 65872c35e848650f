package kernels

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded is n float32 whose end is the end of a page that no one may pass;
// free unmaps it.
func guarded(t testing.TB, n int) (m Mem, free func()) {
	const page = 4096
	size := (4*n+page-1)&^(page-1) + page
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mprotect(b[size-page:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return Mem{Host: unsafe.Pointer(&b[size-page-4*n]), Len: n}, func() { _ = unix.Munmap(b) }
}
