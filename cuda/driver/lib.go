//go:build (linux && (amd64 || arm64)) || (windows && amd64)

package driver

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"sync"
	"unsafe"
)

// library is the driver's shared library. Calls go through the addresses of
// its symbols, by index; a call that the library lacks has address 0.
type library struct {
	name  string
	calls [lastCall]uintptr
}

// call is a symbol's place in the library's table.
type call int

const (
	cuInit call = iota
	cuDriverGetVersion
	cuGetErrorName
	cuGetErrorString
	cuDeviceGet
	cuDeviceGetCount
	cuDeviceGetName
	cuDeviceTotalMem
	cuDeviceGetAttribute
	cuDevicePrimaryCtxRetain
	cuDevicePrimaryCtxRelease
	cuCtxSetCurrent
	cuCtxSynchronize
	cuModuleLoadDataEx
	cuModuleUnload
	cuModuleGetFunction
	cuFuncGetAttribute
	cuFuncSetAttribute
	cuOccupancyMaxActiveBlocksPerMultiprocessor
	cuMemAlloc
	cuMemFree
	cuMemGetInfo
	cuMemAllocHost
	cuMemFreeHost
	cuMemcpyHtoDAsync
	cuMemcpyDtoHAsync
	cuMemcpyDtoDAsync
	cuMemsetD8Async
	cuMemsetD32Async
	cuStreamCreate
	cuStreamDestroy
	cuStreamSynchronize
	cuStreamQuery
	cuStreamWaitEvent
	cuEventCreate
	cuEventDestroy
	cuEventRecord
	cuEventSynchronize
	cuEventQuery
	cuEventElapsedTime
	cuLaunchKernel
	cuStreamBeginCapture
	cuStreamEndCapture
	cuGraphInstantiate
	cuGraphLaunch
	cuGraphExecUpdate
	cuGraphDestroy
	cuGraphExecDestroy
	lastCall
)

// symbols are the names under which the library has the calls, as CUDA 11.0
// fixed them; later drivers keep them. Where there are two, the second is that
// of another version with the same parameters.
var symbols = [lastCall][2]string{
	cuInit:                    {"cuInit"},
	cuDriverGetVersion:        {"cuDriverGetVersion"},
	cuGetErrorName:            {"cuGetErrorName"},
	cuGetErrorString:          {"cuGetErrorString"},
	cuDeviceGet:               {"cuDeviceGet"},
	cuDeviceGetCount:          {"cuDeviceGetCount"},
	cuDeviceGetName:           {"cuDeviceGetName"},
	cuDeviceTotalMem:          {"cuDeviceTotalMem_v2"},
	cuDeviceGetAttribute:      {"cuDeviceGetAttribute"},
	cuDevicePrimaryCtxRetain:  {"cuDevicePrimaryCtxRetain"},
	cuDevicePrimaryCtxRelease: {"cuDevicePrimaryCtxRelease_v2"},
	cuCtxSetCurrent:           {"cuCtxSetCurrent"},
	cuCtxSynchronize:          {"cuCtxSynchronize"},
	cuModuleLoadDataEx:        {"cuModuleLoadDataEx"},
	cuModuleUnload:            {"cuModuleUnload"},
	cuModuleGetFunction:       {"cuModuleGetFunction"},
	cuFuncGetAttribute:        {"cuFuncGetAttribute"},
	cuFuncSetAttribute:        {"cuFuncSetAttribute"},
	cuOccupancyMaxActiveBlocksPerMultiprocessor: {"cuOccupancyMaxActiveBlocksPerMultiprocessor"},
	cuMemAlloc:           {"cuMemAlloc_v2"},
	cuMemFree:            {"cuMemFree_v2"},
	cuMemGetInfo:         {"cuMemGetInfo_v2"},
	cuMemAllocHost:       {"cuMemAllocHost_v2"},
	cuMemFreeHost:        {"cuMemFreeHost"},
	cuMemcpyHtoDAsync:    {"cuMemcpyHtoDAsync_v2"},
	cuMemcpyDtoHAsync:    {"cuMemcpyDtoHAsync_v2"},
	cuMemcpyDtoDAsync:    {"cuMemcpyDtoDAsync_v2"},
	cuMemsetD8Async:      {"cuMemsetD8Async"},
	cuMemsetD32Async:     {"cuMemsetD32Async"},
	cuStreamCreate:       {"cuStreamCreate"},
	cuStreamDestroy:      {"cuStreamDestroy_v2"},
	cuStreamSynchronize:  {"cuStreamSynchronize"},
	cuStreamQuery:        {"cuStreamQuery"},
	cuStreamWaitEvent:    {"cuStreamWaitEvent"},
	cuEventCreate:        {"cuEventCreate"},
	cuEventDestroy:       {"cuEventDestroy_v2"},
	cuEventRecord:        {"cuEventRecord"},
	cuEventSynchronize:   {"cuEventSynchronize"},
	cuEventQuery:         {"cuEventQuery"},
	cuEventElapsedTime:   {"cuEventElapsedTime", "cuEventElapsedTime_v2"},
	cuLaunchKernel:       {"cuLaunchKernel"},
	cuStreamBeginCapture: {"cuStreamBeginCapture_v2"},
	cuStreamEndCapture:   {"cuStreamEndCapture"},
	cuGraphInstantiate:   {"cuGraphInstantiate_v2", "cuGraphInstantiate"},
	cuGraphLaunch:        {"cuGraphLaunch"},
	cuGraphExecUpdate:    {"cuGraphExecUpdate"},
	cuGraphDestroy:       {"cuGraphDestroy"},
	cuGraphExecDestroy:   {"cuGraphExecDestroy"},
}

