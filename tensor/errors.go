package tensor

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/sectile-ml/sectile/kernels"
)

// ShapeError is the panic of a mistake in the program: shapes that do not fit,
// an axis that is not there, a tensor used after Release. Try turns it into an
// error.
type ShapeError struct {
	Op       string  // the operation, "MatMul"
	Operands [][]int // the shapes it was given
	Rule     string  // what they break, "inner 128 != 256"
	At       string  // file:line of the caller outside this module; "" when there is none
}

// Error is "MatMul [64,128] x [256,10]: inner 128 != 256 (train.go:31)".
func (e *ShapeError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	for i, s := range e.Operands {
		if i > 0 {
			b.WriteString(" x")
		}
		b.WriteString(" " + shapeString(s))
	}
	b.WriteString(": " + e.Rule)
	if e.At != "" {
		b.WriteString(" (" + e.At + ")")
	}
	return b.String()
}

// Misuse makes the ShapeError of an operation, ready to panic with. It looks
// up the caller, so it belongs on the failing path only.
func Misuse(op, rule string, operands ...[]int) *ShapeError {
	return &ShapeError{Op: op, Operands: operands, Rule: rule, At: caller()}
}

// MemoryError says how much memory was wanted, how much is in use, and the
// limit; see SetMemoryLimit.
type MemoryError = kernels.MemoryError

// DeviceError is a failure of the device that holds a tensor. It is sticky:
// once a device has failed, every later download fails the same way.
type DeviceError struct {
	Device string
	Err    error
}

func (e *DeviceError) Error() string { return "tensor: device " + e.Device + ": " + e.Err.Error() }

// Unwrap is the driver's error.
func (e *DeviceError) Unwrap() error { return e.Err }

// Try runs f and returns a panic of *ShapeError or *MemoryError as an error,
// also one that a worker of the team met. Any other panic passes through: it
// is a defect, not a mistake of the caller. What f had allocated stays with
// the collector.
func Try(f func()) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err = misuse(v); err == nil {
			panic(v)
		}
	}()
	f()
	return nil
}

// misuse is the ShapeError or MemoryError in a panic's value, or nil.
func misuse(v any) error {
	if w, ok := v.(*kernels.WorkerPanic); ok {
		v = w.Value
	}
	e, ok := v.(error)
	if !ok {
		return nil
	}
	var shape *ShapeError
	if errors.As(e, &shape) {
		return shape
	}
	var memory *MemoryError
	if errors.As(e, &memory) {
		return memory
	}
	return nil
}

// caller is the file and line of the innermost frame outside this module;
// tests count as outside.
func caller() string {
	const module = "github.com/sectile-ml/sectile"
	var pc [64]uintptr
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc[:])])
	for {
		f, more := frames.Next()
		ours := strings.HasPrefix(f.Function, module) && !strings.HasSuffix(f.File, "_test.go")
		if !ours && f.File != "" {
			if strings.HasPrefix(f.Function, "runtime.") {
				return ""
			}
			return filepath.Base(f.File) + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return ""
		}
	}
}

// shapeString is "[64,128]".
func shapeString(s []int) string {
	return strings.ReplaceAll(fmt.Sprint(s), " ", ",")
}
