//go:build !linux && !darwin && !freebsd && !windows

package kernels

import "unsafe"

// mapMemory takes the Go heap: this system's mappings are not known here.
func mapMemory(n int) (unsafe.Pointer, error) { return heapMemory(n), nil }

func unmapMemory(p unsafe.Pointer, n int) {}

// systemMemory is 0: no limit is known.
func systemMemory() int64 { return 0 }
