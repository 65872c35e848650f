package cuda

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/emu"
)

// emulator is a driver without a GPU.
func emulator() driver.API { return emu.New(1) }

// Tested is the driver and the device that tests of values run on: the
// emulator's, or, with SECTILE_CUDA_DEVICE=0, that GPU. A test skips with the
// reason where that GPU cannot serve; with SECTILE_REQUIRE_CUDA=1 it fails, so
// that "passed on the GPU" never means "never ran". Tests about the emulator
// itself (counters, planted faults, failures made to order) stay on it.
func Tested(t testing.TB) (driver.API, int) {
	t.Helper()
	name, required := os.Getenv("SECTILE_CUDA_DEVICE"), os.Getenv("SECTILE_REQUIRE_CUDA") == "1"
	if name == "" && !required {
		return emulator(), 0
	}
	api, n, err := hardware(name)
	switch {
	case err != nil && required:
		t.Fatalf("SECTILE_REQUIRE_CUDA=1: %v", err)
	case err != nil:
		t.Skip(err)
	}
	return api, n
}

// hardware is the GPU of a number in words.
func hardware(name string) (driver.API, int, error) {
	n, err := strconv.Atoi(name)
	if err != nil || n < 0 {
		return nil, 0, fmt.Errorf("SECTILE_CUDA_DEVICE=%q: give the number of a GPU, from 0", name)
	}
	api, err := driver.Open()
	if err == nil {
		_, err = Probe(api, n)
	}
	return api, n, err
}

// emulated is a fresh device for tests of values: see Tested.
func emulated(t *testing.T) *Device {
	t.Helper()
	api, n := Tested(t)
	d, err := Open(api, n, Options{NoGraphs: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// TestHardwareMistakes: a GPU that is not there is a reason, never the
// emulator in its place.
func TestHardwareMistakes(t *testing.T) {
	for _, name := range []string{"", "x", "-1", "99"} {
		if api, n, err := hardware(name); err == nil {
			t.Errorf("SECTILE_CUDA_DEVICE=%q opened device %d of %s", name, n, api.Name())
		}
	}
}
