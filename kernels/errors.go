package kernels

import "fmt"

// BoundsError is the panic of a view that leaves its memory.
type BoundsError struct{ Off, Len, Of int }

func (e *BoundsError) Error() string {
	return fmt.Sprintf("kernels: view [%d, %d) of %d elements", e.Off, e.Off+e.Len, e.Of)
}

// TypeError is the panic of memory read as another element type, or of device
// memory read on the host.
type TypeError struct {
	Want, Got DType
	Device    bool
}

func (e *TypeError) Error() string {
	if e.Device {
		return fmt.Sprintf("kernels: device memory read on the host as %v: download it first", e.Want)
	}
	return fmt.Sprintf("kernels: %v memory used as %v", e.Got, e.Want)
}

// ArgError is the panic of an op whose arguments break its rule. Shapes are
// checked above this package; what stays here guards memory.
type ArgError struct{ Op, Rule string }

func (e *ArgError) Error() string { return "kernels: " + e.Op + ": " + e.Rule }

// MemoryError says that memory could not be had: Want more bytes on top of
// InUse would pass Limit (or the system refused; then Cause says why).
type MemoryError struct {
	Want, InUse, Limit int64
	Cause              error
}

func (e *MemoryError) Error() string {
	s := fmt.Sprintf("out of memory: %d MiB wanted, %d MiB in use, limit %d MiB", e.Want>>20, e.InUse>>20, e.Limit>>20)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s + "; use a smaller batch or raise the limit (tensor.SetMemoryLimit)"
}

func (e *MemoryError) Unwrap() error { return e.Cause }
