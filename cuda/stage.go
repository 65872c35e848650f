package cuda

import (
	"unsafe"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// stageMin is a block's first size, bounceSize that of the download buffer.
const (
	stageMin   = 1 << 20
	bounceSize = 1 << 20
	// ownStream is how much is worth the copy stream: less is copied on the
	// compute stream, which costs no event.
	ownStream = 64 << 10
)

// stage is how what changes per step reaches the device: step scalars and
// uploads are written to a pinned block, and one copy carries what is new to
// its mirror in device memory before the commands that read it are issued. A
// region has a block to itself, so its addresses are the same every second
// time; while the device works on one block, the host fills the other.
type stage struct {
	blocks [2]block
	now    int
	copied driver.Event
}

// block is pinned memory and its mirror on the device. Bytes below fill are
// taken, those below sent are on their way.
type block struct {
	host       unsafe.Pointer
	dev        driver.Ptr
	size       int
	fill, sent int
	done       driver.Event // after the last command that read the mirror
	waiting    bool         // done was recorded
}

func (s *stage) init(d *Device) (err error) {
	p, err := d.api.MemAllocHost(bounceSize)
	if err != nil {
		return err
	}
	d.bounce = unsafe.Slice((*byte)(p), bounceSize)
	if s.copied, err = d.api.EventCreate(driver.EventDisableTiming); err != nil {
		return err
	}
	for i := range s.blocks {
		b := &s.blocks[i]
		if b.done, err = d.api.EventCreate(driver.EventDisableTiming); err != nil {
			return err
		}
		if err = b.make(d, stageMin); err != nil {
			return err
		}
	}
	return nil
}

func (b *block) make(d *Device, size int) (err error) {
	if b.host, err = d.api.MemAllocHost(size); err != nil {
		return err
	}
	if b.dev, err = d.api.MemAlloc(size); err != nil {
		d.api.MemFreeHost(b.host)
		b.host = nil
		return err
	}
	b.size, b.fill, b.sent = size, 0, 0
	return nil
}

func (b *block) drop(d *Device) {
	if b.dev != 0 {
		d.api.MemFree(b.dev)
	}
	if b.host != nil {
		d.api.MemFreeHost(b.host)
	}
	b.host, b.dev, b.size, b.fill, b.sent = nil, 0, 0, 0, 0
}

func (s *stage) release(d *Device) {
	for i := range s.blocks {
		s.blocks[i].drop(d)
		if s.blocks[i].done != 0 {
			d.api.EventDestroy(s.blocks[i].done)
		}
	}
	if s.copied != 0 {
		d.api.EventDestroy(s.copied)
	}
	if d.bounce != nil {
		d.api.MemFreeHost(unsafe.Pointer(&d.bounce[0]))
		d.bounce = nil
	}
}

// swap goes on to the other block, after the device has finished with it.
func (s *stage) swap(d *Device) {
	if s.blocks[s.now].fill == 0 {
		return
	}
	b := &s.blocks[s.now]
	d.fail(d.api.EventRecord(b.done, d.compute))
	b.waiting = true
	s.now ^= 1
	b = &s.blocks[s.now]
	if b.waiting {
		d.fail(d.api.EventSynchronize(b.done))
	}
	b.waiting, b.fill, b.sent = false, 0, 0
}

// take reserves bytes of the block: where the host writes and where a kernel
// will read. Outside a region a full block is exchanged for the other one,
// inside it grows. It reports whether there is room.
func (s *stage) take(d *Device, bytes int) (host unsafe.Pointer, dev driver.Ptr, ok bool) {
	b := &s.blocks[s.now]
	at := (b.fill + 15) &^ 15
	if at+bytes > b.size && d.region.depth == 0 && bytes <= b.size {
		s.swap(d)
		b, at = &s.blocks[s.now], 0
	}
	if at+bytes > b.size {
		if !s.grow(d, bytes) {
			return nil, 0, false
		}
		b, at = &s.blocks[s.now], 0
	}
	b.fill = at + bytes
	return unsafe.Add(b.host, at), b.dev + driver.Ptr(at), d.err == nil
}

// grow makes the block large enough for a region that holds as much again as
// this one so far. What was taken is on the device when it returns.
func (s *stage) grow(d *Device, bytes int) bool {
	b := &s.blocks[s.now]
	size := 2 * b.size
	for size < b.fill+2*bytes {
		size *= 2
	}
	if d.sync() != nil {
		return false
	}
	old := *b
	if err := b.make(d, size); err != nil {
		*b = old
		d.warn("no %d MiB for staging (%v): uploads of this step are not part of its graph", size>>20, err)
		return false
	}
	old.drop(d)
	return true
}

// push sends what is new in the block on its way, before the commands that
// read it. Large amounts go by the copy stream, beside the compute stream's
// present work.
func (s *stage) push(d *Device) {
	b := &s.blocks[s.now]
	n := b.fill - b.sent
	if n == 0 || d.err != nil {
		return
	}
	stream := d.compute
	if n >= ownStream {
		stream = d.copies
	}
	d.fail(d.api.MemcpyHtoDAsync(b.dev+driver.Ptr(b.sent), unsafe.Add(b.host, b.sent), n, stream))
	b.sent = b.fill
	if stream == d.copies && d.err == nil {
		d.fail(d.api.EventRecord(s.copied, d.copies))
		d.fail(d.api.StreamWaitEvent(d.compute, s.copied))
	}
}

// upload copies src to dst in the order of the stream. Inside a region it goes
// through the block's mirror, so that the command is the same every time.
func (s *stage) upload(d *Device, dst driver.Ptr, src []byte) {
	if d.region.depth > 0 {
		if host, dev, ok := s.take(d, len(src)); ok {
			copy(unsafe.Slice((*byte)(host), len(src)), src)
			d.region.add(d, command{kind: cmdCopy, dst: dst, src: dev, bytes: len(src)}, nil, nil)
			return
		}
		d.region.flush(d)
	}
	for len(src) > 0 && d.err == nil {
		s.push(d)
		b := &s.blocks[s.now]
		if b.fill == b.size || (len(src) > b.size-b.fill && b.size-b.fill < 4096) {
			s.swap(d)
			b = &s.blocks[s.now]
		}
		n := min(len(src), b.size-b.fill)
		host := unsafe.Add(b.host, b.fill)
		copy(unsafe.Slice((*byte)(host), n), src)
		d.fail(d.api.MemcpyHtoDAsync(dst, host, n, d.compute))
		b.fill += n
		b.sent = b.fill
		src, dst = src[n:], dst+driver.Ptr(n)
	}
}
