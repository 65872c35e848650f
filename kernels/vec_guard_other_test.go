//go:build !linux

package kernels

import "testing"

// guarded is n float32; guard pages are Linux's.
func guarded(t testing.TB, n int) (m Mem, free func()) {
	return F32Mem(make([]float32, n)), func() {}
}
