package emu

import (
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"testing"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// rig is an emulated device with a current context.
type rig struct {
	testing.TB
	*Driver
	s driver.Stream
}

// newRig keeps the test on its operating-system thread, as a context wants.
func newRig(t testing.TB, c Config) *rig {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	r := &rig{TB: t, Driver: Open(c)}
	ctx := must(r.PrimaryCtxRetain(0))
	r.ok(r.CtxSetCurrent(ctx))
	r.s = must(r.StreamCreate(driver.StreamNonBlocking))
	return r
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// kernel loads a module and gives its first entry.
func (r *rig) kernel(ptx string) driver.Function {
	r.Helper()
	m, log, err := r.ModuleLoadData(ptx)
	if err != nil {
		r.Fatalf("%v\n%s", err, log)
	}
	return must(r.ModuleGetFunction(m, r.Driver.modules[m].m.Order[0]))
}

// buffer makes device memory that holds data; empty makes it unwritten.
func (r *rig) buffer(data any) driver.Ptr {
	r.Helper()
	b, err := binary.Append(nil, binary.LittleEndian, data)
	r.ok(err)
	p := r.empty(len(b))
	r.ok(r.MemcpyHtoDAsync(p, unsafe.Pointer(&b[0]), len(b), r.s))
	return p
}

func (r *rig) empty(bytes int) driver.Ptr {
	r.Helper()
	p, err := r.MemAlloc(bytes)
	r.ok(err)
	return p
}

// read copies device memory into dst, a slice of fixed-size values.
func (r *rig) read(dst any, p driver.Ptr) {
	r.Helper()
	b := make([]byte, binary.Size(dst))
	r.ok(r.MemcpyDtoHAsync(unsafe.Pointer(&b[0]), p, len(b), r.s))
	_, err := binary.Decode(b, binary.LittleEndian, dst)
	r.ok(err)
}

// pack lays arguments out as a kernel's parameter block.
func pack(args ...any) []byte {
	var b []byte
	for _, a := range args {
		for len(b)%binary.Size(a) != 0 {
			b = append(b, 0)
		}
		b, _ = binary.Append(b, binary.LittleEndian, a)
	}
	return b
}

// try launches and waits.
func (r *rig) try(f driver.Function, grid, block driver.Dim3, dynamic int, args ...any) error {
	if err := r.LaunchKernel(f, grid, block, dynamic, r.s, pack(args...)); err != nil {
		return err
	}
	return r.StreamSynchronize(r.s)
}

func (r *rig) launch(f driver.Function, grid, block int, args ...any) {
	r.Helper()
	r.ok(r.try(f, x(grid), x(block), 0, args...))
}

func x(n int) driver.Dim3 { return driver.Dim3{X: uint32(n), Y: 1, Z: 1} }

func bf16(f float32) uint16 { return uint16(math.Float32bits(f) >> 16) }

func asFault(err error, f **Fault) bool { return errors.As(err, f) }
