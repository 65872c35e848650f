package emu

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
)

const scaleKernel = `.reg .b32 %r<3>; .reg .f32 %f<3>; .reg .b64 %d<3>; .reg .pred %p;
	ld.param.u64 %d0, [x]; ld.param.f32 %f0, [a]; ld.param.u32 %r0, [n]; mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.u32 %r1, %r1, %r2, 0;
	mov.u32 %r2, %tid.x; add.u32 %r1, %r1, %r2; setp.ge.u32 %p, %r1, %r0; @%p ret; mul.wide.u32 %d1, %r1, 4; add.u64 %d0, %d0, %d1;
	ld.global.f32 %f1, [%d0]; mul.f32 %f1, %f1, %f0; st.global.f32 [%d0], %f1; ret;`

// scale multiplies n floats by a.
func (r *rig) scale() driver.Function {
	return r.kernel(strings.Replace(ptx(".param .u64 x, .param .f32 a, .param .u32 n", scaleKernel), "\n{", "\n.maxntid 64, 1, 1\n{", 1))
}

// code fails the test unless err is the driver's error code with text in it.
func (r *rig) code(err error, code int, text string) {
	r.Helper()
	if !driver.IsCode(err, code) || !strings.Contains(err.Error(), text) {
		r.Errorf("have %v, want code %d with %q", err, code, text)
	}
}

func (r *rig) pinnedFloats(v ...float32) (unsafe.Pointer, []float32) {
	p, err := r.MemAllocHost(4 * len(v))
	r.ok(err)
	s := unsafe.Slice((*float32)(p), len(v))
	copy(s, v)
	return p, s
}

// TestWorkIsLate: what nobody waits for has not happened, and copies read
// pinned memory when they run.
func TestWorkIsLate(t *testing.T) {
	for _, eager := range []bool{false, true} {
		r := newRig(t, Config{Eager: eager})
		f, d := r.scale(), r.empty(8)
		p, host := r.pinnedFloats(1, 2)
		r.ok(r.MemcpyHtoDAsync(d, p, 8, r.s))
		r.ok(r.LaunchKernel(f, x(1), x(64), 0, r.s, pack(d, float32(10), uint32(2))))
		host[0] = 5 // too early
		r.ok(r.MemcpyDtoHAsync(p, d, 8, r.s))
		if seen := host[1] == 20; seen != eager {
			t.Errorf("eager %v: before the wait the host has %v", eager, host)
		}
		r.ok(r.StreamSynchronize(r.s))
		if want := map[bool]float32{true: 10, false: 50}[eager]; host[0] != want {
			t.Errorf("eager %v: %v", eager, host)
		}
	}
}

func TestStreamsAndEvents(t *testing.T) {
	r := newRig(t, Config{})
	other := must(r.StreamCreate(driver.StreamNonBlocking))
	e, done := must(r.EventCreate(0)), must(r.EventCreate(0))
	f, d := r.scale(), r.empty(8)
	p, host := r.pinnedFloats(1, 2)
	r.ok(r.MemcpyHtoDAsync(d, p, 8, r.s))
	r.ok(r.EventRecord(e, r.s))
	r.code(r.EventQuery(e), driver.NotReady, "") // ran the copy
	r.ok(r.StreamWaitEvent(other, e))
	r.ok(r.LaunchKernel(f, x(1), x(2), 0, other, pack(d, float32(3), uint32(2))))
	r.ok(r.MemcpyDtoHAsync(p, d, 8, other))
	r.ok(r.EventRecord(done, other))
	if _, err := r.EventElapsedTime(e, done); !driver.IsCode(err, driver.NotReady) {
		t.Error(err)
	}
	for range 100 {
		if err := r.StreamQuery(other); err == nil {
			break
		} else if !driver.IsCode(err, driver.NotReady) {
			t.Fatal(err)
		}
	}
	if host[1] != 6 {
		t.Errorf("after asking long enough the host has %v", host)
	}
	r.ok(r.EventSynchronize(done))
	if ms, err := r.EventElapsedTime(e, done); err != nil || ms < 0 {
		t.Error(ms, err)
	}
	// The default stream waits for the blocking ones, and they for it.
	blocking := must(r.StreamCreate(0))
	r.ok(r.MemsetD32Async(d, 0x40000000, 2, blocking))
	r.ok(r.LaunchKernel(f, x(1), x(2), 0, 0, pack(d, float32(4), uint32(2))))
	r.ok(r.MemcpyDtoHAsync(p, d, 8, blocking))
	r.ok(r.StreamSynchronize(blocking))
	if host[0] != 8 {
		t.Errorf("through the default stream: %v", host)
	}
	// Without an event nothing orders two streams.
	r.ok(r.MemsetD32Async(d, 0, 2, r.s))
	r.ok(r.MemcpyDtoHAsync(p, d, 8, other))
	r.ok(r.StreamSynchronize(other))
	if host[0] != 8 {
		t.Error("an unordered memset ran first")
	}
}

