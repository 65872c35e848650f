package cuda

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// fake is a driver for the runtime's tests: memory on the host, the one kernel
// fill_f32 in Go, commands run when they are issued, graphs are lists. It
// counts what is not given back, remembers the calls, insists on the context
// being current on the thread, and fails where it is told to.
type fake struct {
	mu               sync.Mutex
	version          int
	major            int
	minor            int
	limit            int64 // device memory
	inUse            int64
	next             uint64
	mem              map[driver.Ptr][]byte
	pinned           map[unsafe.Pointer][]byte
	handles          map[uintptr]string
	last             uintptr
	calls            map[string]int
	faults           map[string]fault
	current          map[int]driver.Context // by thread
	capture          []func() error
	inside           bool // capturing
	graphs           map[uintptr][]func() error
	launches         []string // grids of fill_f32 that ran
	local, registers int
}

// fault lets a call fail with code after so many successes.
type fault struct{ after, code int }

func newFake() *fake {
	return &fake{version: 12040, major: 9, limit: 1 << 30, next: 1 << 20,
		mem: map[driver.Ptr][]byte{}, pinned: map[unsafe.Pointer][]byte{}, handles: map[uintptr]string{},
		calls: map[string]int{}, faults: map[string]fault{}, current: map[int]driver.Context{}, graphs: map[uintptr][]func() error{}}
}

// enter counts a call and returns its fault.
func (f *fake) enter(call string) error {
	f.calls[call]++
	if x, ok := f.faults[call]; ok && f.calls[call] > x.after {
		return driver.Fail(call, x.code)
	}
	return nil
}

// bound is enter for calls that need a context.
func (f *fake) bound(call string) error {
	if f.current[thread()] == 0 {
		return driver.Fail(call, driver.InvalidContext)
	}
	return f.enter(call)
}

func (f *fake) handle(kind string) uintptr {
	f.last++
	f.handles[f.last] = kind
	return f.last
}

func (f *fake) drop(h uintptr, kind string) error {
	if f.handles[h] != kind {
		return driver.Fail("drop "+kind, driver.InvalidHandle)
	}
	delete(f.handles, h)
	return nil
}

// leaks lists what was not given back.
func (f *fake) leaks() (all []string) {
	for p, b := range f.mem {
		all = append(all, fmt.Sprintf("%d bytes at %#x", len(b), uint64(p)))
	}
	for _, b := range f.pinned {
		all = append(all, fmt.Sprintf("%d pinned bytes", len(b)))
	}
	for h, kind := range f.handles {
		all = append(all, fmt.Sprintf("%s %d", kind, h))
	}
	return all
}

// at is device memory at p.
func (f *fake) at(p driver.Ptr, n int) ([]byte, error) {
	for base, b := range f.mem {
		if p >= base && p+driver.Ptr(n) <= base+driver.Ptr(len(b)) {
			return b[p-base : int(p-base)+n], nil
		}
	}
	return nil, driver.Fail(fmt.Sprintf("access to %#x", uint64(p)), driver.IllegalAddress)
}

// do runs a command, or captures it.
func (f *fake) do(g func() error) error {
	if f.inside {
		f.capture = append(f.capture, g)
		return nil
	}
	return g()
}

func (f *fake) lock() func() { f.mu.Lock(); return f.mu.Unlock }

func (f *fake) Name() string                                { return "fake" }
func (f *fake) Version() (int, error)                       { return f.version, f.enter("cuDriverGetVersion") }
func (f *fake) DeviceCount() (int, error)                   { return 1, f.enter("cuDeviceGetCount") }
func (f *fake) DeviceName(driver.Device) (string, error)    { return "Fake", nil }
func (f *fake) DeviceTotalMem(driver.Device) (int64, error) { return f.limit, nil }
func (f *fake) CtxSynchronize() error                       { return nil }
func (f *fake) MemGetInfo() (int64, int64, error)           { return f.limit - f.inUse, f.limit, nil }
func (f *fake) StreamQuery(driver.Stream) error             { return nil }
func (f *fake) EventSynchronize(driver.Event) error {
	defer f.lock()()
	return f.bound("cuEventSynchronize")
}
func (f *fake) EventQuery(driver.Event) error                        { return nil }
func (f *fake) EventRecord(driver.Event, driver.Stream) error        { return nil }
func (f *fake) GraphExecUpdate(driver.GraphExec, driver.Graph) error { return nil }
func (f *fake) StreamWaitEvent(driver.Stream, driver.Event) error {
	defer f.lock()()
	return f.bound("cuStreamWaitEvent")
}
func (f *fake) EventElapsedTime(driver.Event, driver.Event) (float32, error) { return 1, nil }
func (f *fake) OccupancyMaxActiveBlocksPerMultiprocessor(driver.Function, int, int) (int, error) {
	return 8, nil
}
func (f *fake) DeviceAttribute(a driver.Attribute, _ driver.Device) (int, error) {
	switch a {
	case driver.ComputeCapabilityMajor:
		return f.major, nil
	case driver.ComputeCapabilityMinor:
		return f.minor, nil
	case driver.SharedPerBlockOptin:
		return 227 << 10, nil
	}
	return 132, nil
}

