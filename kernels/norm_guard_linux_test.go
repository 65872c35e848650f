package kernels

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// edgeF32 is a copy of v that ends where a page begins that may not be touched.
func edgeF32(t testing.TB, v []float32) Mem {
	page := unix.Getpagesize()
	n := 4 * len(v)
	size := (n+page-1)&^(page-1) + page
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(b) })
	if err := unix.Mprotect(b[size-page:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	m := Mem{Host: unsafe.Pointer(&b[0]), Len: size / 4}.At((size-page-n)/4, len(v))
	copy(m.F32(), v)
	return m
}
