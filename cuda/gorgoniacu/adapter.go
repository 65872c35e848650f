// Package gorgoniacu runs Sectile on the CUDA context of a program that
// already uses gorgonia.org/cu:
//
//	device, err := cuda.Open(gorgoniacu.New(), 0, cuda.Options{})
//
// It is a module of its own because gorgonia.org/cu is cgo, wants CUDA's
// headers to compile (12.9 or older; with 13.0 it does not), links libcuda, and
// ends the process in init where there is no GPU. Everybody else uses package
// cuda, which needs none of that.
//
// What gorgonia.org/cu lacks is missing here: graphs (steps run command by
// command), pinned memory (uploads wait), and more than 48 KiB of dynamic
// shared memory. These calls return CUDA_ERROR_NOT_SUPPORTED.
package gorgoniacu

// #include <stdlib.h>
import "C"

import (
	"errors"
	"reflect"
	"sync"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/gorgoniacu/internal/params"
	"gorgonia.org/cu"
)

// New makes a driver of gorgonia.org/cu.
func New() driver.API { return &adapter{known: map[driver.Function][]params.Param{}} }

// adapter keeps what the library forgets: the parameters of each kernel, which
// its Launch wants one by one.
type adapter struct {
	mu      sync.Mutex
	entries map[driver.Module]map[string][]params.Param
	known   map[driver.Function][]params.Param
}

// fail turns the library's error into ours. Its type is not exported, but it
// is an integer, the CUresult.
func fail(call string, err error) error {
	if err == nil {
		return nil
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if v := reflect.ValueOf(e); v.Kind() == reflect.Int {
			return driver.Fail(call, int(v.Int()))
		}
	}
	return &driver.Error{Call: call, Code: driver.Unknown, Name: "CUDA_ERROR_UNKNOWN", Text: err.Error()}
}

func unsupported(call string) error { return driver.Fail(call, driver.NotSupported) }

// word and thing see the library's handles, structs of one pointer, as words.
func word[H, T any](t T) H  { return *(*H)(unsafe.Pointer(&t)) }
func thing[T, H any](h H) T { return *(*T)(unsafe.Pointer(&h)) }

func stream(s driver.Stream) cu.Stream { return thing[cu.Stream](s) }
func event(e driver.Event) cu.Event    { return thing[cu.Event](e) }

func (a *adapter) Name() string { return "gorgonia.org/cu" }

func (a *adapter) Version() (int, error) { return cu.Version(), nil }

func (a *adapter) DeviceCount() (int, error) {
	n, err := cu.NumDevices()
	return n, fail("cuDeviceGetCount", err)
}

func (a *adapter) DeviceName(d driver.Device) (string, error) {
	s, err := cu.Device(d).Name()
	return s, fail("cuDeviceGetName", err)
}

func (a *adapter) DeviceTotalMem(d driver.Device) (int64, error) {
	n, err := cu.Device(d).TotalMem()
	return n, fail("cuDeviceTotalMem", err)
}

func (a *adapter) DeviceAttribute(x driver.Attribute, d driver.Device) (int, error) {
	n, err := cu.Device(d).Attribute(cu.DeviceAttribute(x))
	return n, fail("cuDeviceGetAttribute", err)
}

func (a *adapter) PrimaryCtxRetain(d driver.Device) (driver.Context, error) {
	c, err := cu.Device(d).RetainPrimaryCtx()
	return word[driver.Context](c), fail("cuDevicePrimaryCtxRetain", err)
}

func (a *adapter) PrimaryCtxRelease(d driver.Device) error {
	return fail("cuDevicePrimaryCtxRelease", cu.Device(d).ReleasePrimaryCtx())
}

func (a *adapter) CtxSetCurrent(c driver.Context) error {
	return fail("cuCtxSetCurrent", cu.SetCurrentContext(thing[cu.CUContext](c)))
}

func (a *adapter) CtxSynchronize() error { return fail("cuCtxSynchronize", cu.Synchronize()) }