func TestGraphs(t *testing.T) {
	r := newRig(t, Config{})
	f, d, step := r.scale(), r.empty(8), r.empty(4)
	p, host := r.pinnedFloats(1, 2)
	capture := func(a float32) driver.Graph {
		r.ok(r.StreamBeginCapture(r.s))
		args := pack(d, a, uint32(2))
		r.ok(r.LaunchKernel(f, x(1), x(2), 0, r.s, args))
		clear(args) // copied at the capture
		r.ok(r.MemcpyDtoHAsync(p, d, 8, r.s))
		return must(r.StreamEndCapture(r.s))
	}
	r.ok(r.MemcpyHtoDAsync(d, p, 8, r.s))
	exec := must(r.GraphInstantiate(capture(2)))
	if r.Counters("k").Launches != 0 {
		t.Error("a captured kernel ran")
	}
	for range 3 {
		r.ok(r.GraphLaunch(exec, r.s))
	}
	r.ok(r.StreamSynchronize(r.s))
	if host[1] != 16 || r.Counters("k").Launches != 3 {
		t.Errorf("three replays: %v", host)
	}
	r.ok(r.GraphExecUpdate(exec, capture(0.5)))
	r.ok(r.GraphLaunch(exec, r.s))
	r.ok(r.StreamSynchronize(r.s))
	if host[1] != 8 {
		t.Errorf("after the update: %v", host)
	}
	r.ok(r.StreamBeginCapture(r.s))
	r.ok(r.MemsetD8Async(step, 0, 4, r.s))
	g := must(r.StreamEndCapture(r.s))
	r.code(r.GraphExecUpdate(exec, g), driver.GraphUpdateFailure, "1 nodes")
	// What may not be done while capturing.
	for name, call := range map[string]func() error{
		"alloc":       func() error { _, err := r.MemAlloc(4); return err },
		"free":        func() error { return r.MemFree(d) },
		"synchronise": func() error { return r.StreamSynchronize(r.s) },
		"context":     func() error { return r.CtxSynchronize() },
		"query":       func() error { return r.StreamQuery(r.s) },
		"load":        func() error { _, _, err := r.ModuleLoadData(ptx("", "ret;")); return err },
	} {
		r.ok(r.StreamBeginCapture(r.s))
		r.code(call(), driver.CaptureUnsupported, "captur")
		if _, err := r.StreamEndCapture(r.s); !driver.IsCode(err, driver.CaptureInvalidated) {
			t.Errorf("%s: the capture lives on: %v", name, err)
		}
	}
	// Another stream joins by an event.
	other, e := must(r.StreamCreate(1)), must(r.EventCreate(0))
	r.ok(r.StreamBeginCapture(r.s))
	r.ok(r.EventRecord(e, r.s))
	r.ok(r.StreamWaitEvent(other, e))
	r.ok(r.MemsetD32Async(d, 0, 2, other))
	r.ok(r.EventRecord(e, other))
	r.ok(r.StreamWaitEvent(r.s, e))
	r.ok(r.MemcpyDtoHAsync(p, d, 8, r.s))
	exec = must(r.GraphInstantiate(must(r.StreamEndCapture(r.s))))
	r.ok(r.GraphLaunch(exec, r.s))
	r.ok(r.StreamSynchronize(r.s))
	if host[1] != 0 {
		t.Errorf("two streams in a graph: %v", host)
	}
	r.ok(r.GraphExecDestroy(exec))
	r.code(r.GraphLaunch(exec, r.s), driver.InvalidHandle, "")
}

