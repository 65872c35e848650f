// Package driver is the part of the CUDA driver API that Sectile calls, as a
// Go interface with three implementations: libcuda opened when the program
// runs (Open, no cgo), the emulator in cuda/emu, and the adapter over
// gorgonia.org/cu in the nested module cuda/gorgoniacu.
//
// # Glossary
//
//	driver      libcuda.so.1 or nvcuda.dll: installed with the kernel module, not with the toolkit
//	context     a process's state on one device; current per operating-system thread
//	module      one PTX text after the driver's own compiler (JIT) has assembled it
//	function    an .entry of a module, ready for launch
//	stream      a queue: what is put in runs in order
//	event       a mark in a stream, for order and for time
//	pinned      host memory that the device can read by itself (MemAllocHost)
//	capture     recording a stream's commands into a graph instead of running them
//	graph       recorded commands; instantiated once, launched as one
package driver

import "unsafe"

// Ptr is an address in device memory; 0 is none.
type Ptr uint64

// Device is a device's ordinal, from 0.
type Device int32

// Handles of the driver; 0 is none.
type (
	Context   uintptr
	Module    uintptr
	Function  uintptr
	Stream    uintptr
	Event     uintptr
	Graph     uintptr
	GraphExec uintptr
)

// Dim3 counts blocks of a grid or threads of a block.
type Dim3 struct{ X, Y, Z uint32 }

// API is the driver. Its calls mean what cuda.h's of the same name mean, with
// these additions:
//
//   - Failures are *Error (Code is the CUresult). StreamQuery and EventQuery
//     return the *Error with code NotReady while there is work.
//   - The context is current per operating-system thread: calls that need one
//     run on a thread that has called CtxSetCurrent.
//   - Copies to or from host memory are asynchronous only for memory of
//     MemAllocHost; for other memory the call returns when the copy is done.
//   - LaunchKernel takes the kernel's .param block as it lies in memory: each
//     parameter at its natural alignment, in order (CU_LAUNCH_PARAM_BUFFER_*).
//     The driver has copied it when the call returns.
//   - StreamBeginCapture captures in mode "thread local": other threads may go
//     on calling the driver.
type API interface {
	// Name is where the calls go: "libcuda.so.1", "emu".
	Name() string
	// Version is the CUDA version the driver supports: 12040 is 12.4.
	Version() (int, error)

	DeviceCount() (int, error)
	DeviceName(d Device) (string, error)
	DeviceTotalMem(d Device) (int64, error)
	DeviceAttribute(a Attribute, d Device) (int, error)

	PrimaryCtxRetain(d Device) (Context, error)
	PrimaryCtxRelease(d Device) error
	CtxSetCurrent(c Context) error
	CtxSynchronize() error

	// ModuleLoadData assembles PTX text; jitLog is what the compiler said,
	// also when it failed.
	ModuleLoadData(ptx string) (m Module, jitLog string, err error)
	ModuleUnload(m Module) error
	ModuleGetFunction(m Module, name string) (Function, error)
	FuncGetAttribute(a FuncAttribute, f Function) (int, error)
	FuncSetAttribute(f Function, a FuncAttribute, v int) error
	OccupancyMaxActiveBlocksPerMultiprocessor(f Function, threads, dynShared int) (int, error)

	// MemAlloc makes at least 256-byte aligned device memory.
	MemAlloc(bytes int) (Ptr, error)
	MemFree(p Ptr) error
	MemGetInfo() (free, total int64, err error)
	// MemAllocHost makes pinned host memory, outside the Go heap.
	MemAllocHost(bytes int) (unsafe.Pointer, error)
	MemFreeHost(p unsafe.Pointer) error

	MemcpyHtoDAsync(dst Ptr, src unsafe.Pointer, bytes int, s Stream) error
	MemcpyDtoHAsync(dst unsafe.Pointer, src Ptr, bytes int, s Stream) error
	MemcpyDtoDAsync(dst, src Ptr, bytes int, s Stream) error
	// MemsetD8Async sets n bytes, MemsetD32Async n words.
	MemsetD8Async(p Ptr, v byte, n int, s Stream) error
	MemsetD32Async(p Ptr, v uint32, n int, s Stream) error

	StreamCreate(flags uint32) (Stream, error)
	StreamDestroy(s Stream) error
	StreamSynchronize(s Stream) error
	StreamQuery(s Stream) error
	StreamWaitEvent(s Stream, e Event) error

	EventCreate(flags uint32) (Event, error)
	EventDestroy(e Event) error
	EventRecord(e Event, s Stream) error
	EventSynchronize(e Event) error
	EventQuery(e Event) error
	EventElapsedTime(start, end Event) (ms float32, err error)

	LaunchKernel(f Function, grid, block Dim3, dynShared int, s Stream, args []byte) error

	StreamBeginCapture(s Stream) error
	StreamEndCapture(s Stream) (Graph, error)
	GraphInstantiate(g Graph) (GraphExec, error)
	GraphLaunch(e GraphExec, s Stream) error
	GraphExecUpdate(e GraphExec, g Graph) error
	GraphDestroy(g Graph) error
	GraphExecDestroy(e GraphExec) error
}

// StreamNonBlocking makes a stream that does not wait for the default stream.
const StreamNonBlocking = 1

// EventDisableTiming makes an event for order only, which costs less.
const EventDisableTiming = 2

// Attribute is a number about a device (CUdevice_attribute).
type Attribute int32

// The attributes that Sectile asks for; sizes in bytes, rates in kHz, the bus
// width in bits.
const (
	MaxThreadsPerBlock      Attribute = 1
	MaxGridX                Attribute = 5
	MaxGridY                Attribute = 6
	MaxGridZ                Attribute = 7
	SharedPerBlock          Attribute = 8
	WarpSize                Attribute = 10
	ClockRate               Attribute = 13
	MultiprocessorCount     Attribute = 16
	MemoryClockRate         Attribute = 36
	MemoryBusWidth          Attribute = 37
	L2CacheSize             Attribute = 38
	ThreadsPerMultiproc     Attribute = 39
	ComputeCapabilityMajor  Attribute = 75
	ComputeCapabilityMinor  Attribute = 76
	SharedPerMultiproc      Attribute = 81
	RegistersPerMultiproc   Attribute = 82
	SharedPerBlockOptin     Attribute = 97
	ReservedSharedPerBlock  Attribute = 111
	PageableMemoryAccess    Attribute = 88
	ConcurrentManagedAccess Attribute = 89
)

// FuncAttribute is a number about a function (CUfunction_attribute).
type FuncAttribute int32

// FuncMaxDynamicShared is the one that is set: a kernel may ask for more than
// 48 KiB of dynamic shared memory only after it was raised.
const (
	FuncMaxThreads       FuncAttribute = 0
	FuncSharedBytes      FuncAttribute = 1
	FuncConstBytes       FuncAttribute = 2
	FuncLocalBytes       FuncAttribute = 3
	FuncRegisters        FuncAttribute = 4
	FuncPTXVersion       FuncAttribute = 5
	FuncBinaryVersion    FuncAttribute = 6
	FuncMaxDynamicShared FuncAttribute = 8
)
