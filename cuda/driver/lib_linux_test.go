//go:build amd64 || arm64

package driver

import (
	"encoding/binary"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// stub compiles a libcuda that needs no GPU.
func stub(t *testing.T, flags ...string) string {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler (cc) here: the calls of a real library are not tested")
	}
	lib := filepath.Join(t.TempDir(), "libcuda.so.1")
	out, err := exec.Command(cc, append(flags, "-O1", "-shared", "-fPIC", "-o", lib, "testdata/stub.c")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return lib
}

func reason(err error) string {
	var u *Unavailable
	if errors.As(err, &u) {
		return u.Reason
	}
	return ""
}

func TestNoLibrary(t *testing.T) {
	_, err := OpenLibrary("libcuda-that-is-not-there.so.1")
	if reason(err) != "no libcuda-that-is-not-there.so.1" || !strings.Contains(err.Error(), "install NVIDIA's driver") {
		t.Errorf("%v", err)
	}
}

func TestMissingSymbol(t *testing.T) {
	_, err := OpenLibrary(stub(t, "-DMISSING"))
	if reason(err) != "driver too old (needs CUDA 11.0)" || !strings.Contains(err.Error(), "lacks cuGraphExecDestroy") {
		t.Errorf("%v", err)
	}
}

func TestInitFails(t *testing.T) {
	lib := stub(t)
	for code, want := range map[string]string{"100": "no GPU", "803": "the driver does not start", "4321": "the driver does not start"} {
		t.Setenv("STUB_INIT", code)
		_, err := OpenLibrary(lib)
		if reason(err) != want {
			t.Errorf("cuInit returns %s: %v", code, err)
		}
		if code == "4321" && !strings.Contains(err.Error(), "CUDA_ERROR_OF_THE_STUB (4321): the stub said so") {
			t.Errorf("%v", err)
		}
	}
}

// TestCalls makes every call once against a library that looks at the order
// and width of its arguments.
func TestCalls(t *testing.T) {
	l, err := OpenLibrary(stub(t))
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ok := func(what string, good bool, errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil || !good {
			t.Errorf("%s: %v, %v", what, good, err)
		}
	}
	code := func(want int, err error) {
		t.Helper()
		if !IsCode(err, want) {
			t.Errorf("%v, want code %d", err, want)
		}
	}
	v, err := l.Version()
	ok("version", v == 12040, err)
	n, err := l.DeviceCount()
	ok("count", n == 1, err)
	name, err := l.DeviceName(0)
	ok("name", name == "Stub", err)
	_, err = l.DeviceName(1)
	code(InvalidDevice, err)
	total, err := l.DeviceTotalMem(0)
	ok("memory", total == 5<<30, err)
	major, err := l.DeviceAttribute(ComputeCapabilityMajor, 0)
	ok("capability", major == 8, err)
	c, err := l.PrimaryCtxRetain(0)
	ok("context", c == 0x77, err)
	code(InvalidContext, l.CtxSynchronize())
	ok("current", true, l.CtxSetCurrent(c), l.CtxSynchronize())

	_, log, err := l.ModuleLoadData("nonsense")
	code(InvalidPTX, err)
	ok("log", strings.HasPrefix(log, "line 1: syntax error"))
	m, log, err := l.ModuleLoadData(".version 7.0")
	ok("module", m == 0x88 && log == "info", err)
	_, err = l.ModuleGetFunction(m, "other")
	code(NotFound, err)
	f, err := l.ModuleGetFunction(m, "fill_f32")
	ok("function", f == 0x99, err)
	r, err := l.FuncGetAttribute(FuncRegisters, f)
	ok("registers", r == 14, err)
	ok("shared", true, l.FuncSetAttribute(f, FuncMaxDynamicShared, 65536))
	r, err = l.OccupancyMaxActiveBlocksPerMultiprocessor(f, 3, 4)
	ok("occupancy", r == 7, err)

	s, err := l.StreamCreate(StreamNonBlocking)
	ok("stream", s == 0x101, err, l.StreamSynchronize(s))
	code(NotReady, l.StreamQuery(s))
	e, err := l.EventCreate(EventDisableTiming)
	ok("event", e == 0x202, err, l.EventRecord(e, s), l.EventSynchronize(e), l.StreamWaitEvent(s, e))
	code(NotReady, l.EventQuery(e))
	ms, err := l.EventElapsedTime(e, e)
	ok("elapsed", ms == 1.5, err)

	const count = 100
	a, err := l.MemAlloc(4 * count)
	ok("alloc", a != 0, err)
	b, err := l.MemAlloc(4 * count)
	ok("alloc", b != 0, err)
	_, err = l.MemAlloc(2 << 30)
	code(OutOfMemory, err)
	free, total, err := l.MemGetInfo()
	ok("info", free == 3 && total == 7, err)
	h, err := l.MemAllocHost(4 * count)
	ok("pinned", h != nil, err)
	words := unsafe.Slice((*uint32)(h), count)
	words[0] = 0x40490fdb
	ok("copies", true, l.MemcpyHtoDAsync(b, h, 4*count, s), l.MemsetD8Async(a, 0xff, 4*count, s), l.MemsetD32Async(a, 7, 2, s), l.MemcpyDtoHAsync(h, a, 4*count, s))
	ok("memset", words[0] == 7 && words[1] == 7 && words[2] == 0xffffffff)

	args := binary.LittleEndian.AppendUint64(nil, uint64(a))
	args = binary.LittleEndian.AppendUint64(args, uint64(b))
	args = binary.LittleEndian.AppendUint32(args, count)
	launch := func() error { return l.LaunchKernel(f, Dim3{2, 3, 4}, Dim3{5, 6, 7}, 8, s, args) }
	ok("launch", true, launch(), l.MemcpyDtoHAsync(h, a, 4*count, s))
	ok("fill", words[0] == 0x40490fdb && words[count-1] == 0x40490fdb)
	code(InvalidValue, l.LaunchKernel(f, Dim3{2, 3, 4}, Dim3{5, 6, 7}, 9, s, args))
	code(InvalidValue, l.LaunchKernel(f, Dim3{2, 3, 4}, Dim3{5, 6, 7}, 8, s, make([]byte, 5000)))
	ok("copy", true, l.MemcpyDtoDAsync(b, a, 4*count, s))

	ok("capture", true, l.StreamBeginCapture(s), launch())
	g, err := l.StreamEndCapture(s)
	ok("graph", g == 0x300, err)
	x, err := l.GraphInstantiate(g)
	ok("instance", x == 0x400, err, l.GraphExecUpdate(x, g), l.GraphLaunch(x, s), l.GraphDestroy(g), l.GraphExecDestroy(x))

	if n := testing.AllocsPerRun(50, func() { launch() }); n > 0 {
		t.Errorf("%v allocations a launch", n)
	}
	ok("end", true, l.MemFreeHost(h), l.MemFree(a), l.MemFree(b), l.EventDestroy(e), l.StreamDestroy(s), l.ModuleUnload(m), l.PrimaryCtxRelease(0), l.CtxSetCurrent(0))
}