// TestHostMistakes: what the program, not a kernel, does wrong.
func TestHostMistakes(t *testing.T) {
	r := newRig(t, Config{PinnedOnly: true})
	f, d := r.scale(), r.empty(256)
	p, _ := r.pinnedFloats(make([]float32, 64)...)
	r.code(r.MemcpyHtoDAsync(d, unsafe.Pointer(&make([]byte, 256)[0]), 256, r.s), driver.InvalidValue, "MemAllocHost")
	r.code(r.MemcpyHtoDAsync(d+4, p, 256, r.s), driver.InvalidValue, "4 bytes past the end")
	r.code(r.MemcpyDtoDAsync(d, d+16, 64, r.s), driver.InvalidValue, "overlap")
	r.code(r.MemFree(d+16), driver.InvalidValue, "not the start")
	r.code(r.LaunchKernel(f, x(1), x(64), 0, r.s, pack(d, float32(1))), driver.InvalidValue, "12 bytes of arguments, the kernel has 16")
	r.code(r.LaunchKernel(f, x(1), x(65), 0, r.s, pack(d, float32(1), uint32(4))), driver.InvalidValue, ".maxntid allows 64")
	r.code(r.LaunchKernel(f, x(0), x(64), 0, r.s, pack(d, float32(1), uint32(4))), driver.InvalidValue, "grid")
	r.code(r.LaunchKernel(f, x(1), x(64), 64, r.s, pack(d, float32(1), uint32(4))), driver.InvalidValue, "dynamic shared")
	r.code(r.FuncSetAttribute(f, driver.FuncMaxDynamicShared, 1<<20), driver.InvalidValue, "1048576 bytes")
	gone := r.empty(16)
	r.ok(r.MemFree(gone))
	r.code(r.MemFree(gone), driver.InvalidValue, "freed before")
	r.code(r.MemsetD8Async(gone, 0, 16, r.s), driver.InvalidValue, "in freed allocation")
	q, _ := r.pinnedFloats(1)
	r.ok(r.MemFreeHost(q))
	r.code(r.MemFreeHost(q), driver.InvalidValue, "freed before")
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // another thread has no context
		_, err := r.MemAlloc(4)
		done <- err
	}()
	if runtime.GOOS == "linux" {
		r.code(<-done, driver.InvalidContext, "on this thread")
	}
	r.code(r.StreamSynchronize(0x77), driver.InvalidHandle, "")
	if _, err := r.ModuleGetFunction(0x1000, "k"); err == nil {
		t.Error("a function of no module")
	}
	if _, _, err := r.ModuleLoadData(ptx("", "frob.u32 %r1, 2;")); !driver.IsCode(err, driver.InvalidPTX) || !strings.Contains(err.Error(), "k.ptx:6: unknown instruction frob") {
		t.Error(err)
	}
}

// TestLateMistakes come out of the wait, and end the context.
func TestLateMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(r *rig, f driver.Function, d driver.Ptr, p unsafe.Pointer) error
		want string
	}{
		"memory freed before the kernel ran": {func(r *rig, f driver.Function, d driver.Ptr, _ unsafe.Pointer) error {
			r.ok(r.LaunchKernel(f, x(1), x(64), 0, r.s, pack(d, float32(1), uint32(4))))
			return r.MemFree(d)
		}, "in freed allocation"},
		"pinned memory freed before the copy ran": {func(r *rig, _ driver.Function, d driver.Ptr, p unsafe.Pointer) error {
			r.ok(r.MemcpyDtoHAsync(p, d, 16, r.s))
			return r.MemFreeHost(p)
		}, "was freed before the copy ran"},
		"one element too many": {func(r *rig, f driver.Function, d driver.Ptr, _ unsafe.Pointer) error {
			return r.LaunchKernel(f, x(1), x(64), 0, r.s, pack(d, float32(1), uint32(5)))
		}, "thread (4,0,0): read of 4 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{})
			p, _ := r.pinnedFloats(1, 2, 3, 4)
			d := r.empty(16)
			r.ok(r.MemcpyHtoDAsync(d, p, 16, r.s))
			r.ok(c.do(r, r.scale(), d, p))
			r.code(r.StreamSynchronize(r.s), driver.IllegalAddress, c.want)
			_, err := r.MemAlloc(4)
			var e *driver.Error
			if !errors.As(err, &e) || !e.Sticky() {
				t.Errorf("the next call gives %v", err)
			}
			r.ok(r.PrimaryCtxRelease(0)) // a new context is whole again
			r.ok(r.CtxSetCurrent(must(r.PrimaryCtxRetain(0))))
			r.empty(4)
		})
	}
}

