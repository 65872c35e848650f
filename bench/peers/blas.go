//go:build (linux || darwin) && amd64

package main

import (
	"unsafe"

	"github.com/ebitengine/purego"
)

// openBLAS opens a shared library and calls its Fortran SGEMM, whose arguments
// are all pointers. Fortran stores columns where Go stores rows, so it is
// asked for the transpose of C: op(B) transposed times op(A) transposed, which
// is the same memory with A and B exchanged. Lengths are 64-bit integers, of
// which a library with 32-bit ones reads the lower half.
func openBLAS(file, symbol string) (library, error) {
	lib, err := purego.Dlopen(file, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, err
	}
	sgemm, err := purego.Dlsym(lib, symbol)
	if err != nil {
		return nil, err
	}
	return func(o *operands) (func(), error) {
		args := &struct {
			ta, tb           [8]byte
			m, n, k, a, b, c int64
			alpha, beta      float32
		}{m: int64(o.m), n: int64(o.n), k: int64(o.k), a: int64(o.k), b: int64(o.n), c: int64(o.n), alpha: 1}
		args.ta[0], args.tb[0] = 'N', 'N'
		if o.ta {
			args.ta[0], args.a = 'T', int64(o.m)
		}
		if o.tb {
			args.tb[0], args.b = 'T', int64(o.k)
		}
		return func() {
			purego.SyscallN(sgemm, uintptr(unsafe.Pointer(&args.tb)), uintptr(unsafe.Pointer(&args.ta)),
				uintptr(unsafe.Pointer(&args.n)), uintptr(unsafe.Pointer(&args.m)), uintptr(unsafe.Pointer(&args.k)), uintptr(unsafe.Pointer(&args.alpha)),
				uintptr(unsafe.Pointer(&o.b[0])), uintptr(unsafe.Pointer(&args.b)), uintptr(unsafe.Pointer(&o.a[0])), uintptr(unsafe.Pointer(&args.a)),
				uintptr(unsafe.Pointer(&args.beta)), uintptr(unsafe.Pointer(&o.c[0])), uintptr(unsafe.Pointer(&args.c)), 1, 1)
		}, nil
	}, nil
}
