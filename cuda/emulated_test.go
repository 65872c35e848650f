package cuda

import (
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/emu"
)

// emulator is a driver without a GPU.
func emulator() driver.API { return emu.New(1) }

// emulated is a fresh device on the emulator.
func emulated(t *testing.T) *Device {
	t.Helper()
	d, err := Open(emulator(), 0, Options{NoGraphs: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
