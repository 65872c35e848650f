package kernels

import (
	"unsafe"

	"github.com/sectile-ml/sectile/asm"
)

// Batch normalisation is bound by memory, so each op reads every tensor once.
// Its sums (norm_sums.go) keep a vector of channels in registers over a chunk
// of rows; its elementwise passes (norm_span.go) stream; what is left is tiny
// and runs per channel in float64 (norm_finalize.go).

// normState is the family's row and its reusable jobs. normSums and normSpans
// are the arguments of one kernel call: they go through a function value and
// would escape from a tile's stack.
type normState struct {
	normRow     *normRow
	sumsJobs    freelist[sumsJob]
	spanJobs    freelist[spanJob]
	momentsJobs freelist[momentsJob]
	normSums    freelist[asm.NormSums]
	normSpans   freelist[asm.NormSpan]
	normGates   freelist[[8][2][16]float32]
}

func (s *normState) init(c *CPU) { s.normRow = usable(c.pins, normRows)[0] }

// streamCost is the time one thread needs for bytes of streams, in nanoseconds,
// as Team.Do wants it estimated.
func streamCost(bytes int) int { return bytes / 10 }

// memAt is the address of element off of m, nil when m was not given.
func memAt(m Mem, off int) unsafe.Pointer {
	if m.IsNil() {
		return nil
	}
	return unsafe.Add(m.Host, off*m.Type.Size())
}

// needMem panics unless m is host memory of type t with at least n elements.
func needMem(op, name string, m Mem, t DType, n int) {
	if m.Type != t || m.Host == nil && n > 0 {
		panic(&TypeError{Want: t, Got: m.Type, Device: m.Dev != 0})
	}
	if m.Len < n {
		panic(&ArgError{op, name + " is too short"})
	}
}