// open finds the symbols and starts the driver.
func (l *library) open(lookup func(string) (uintptr, error)) error {
	for c, names := range symbols {
		var err error
		for _, n := range names {
			if n == "" || l.calls[c] != 0 {
				continue
			}
			var e error
			if l.calls[c], e = lookup(n); e != nil && err == nil {
				err = e
			}
		}
		if l.calls[c] == 0 {
			return &Unavailable{Reason: "driver too old (needs CUDA 11.0)", Remedy: "install driver 450 or newer",
				Err: fmt.Errorf("%s lacks %s: %w", l.name, names[0], err)}
		}
	}
	f := frames.Get().(*frame)
	defer frames.Put(f)
	err := l.call(cuInit, f, 0)
	switch {
	case IsCode(err, NoDevice):
		return &Unavailable{Reason: "no GPU", Remedy: "check nvidia-smi and CUDA_VISIBLE_DEVICES", Err: err}
	case err != nil:
		return &Unavailable{Reason: "the driver does not start", Remedy: "check nvidia-smi", Err: err}
	}
	return nil
}

// frame is what a call hands to the driver by address. It lies on the Go heap,
// where nothing moves, and is used again: a call allocates nothing.
type frame struct {
	args  [16]uintptr
	out   [2]uint64
	host  unsafe.Pointer
	size  uintptr
	extra [5]uintptr
	block [4096]byte // a kernel's parameters
}

var frames = sync.Pool{New: func() any { return new(frame) }}

// call is one call of the driver.
func (l *library) call(c call, f *frame, args ...uintptr) error {
	n := copy(f.args[:], args)
	r := syscallN(l.calls[c], f.args[:n])
	runtime.KeepAlive(f)
	if r == Success {
		return nil
	}
	return l.fail(symbols[c][0], int(r))
}

// get is a call whose first parameter is where it writes a word.
func (l *library) get(c call, args ...uintptr) (uint64, error) {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	f.out[0] = 0
	var all [8]uintptr
	all[0] = uintptr(unsafe.Pointer(&f.out[0]))
	n := copy(all[1:], args)
	err := l.call(c, f, all[:n+1]...)
	return f.out[0], err
}

