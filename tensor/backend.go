package tensor

import "github.com/sectile-ml/sectile/kernels"

// Default is the CPU backend over GOMAXPROCS threads, the same on every call.
// It panics when SECTILE_KERNELS names a kernel that does not exist or that
// this CPU cannot run: a program calls kernels.Default first to report that
// as an error.
func Default() kernels.Backend {
	c, err := kernels.Default()
	if err != nil {
		panic(err)
	}
	return c
}
