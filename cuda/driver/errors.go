package driver

import (
	"errors"
	"fmt"
)

// Error is a driver call that failed.
type Error struct {
	Call string // "cuMemAlloc_v2", with what it was about: "cuLaunchKernel gemm_f32"
	Code int    // CUresult
	Name string // "CUDA_ERROR_OUT_OF_MEMORY"
	Text string // what it means and, where there is one, the remedy
}

func (e *Error) Error() string {
	s := fmt.Sprintf("cuda: %s: %s (%d)", e.Call, e.Name, e.Code)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Is makes errors.Is(err, &Error{Code: OutOfMemory}) compare codes alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && (t.Call == "" || t.Call == e.Call)
}

// Sticky reports whether the context is lost: every later call fails too, and
// only a new process can use the device again.
func (e *Error) Sticky() bool {
	switch e.Code {
	case ECCUncorrectable, IllegalAddress, LaunchTimeout, Assert, HardwareStackError,
		IllegalInstruction, MisalignedAddress, InvalidAddressSpace, InvalidPC, LaunchFailed:
		return true
	}
	return false
}

// IsCode reports whether err is, or wraps, a driver error with this code.
func IsCode(err error, code int) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Fail makes the error of a call that returned code; nil for Success.
func Fail(call string, code int) error {
	if code == Success {
		return nil
	}
	k, ok := known[code]
	if !ok {
		k = meaning{"CUDA_ERROR", "a code this program does not know; see CUresult in cuda.h"}
	}
	return &Error{Call: call, Code: code, Name: k.name, Text: k.text}
}

// The codes of CUresult that callers tell apart or that a user meets.
const (
	Success               = 0
	InvalidValue          = 1
	OutOfMemory           = 2
	NotInitialized        = 3
	Deinitialized         = 4
	StubLibrary           = 34
	DeviceUnavailable     = 46
	NoDevice              = 100
	InvalidDevice         = 101
	InvalidImage          = 200
	InvalidContext        = 201
	NoBinaryForGPU        = 209
	ECCUncorrectable      = 214
	InvalidPTX            = 218
	JITCompilerNotFound   = 221
	UnsupportedPTXVersion = 222
	JITDisabled           = 223
	InvalidHandle         = 400
	NotFound              = 500
	NotReady              = 600
	IllegalAddress        = 700
	LaunchOutOfResources  = 701
	LaunchTimeout         = 702
	ContextIsDestroyed    = 709
	Assert                = 710
	HardwareStackError    = 714
	IllegalInstruction    = 715
	MisalignedAddress     = 716
	InvalidAddressSpace   = 717
	InvalidPC             = 718
	LaunchFailed          = 719
	NotPermitted          = 800
	NotSupported          = 801
	SystemNotReady        = 802
	DriverMismatch        = 803
	CompatNotSupported    = 804
	CaptureUnsupported    = 900
	CaptureInvalidated    = 901
	CaptureImplicit       = 906
	CaptureWrongThread    = 908
	GraphUpdateFailure    = 910
	Unknown               = 999
)

type meaning struct{ name, text string }

const restart = "the context is lost: end the program; SECTILE_CUDA_DEBUG=1 names the kernel"