// do is a call that returns nothing.
func (l *library) do(c call, args ...uintptr) error {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	return l.call(c, f, args...)
}

// fail makes the error of a code; what this package does not know the driver
// is asked for.
func (l *library) fail(call string, code int) error {
	if _, ok := known[code]; ok {
		return Fail(call, code)
	}
	e := &Error{Call: call, Code: code, Name: "CUDA_ERROR"}
	if s := l.text(cuGetErrorName, code); s != "" {
		e.Name = s
	}
	e.Text = l.text(cuGetErrorString, code)
	return e
}

// text is a string of the driver's about a code.
func (l *library) text(c call, code int) string {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	f.host = nil
	f.args[0], f.args[1] = uintptr(code), uintptr(unsafe.Pointer(&f.host))
	if r := syscallN(l.calls[c], f.args[:2]); r != Success || f.host == nil {
		return ""
	}
	s := unsafe.Slice((*byte)(f.host), 256)
	n := 0
	for n < len(s) && s[n] != 0 {
		n++
	}
	f.host = nil
	return string(s[:n])
}

func (l *library) Name() string { return l.name }

func (l *library) Version() (int, error) {
	v, err := l.get(cuDriverGetVersion)
	return int(int32(v)), err
}

func (l *library) DeviceCount() (int, error) {
	v, err := l.get(cuDeviceGetCount)
	return int(int32(v)), err
}

// device is the driver's handle of an ordinal.
func (l *library) device(d Device) (uintptr, error) {
	v, err := l.get(cuDeviceGet, uintptr(d))
	return uintptr(uint32(v)), err
}

func (l *library) DeviceName(d Device) (string, error) {
	h, err := l.device(d)
	if err != nil {
		return "", err
	}
	f := frames.Get().(*frame)
	defer frames.Put(f)
	name := f.block[:256]
	clear(name)
	err = l.call(cuDeviceGetName, f, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)-1), h)
	name, _, _ = bytes.Cut(name, []byte{0})
	return string(name), err
}

func (l *library) DeviceTotalMem(d Device) (int64, error) {
	h, err := l.device(d)
	if err != nil {
		return 0, err
	}
	v, err := l.get(cuDeviceTotalMem, h)
	return int64(v), err
}

func (l *library) DeviceAttribute(a Attribute, d Device) (int, error) {
	h, err := l.device(d)
	if err != nil {
		return 0, err
	}
	v, err := l.get(cuDeviceGetAttribute, uintptr(a), h)
	return int(int32(v)), err
}

func (l *library) PrimaryCtxRetain(d Device) (Context, error) {
	h, err := l.device(d)
	if err != nil {
		return 0, err
	}
	v, err := l.get(cuDevicePrimaryCtxRetain, h)
	return Context(v), err
}

func (l *library) PrimaryCtxRelease(d Device) error {
	h, err := l.device(d)
	if err != nil {
		return err
	}
	return l.do(cuDevicePrimaryCtxRelease, h)
}

func (l *library) CtxSetCurrent(c Context) error { return l.do(cuCtxSetCurrent, uintptr(c)) }
func (l *library) CtxSynchronize() error         { return l.do(cuCtxSynchronize) }

// Options of cuModuleLoadDataEx (CUjit_option).
const (
	jitInfoLog = 3 + iota
	jitInfoLogBytes
	jitErrorLog
	jitErrorLogBytes
)

