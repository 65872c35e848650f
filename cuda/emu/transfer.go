package emu

import (
	"encoding/binary"
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// hostBlock is pinned host memory.
type hostBlock struct {
	data  []byte
	freed bool
}

func (d *Driver) MemAlloc(bytes int) (driver.Ptr, error) {
	const call = "cuMemAlloc"
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.useFree(call)
	if err != nil {
		return 0, err
	}
	if bytes <= 0 {
		return 0, fail(call, driver.InvalidValue, "%d bytes", bytes)
	}
	b := dev.mem.alloc(bytes, "")
	if b == nil {
		return 0, fail(call, driver.OutOfMemory, "%d bytes asked for, %d of %d in use", bytes, dev.mem.used, dev.mem.limit)
	}
	return driver.Ptr(b.base), nil
}

// MemFree does not wait for work that still uses the memory, so that such work
// is reported.
func (d *Driver) MemFree(p driver.Ptr) error {
	const call = "cuMemFree"
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.useFree(call)
	if err != nil {
		return err
	}
	b := dev.mem.find(uint64(p))
	switch {
	case p == 0:
		return nil
	case b == nil || b.base != uint64(p):
		return fail(call, driver.InvalidValue, "%#x is not the start of an allocation", uint64(p))
	case b.freed:
		return fail(call, driver.InvalidValue, "allocation %d at %#x has been freed before", b.serial, b.base)
	}
	dev.mem.free(b)
	return nil
}

func (d *Driver) MemGetInfo() (free, total int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.use("cuMemGetInfo")
	if err != nil {
		return 0, 0, err
	}
	return dev.mem.limit - dev.mem.used, dev.mem.limit, nil
}

func (d *Driver) MemAllocHost(bytes int) (unsafe.Pointer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.useFree("cuMemAllocHost"); err != nil {
		return nil, err
	}
	if bytes <= 0 {
		return nil, fail("cuMemAllocHost", driver.InvalidValue, "%d bytes", bytes)
	}
	// 64-byte alignment, as words so that the start is aligned at all.
	words := make([]uint64, (bytes+7)/8+7)
	at := (64 - uintptr(unsafe.Pointer(&words[0]))%64) % 64
	p := unsafe.Pointer(&words[at/8])
	d.host[uintptr(p)] = &hostBlock{data: unsafe.Slice((*byte)(p), bytes)}
	delete(d.freed, uintptr(p))
	return p, nil
}

func (d *Driver) MemFreeHost(p unsafe.Pointer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, ok := d.host[uintptr(p)]
	switch {
	case d.freed[uintptr(p)]:
		return fail("cuMemFreeHost", driver.InvalidValue, "%p has been freed before", p)
	case !ok:
		return fail("cuMemFreeHost", driver.InvalidValue, "%p is not the start of pinned memory", p)
	}
	b.freed = true
	d.freed[uintptr(p)] = true
	delete(d.host, uintptr(p))
	return nil
}

// pinned is the pinned block that holds n bytes at p, nil for other memory.
func (d *Driver) pinned(p unsafe.Pointer, n int) *hostBlock {
	for base, b := range d.host {
		if u := uintptr(p); u >= base && u+uintptr(n) <= base+uintptr(len(b.data)) {
			return b
		}
	}
	return nil
}

// transfer issues a copy between host and device. Of pinned memory the bytes
// are read or written when the copy runs; with other memory the call waits.
func (d *Driver) transfer(call string, dev driver.Ptr, host unsafe.Pointer, n int, h driver.Stream, up bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.stream(call, h)
	if err != nil || n == 0 {
		return err
	}
	mem := s.dev.mem
	if _, err := mem.span(uint64(dev), n); err != nil {
		return fail(call, driver.InvalidValue, "%v", err)
	}
	if host == nil {
		return fail(call, driver.InvalidValue, "%d bytes of host memory at nil", n)
	}
	block := d.pinned(host, n)
	if block == nil && (d.c.PinnedOnly || s.capture != nil) {
		return fail(call, driver.InvalidValue, "%d bytes at %p are not memory of MemAllocHost: the copy would not be asynchronous", n, host)
	}
	bytes := unsafe.Slice((*byte)(host), n)
	run := func() error {
		b, err := mem.span(uint64(dev), n)
		if err != nil {
			return fail(call, driver.IllegalAddress, "when the copy ran: %v", err)
		}
		if block != nil && block.freed {
			return fail(call, driver.IllegalAddress, "the pinned memory at %p was freed before the copy ran", host)
		}
		if off := int(uint64(dev) - b.base); up {
			b.upload(off, bytes)
		} else {
			b.download(bytes, off)
		}
		return nil
	}
	if err := d.issue(s, call, run); err != nil || block != nil {
		return err
	}
	return d.drain(point{s, s.issued})
}

func (d *Driver) MemcpyHtoDAsync(dst driver.Ptr, src unsafe.Pointer, bytes int, s driver.Stream) error {
	return d.transfer("cuMemcpyHtoDAsync", dst, src, bytes, s, true)
}

// MemcpyDtoHAsync gives bytes that nobody has written as NaN.
func (d *Driver) MemcpyDtoHAsync(dst unsafe.Pointer, src driver.Ptr, bytes int, s driver.Stream) error {
	return d.transfer("cuMemcpyDtoHAsync", src, dst, bytes, s, false)
}

func (d *Driver) MemcpyDtoDAsync(dst, src driver.Ptr, bytes int, h driver.Stream) error {
	const call = "cuMemcpyDtoDAsync"
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.stream(call, h)
	if err != nil || bytes == 0 {
		return err
	}
	mem := s.dev.mem
	spans := func() (to, from *buffer, err error) {
		if to, err = mem.span(uint64(dst), bytes); err == nil {
			from, err = mem.span(uint64(src), bytes)
		}
		return to, from, err
	}
	if _, _, err := spans(); err != nil {
		return fail(call, driver.InvalidValue, "%v", err)
	}
	if dst < src+driver.Ptr(bytes) && src < dst+driver.Ptr(bytes) {
		return fail(call, driver.InvalidValue, "the %d bytes at %#x and %#x overlap", bytes, uint64(dst), uint64(src))
	}
	return d.issue(s, call, func() error {
		to, from, err := spans()
		if err != nil {
			return fail(call, driver.IllegalAddress, "when the copy ran: %v", err)
		}
		to.move(int(uint64(dst)-to.base), from, int(uint64(src)-from.base), bytes)
		return nil
	})
}

func (d *Driver) memset(call string, p driver.Ptr, pattern []byte, n int, h driver.Stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.stream(call, h)
	if err != nil || n == 0 {
		return err
	}
	bytes := n * len(pattern)
	if uint64(p)%uint64(len(pattern)) != 0 {
		return fail(call, driver.InvalidValue, "%#x is not aligned to %d bytes", uint64(p), len(pattern))
	}
	mem := s.dev.mem
	if _, err := mem.span(uint64(p), bytes); err != nil {
		return fail(call, driver.InvalidValue, "%v", err)
	}
	return d.issue(s, call, func() error {
		b, err := mem.span(uint64(p), bytes)
		if err != nil {
			return fail(call, driver.IllegalAddress, "when it ran: %v", err)
		}
		b.fill(int(uint64(p)-b.base), bytes, pattern)
		return nil
	})
}

func (d *Driver) MemsetD8Async(p driver.Ptr, v byte, n int, s driver.Stream) error {
	return d.memset("cuMemsetD8Async", p, []byte{v}, n, s)
}

func (d *Driver) MemsetD32Async(p driver.Ptr, v uint32, n int, s driver.Stream) error {
	return d.memset("cuMemsetD32Async", p, binary.LittleEndian.AppendUint32(nil, v), n, s)
}

// LaunchKernel refuses at once what a device would refuse; what the kernel
// does wrong comes out of the call that waits for it.
func (d *Driver) LaunchKernel(h driver.Function, grid, block driver.Dim3, dynamic int, sh driver.Stream, args []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.function("cuLaunchKernel", h)
	if err != nil {
		return err
	}
	call := "cuLaunchKernel " + f.e.Name
	s, err := d.stream(call, sh)
	if err != nil {
		return err
	}
	if f.dev != s.dev {
		return fail(call, driver.InvalidHandle, "the function belongs to device %d, the stream to device %d", f.dev.ordinal, s.dev.ordinal)
	}
	l := launch{e: f.e, mem: s.dev.mem, grid: grid, block: block, dynamic: dynamic, params: append([]byte(nil), args...), limit: d.c.Limit, workers: d.c.Workers}
	if bad := l.check(); bad != nil {
		return bad
	}
	if dynamic < 0 || dynamic > f.maxDynamic {
		return fail(call, driver.InvalidValue, "%d bytes of dynamic shared memory, %d are allowed (FuncSetAttribute raises them)", dynamic, f.maxDynamic)
	}
	return d.issue(s, call, func() error { return d.launch(&l) })
}

// launch runs a kernel and adds its counters.
func (d *Driver) launch(l *launch) error {
	d.launches++
	if d.launches == d.c.FailLaunch {
		return fail("cuLaunchKernel "+l.e.Name, driver.LaunchFailed, "the emulator was told to fail launch %d", d.launches)
	}
	c, fault := l.run()
	have := d.counters[l.e.Name]
	if have == nil {
		have = new(Counters)
		d.counters[l.e.Name] = have
	}
	have.add(&c)
	if fault != nil {
		return fault
	}
	return nil
}