// TestBrokenDevices are what Config can break.
func TestBrokenDevices(t *testing.T) {
	r := newRig(t, Config{Memory: 1 << 20})
	_, err := r.MemAlloc(2 << 20)
	r.code(err, driver.OutOfMemory, "2097152 bytes asked for, 0 of 1048576 in use")
	free, total, err := r.MemGetInfo()
	r.ok(err)
	r.empty(1 << 19)
	if f2, _, _ := r.MemGetInfo(); free-f2 != 1<<19 || total != 1<<20 {
		t.Error(free, f2, total)
	}
	load := func(c Config) (*rig, error) {
		r := newRig(t, c)
		_, _, err := r.ModuleLoadData(ptx("", "ret;"))
		return r, err
	}
	r, err = load(Config{Version: 10020})
	r.code(err, driver.UnsupportedPTXVersion, "driver too old")
	r, err = load(Config{Capability: [2]int{7, 5}})
	r.code(err, driver.NoBinaryForGPU, "the device has 7.5")
	r, err = load(Config{NoJIT: true})
	r.code(err, driver.JITCompilerNotFound, "libnvidia-ptxjitcompiler")
	r = newRig(t, Config{FailLaunch: 2})
	f, d := r.scale(), r.buffer([]float32{1})
	r.launch(f, 1, 64, d, float32(1), uint32(1))
	r.code(r.try(f, x(1), x(64), 0, d, float32(1), uint32(1)), driver.LaunchFailed, "launch 2")
}

func TestDevices(t *testing.T) {
	r := newRig(t, Config{Devices: 2})
	if n, _ := r.DeviceCount(); n != 2 {
		t.Error(n)
	}
	for a, want := range map[driver.Attribute]int{driver.ComputeCapabilityMajor: 9, driver.WarpSize: 32, driver.MultiprocessorCount: 132} {
		if v, err := r.DeviceAttribute(a, 1); err != nil || v != want {
			t.Error(a, v, err)
		}
	}
	f := r.scale()
	if n, err := r.OccupancyMaxActiveBlocksPerMultiprocessor(f, 64, 0); n != 32 || err != nil {
		t.Error(n, err)
	}
	if n, err := r.OccupancyMaxActiveBlocksPerMultiprocessor(f, 64, 48<<10); n != 4 || err != nil {
		t.Error(n, err)
	}
	if n, err := r.FuncGetAttribute(driver.FuncMaxThreads, f); n != 64 || err != nil {
		t.Error(n, err)
	}
	d := r.empty(16)
	r.ok(r.CtxSetCurrent(must(r.PrimaryCtxRetain(1))))
	r.code(r.MemsetD8Async(d, 0, 16, 0), driver.InvalidValue, "no allocation ever had")
	r.code(r.LaunchKernel(f, x(1), x(64), 0, 0, pack(d, float32(1), uint32(1))), driver.InvalidHandle, "device 0")
	if _, err := r.DeviceName(2); !driver.IsCode(err, driver.InvalidDevice) {
		t.Error(err)
	}
}

// TestVariables: .global and .const variables have addresses and values, a
// dynamic shared array has the size of the launch.
func TestVariables(t *testing.T) {
	text := strings.Replace(ptx(".param .u64 out", `.reg .b32 %r<8>; .reg .b64 %d<3>; ld.param.u64 %d0, [out]; mov.u64 %d1, counts;
		ld.const.u32 %r0, [table+4]; atom.global.add.u32 %r1, [%d1+4], 5; mov.u32 %r2, dyn; st.shared.u32 [%r2+96], %r0; ld.shared.u32 %r3, [dyn+96];
		ld.global.u32 %r4, [counts+4]; mov.u32 %r5, %dynamic_smem_size; st.global.v4.u32 [%d0], {%r0,%r1,%r3,%r5}; st.global.u32 [%d0+16], %r4; ret;`),
		".visible", ".const .u32 table[3] = {10, 20, 30};\n.global .align 8 .u32 counts[2];\n.extern .shared .align 16 .b8 dyn[];\n.visible", 1)
	r := newRig(t, Config{})
	f := r.kernel(text)
	r.ok(r.FuncSetAttribute(f, driver.FuncMaxDynamicShared, 100<<10))
	out := r.empty(20)
	r.ok(r.try(f, x(1), x(1), 100<<10, out))
	var got [5]uint32
	r.read(&got, out)
	if got != [5]uint32{20, 0, 20, 100 << 10, 5} {
		t.Error(got)
	}
	r.code(r.try(f, x(1), x(1), 96, out), driver.IllegalAddress, "outside of dyn")
}

func TestCopiesKeepWhatIsUnwritten(t *testing.T) {
	r := newRig(t, Config{})
	a, b := r.empty(16), r.empty(16)
	r.ok(r.MemsetD32Async(a, 7, 2, r.s))
	r.ok(r.MemcpyDtoDAsync(b, a, 16, r.s))
	var bits [4]uint32
	r.read(&bits, b)
	if f := f32(uint64(bits[2])); bits[0] != 7 || f == f {
		t.Errorf("%x", bits)
	}
	r.code(r.try(r.scale(), x(1), x(64), 0, b, float32(1), uint32(3)), driver.LaunchFailed, "nobody has written")
}