func (l *library) ModuleLoadData(ptx string) (Module, string, error) {
	text := append([]byte(ptx), 0)
	info, fault := make([]byte, 8<<10), make([]byte, 8<<10)
	options := []uint32{jitInfoLog, jitInfoLogBytes, jitErrorLog, jitErrorLogBytes}
	values := []uintptr{uintptr(unsafe.Pointer(&info[0])), uintptr(len(info)), uintptr(unsafe.Pointer(&fault[0])), uintptr(len(fault))}
	v, err := l.get(cuModuleLoadDataEx, uintptr(unsafe.Pointer(&text[0])), uintptr(len(options)),
		uintptr(unsafe.Pointer(&options[0])), uintptr(unsafe.Pointer(&values[0])))
	runtime.KeepAlive(text)
	runtime.KeepAlive(info)
	runtime.KeepAlive(fault)
	runtime.KeepAlive(options)
	runtime.KeepAlive(values)
	info, _, _ = bytes.Cut(info, []byte{0})
	fault, _, _ = bytes.Cut(fault, []byte{0})
	return Module(v), string(bytes.TrimSpace(append(fault, info...))), err
}

func (l *library) ModuleUnload(m Module) error { return l.do(cuModuleUnload, uintptr(m)) }

func (l *library) ModuleGetFunction(m Module, name string) (Function, error) {
	text := append([]byte(name), 0)
	v, err := l.get(cuModuleGetFunction, uintptr(m), uintptr(unsafe.Pointer(&text[0])))
	runtime.KeepAlive(text)
	return Function(v), err
}

func (l *library) FuncGetAttribute(a FuncAttribute, f Function) (int, error) {
	v, err := l.get(cuFuncGetAttribute, uintptr(a), uintptr(f))
	return int(int32(v)), err
}

func (l *library) FuncSetAttribute(f Function, a FuncAttribute, v int) error {
	return l.do(cuFuncSetAttribute, uintptr(f), uintptr(a), uintptr(v))
}

func (l *library) OccupancyMaxActiveBlocksPerMultiprocessor(f Function, threads, dynShared int) (int, error) {
	v, err := l.get(cuOccupancyMaxActiveBlocksPerMultiprocessor, uintptr(f), uintptr(threads), uintptr(dynShared))
	return int(int32(v)), err
}

func (l *library) MemAlloc(n int) (Ptr, error) {
	v, err := l.get(cuMemAlloc, uintptr(n))
	return Ptr(v), err
}

func (l *library) MemFree(p Ptr) error { return l.do(cuMemFree, uintptr(p)) }

func (l *library) MemGetInfo() (free, total int64, err error) {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	err = l.call(cuMemGetInfo, f, uintptr(unsafe.Pointer(&f.out[0])), uintptr(unsafe.Pointer(&f.out[1])))
	return int64(f.out[0]), int64(f.out[1]), err
}

func (l *library) MemAllocHost(n int) (unsafe.Pointer, error) {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	f.host = nil
	err := l.call(cuMemAllocHost, f, uintptr(unsafe.Pointer(&f.host)), uintptr(n))
	p := f.host
	f.host = nil
	return p, err
}

func (l *library) MemFreeHost(p unsafe.Pointer) error { return l.do(cuMemFreeHost, uintptr(p)) }

