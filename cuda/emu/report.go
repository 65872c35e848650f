package emu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// Kind is what a kernel did wrong.
type Kind int

// The faults that stop a launch.
const (
	OutOfBounds Kind = iota
	Misaligned
	FreedMemory
	Uninitialised
	Race
	DivergentBarrier
	DivergentWarp
	BadInstruction
	Trap
	Endless
	BadLaunch
)

var kindNames = [...]string{
	"out of bounds", "misaligned", "freed memory", "uninitialised read", "data race", "divergent barrier",
	"divergent warp", "invalid operand", "trap", "endless kernel", "invalid launch",
}

func (k Kind) String() string { return kindNames[k] }

// code is the driver's code for the same fault on a device. Races and reads
// of memory that nobody wrote have none: a device goes on with wrong numbers.
func (k Kind) code() int {
	switch k {
	case OutOfBounds, FreedMemory:
		return driver.IllegalAddress
	case Misaligned:
		return driver.MisalignedAddress
	case BadInstruction:
		return driver.IllegalInstruction
	case Endless:
		return driver.LaunchTimeout
	case BadLaunch:
		return driver.InvalidValue
	}
	return driver.LaunchFailed
}

// A Fault is a kernel's mistake, found while it ran. errors.As finds it in
// what the driver's calls return, and a *driver.Error with it.
type Fault struct {
	Kind   Kind
	Kernel string
	File   string
	Line   int    // of the instruction; 0 for a launch
	Text   string // the instruction
	Block  driver.Dim3
	Thread driver.Dim3 // of one thread of the warp where the whole warp is at fault
	Addr   uint64      // of memory faults
	Detail string
}

func (f *Fault) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "emu: %s: kernel %s", f.Kind, f.Kernel)
	if f.Line > 0 {
		fmt.Fprintf(&s, " (%s:%d: %q) block (%d,%d,%d) thread (%d,%d,%d)", f.File, f.Line, f.Text,
			f.Block.X, f.Block.Y, f.Block.Z, f.Thread.X, f.Thread.Y, f.Thread.Z)
	}
	return s.String() + ": " + f.Detail
}

// As gives the driver's view of the fault.
func (f *Fault) As(target any) bool {
	e, ok := target.(**driver.Error)
	if ok {
		var k *driver.Error
		errors.As(driver.Fail("cuLaunchKernel "+f.Kernel, f.Kind.code()), &k)
		k.Text = f.Error()
		*e = k
	}
	return ok
}

// Is lets errors.Is compare with a *driver.Error, as for other failures.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*driver.Error)
	return ok && t.Code == f.Kind.code() && (t.Call == "" || t.Call == "cuLaunchKernel "+f.Kernel)
}

// fault stops the launch. lane -1 means the warp: the report then names its
// first thread.
func (w *warp) fault(kind Kind, lane int, format string, args ...any) {
	w.faultAt(kind, lane, 0, format, args...)
}

func (w *warp) faultAt(kind Kind, lane int, addr uint64, format string, args ...any) {
	f := &Fault{
		Kind: kind, Kernel: w.b.e.Name, File: w.b.e.File, Block: w.b.id,
		Thread: w.b.l.thread(w.id*32 + max(lane, 0)), Addr: addr, Detail: fmt.Sprintf(format, args...),
	}
	if w.in != nil {
		f.Line, f.Text = int(w.in.line), w.in.text
	}
	panic(f)
}

// unwritten reports the read of a register that some lanes never wrote.
func (w *warp) unwritten(name string, lanes uint32) {
	lane := 0
	for lanes>>lane&1 == 0 {
		lane++
	}
	w.fault(Uninitialised, lane, "register %s has never been written by this thread", name)
}

// thread is the place in its block of the thread with this linear index.
func (l *launch) thread(i int) driver.Dim3 {
	x, y := max(l.block.X, 1), max(l.block.Y, 1)
	u := uint32(i)
	return driver.Dim3{X: u % x, Y: u / x % y, Z: u / x / y}
}
