package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// Options are the choices of a device; the zero value is the default.
type Options struct {
	// TF32 lets products round their inputs to 10 mantissa bits and run on
	// tensor cores; sums stay Float32.
	TF32 bool
	// Debug waits after every launch, so that an error names the kernel that
	// made it, its grid and its arguments. Graphs are off.
	Debug bool
	// CheckNaN downloads the operands of every launch and stops at the first
	// launch that wrote a NaN. Very slow; graphs are off.
	CheckNaN bool
	// Timing measures every launch by events (Device.Timings). Graphs are off.
	Timing bool
	// NoGraphs issues every command by itself.
	NoGraphs bool
	// NoCache asks the driver for every Alloc by itself, to the byte, so that
	// the emulator (or compute-sanitizer) sees where each one ends. Slow.
	NoCache bool
	// Warn receives a line about what runs but not as it should: a kernel that
	// spills, a graph that could not be made. nil: dropped.
	Warn func(string)
}

// eager reports whether commands are issued as they come.
func (o *Options) eager() bool { return o.NoGraphs || o.Debug || o.CheckNaN || o.Timing }

// Info describes a device.
type Info struct {
	Ordinal       int
	Name          string // "NVIDIA H200"
	Driver        string // "libcuda.so.1"
	Version       int    // CUDA version of the driver: 12040
	Major, Minor  int    // compute capability
	Memory        int64  // bytes
	SMs           int    // multiprocessors
	L2            int    // bytes
	SharedOptin   int    // bytes of shared memory that a block may ask for
	ThreadsPerSM  int
	MemoryClock   int // kHz
	MemoryBusBits int
}

// Device is the device's name, "cuda:0"; on the emulator "emu:0".
func (i Info) Device() string {
	if i.Driver == "emu" {
		return fmt.Sprintf("emu:%d", i.Ordinal)
	}
	return fmt.Sprintf("cuda:%d", i.Ordinal)
}

// String is the line of `sectile info`.
func (i Info) String() string {
	return fmt.Sprintf("%s, compute capability %d.%d, %d SMs, %.1f GiB, L2 %d MiB, %d KiB shared, driver for CUDA %d.%d",
		i.Name, i.Major, i.Minor, i.SMs, float64(i.Memory)/(1<<30), i.L2>>20, i.SharedOptin>>10, i.Version/1000, i.Version%1000/10)
}

// Device is one GPU as a kernels.Backend. Its methods may be called from any
// goroutine; ops that are made of several launches share scratch memory, so
// one goroutine at a time issues ops. Close ends it.
type Device struct {
	api     driver.API
	options Options
	info    Info

	mu      sync.Mutex // guards what follows, and the order of commands
	ctx     driver.Context
	compute driver.Stream
	copies  driver.Stream
	pool    pool
	stage   stage
	region  region
	code    code
	timing  timing
	bounce  []byte // pinned, for downloads
	slab    kernels.Mem
	sweeps  sweeps
	err     error // the first failure
	closed  bool
}

var _ kernels.Backend = (*Device)(nil)

// Open makes a backend of the driver's device number ordinal. The error is a
// *driver.Unavailable when the device cannot serve.
func Open(api driver.API, ordinal int, o Options) (*Device, error) {
	info, err := Probe(api, ordinal)
	if err != nil {
		return nil, err
	}
	d := &Device{api: api, options: o, info: info}
	d.pool.init(d)
	d.code.init(d)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := d.start(); err != nil {
		d.release()
		return nil, err
	}
	return d, nil
}