func (l *library) MemcpyHtoDAsync(dst Ptr, src unsafe.Pointer, n int, s Stream) error {
	err := l.do(cuMemcpyHtoDAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
	runtime.KeepAlive(src)
	return err
}

func (l *library) MemcpyDtoHAsync(dst unsafe.Pointer, src Ptr, n int, s Stream) error {
	err := l.do(cuMemcpyDtoHAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
	runtime.KeepAlive(dst)
	return err
}

func (l *library) MemcpyDtoDAsync(dst, src Ptr, n int, s Stream) error {
	return l.do(cuMemcpyDtoDAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
}

func (l *library) MemsetD8Async(p Ptr, v byte, n int, s Stream) error {
	return l.do(cuMemsetD8Async, uintptr(p), uintptr(v), uintptr(n), uintptr(s))
}

func (l *library) MemsetD32Async(p Ptr, v uint32, n int, s Stream) error {
	return l.do(cuMemsetD32Async, uintptr(p), uintptr(v), uintptr(n), uintptr(s))
}

func (l *library) StreamCreate(flags uint32) (Stream, error) {
	v, err := l.get(cuStreamCreate, uintptr(flags))
	return Stream(v), err
}

func (l *library) StreamDestroy(s Stream) error     { return l.do(cuStreamDestroy, uintptr(s)) }
func (l *library) StreamSynchronize(s Stream) error { return l.do(cuStreamSynchronize, uintptr(s)) }
func (l *library) StreamQuery(s Stream) error       { return l.do(cuStreamQuery, uintptr(s)) }
func (l *library) StreamWaitEvent(s Stream, e Event) error {
	return l.do(cuStreamWaitEvent, uintptr(s), uintptr(e), 0)
}

func (l *library) EventCreate(flags uint32) (Event, error) {
	v, err := l.get(cuEventCreate, uintptr(flags))
	return Event(v), err
}

func (l *library) EventDestroy(e Event) error { return l.do(cuEventDestroy, uintptr(e)) }
func (l *library) EventRecord(e Event, s Stream) error {
	return l.do(cuEventRecord, uintptr(e), uintptr(s))
}
func (l *library) EventSynchronize(e Event) error { return l.do(cuEventSynchronize, uintptr(e)) }
func (l *library) EventQuery(e Event) error       { return l.do(cuEventQuery, uintptr(e)) }
func (l *library) EventElapsedTime(start, end Event) (float32, error) {
	v, err := l.get(cuEventElapsedTime, uintptr(start), uintptr(end))
	return math.Float32frombits(uint32(v)), err
}

// The keys of cuLaunchKernel's extra list.
const (
	paramEnd     = 0
	paramPointer = 1
	paramSize    = 2
)

func (l *library) LaunchKernel(fn Function, grid, block Dim3, dynShared int, s Stream, args []byte) error {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	if len(args) > len(f.block) {
		return Fail("cuLaunchKernel", InvalidValue)
	}
	f.size = uintptr(copy(f.block[:], args))
	f.extra = [5]uintptr{paramPointer, uintptr(unsafe.Pointer(&f.block[0])), paramSize, uintptr(unsafe.Pointer(&f.size)), paramEnd}
	f.args = [16]uintptr{uintptr(fn), uintptr(grid.X), uintptr(grid.Y), uintptr(grid.Z),
		uintptr(block.X), uintptr(block.Y), uintptr(block.Z), uintptr(dynShared), uintptr(s), 0, uintptr(unsafe.Pointer(&f.extra[0]))}
	r := syscallN(l.calls[cuLaunchKernel], f.args[:11])
	runtime.KeepAlive(f)
	if r == Success {
		return nil
	}
	return l.fail("cuLaunchKernel", int(r))
}

// captureThreadLocal lets other threads call the driver during a capture.
const captureThreadLocal = 1

func (l *library) StreamBeginCapture(s Stream) error {
	return l.do(cuStreamBeginCapture, uintptr(s), captureThreadLocal)
}

func (l *library) StreamEndCapture(s Stream) (Graph, error) {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	f.out[0] = 0
	err := l.call(cuStreamEndCapture, f, uintptr(s), uintptr(unsafe.Pointer(&f.out[0])))
	return Graph(f.out[0]), err
}

func (l *library) GraphInstantiate(g Graph) (GraphExec, error) {
	v, err := l.get(cuGraphInstantiate, uintptr(g), 0, 0, 0)
	return GraphExec(v), err
}

func (l *library) GraphLaunch(e GraphExec, s Stream) error {
	return l.do(cuGraphLaunch, uintptr(e), uintptr(s))
}

func (l *library) GraphExecUpdate(e GraphExec, g Graph) error {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	return l.call(cuGraphExecUpdate, f, uintptr(e), uintptr(g), uintptr(unsafe.Pointer(&f.out[0])), uintptr(unsafe.Pointer(&f.out[1])))
}

func (l *library) GraphDestroy(g Graph) error         { return l.do(cuGraphDestroy, uintptr(g)) }
func (l *library) GraphExecDestroy(e GraphExec) error { return l.do(cuGraphExecDestroy, uintptr(e)) }
