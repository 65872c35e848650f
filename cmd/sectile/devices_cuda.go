//go:build !static

package main

import (
	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/emu"
)

// The tag static leaves the GPU out: opening libcuda when the program runs
// makes it need the system's dynamic linker.
func init() {
	cuda.RegisterDriver("emu", func() (driver.API, error) { return emu.New(1), nil }, false)
}