func (a *adapter) ModuleLoadData(ptx string) (driver.Module, string, error) {
	h, err := cu.LoadData(ptx)
	m := word[driver.Module](h)
	if err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.entries == nil {
			a.entries = map[driver.Module]map[string][]params.Param{}
		}
		a.entries[m] = params.Entries(ptx)
	}
	return m, "", fail("cuModuleLoadData", err)
}

func (a *adapter) ModuleUnload(m driver.Module) error {
	return fail("cuModuleUnload", thing[cu.Module](m).Unload())
}

func (a *adapter) ModuleGetFunction(m driver.Module, name string) (driver.Function, error) {
	h, err := thing[cu.Module](m).Function(name)
	f := word[driver.Function](h)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.known[f] = a.entries[m][name]
	}
	return f, fail("cuModuleGetFunction "+name, err)
}

func (a *adapter) FuncGetAttribute(x driver.FuncAttribute, f driver.Function) (int, error) {
	n, err := thing[cu.Function](f).Attribute(cu.FunctionAttribute(x))
	return n, fail("cuFuncGetAttribute", err)
}

func (a *adapter) FuncSetAttribute(driver.Function, driver.FuncAttribute, int) error {
	return unsupported("cuFuncSetAttribute")
}

func (a *adapter) OccupancyMaxActiveBlocksPerMultiprocessor(f driver.Function, threads, dynShared int) (int, error) {
	n, err := thing[cu.Function](f).MaxActiveBlocksPerMultiProcessor(threads, int64(dynShared))
	return n, fail("cuOccupancyMaxActiveBlocksPerMultiprocessor", err)
}

func (a *adapter) MemAlloc(n int) (driver.Ptr, error) {
	p, err := cu.MemAlloc(int64(n))
	return driver.Ptr(p), fail("cuMemAlloc", err)
}

func (a *adapter) MemFree(p driver.Ptr) error { return fail("cuMemFree", cu.MemFree(cu.DevicePtr(p))) }

func (a *adapter) MemGetInfo() (free, total int64, err error) {
	free, total, err = cu.MemInfo()
	return free, total, fail("cuMemGetInfo", err)
}

// MemAllocHost makes memory that is not pinned: copies wait, and are right.
func (a *adapter) MemAllocHost(n int) (unsafe.Pointer, error) {
	if p := C.malloc(C.size_t(max(n, 1))); p != nil {
		return p, nil
	}
	return nil, driver.Fail("malloc", driver.OutOfMemory)
}

func (a *adapter) MemFreeHost(p unsafe.Pointer) error {
	C.free(p)
	return nil
}

func (a *adapter) MemcpyHtoDAsync(dst driver.Ptr, src unsafe.Pointer, n int, s driver.Stream) error {
	return fail("cuMemcpyHtoDAsync", cu.MemcpyHtoDAsync(cu.DevicePtr(dst), src, int64(n), stream(s)))
}

func (a *adapter) MemcpyDtoHAsync(dst unsafe.Pointer, src driver.Ptr, n int, s driver.Stream) error {
	return fail("cuMemcpyDtoHAsync", cu.MemcpyDtoHAsync(dst, cu.DevicePtr(src), int64(n), stream(s)))
}

func (a *adapter) MemcpyDtoDAsync(dst, src driver.Ptr, n int, s driver.Stream) error {
	return fail("cuMemcpyDtoDAsync", cu.MemcpyDtoDAsync(cu.DevicePtr(dst), cu.DevicePtr(src), int64(n), stream(s)))
}

func (a *adapter) MemsetD8Async(p driver.Ptr, v byte, n int, s driver.Stream) error {
	return fail("cuMemsetD8Async", cu.MemsetD8Async(cu.DevicePtr(p), v, int64(n), stream(s)))
}

func (a *adapter) MemsetD32Async(p driver.Ptr, v uint32, n int, s driver.Stream) error {
	return fail("cuMemsetD32Async", cu.MemsetD32Async(cu.DevicePtr(p), uint(v), int64(n), stream(s)))
}