func (f *fake) PrimaryCtxRetain(driver.Device) (driver.Context, error) {
	defer f.lock()()
	if err := f.enter("cuDevicePrimaryCtxRetain"); err != nil {
		return 0, err
	}
	return driver.Context(f.handle("context")), nil
}

func (f *fake) PrimaryCtxRelease(driver.Device) error {
	defer f.lock()()
	for h, k := range f.handles {
		if k == "context" {
			return f.drop(h, k)
		}
	}
	return driver.Fail("cuDevicePrimaryCtxRelease", driver.InvalidContext)
}

func (f *fake) CtxSetCurrent(c driver.Context) error {
	defer f.lock()()
	f.current[thread()] = c
	return f.enter("cuCtxSetCurrent")
}

func (f *fake) ModuleLoadData(text string) (driver.Module, string, error) {
	defer f.lock()()
	if err := f.bound("cuModuleLoadDataEx"); err != nil {
		return 0, "the log", err
	}
	return driver.Module(f.handle("module")), "", nil
}

func (f *fake) ModuleUnload(m driver.Module) error {
	defer f.lock()()
	return f.drop(uintptr(m), "module")
}

func (f *fake) ModuleGetFunction(m driver.Module, name string) (driver.Function, error) {
	defer f.lock()()
	return 77, f.bound("cuModuleGetFunction")
}

func (f *fake) FuncGetAttribute(a driver.FuncAttribute, _ driver.Function) (int, error) {
	switch a {
	case driver.FuncLocalBytes:
		return f.local, nil
	case driver.FuncRegisters:
		return f.registers, nil
	case driver.FuncMaxThreads:
		return 1024, nil
	}
	return 256, nil
}

func (f *fake) FuncSetAttribute(driver.Function, driver.FuncAttribute, int) error {
	defer f.lock()()
	return f.bound("cuFuncSetAttribute")
}

func (f *fake) MemAlloc(n int) (driver.Ptr, error) {
	defer f.lock()()
	if err := f.bound("cuMemAlloc"); err != nil {
		return 0, err
	}
	if f.inUse+int64(n) > f.limit {
		return 0, driver.Fail("cuMemAlloc", driver.OutOfMemory)
	}
	p := driver.Ptr(f.next)
	f.next += uint64(n+1<<20) &^ 511
	f.mem[p] = make([]byte, n)
	f.inUse += int64(n)
	return p, nil
}

func (f *fake) MemFree(p driver.Ptr) error {
	defer f.lock()()
	if _, ok := f.mem[p]; !ok {
		return driver.Fail("cuMemFree", driver.InvalidValue)
	}
	f.inUse -= int64(len(f.mem[p]))
	delete(f.mem, p)
	return f.bound("cuMemFree")
}

func (f *fake) MemAllocHost(n int) (unsafe.Pointer, error) {
	defer f.lock()()
	if err := f.bound("cuMemAllocHost"); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	f.pinned[unsafe.Pointer(&b[0])] = b
	return unsafe.Pointer(&b[0]), nil
}

func (f *fake) MemFreeHost(p unsafe.Pointer) error {
	defer f.lock()()
	if _, ok := f.pinned[p]; !ok {
		return driver.Fail("cuMemFreeHost", driver.InvalidValue)
	}
	delete(f.pinned, p)
	return nil
}