// Probe reads what the driver says of a device and checks that it can serve.
func Probe(api driver.API, ordinal int) (Info, error) {
	i := Info{Ordinal: ordinal, Driver: api.Name()}
	var err error
	if i.Version, err = api.Version(); err != nil {
		return i, err
	}
	if i.Version < 11000 {
		return i, &driver.Unavailable{Reason: "driver too old (needs CUDA 11.0)", Remedy: "install driver 450 or newer",
			Err: fmt.Errorf("%s serves CUDA %d.%d", api.Name(), i.Version/1000, i.Version%1000/10)}
	}
	n, err := api.DeviceCount()
	if err != nil {
		return i, err
	}
	if ordinal < 0 || ordinal >= n {
		return i, &driver.Unavailable{Reason: fmt.Sprintf("no device %d", ordinal),
			Remedy: "check nvidia-smi and CUDA_VISIBLE_DEVICES", Err: fmt.Errorf("the driver sees %d", n)}
	}
	dev := driver.Device(ordinal)
	if i.Name, err = api.DeviceName(dev); err != nil {
		return i, err
	}
	if i.Memory, err = api.DeviceTotalMem(dev); err != nil {
		return i, err
	}
	for a, v := range map[driver.Attribute]*int{
		driver.ComputeCapabilityMajor: &i.Major, driver.ComputeCapabilityMinor: &i.Minor,
		driver.MultiprocessorCount: &i.SMs, driver.L2CacheSize: &i.L2, driver.SharedPerBlockOptin: &i.SharedOptin,
		driver.ThreadsPerMultiproc: &i.ThreadsPerSM, driver.MemoryClockRate: &i.MemoryClock, driver.MemoryBusWidth: &i.MemoryBusBits,
	} {
		if *v, err = api.DeviceAttribute(a, dev); err != nil {
			return i, err
		}
	}
	if i.Major < 8 {
		return i, &driver.Unavailable{Reason: fmt.Sprintf("compute capability %d.%d < 8.0", i.Major, i.Minor),
			Remedy: "the kernels need an Ampere GPU or newer", Err: errors.New(i.Name)}
	}
	return i, nil
}

// start takes the context, streams and stage, and has the driver compile a
// kernel, which shows whether its compiler is there.
func (d *Device) start() (err error) {
	if d.ctx, err = d.api.PrimaryCtxRetain(driver.Device(d.info.Ordinal)); err != nil {
		return err
	}
	if err = d.api.CtxSetCurrent(d.ctx); err != nil {
		return err
	}
	if d.compute, err = d.api.StreamCreate(driver.StreamNonBlocking); err != nil {
		return err
	}
	if d.copies, err = d.api.StreamCreate(driver.StreamNonBlocking); err != nil {
		return err
	}
	if err = d.stage.init(d); err != nil {
		return err
	}
	if _, err = d.code.function(ptx.FillF32); driver.IsCode(err, driver.JITCompilerNotFound) {
		err = &driver.Unavailable{Reason: "PTX JIT library missing",
			Remedy: "install libnvidia-ptxjitcompiler.so.1 of the driver's version (in a container: NVIDIA_DRIVER_CAPABILITIES=compute,utility)", Err: err}
	}
	return err
}

// Close waits for the device and gives everything back. Memory of the device
// may not be used afterwards.
func (d *Device) Close() error {
	d.lock()
	defer d.unlock()
	if d.closed {
		return nil
	}
	err := d.sync()
	d.release()
	return err
}

// release gives back whatever start had taken; failures are of no use here.
func (d *Device) release() {
	d.closed = true
	d.region.release(d)
	d.code.release()
	d.timing.release(d)
	d.stage.release(d)
	d.pool.release()
	if d.compute != 0 {
		d.api.StreamDestroy(d.compute)
	}
	if d.copies != 0 {
		d.api.StreamDestroy(d.copies)
	}
	if d.ctx != 0 {
		d.api.CtxSetCurrent(0)
		d.api.PrimaryCtxRelease(driver.Device(d.info.Ordinal))
	}
}

// lock begins a run of driver calls: the context is current per thread, and a
// goroutine may have moved since the last call.
func (d *Device) lock() {
	d.mu.Lock()
	runtime.LockOSThread()
	if d.closed {
		return
	}
	if err := d.api.CtxSetCurrent(d.ctx); err != nil {
		d.fail(err)
	}
}

func (d *Device) unlock() {
	runtime.UnlockOSThread()
	d.mu.Unlock()
}

// fail keeps the first failure.
func (d *Device) fail(err error) {
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("%s: %w", d.Name(), err)
	}
}

// sync submits what is recorded and waits for the compute stream.
func (d *Device) sync() error {
	if d.closed {
		return fmt.Errorf("%s: used after Close", d.Name())
	}
	d.region.flush(d)
	if d.err == nil {
		d.fail(d.api.StreamSynchronize(d.compute))
	}
	if d.err == nil {
		d.timing.collect(d)
	}
	return d.err
}

// Name is "cuda:0"; on the emulator "emu:0".
func (d *Device) Name() string { return d.info.Device() }

// Info describes the device.
func (d *Device) Info() Info { return d.info }

// Options are those it was opened with.
func (d *Device) Options() Options { return d.options }

// Sync waits for all ops issued so far and reports the first failure.
func (d *Device) Sync() error {
	d.lock()
	defer d.unlock()
	return d.sync()
}

func (d *Device) warn(format string, args ...any) {
	if d.options.Warn != nil {
		d.options.Warn(d.Name() + ": " + fmt.Sprintf(format, args...))
	}
}
