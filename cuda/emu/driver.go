package emu

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// Config is an emulated driver and its devices; the zero value of a field is
// what stands behind it. The fields from Version on are for tests of programs
// that must cope.
type Config struct {
	Devices int   // 1
	Memory  int64 // bytes of each device, 80 GiB
	Workers int   // goroutines that run blocks, GOMAXPROCS
	Limit   int64 // warp instructions after which a kernel counts as endless, 2^30
	Eager   bool  // run work when it is issued, not as late as allowed

	Version    int    // of the driver, 12040
	Capability [2]int // of the devices, 9.0
	NoJIT      bool   // the PTX compiler's library is missing
	FailLaunch int    // the launch, counted from 1, that fails on the device
	PinnedOnly bool   // copies from and to memory of the Go heap are errors
}

// Driver is an emulated CUDA driver. Its methods may be called from several
// goroutines; one call runs at a time.
type Driver struct {
	mu       sync.Mutex
	c        Config
	devices  []*device
	current  map[int]driver.Context // by operating-system thread
	capturer map[int]int            // captures that a thread has begun
	handle   uintptr
	modules  map[driver.Module]*loaded
	funcs    map[driver.Function]*function
	streams  map[driver.Stream]*stream
	events   map[driver.Event]*event
	graphs   map[driver.Graph]*graph
	execs    map[driver.GraphExec]*graph
	host     map[uintptr]*hostBlock
	freed    map[uintptr]bool // addresses of pinned memory given back
	counters map[string]*Counters
	launches int
}

// device is one emulated GPU and its primary context.
type device struct {
	ordinal    driver.Device
	mem        *memory
	retained   int
	generation uintptr
	main       *stream // the default stream
	fault      error   // what a kernel did; the context is lost
}

// loaded is a module in a context, function an entry of it.
type loaded struct {
	m   *Module
	dev *device
}

type function struct {
	e          *Entry
	dev        *device
	maxDynamic int
}

var _ driver.API = (*Driver)(nil)

// New makes an emulated driver with n devices.
func New(n int) *Driver { return Open(Config{Devices: n}) }

// Open makes an emulated driver.
func Open(c Config) *Driver {
	c.Devices = max(c.Devices, 1)
	if c.Memory == 0 {
		c.Memory = chipMemory
	}
	if c.Workers == 0 {
		c.Workers = defaultWorkers()
	}
	if c.Limit == 0 {
		c.Limit = 1 << 30
	}
	if c.Version == 0 {
		c.Version = 12040
	}
	if c.Capability == [2]int{} {
		c.Capability = [2]int{9, 0}
	}
	d := &Driver{
		c: c, current: map[int]driver.Context{}, capturer: map[int]int{}, handle: 0x1000,
		modules: map[driver.Module]*loaded{}, funcs: map[driver.Function]*function{},
		streams: map[driver.Stream]*stream{}, events: map[driver.Event]*event{},
		graphs: map[driver.Graph]*graph{}, execs: map[driver.GraphExec]*graph{},
		host: map[uintptr]*hostBlock{}, freed: map[uintptr]bool{}, counters: map[string]*Counters{},
	}
	for i := range c.Devices {
		dev := &device{ordinal: driver.Device(i)}
		dev.reset(c.Memory)
		d.devices = append(d.devices, dev)
	}
	return d
}

// reset is a new primary context.
func (dev *device) reset(limit int64) {
	dev.mem = newMemory(limit)
	dev.main = &stream{dev: dev}
	dev.generation++
	dev.fault = nil
}

func (dev *device) context() driver.Context {
	return driver.Context(uintptr(dev.ordinal) + 1 | dev.generation<<16)
}

// Counters are what the launches of the kernel with this name did; zero for
// one that never ran.
func (d *Driver) Counters(kernel string) Counters {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.counters[kernel]; c != nil {
		return *c
	}
	return Counters{}
}

