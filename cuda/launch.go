package cuda

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// maxParams bounds a kernel's .param block here; the driver allows 4096.
const maxParams = 768

// launch collects a kernel's parameters in the order of its .param list, each
// at its natural alignment:
//
//	l := d.op(ptx.FillF32)
//	l.mem(dst)
//	l.step(value)
//	l.i32(n)
//	l.run(grid, 1, 1, 0)
type launch struct {
	d    *Device
	k    *ptx.Kernel
	n    int
	args [maxParams]byte

	scalars [maxScalars]stepScalar
	nsteps  int
	note    *note // in debug modes
}

// maxScalars bounds the step scalars of a launch.
const maxScalars = 16

// stepScalar is a value and where its address goes.
type stepScalar struct {
	bits uint32
	at   int
}

// note is what debug modes keep of a launch for their messages.
type note struct {
	words []string      // all parameters
	mems  []kernels.Mem // those that are memory
	names []string      // their words
}

// op begins a launch of k.
func (d *Device) op(k *ptx.Kernel) launch {
	l := launch{d: d, k: k}
	if d.options.Debug || d.options.CheckNaN {
		l.note = &note{}
	}
	return l
}

func (l *launch) reserve(size int) []byte {
	at := (l.n + size - 1) &^ (size - 1)
	if at+size > maxParams {
		panic(&kernels.ArgError{Op: l.k.Name, Rule: fmt.Sprintf("more than %d bytes of parameters", maxParams)})
	}
	l.n = at + size
	return l.args[at:l.n]
}

// remember keeps a parameter for messages. (Not variadic: putting a number
// into an interface would allocate also where nobody listens.)
func remember[T any](n *note, format string, v T) {
	if n != nil {
		n.words = append(n.words, fmt.Sprintf(format, v))
	}
}

// mem is the address of memory, 0 when it was not given.
func (l *launch) mem(m kernels.Mem) {
	if m.Host != nil {
		panic(&kernels.ArgError{Op: l.k.Name, Rule: "host memory given to " + l.d.Name()})
	}
	binary.LittleEndian.PutUint64(l.reserve(8), m.Dev)
	if l.note != nil {
		l.note.mems = append(l.note.mems, m)
		word := fmt.Sprintf("%v[%d]@%#x", m.Type, m.Len, m.Dev)
		l.note.names = append(l.note.names, word)
		l.note.words = append(l.note.words, word)
	}
}

// i32 is a .u32 or .s32 that does not change from step to step. It panics
// when v does not fit.
func (l *launch) i32(v int) {
	if int(int32(v)) != v {
		panic(&kernels.ArgError{Op: l.k.Name, Rule: fmt.Sprintf("%d does not fit 32 bits", v)})
	}
	binary.LittleEndian.PutUint32(l.reserve(4), uint32(int32(v)))
	remember(l.note, "%d", v)
}

// u64 is a .u64 or .s64.
func (l *launch) u64(v int) {
	binary.LittleEndian.PutUint64(l.reserve(8), uint64(v))
	remember(l.note, "%d", v)
}

// f32 is a .f32 that does not change from step to step.
func (l *launch) f32(v float32) {
	binary.LittleEndian.PutUint32(l.reserve(4), math.Float32bits(v))
	remember(l.note, "%g", v)
}

// step is a number that changes per step, such as the learning rate. The
// kernel gets its address (.u64) and loads it, so that a graph that has the
// address can replay.
func (l *launch) step(v float32) {
	l.scalar(math.Float32bits(v))
	remember(l.note, "*%g", v)
}

// stepI32 is an integer that changes per step; the kernel gets its address.
func (l *launch) stepI32(v int) {
	if int(int32(v)) != v {
		panic(&kernels.ArgError{Op: l.k.Name, Rule: fmt.Sprintf("%d does not fit 32 bits", v)})
	}
	l.scalar(uint32(int32(v)))
	remember(l.note, "*%d", v)
}

func (l *launch) scalar(bits uint32) {
	if l.nsteps == maxScalars {
		panic(&kernels.ArgError{Op: l.k.Name, Rule: fmt.Sprintf("more than %d step scalars", maxScalars)})
	}
	l.reserve(8)
	l.scalars[l.nsteps] = stepScalar{bits, l.n - 8}
	l.nsteps++
}

// place puts the step scalars on the stage and their addresses into the
// arguments.
func (l *launch) place() bool {
	if l.nsteps == 0 {
		return true
	}
	host, dev, ok := l.d.stage.take(l.d, 4*l.nsteps)
	if !ok {
		return false
	}
	values := unsafe.Slice((*uint32)(host), l.nsteps)
	for i, s := range l.scalars[:l.nsteps] {
		values[i] = s.bits
		binary.LittleEndian.PutUint64(l.args[s.at:], uint64(dev)+uint64(4*i))
	}
	return true
}

// run launches x*y*z blocks with shared bytes of dynamic shared memory. A grid
// with nothing in it is no launch.
func (l *launch) run(x, y, z, shared int) {
	if x == 0 || y == 0 || z == 0 {
		return
	}
	d := l.d
	if x < 0 || y < 0 || z < 0 || x > math.MaxInt32 || y > 65535 || z > 65535 {
		panic(&kernels.ArgError{Op: l.k.Name, Rule: fmt.Sprintf("grid %d x %d x %d", x, y, z)})
	}
	d.lock()
	defer d.unlock()
	if d.err != nil {
		return
	}
	f, err := d.code.ready(l.k, shared)
	if err != nil {
		d.fail(err)
		return
	}
	if !l.place() {
		d.fail(fmt.Errorf("kernel %s: no room for its step scalars", l.k.Name))
		return
	}
	d.region.add(d, command{
		kind: cmdLaunch, kernel: l.k, function: f,
		grid: driver.Dim3{X: uint32(x), Y: uint32(y), Z: uint32(z)}, shared: shared,
	}, l.args[:l.n], l.note)
}

// describe is a launch in a message: kernel, grid, block and arguments.
func (c *command) describe(n *note) string {
	s := fmt.Sprintf("kernel %s (%s), grid %d x %d x %d, block %d, %d bytes of dynamic shared memory",
		c.kernel.Name, c.kernel.File, c.grid.X, c.grid.Y, c.grid.Z, c.kernel.Block, c.shared)
	if n != nil {
		s += ", arguments (" + strings.Join(n.words, ", ") + ")"
	}
	return s
}

// scratch is memory for the inside of one op: the same bytes serve the next
// op, in stream order. Its values are undefined. The type is Float32.
func (d *Device) scratch(bytes int) kernels.Mem {
	d.lock()
	defer d.unlock()
	n := (bytes + 3) / 4
	if d.slab.Len < n {
		want := max(n, 2*d.slab.Len, 1<<16)
		if !d.slab.IsNil() {
			d.pool.free(driver.Ptr(d.slab.Dev))
			d.slab = kernels.Mem{}
		}
		p, err := d.pool.alloc(4*want, source{what: "scratch of ops"})
		if err != nil {
			d.fail(err)
			// Launches after a failure are dropped: the address is never used.
			return kernels.Mem{Dev: grain, Len: n}
		}
		d.slab = kernels.Mem{Dev: uint64(p), Len: want}
	}
	return d.slab.At(0, n)
}
