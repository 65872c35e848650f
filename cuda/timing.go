package cuda

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/ptx"
)

// timing holds the events around each launch until the stream is waited for.
type timing struct {
	idle    []driver.Event
	running []timed
	sums    map[*ptx.Kernel]*KernelTime
}

type timed struct {
	kernel     *ptx.Kernel
	start, end driver.Event
}

// KernelTime is what a kernel's launches took on the device, by events in the
// stream; of short kernels that includes what lies between two launches, some
// 2 µs.
type KernelTime struct {
	Kernel   string
	Launches int
	Seconds  float64
}

// mostTimed bounds the events in flight.
const mostTimed = 4096

// Timings returns the kernels' times since the last call, the longest first,
// and forgets them. It waits for the device. There are none without
// Options.Timing.
func (d *Device) Timings() ([]KernelTime, error) {
	d.lock()
	defer d.unlock()
	if err := d.sync(); err != nil {
		return nil, err
	}
	var all []KernelTime
	for _, s := range d.timing.sums {
		all = append(all, *s)
	}
	clear(d.timing.sums)
	slices.SortFunc(all, func(a, b KernelTime) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Kernel, b.Kernel))
	})
	return all, nil
}

// event is an event of the stock, or a new one.
func (t *timing) event(d *Device) driver.Event {
	if n := len(t.idle); n > 0 {
		e := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return e
	}
	e, err := d.api.EventCreate(0)
	d.fail(err)
	return e
}

// begin marks the start of a launch.
func (t *timing) begin(d *Device) driver.Event {
	if len(t.running) == mostTimed {
		d.fail(d.api.StreamSynchronize(d.compute))
		t.collect(d)
	}
	e := t.event(d)
	d.fail(d.api.EventRecord(e, d.compute))
	return e
}

// finish marks the end of one.
func (t *timing) finish(d *Device, k *ptx.Kernel, start driver.Event) {
	end := t.event(d)
	d.fail(d.api.EventRecord(end, d.compute))
	t.running = append(t.running, timed{k, start, end})
}

// collect adds up what has run; the stream has been waited for.
func (t *timing) collect(d *Device) {
	if t.sums == nil {
		t.sums = map[*ptx.Kernel]*KernelTime{}
	}
	for _, x := range t.running {
		ms, err := d.api.EventElapsedTime(x.start, x.end)
		d.fail(err)
		s := t.sums[x.kernel]
		if s == nil {
			s = &KernelTime{Kernel: x.kernel.Name}
			t.sums[x.kernel] = s
		}
		s.Launches++
		s.Seconds += float64(ms) / 1e3
		t.idle = append(t.idle, x.start, x.end)
	}
	t.running = t.running[:0]
}

func (t *timing) release(d *Device) {
	for _, x := range t.running {
		t.idle = append(t.idle, x.start, x.end)
	}
	for _, e := range t.idle {
		d.api.EventDestroy(e)
	}
	t.idle, t.running = nil, nil
}
