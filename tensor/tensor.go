package tensor

import (
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/sectile-ml/sectile/kernels"
)

// Tensor is an array of numbers: a shape over dense row-major memory of one
// backend. Reshape and Rows make further tensors over the same memory; a write
// through one is seen by all, and so are its Version and its Release.
//
// A Tensor may be read by several goroutines at once, not written. Shape
// mistakes panic with *ShapeError, exhausted memory with *MemoryError; Try
// makes errors of both.
type Tensor struct {
	shape []int
	mem   kernels.Mem
	store *store
}

// store is the memory that a tensor and its views share.
type store struct {
	backend  kernels.Backend
	version  atomic.Uint64
	released atomic.Bool
	owned    kernels.Mem // what Alloc gave; the zero Mem when it is not ours
	cleanup  runtime.Cleanup
}

// allocation is what the collector frees when nobody called Release: Free is
// then called from a goroutine of the runtime.
type allocation struct {
	backend kernels.Backend
	mem     kernels.Mem
}

// New makes a Float32 tensor of zeros. No dimensions make a scalar.
func New(b kernels.Backend, shape ...int) *Tensor {
	t := empty("New", b, kernels.Float32, shape)
	t.set(0)
	return t
}

// Empty makes a tensor of type d whose values are undefined.
func Empty(b kernels.Backend, d kernels.DType, shape ...int) *Tensor {
	return empty("Empty", b, d, shape)
}

func empty(op string, b kernels.Backend, d kernels.DType, shape []int) *Tensor {
	n := length(op, shape)
	m, err := b.Alloc(d, n)
	if err != nil {
		panic(err)
	}
	s := &store{backend: b, owned: m}
	s.cleanup = runtime.AddCleanup(s, func(a allocation) { a.backend.Free(a.mem) }, allocation{b, m})
	return &Tensor{shape: slices.Clone(shape), mem: m, store: s}
}

// Of is a tensor over memory that somebody else owns, an arena for one:
// Release ends the tensor and leaves the memory. It panics unless the shape
// has m.Len elements.
func Of(b kernels.Backend, m kernels.Mem, shape ...int) *Tensor {
	if n := length("Of", shape); n != m.Len {
		panic(Misuse("Of", fmt.Sprintf("memory of %d elements", m.Len), shape))
	}
	return &Tensor{shape: slices.Clone(shape), mem: m, store: &store{backend: b}}
}

// From copies values, row-major, to a new Float32 tensor. It panics unless the
// shape has len(values) elements.
func From(b kernels.Backend, values []float32, shape ...int) *Tensor {
	if n := length("From", shape); n != len(values) {
		panic(Misuse("From", fmt.Sprintf("%d values", len(values)), shape))
	}
	t := Empty(b, kernels.Float32, shape...)
	b.Upload(t.mem, values)
	return t
}

// Ints copies values, row-major, to a new Int32 tensor: labels, cluster ids,
// pool positions. It panics unless the shape has len(values) elements.
func Ints(b kernels.Backend, values []int32, shape ...int) *Tensor {
	if n := length("Ints", shape); n != len(values) {
		panic(Misuse("Ints", fmt.Sprintf("%d values", len(values)), shape))
	}
	t := Empty(b, kernels.Int32, shape...)
	b.UploadInts(t.mem, values)
	return t
}

// Backend is where the memory lies and where operations on t run.
func (t *Tensor) Backend() kernels.Backend { return t.store.backend }

// Mem is the memory of t, Len elements. It does not keep t alive: hold t (or
// call runtime.KeepAlive) as long as the Mem is in use. Who writes to it calls
// Bump. It panics after Release.
func (t *Tensor) Mem() kernels.Mem {
	t.live("Mem")
	return t.mem
}

// Shape is the length of each axis, not to be modified.
func (t *Tensor) Shape() []int { return t.shape }

// Rank is the number of axes.
func (t *Tensor) Rank() int { return len(t.shape) }

// Dim is the length of an axis. It panics unless 0 <= axis < Rank.
func (t *Tensor) Dim(axis int) int {
	t.checkAxis("Dim", axis)
	return t.shape[axis]
}

// Len is the number of elements: the product of the shape, 1 for a scalar.
func (t *Tensor) Len() int { return t.mem.Len }

// Type is the element type of the memory: Float32, Int32, ... The float64
// reference backend holds its Float32 tensors as Float64.
func (t *Tensor) Type() kernels.DType { return t.mem.Type }

// Float32s copies the values, row-major, to a new slice. It panics with
// *DeviceError when the device has failed; CopyTo returns that error.
func (t *Tensor) Float32s() []float32 {
	v := make([]float32, t.Len())
	if err := t.CopyTo(v); err != nil {
		panic(err)
	}
	return v
}

// CopyTo copies the values, row-major, to dst. The error is a *DeviceError,
// never on the CPU. It panics unless len(dst) is Len.
func (t *Tensor) CopyTo(dst []float32) error {
	t.float("CopyTo")
	if len(dst) != t.Len() {
		panic(Misuse("CopyTo", fmt.Sprintf("a slice of %d", len(dst)), t.shape))
	}
	defer runtime.KeepAlive(t)
	if err := t.store.backend.Download(dst, t.mem); err != nil {
		return &DeviceError{t.store.backend.Name(), err}
	}
	return nil
}

