package cuda

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// open makes a device over a fake driver, and looks for leaks at the end.
func open(t *testing.T, f *fake, o Options) *Device {
	t.Helper()
	d, err := Open(f, 0, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if l := f.leaks(); len(l) > 0 {
			t.Errorf("not given back: %v", l)
		}
	})
	return d
}

func alloc(t *testing.T, d *Device, dt kernels.DType, n int) kernels.Mem {
	t.Helper()
	m, err := d.Alloc(dt, n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fill is the op of these tests: m[i] = v.
func fill(d *Device, m kernels.Mem, v float32) {
	l := d.op(ptx.FillF32)
	l.mem(m)
	l.step(v)
	l.i32(m.Len)
	l.run((m.Len+255)/256, 1, 1, 0)
}

func get(t *testing.T, d *Device, m kernels.Mem) []float32 {
	t.Helper()
	v := make([]float32, m.Len)
	if err := d.Download(v, m); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTransfers(t *testing.T) {
	d := open(t, newFake(), Options{})
	// Sizes beyond the stage, so that uploads are cut and blocks exchanged.
	for _, n := range []int{1, 5, 1000, stageMin/4 + 3, 3*stageMin/4 + 17} {
		v := make([]float32, n)
		k := make([]int32, n)
		w := make([]float64, n)
		for i := range v {
			v[i], k[i], w[i] = float32(i)+0.5, int32(-i), math.Sqrt(float64(i))
		}
		a, b := alloc(t, d, kernels.Float32, n), alloc(t, d, kernels.Float32, n)
		c, e := alloc(t, d, kernels.Int32, n), alloc(t, d, kernels.Float64, n)
		d.Upload(a, v)
		d.UploadInts(c, k)
		d.UploadFloat64(e, w)
		d.Copy(b, a)
		v2, k2, w2 := make([]float32, n), make([]int32, n), make([]float64, n)
		if err := errors.Join(d.Download(v2, b), d.DownloadInts(k2, c), d.DownloadFloat64(w2, e)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(v, v2) || !slices.Equal(k, k2) || !slices.Equal(w, w2) {
			t.Errorf("%d elements came back changed", n)
		}
		for _, m := range []kernels.Mem{a, b, c, e} {
			d.Free(m)
		}
	}
}

func TestMisuse(t *testing.T) {
	d := open(t, newFake(), Options{})
	a, k := alloc(t, d, kernels.Float32, 4), alloc(t, d, kernels.Int32, 4)
	for name, f := range map[string]func(){
		"length":    func() { d.Upload(a, make([]float32, 5)) },
		"type":      func() { d.Upload(k, make([]float32, 4)) },
		"host":      func() { d.Copy(a, kernels.F32Mem(make([]float32, 4))) },
		"host op":   func() { fill(d, kernels.F32Mem(make([]float32, 4)), 1) },
		"free":      func() { d.Free(kernels.Mem{Dev: a.Dev + 4, Len: 1}) },
		"free view": func() { d.Free(a.At(1, 2)) },
		"i32":       func() { l := d.op(ptx.FillF32); l.i32(1 << 40) },
		"params": func() {
			l := d.op(ptx.FillF32)
			for range maxParams {
				l.u64(1)
			}
		},
		"download": func() { d.Download(make([]float32, 3), a) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if e := recover(); e == nil {
					t.Error("no panic")
				} else if _, ok := e.(error); !ok {
					t.Errorf("panic with %v, not a typed error", e)
				}
			}()
			f()
		})
	}
	d.Free(a)
	d.Free(k)
}

func TestLaunch(t *testing.T) {
	d := open(t, newFake(), Options{})
	a := alloc(t, d, kernels.Float32, 1000)
	fill(d, a, 3)
	fill(d, a.At(10, 500), 4)
	v := get(t, d, a)
	if v[9] != 3 || v[10] != 4 || v[509] != 4 || v[510] != 3 {
		t.Errorf("%v", v[8:12])
	}
	d.Free(a)
}

func TestParams(t *testing.T) {
	d := open(t, newFake(), Options{})
	l := d.op(ptx.FillF32)
	l.i32(-2)
	l.mem(kernels.Mem{Dev: 0x1122334455667788, Len: 1})
	l.f32(1)
	l.u64(5)
	l.mem(kernels.Mem{})
	want := []byte{0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
		0, 0, 0x80, 0x3f, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if !slices.Equal(l.args[:l.n], want) {
		t.Errorf("% x", l.args[:l.n])
	}
}

func TestOpenReasons(t *testing.T) {
	for _, c := range []struct {
		name, want string
		set        func(*fake)
	}{
		{"old driver", "driver too old (needs CUDA 11.0)", func(f *fake) { f.version = 10020 }},
		{"capability", "compute capability 7.5 < 8.0", func(f *fake) { f.major, f.minor = 7, 5 }},
		{"no compiler", "PTX JIT library missing", func(f *fake) {
			f.faults["cuModuleLoadDataEx"] = fault{0, driver.JITCompilerNotFound}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			c.set(f)
			_, err := Open(f, 0, Options{})
			var u *driver.Unavailable
			if !errors.As(err, &u) || u.Reason != c.want || u.Remedy == "" {
				t.Errorf("%v", err)
			}
			if l := f.leaks(); len(l) > 0 {
				t.Errorf("not given back: %v", l)
			}
		})
	}
	if _, err := Open(newFake(), 1, Options{}); err == nil || !strings.Contains(err.Error(), "no device 1") {
		t.Errorf("second device: %v", err)
	}
}

// TestOpenFails lets every call of Open fail in turn: an error, and nothing
// left behind.
func TestOpenFails(t *testing.T) {
	calls := newFake()
	d, err := Open(calls, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for c, n := range calls.calls {
		counts[c] = n
	}
	d.Close()
	for call, n := range counts {
		for after := range n {
			f := newFake()
			f.faults[call] = fault{after, driver.Unknown}
			if d, err := Open(f, 0, Options{}); err == nil {
				t.Errorf("%s fails after %d: no error", call, after)
				d.Close()
			} else if !driver.IsCode(err, driver.Unknown) {
				t.Errorf("%s: %v", call, err)
			}
			delete(f.faults, call)
			if l := f.leaks(); len(l) > 0 && call != "cuEventCreate" {
				t.Errorf("%s fails after %d: not given back: %v", call, after, l)
			}
		}
	}
}

func TestStickyError(t *testing.T) {
	f := newFake()
	d := open(t, f, Options{})
	a := alloc(t, d, kernels.Float32, 8)
	fill(d, a, 1)
	f.faults["cuLaunchKernel"] = fault{f.calls["cuLaunchKernel"], driver.IllegalAddress}
	fill(d, a, 2)
	delete(f.faults, "cuLaunchKernel")
	fill(d, a, 3)
	n := len(f.launches)
	for _, err := range []error{d.Sync(), d.Download(make([]float32, 8), a), d.Sync()} {
		if !driver.IsCode(err, driver.IllegalAddress) || !strings.Contains(err.Error(), "cuda:0: kernel fill_f32 (fill.ptx), grid 1 x 1 x 1, block 256") {
			t.Errorf("%v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d launches ran, the failure's successor among them", n)
	}
	d.Free(a)
}

func TestDebugNamesShapes(t *testing.T) {
	f := newFake()
	d := open(t, f, Options{Debug: true})
	a := alloc(t, d, kernels.Float32, 300)
	// The failure comes out of the wait after the launch, as on a device.
	f.faults["cuStreamSynchronize"] = fault{f.calls["cuStreamSynchronize"] + 1, driver.MisalignedAddress}
	fill(d, a, 1)
	fill(d, a.At(0, 299), 2)
	delete(f.faults, "cuStreamSynchronize")
	err := d.Sync()
	for _, want := range []string{"fill_f32", "grid 2 x 1 x 1", "block 256", "float32[299]@", "*2", "CUDA_ERROR_MISALIGNED_ADDRESS", "the context is lost"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	d.Free(a)
}

func TestCheckNaN(t *testing.T) {
	d := open(t, newFake(), Options{CheckNaN: true})
	a := alloc(t, d, kernels.Float32, 300)
	nan := float32(math.NaN())
	d.Upload(a, slices.Repeat([]float32{nan}, 300)) // what was there before is nobody's fault
	fill(d, a.At(0, 100), 1)
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	fill(d, a.At(50, 20), nan)
	var e *NaNError
	if err := d.Sync(); !errors.As(err, &e) || e.At != 0 || !strings.Contains(e.Operand, "float32[20]") || !strings.Contains(e.Launch, "fill_f32") {
		t.Errorf("%v", err)
	}
	d.Free(a)
}

// TestWarnsOfSpills: code that the driver's compiler made worse than ptxas did
// is named when it is loaded.
func TestWarnsOfSpills(t *testing.T) {
	f := newFake()
	f.local, f.registers = 16, 12
	var said []string
	d := open(t, f, Options{Warn: func(s string) { said = append(said, s) }})
	if len(said) != 1 || !strings.Contains(said[0], "fill_f32 spills 16 bytes") { // 12 registers are allocated as 16, like the table's 10
		t.Errorf("%q", said)
	}
	all, err := d.Kernels()
	if err != nil || len(all) != len(ptx.All()) || all[ptx.FillF32.Index()].Registers != 12 || all[ptx.FillF32.Index()].Expected == 0 {
		t.Errorf("%v %v", all, err)
	}
	f = newFake()
	f.registers, said = 24, nil
	open(t, f, Options{Warn: func(s string) { said = append(said, s) }})
	if len(said) != 1 || !strings.Contains(said[0], "fill_f32 takes 24 registers a thread") {
		t.Errorf("%q", said)
	}
}

func TestSharedMemory(t *testing.T) {
	f := newFake()
	d := open(t, f, Options{})
	a := alloc(t, d, kernels.Float32, 1)
	launch := func(shared int) error {
		l := d.op(ptx.FillF32)
		l.mem(a)
		l.step(1)
		l.i32(1)
		l.run(1, 1, 1, shared)
		return d.Sync()
	}
	for _, c := range []struct{ shared, asked int }{{1000, 0}, {96 << 10, 1}, {80 << 10, 1}, {200 << 10, 2}} {
		if err := launch(c.shared); err != nil || f.calls["cuFuncSetAttribute"] != c.asked {
			t.Errorf("%d bytes: %v, asked %d times", c.shared, err, f.calls["cuFuncSetAttribute"])
		}
	}
	if err := launch(300 << 10); err == nil || !strings.Contains(err.Error(), "the device has 232448 a block") {
		t.Errorf("%v", err)
	}
	d.Free(a)
}

// TestThreads issues from many goroutines: the context must be current on
// whichever thread a call lands on (the fake insists), and under -race nothing
// may be shared without the lock.
func TestThreads(t *testing.T) {
	d := open(t, newFake(), Options{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				a, err := d.Alloc(kernels.Float32, 100+i)
				if err != nil {
					t.Error(err)
					return
				}
				v := float32(100*g + i)
				fill(d, a, v)
				got := make([]float32, a.Len)
				if err := d.Download(got, a); err != nil || got[0] != v || got[a.Len-1] != v {
					t.Errorf("%v: %v, %v", v, got[0], err)
				}
				d.Free(a)
			}
		})
	}
	wg.Wait()
}

func TestScratch(t *testing.T) {
	d := open(t, newFake(), Options{})
	a := d.scratch(1000)
	if b := d.scratch(500); b.Dev != a.Dev || b.Len != 125 {
		t.Errorf("%v after %v", b, a)
	}
	big := d.scratch(1 << 20)
	if big.Len != 1<<18 {
		t.Errorf("%v", big)
	}
	if s := d.Memory(); s.Pieces != 1 {
		t.Errorf("%d pieces: a scratch that grew keeps the old one", s.Pieces)
	}
}

func TestClosed(t *testing.T) {
	d := open(t, newFake(), Options{})
	a := alloc(t, d, kernels.Float32, 1)
	d.Close()
	if err := d.Sync(); err == nil {
		t.Error("Sync after Close: no error")
	}
	if _, err := d.Alloc(kernels.Float32, 1); err == nil {
		t.Error("Alloc after Close: no error")
	}
	d.Free(a)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
