package cuda

import (
	"fmt"
	"strings"
)

// OutOfMemory says how a device's memory stands when it had no more; it is the
// Cause of the *kernels.MemoryError.
type OutOfMemory struct {
	Device      string
	Want        int64 // bytes asked for
	Allocated   int64 // bytes given out by Alloc
	Reserved    int64 // bytes held from the driver
	LargestFree int64 // the largest piece of them that is free
	Free, Total int64 // as the driver sees the whole device
	Holders     []Holder
	Err         error
}

// Holder is memory in use, by the call that asked for it.
type Holder struct {
	By    string // "float32[1048576] by nn.NewResNet (resnet.go:40)"
	Bytes int64
	Count int
}

func (e *OutOfMemory) Error() string {
	const mib = 1 << 20
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %.1f MiB held from the driver (largest free piece %.1f), %.1f of %.1f MiB are free for all programs",
		e.Device, float64(e.Reserved)/mib, float64(e.LargestFree)/mib, float64(e.Free)/mib, float64(e.Total)/mib)
	for i, h := range e.Holders {
		if i == 0 {
			s.WriteString("; largest holders:")
		}
		fmt.Fprintf(&s, " %.1f MiB %s", float64(h.Bytes)/mib, h.By)
		if h.Count > 1 {
			fmt.Fprintf(&s, " (%d times)", h.Count)
		}
		if i+1 < len(e.Holders) {
			s.WriteByte(',')
		}
	}
	return s.String()
}

func (e *OutOfMemory) Unwrap() error { return e.Err }

// NaNError is what CheckNaN finds: the first launch that wrote a NaN.
type NaNError struct {
	Launch  string // the launch, with its arguments
	Operand string
	At      int // element
}

func (e *NaNError) Error() string {
	return fmt.Sprintf("NaN written to element %d of %s by %s", e.At, e.Operand, e.Launch)
}
