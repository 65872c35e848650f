package cuda

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/emu"
	"github.com/sectile-ml/sectile/kernels"
)

// onEmulator makes a device on the emulator, which runs the PTX itself, as late
// as a driver may.
func onEmulator(t *testing.T, c emu.Config, o Options) *Device {
	t.Helper()
	c.PinnedOnly = true
	d, err := Open(emu.Open(c), 0, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestEmulatedReplay(t *testing.T) {
	eager, replayed := newToy(t, onEmulator(t, emu.Config{}, Options{NoGraphs: true})), newToy(t, onEmulator(t, emu.Config{}, Options{}))
	for i := range 20 {
		extra := i >= 8 && i < 16
		a, b := eager.step(t, i, extra), replayed.step(t, i, extra)
		if a != b || a != float32(i)/2 {
			t.Fatalf("step %d: %v, %v", i, a, b)
		}
		if i == 0 { // z is not written everywhere, and the emulator minds
			for _, s := range []*toy{eager, replayed} {
				fill(s.d, s.z, 0)
			}
			continue
		}
		if !slices.Equal(eager.state(t), replayed.state(t)) {
			t.Fatalf("step %d differs", i)
		}
	}
	if s := replayed.d.Graphs(); s.Captured != 8 || s.Replayed != 32 {
		t.Errorf("%+v", s)
	}
}

func TestEmulatedReasons(t *testing.T) {
	for want, c := range map[string]emu.Config{
		"driver too old (needs CUDA 11.0)": {Version: 10020},
		"compute capability 7.5 < 8.0":     {Capability: [2]int{7, 5}},
		"PTX JIT library missing":          {NoJIT: true},
	} {
		_, err := Open(emu.Open(c), 0, Options{})
		var u *driver.Unavailable
		if !errors.As(err, &u) || u.Reason != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestTimings(t *testing.T) {
	d := onEmulator(t, emu.Config{}, Options{Timing: true})
	m := alloc(t, d, kernels.Float32, 8)
	for range mostTimed + 10 { // more than there are events for
		fill(d, m, 1)
	}
	for range 2 {
		got, err := d.Timings()
		if err != nil || len(got) != 1 || got[0].Kernel != "fill_f32" || got[0].Launches != mostTimed+10 || !(got[0].Seconds > 0) {
			t.Fatalf("%+v %v", got, err)
		}
		for range mostTimed + 10 {
			fill(d, m, 1)
		}
	}
}

func TestEmulatedFaults(t *testing.T) {
	// A launch that fails on the device comes out of Sync, and stays.
	d := onEmulator(t, emu.Config{FailLaunch: 3}, Options{})
	m := alloc(t, d, kernels.Float32, 8)
	for i := range 4 {
		fill(d, m, float32(i))
	}
	first := d.Sync()
	var e *driver.Error
	if !errors.As(first, &e) || !e.Sticky() {
		t.Errorf("%v", first)
	}
	if err := d.Download(make([]float32, 8), m); err == nil || err.Error() != first.Error() {
		t.Errorf("after %v: %v", first, err)
	}

	// In debug mode it is named.
	d = onEmulator(t, emu.Config{FailLaunch: 3}, Options{Debug: true})
	m = alloc(t, d, kernels.Float32, 8)
	for i := range 4 {
		fill(d, m, float32(i))
	}
	if err := d.Sync(); err == nil || !strings.Contains(err.Error(), "kernel fill_f32 (fill.ptx)") || !strings.Contains(err.Error(), "*2, 8") {
		t.Errorf("%v", err)
	}

	// Memory that nobody has written is found, and so is the end of an Alloc.
	d = onEmulator(t, emu.Config{}, Options{NoCache: true})
	m = alloc(t, d, kernels.Float32, 5)
	long := m
	long.Len = 6
	fill(d, long, 1)
	if err := d.Sync(); err == nil || !strings.Contains(err.Error(), "fill_f32") {
		t.Errorf("one element too many: %v", err)
	}

	// Out of memory is no failure of the device.
	d = onEmulator(t, emu.Config{Memory: 32 << 20}, Options{})
	var o *OutOfMemory
	if _, err := d.Alloc(kernels.Float32, 16<<20); !errors.As(err, &o) {
		t.Errorf("%v", err)
	}
	m = alloc(t, d, kernels.Float32, 8)
	fill(d, m, 4)
	if v := get(t, d, m); v[7] != 4 {
		t.Error(v)
	}
}