func (a *adapter) StreamCreate(flags uint32) (driver.Stream, error) {
	s, err := cu.MakeStream(cu.StreamFlags(flags))
	return word[driver.Stream](s), fail("cuStreamCreate", err)
}

func (a *adapter) StreamDestroy(s driver.Stream) error {
	h := stream(s)
	return fail("cuStreamDestroy", h.Destroy())
}

func (a *adapter) StreamSynchronize(s driver.Stream) error {
	return fail("cuStreamSynchronize", stream(s).Synchronize())
}

func (a *adapter) StreamQuery(s driver.Stream) error {
	return fail("cuStreamQuery", stream(s).Query())
}

func (a *adapter) StreamWaitEvent(s driver.Stream, e driver.Event) error {
	return fail("cuStreamWaitEvent", stream(s).Wait(event(e), 0))
}

func (a *adapter) EventCreate(flags uint32) (driver.Event, error) {
	e, err := cu.MakeEvent(cu.EventFlags(flags))
	return word[driver.Event](e), fail("cuEventCreate", err)
}

func (a *adapter) EventDestroy(e driver.Event) error {
	h := event(e)
	return fail("cuEventDestroy", cu.DestroyEvent(&h))
}

func (a *adapter) EventRecord(e driver.Event, s driver.Stream) error {
	return fail("cuEventRecord", event(e).Record(stream(s)))
}

func (a *adapter) EventSynchronize(e driver.Event) error {
	return fail("cuEventSynchronize", event(e).Synchronize())
}

func (a *adapter) EventQuery(e driver.Event) error { return fail("cuEventQuery", event(e).Query()) }

func (a *adapter) EventElapsedTime(start, end driver.Event) (float32, error) {
	ms, err := event(start).Elapsed(event(end))
	return float32(ms), fail("cuEventElapsedTime", err)
}

// LaunchKernel cuts the parameter block where the kernel's .param list says.
func (a *adapter) LaunchKernel(f driver.Function, grid, block driver.Dim3, dynShared int, s driver.Stream, args []byte) error {
	a.mu.Lock()
	list := a.known[f]
	a.mu.Unlock()
	values := make([]uint64, len(list)) // Launch reads eight bytes of each
	pointers := make([]unsafe.Pointer, len(list))
	for i, p := range list {
		if p.At+p.Size > len(args) || p.Size > 8 {
			return driver.Fail("cuLaunchKernel", driver.InvalidValue)
		}
		for j, b := range args[p.At : p.At+p.Size] {
			values[i] |= uint64(b) << (8 * j)
		}
		pointers[i] = unsafe.Pointer(&values[i])
	}
	return fail("cuLaunchKernel", thing[cu.Function](f).Launch(int(grid.X), int(grid.Y), int(grid.Z),
		int(block.X), int(block.Y), int(block.Z), dynShared, stream(s), pointers))
}

func (a *adapter) StreamBeginCapture(driver.Stream) error { return unsupported("cuStreamBeginCapture") }
func (a *adapter) StreamEndCapture(driver.Stream) (driver.Graph, error) {
	return 0, unsupported("cuStreamEndCapture")
}
func (a *adapter) GraphInstantiate(driver.Graph) (driver.GraphExec, error) {
	return 0, unsupported("cuGraphInstantiate")
}
func (a *adapter) GraphLaunch(driver.GraphExec, driver.Stream) error {
	return unsupported("cuGraphLaunch")
}
func (a *adapter) GraphExecUpdate(driver.GraphExec, driver.Graph) error {
	return unsupported("cuGraphExecUpdate")
}
func (a *adapter) GraphDestroy(driver.Graph) error         { return unsupported("cuGraphDestroy") }
func (a *adapter) GraphExecDestroy(driver.GraphExec) error { return unsupported("cuGraphExecDestroy") }
