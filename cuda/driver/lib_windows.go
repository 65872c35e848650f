//go:build amd64

package driver

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/windows"
)

// Open opens the driver that is installed here. The error is an *Unavailable.
func Open() (API, error) {
	const name = "nvcuda.dll"
	dll := windows.NewLazySystemDLL(name)
	if err := dll.Load(); err != nil {
		return nil, &Unavailable{Reason: "no " + name, Remedy: "install NVIDIA's driver (the CUDA toolkit is not needed)", Err: err}
	}
	l := &library{name: name}
	err := l.open(func(symbol string) (uintptr, error) {
		p := dll.NewProc(symbol)
		if err := p.Find(); err != nil {
			return 0, err
		}
		return p.Addr(), nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

func syscallN(fn uintptr, args []uintptr) uintptr {
	r, _, _ := syscall.SyscallN(fn, args...)
	return uintptr(int32(r))
}