var known = map[int]meaning{
	InvalidValue:          {"CUDA_ERROR_INVALID_VALUE", ""},
	OutOfMemory:           {"CUDA_ERROR_OUT_OF_MEMORY", "device memory is used up: use a smaller batch, or end other programs on the device"},
	NotInitialized:        {"CUDA_ERROR_NOT_INITIALIZED", ""},
	Deinitialized:         {"CUDA_ERROR_DEINITIALIZED", "the driver is shutting down"},
	StubLibrary:           {"CUDA_ERROR_STUB_LIBRARY", "this libcuda is the toolkit's stub: put the driver's own libcuda.so.1 first in the library path"},
	DeviceUnavailable:     {"CUDA_ERROR_DEVICE_UNAVAILABLE", "another program holds the device exclusively (nvidia-smi -q -d COMPUTE)"},
	NoDevice:              {"CUDA_ERROR_NO_DEVICE", "the driver sees no GPU: check nvidia-smi and CUDA_VISIBLE_DEVICES"},
	InvalidDevice:         {"CUDA_ERROR_INVALID_DEVICE", "no device has this ordinal: sectile info lists them"},
	InvalidImage:          {"CUDA_ERROR_INVALID_IMAGE", ""},
	InvalidContext:        {"CUDA_ERROR_INVALID_CONTEXT", "no context is current on this thread"},
	NoBinaryForGPU:        {"CUDA_ERROR_NO_BINARY_FOR_GPU", "the kernels need compute capability 8.0"},
	ECCUncorrectable:      {"CUDA_ERROR_ECC_UNCORRECTABLE", "the device's memory is faulty; " + restart},
	InvalidPTX:            {"CUDA_ERROR_INVALID_PTX", "the JIT compiler refused the text"},
	JITCompilerNotFound:   {"CUDA_ERROR_JIT_COMPILER_NOT_FOUND", "PTX JIT library missing: install libnvidia-ptxjitcompiler.so.1 of the driver's version (in a container: NVIDIA_DRIVER_CAPABILITIES=compute,utility)"},
	UnsupportedPTXVersion: {"CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "driver too old (needs CUDA 11.0): install driver 450 or newer"},
	JITDisabled:           {"CUDA_ERROR_JIT_COMPILATION_DISABLED", "unset CUDA_DISABLE_PTX_JIT"},
	InvalidHandle:         {"CUDA_ERROR_INVALID_HANDLE", ""},
	NotFound:              {"CUDA_ERROR_NOT_FOUND", ""},
	NotReady:              {"CUDA_ERROR_NOT_READY", ""},
	IllegalAddress:        {"CUDA_ERROR_ILLEGAL_ADDRESS", "a kernel left its memory; " + restart},
	LaunchOutOfResources:  {"CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "the block needs more registers or threads than the device has"},
	LaunchTimeout:         {"CUDA_ERROR_LAUNCH_TIMEOUT", "a kernel ran longer than a display's device allows; " + restart},
	ContextIsDestroyed:    {"CUDA_ERROR_CONTEXT_IS_DESTROYED", ""},
	Assert:                {"CUDA_ERROR_ASSERT", restart},
	HardwareStackError:    {"CUDA_ERROR_HARDWARE_STACK_ERROR", restart},
	IllegalInstruction:    {"CUDA_ERROR_ILLEGAL_INSTRUCTION", restart},
	MisalignedAddress:     {"CUDA_ERROR_MISALIGNED_ADDRESS", restart},
	InvalidAddressSpace:   {"CUDA_ERROR_INVALID_ADDRESS_SPACE", restart},
	InvalidPC:             {"CUDA_ERROR_INVALID_PC", restart},
	LaunchFailed:          {"CUDA_ERROR_LAUNCH_FAILED", restart},
	NotPermitted:          {"CUDA_ERROR_NOT_PERMITTED", ""},
	NotSupported:          {"CUDA_ERROR_NOT_SUPPORTED", ""},
	SystemNotReady:        {"CUDA_ERROR_SYSTEM_NOT_READY", "a service of the driver is not up (nvidia-fabricmanager on NVSwitch machines)"},
	DriverMismatch:        {"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "kernel module and libcuda differ in version: reboot after a driver update, or match the container"},
	CompatNotSupported:    {"CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", "the forward-compatibility libcuda does not serve this device: use the driver's own"},
	CaptureUnsupported:    {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "a call that cannot be part of a graph"},
	CaptureInvalidated:    {"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", ""},
	CaptureImplicit:       {"CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", ""},
	CaptureWrongThread:    {"CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", ""},
	GraphUpdateFailure:    {"CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE", ""},
	Unknown:               {"CUDA_ERROR_UNKNOWN", "often a driver that did not come up: try nvidia-smi, then nvidia-modprobe -u"},
}

// Unavailable says why a device cannot be used on this machine, and what
// would make it usable.
type Unavailable struct {
	Reason string // "no libcuda.so.1", "compute capability 7.5 < 8.0"
	Remedy string
	Err    error // what the system or the driver said; may be nil
}

func (e *Unavailable) Error() string {
	s := e.Reason
	if e.Err != nil {
		s += " (" + e.Err.Error() + ")"
	}
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

func (e *Unavailable) Unwrap() error { return e.Err }