// SetFloat32s replaces the values, row-major. It panics unless len(src) is Len.
func (t *Tensor) SetFloat32s(src []float32) {
	t.float("SetFloat32s")
	if len(src) != t.Len() {
		panic(Misuse("SetFloat32s", fmt.Sprintf("a slice of %d", len(src)), t.shape))
	}
	t.store.backend.Upload(t.mem, src)
	t.Bump()
	runtime.KeepAlive(t)
}

// SetInts replaces the values of an Int32 tensor, row-major. It panics unless
// len(src) is Len.
func (t *Tensor) SetInts(src []int32) {
	t.live("SetInts")
	if t.mem.Type != kernels.Int32 {
		panic(Misuse("SetInts", "of "+t.mem.Type.String(), t.shape))
	}
	if len(src) != t.Len() {
		panic(Misuse("SetInts", fmt.Sprintf("a slice of %d", len(src)), t.shape))
	}
	t.store.backend.UploadInts(t.mem, src)
	t.Bump()
	runtime.KeepAlive(t)
}

// Reshape is the same memory under another shape of equal length; one
// dimension may be -1 and is inferred.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	t.live("Reshape")
	s := slices.Clone(shape)
	if i := slices.Index(s, -1); i >= 0 {
		s[i] = 1
		if rest := length("Reshape", s); rest > 0 {
			s[i] = t.Len() / rest
		}
	}
	if length("Reshape", s) != t.Len() {
		panic(Misuse("Reshape", fmt.Sprintf("%d elements do not make %s", t.Len(), shapeString(shape)), t.shape))
	}
	return &Tensor{shape: s, mem: t.mem, store: t.store}
}

// Rows is the view of rows lo to hi-1 of the first axis, dense like t.
func (t *Tensor) Rows(lo, hi int) *Tensor {
	t.live("Rows")
	t.checkAxis("Rows", 0)
	if lo < 0 || hi < lo || hi > t.shape[0] {
		panic(Misuse("Rows", fmt.Sprintf("no rows %d to %d", lo, hi), t.shape))
	}
	s := slices.Clone(t.shape)
	s[0] = hi - lo
	row := 1
	for _, d := range s[1:] {
		row *= d
	}
	return &Tensor{shape: s, mem: t.mem.At(lo*row, (hi-lo)*row), store: t.store}
}

// Clone copies t to memory of its own.
func (t *Tensor) Clone() *Tensor {
	t.live("Clone")
	c := Empty(t.store.backend, t.mem.Type, t.shape...)
	t.store.backend.Copy(c.mem, t.mem)
	runtime.KeepAlive(t)
	return c
}

// Fill sets every element of a float tensor to v.
func (t *Tensor) Fill(v float32) {
	t.float("Fill")
	t.set(v)
	t.Bump()
}

// set fills fresh or checked float memory.
func (t *Tensor) set(v float32) {
	if n := t.Len(); n > 0 {
		t.store.backend.Map(&kernels.MapArgs{Op: kernels.MapFill, N: n, Dst: t.mem, S: v})
	}
	runtime.KeepAlive(t)
}

// Version counts the writes to the memory that t shares with its views.
// Prepared weights are keyed by it.
func (t *Tensor) Version() uint64 { return t.store.version.Load() }

// Bump raises the version. The tensor's own methods do; a backend op that
// writes to Mem does not.
func (t *Tensor) Bump() { t.store.version.Add(1) }

// Release frees the memory of t and all its views at once; any later use of
// them panics with "use after Release". Without it the collector frees the
// memory, later. Safe to call twice, not while another goroutine uses t.
func (t *Tensor) Release() {
	s := t.store
	if s.released.Swap(true) || s.owned.IsNil() {
		return
	}
	s.cleanup.Stop()
	s.backend.Free(s.owned)
}

// String is the type and shape: "float32 [64,128]".
func (t *Tensor) String() string { return t.mem.Type.String() + " " + shapeString(t.shape) }

// live panics after Release.
func (t *Tensor) live(op string) {
	if t.store.released.Load() {
		panic(Misuse(op, "use after Release", t.shape))
	}
}

// float panics after Release and unless t holds float32 (float64 on the
// reference).
func (t *Tensor) float(op string) {
	t.live(op)
	if !isFloat(t.mem.Type) {
		panic(Misuse(op, "of "+t.mem.Type.String(), t.shape))
	}
}

func isFloat(d kernels.DType) bool { return d == kernels.Float32 || d == kernels.Float64 }

func (t *Tensor) checkAxis(op string, axis int) {
	if axis < 0 || axis >= len(t.shape) {
		panic(Misuse(op, fmt.Sprintf("no axis %d", axis), t.shape))
	}
}

// length is the product of a shape. It panics on negative dimensions and when
// the product is no int.
func length(op string, shape []int) int {
	n, ok := count(shape)
	if !ok {
		panic(Misuse(op, "dimensions are at least 0 and their product fits an int", slices.Clone(shape)))
	}
	return n
}

// count is the product of a shape, if it can be the length of memory.
func count(shape []int) (n int, ok bool) {
	const most = 1<<(bits.UintSize-1-3) - 1 // 8 bytes each
	n, ok = 1, true
	empty := slices.Contains(shape, 0)
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, false
		case !empty && d > most/n:
			return 0, false
		}
		n *= d
	}
	return n, true
}
