//go:build amd64 || arm64

package driver

import (
	"fmt"
	"os"

	"github.com/ebitengine/purego"
)

// places are where the driver's library is looked for: on the loader's path,
// and where Windows' Linux subsystem keeps it.
var places = []string{"libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"}

// Open opens the driver that is installed here. The error is an *Unavailable.
func Open() (API, error) {
	l, err := OpenLibrary(places[0])
	for _, p := range places[1:] {
		if _, missing := os.Stat(p); l == nil && missing == nil {
			return OpenLibrary(p)
		}
	}
	return l, err
}

// OpenLibrary opens the driver's library by name or path. The error is an
// *Unavailable.
func OpenLibrary(name string) (API, error) {
	h, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, &Unavailable{Reason: "no " + name, Remedy: "install NVIDIA's driver (the CUDA toolkit is not needed); in a container, start it with --gpus all", Err: err}
	}
	l := &library{name: name}
	if err := l.open(func(symbol string) (uintptr, error) { return purego.Dlsym(h, symbol) }); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

func syscallN(fn uintptr, args []uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return uintptr(int32(r))
}