// Kernels lists the kernels that have run, sorted.
func (d *Driver) Kernels() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for k := range d.counters {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// fail is a driver's error with a text of its own, where there is one.
func fail(call string, code int, format string, args ...any) error {
	err := driver.Fail(call, code)
	var e *driver.Error
	if errors.As(err, &e) && format != "" {
		e.Text = fmt.Sprintf(format, args...)
	}
	return err
}

// next is a fresh handle; handles are never used twice.
func (d *Driver) next() uintptr {
	d.handle += 0x10
	return d.handle
}

// use is the device of the thread's current context. After a fault every call
// that uses the context fails with it.
func (d *Driver) use(call string) (*device, error) {
	c, ok := d.current[thread()]
	if !ok {
		return nil, fail(call, driver.InvalidContext, "CtxSetCurrent has not been called on this thread (runtime.LockOSThread keeps a goroutine on one)")
	}
	dev := d.devices[c&0xffff-1]
	if dev.context() != c || dev.retained == 0 {
		return nil, fail(call, driver.ContextIsDestroyed, "the primary context has been released")
	}
	return dev, dev.fault
}

// useFree is use for calls that may not be made while the thread captures.
func (d *Driver) useFree(call string) (*device, error) {
	if d.capturer[thread()] > 0 {
		d.invalidate()
		return nil, fail(call, driver.CaptureUnsupported, "this thread is capturing a stream: the call is not allowed, and the capture is lost")
	}
	return d.use(call)
}

func (d *Driver) Name() string { return "emu" }

func (d *Driver) Version() (int, error) { return d.c.Version, nil }

func (d *Driver) DeviceCount() (int, error) { return len(d.devices), nil }

func (d *Driver) device(call string, i driver.Device) (*device, error) {
	if i < 0 || int(i) >= len(d.devices) {
		return nil, fail(call, driver.InvalidDevice, "")
	}
	return d.devices[i], nil
}

func (d *Driver) DeviceName(i driver.Device) (string, error) {
	if _, err := d.device("cuDeviceGetName", i); err != nil {
		return "", err
	}
	return "Sectile PTX emulator", nil
}

func (d *Driver) DeviceTotalMem(i driver.Device) (int64, error) {
	_, err := d.device("cuDeviceTotalMem", i)
	return d.c.Memory, err
}

func (d *Driver) DeviceAttribute(a driver.Attribute, i driver.Device) (int, error) {
	if _, err := d.device("cuDeviceGetAttribute", i); err != nil {
		return 0, err
	}
	switch a {
	case driver.ComputeCapabilityMajor:
		return d.c.Capability[0], nil
	case driver.ComputeCapabilityMinor:
		return d.c.Capability[1], nil
	}
	v, ok := attributes[a]
	if !ok {
		return 0, fail("cuDeviceGetAttribute", driver.InvalidValue, "the emulator does not know attribute %d", a)
	}
	return v, nil
}

func (d *Driver) PrimaryCtxRetain(i driver.Device) (driver.Context, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.device("cuDevicePrimaryCtxRetain", i)
	if err != nil {
		return 0, err
	}
	dev.retained++
	return dev.context(), nil
}

// PrimaryCtxRelease destroys the context with its last user: memory, modules,
// streams and a fault go with it.
func (d *Driver) PrimaryCtxRelease(i driver.Device) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.device("cuDevicePrimaryCtxRelease", i)
	if err != nil {
		return err
	}
	if dev.retained == 0 {
		return fail("cuDevicePrimaryCtxRelease", driver.InvalidContext, "released more often than retained")
	}
	if dev.retained--; dev.retained == 0 {
		dev.reset(d.c.Memory)
	}
	return nil
}

func (d *Driver) CtxSetCurrent(c driver.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c == 0 {
		delete(d.current, thread())
		return nil
	}
	i := int(c&0xffff) - 1
	if i < 0 || i >= len(d.devices) || d.devices[i].context() != c {
		return fail("cuCtxSetCurrent", driver.InvalidContext, "no such context")
	}
	d.current[thread()] = c
	return nil
}

func (d *Driver) CtxSynchronize() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.useFree("cuCtxSynchronize")
	if err != nil {
		return err
	}
	return d.drainAll(dev)
}