func (f *fake) MemcpyHtoDAsync(dst driver.Ptr, src unsafe.Pointer, n int, _ driver.Stream) error {
	defer f.lock()()
	if err := f.bound("cuMemcpyHtoDAsync"); err != nil {
		return err
	}
	to, err := f.at(dst, n)
	copy(to, unsafe.Slice((*byte)(src), n))
	return err
}

func (f *fake) MemcpyDtoHAsync(dst unsafe.Pointer, src driver.Ptr, n int, _ driver.Stream) error {
	defer f.lock()()
	if err := f.bound("cuMemcpyDtoHAsync"); err != nil {
		return err
	}
	from, err := f.at(src, n)
	copy(unsafe.Slice((*byte)(dst), n), from)
	return err
}

func (f *fake) MemcpyDtoDAsync(dst, src driver.Ptr, n int, _ driver.Stream) error {
	defer f.lock()()
	if err := f.bound("cuMemcpyDtoDAsync"); err != nil {
		return err
	}
	return f.do(func() error {
		from, err := f.at(src, n)
		if err != nil {
			return err
		}
		to, err := f.at(dst, n)
		copy(to, from)
		return err
	})
}

func (f *fake) MemsetD8Async(driver.Ptr, byte, int, driver.Stream) error    { panic("not used") }
func (f *fake) MemsetD32Async(driver.Ptr, uint32, int, driver.Stream) error { panic("not used") }

func (f *fake) StreamCreate(uint32) (driver.Stream, error) {
	defer f.lock()()
	if err := f.bound("cuStreamCreate"); err != nil {
		return 0, err
	}
	return driver.Stream(f.handle("stream")), nil
}
func (f *fake) StreamDestroy(s driver.Stream) error {
	defer f.lock()()
	return f.drop(uintptr(s), "stream")
}
func (f *fake) StreamSynchronize(driver.Stream) error {
	defer f.lock()()
	return f.bound("cuStreamSynchronize")
}
func (f *fake) EventCreate(uint32) (driver.Event, error) {
	defer f.lock()()
	return driver.Event(f.handle("event")), f.bound("cuEventCreate")
}
func (f *fake) EventDestroy(e driver.Event) error {
	defer f.lock()()
	return f.drop(uintptr(e), "event")
}

func (f *fake) LaunchKernel(_ driver.Function, grid, block driver.Dim3, _ int, _ driver.Stream, args []byte) error {
	defer f.lock()()
	if err := f.bound("cuLaunchKernel"); err != nil {
		return err
	}
	y, v := driver.Ptr(binary.LittleEndian.Uint64(args)), driver.Ptr(binary.LittleEndian.Uint64(args[8:]))
	n := int(binary.LittleEndian.Uint32(args[16:]))
	return f.do(func() error {
		f.launches = append(f.launches, fmt.Sprint(grid))
		from, err := f.at(v, 4)
		if err != nil {
			return err
		}
		to, err := f.at(y, 4*n)
		for i := 0; i < len(to); i += 4 {
			copy(to[i:], from)
		}
		return err
	})
}

func (f *fake) StreamBeginCapture(driver.Stream) error {
	defer f.lock()()
	if err := f.bound("cuStreamBeginCapture"); err != nil {
		return err
	}
	f.inside, f.capture = true, nil
	return nil
}

func (f *fake) StreamEndCapture(driver.Stream) (driver.Graph, error) {
	defer f.lock()()
	f.inside = false
	h := f.handle("graph")
	f.graphs[h] = f.capture
	return driver.Graph(h), f.bound("cuStreamEndCapture")
}

func (f *fake) GraphInstantiate(g driver.Graph) (driver.GraphExec, error) {
	defer f.lock()()
	if err := f.bound("cuGraphInstantiate"); err != nil {
		return 0, err
	}
	h := f.handle("graph exec")
	f.graphs[h] = f.graphs[uintptr(g)]
	return driver.GraphExec(h), nil
}

func (f *fake) GraphLaunch(e driver.GraphExec, _ driver.Stream) error {
	defer f.lock()()
	if err := f.bound("cuGraphLaunch"); err != nil {
		return err
	}
	for _, g := range f.graphs[uintptr(e)] {
		if err := g(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) GraphDestroy(g driver.Graph) error {
	defer f.lock()()
	return f.drop(uintptr(g), "graph")
}
func (f *fake) GraphExecDestroy(e driver.GraphExec) error {
	defer f.lock()()
	return f.drop(uintptr(e), "graph exec")
}

func float(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
