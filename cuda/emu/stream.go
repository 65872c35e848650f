package emu

import (
	"maps"
	"slices"
	"time"

	"github.com/sectile-ml/sectile/cuda/driver"
)

// stream is a queue of work that has been issued and not run. Nothing runs
// before someone waits for it: a program that forgets to wait sees old bytes.
type stream struct {
	dev     *device
	apart   bool // StreamNonBlocking: does not wait for the default stream
	queue   []work
	issued  uint64 // works so far
	done    uint64 // works that have run
	capture *capture
}

// work is an entry of a queue or a node of a graph.
type work struct {
	kind  string
	run   func() error
	after []point
}

// point is a place in a stream: after so many works.
type point struct {
	s     *stream
	count uint64
}

// event is a mark in a stream.
type event struct {
	dev     *device
	timing  bool
	at      point
	time    *time.Time // when it ran
	capture *capture   // it was recorded into
}

// stream finds the stream of a handle; 0 is the current device's default.
func (d *Driver) stream(call string, h driver.Stream) (*stream, error) {
	dev, err := d.use(call)
	if err != nil {
		return nil, err
	}
	if h == 0 {
		return dev.main, nil
	}
	s, ok := d.streams[h]
	if !ok {
		return nil, fail(call, driver.InvalidHandle, "no such stream")
	}
	if s.dev != dev {
		return nil, fail(call, driver.InvalidHandle, "the stream belongs to device %d, the current context to device %d", s.dev.ordinal, dev.ordinal)
	}
	return s, nil
}

// issue puts work into a stream, or into the graph that it captures.
func (d *Driver) issue(s *stream, kind string, run func() error, after ...point) error {
	if c := s.capture; c != nil {
		c.nodes = append(c.nodes, work{kind: kind, run: run})
		return nil
	}
	// The default stream and the others wait for each other.
	if s == s.dev.main {
		for _, o := range d.ordered(s.dev)[1:] {
			if !o.apart && o.capture == nil {
				after = append(after, point{o, o.issued})
			}
		}
	} else if !s.apart {
		after = append(after, point{s.dev.main, s.dev.main.issued})
	}
	s.queue = append(s.queue, work{kind, run, after})
	s.issued++
	if d.c.Eager {
		return d.drain(point{s, s.issued})
	}
	return nil
}

// drain runs works up to a point, after those they wait for.
func (d *Driver) drain(p point) error {
	for p.s.done < p.count {
		if err := p.s.dev.fault; err != nil {
			return err
		}
		w := p.s.queue[0]
		p.s.queue = p.s.queue[1:]
		for _, q := range w.after {
			if err := d.drain(q); err != nil {
				return err
			}
		}
		p.s.done++
		if err := w.run(); err != nil {
			p.s.dev.fault = err
			return err
		}
	}
	return nil
}

func (d *Driver) drainAll(dev *device) error {
	for _, s := range d.ordered(dev) {
		if err := d.drain(point{s, s.issued}); err != nil {
			return err
		}
	}
	return nil
}

// ordered are a device's streams, the default one first, then as they were
// made.
func (d *Driver) ordered(dev *device) []*stream {
	out := []*stream{dev.main}
	for _, h := range slices.Sorted(maps.Keys(d.streams)) {
		if s := d.streams[h]; s.dev == dev {
			out = append(out, s)
		}
	}
	return out
}

func (d *Driver) StreamCreate(flags uint32) (driver.Stream, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.use("cuStreamCreate")
	if err != nil {
		return 0, err
	}
	if flags&^driver.StreamNonBlocking != 0 {
		return 0, fail("cuStreamCreate", driver.InvalidValue, "flags %#x", flags)
	}
	h := driver.Stream(d.next())
	d.streams[h] = &stream{dev: dev, apart: flags != 0}
	return h, nil
}

// StreamDestroy lets the stream's work run to its end.
func (d *Driver) StreamDestroy(h driver.Stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.streams[h]
	if !ok {
		return fail("cuStreamDestroy", driver.InvalidHandle, "no such stream")
	}
	delete(d.streams, h)
	return d.drain(point{s, s.issued})
}

func (d *Driver) StreamSynchronize(h driver.Stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.stream("cuStreamSynchronize", h)
	if err != nil {
		return err
	}
	if s.capture != nil {
		s.capture.lost = true
		return fail("cuStreamSynchronize", driver.CaptureUnsupported, "the stream is being captured")
	}
	return d.drain(point{s, s.issued})
}

// StreamQuery lets one work run at each call: who asks often enough is done.
func (d *Driver) StreamQuery(h driver.Stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.stream("cuStreamQuery", h)
	if err != nil {
		return err
	}
	if s.capture != nil {
		s.capture.lost = true
		return fail("cuStreamQuery", driver.CaptureUnsupported, "the stream is being captured")
	}
	return d.advance("cuStreamQuery", point{s, s.issued})
}

// advance runs one work towards p; NotReady before it is reached.
func (d *Driver) advance(call string, p point) error {
	if p.s == nil || p.s.done >= p.count {
		return nil
	}
	if err := d.drain(point{p.s, p.s.done + 1}); err != nil {
		return err
	}
	if p.s.done < p.count {
		return fail(call, driver.NotReady, "")
	}
	return nil
}

func (d *Driver) EventCreate(flags uint32) (driver.Event, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.use("cuEventCreate")
	if err != nil {
		return 0, err
	}
	h := driver.Event(d.next())
	d.events[h] = &event{dev: dev, timing: flags&driver.EventDisableTiming == 0}
	return h, nil
}

func (d *Driver) event(call string, h driver.Event) (*event, error) {
	e, ok := d.events[h]
	if !ok {
		return nil, fail(call, driver.InvalidHandle, "no such event")
	}
	return e, nil
}

func (d *Driver) EventDestroy(h driver.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := d.event("cuEventDestroy", h)
	delete(d.events, h)
	return err
}

func (d *Driver) EventRecord(h driver.Event, sh driver.Stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.event("cuEventRecord", h)
	if err != nil {
		return err
	}
	s, err := d.stream("cuEventRecord", sh)
	if err != nil {
		return err
	}
	if e.capture = s.capture; e.capture != nil {
		return nil
	}
	at := new(time.Time)
	err = d.issue(s, "event", func() error { *at = time.Now(); return nil })
	e.at, e.time = point{s, s.issued}, at
	return err
}

// StreamWaitEvent holds the stream's later work back until the event; a
// stream that waits for an event of a capture joins the capture.
func (d *Driver) StreamWaitEvent(sh driver.Stream, h driver.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.event("cuStreamWaitEvent", h)
	if err != nil {
		return err
	}
	s, err := d.stream("cuStreamWaitEvent", sh)
	switch {
	case err != nil:
		return err
	case e.capture != nil && s.capture == nil:
		s.capture = e.capture
		return nil
	case e.capture != s.capture:
		s.capture.lost = true
		return fail("cuStreamWaitEvent", driver.CaptureUnsupported, "the stream is being captured, the event was recorded outside the capture")
	case e.capture != nil || e.at.s == nil:
		return nil
	}
	return d.issue(s, "wait", func() error { return nil }, e.at)
}

func (d *Driver) EventSynchronize(h driver.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.event("cuEventSynchronize", h)
	if err != nil || e.at.s == nil {
		return err
	}
	if _, err := d.useFree("cuEventSynchronize"); err != nil {
		return err
	}
	return d.drain(e.at)
}

func (d *Driver) EventQuery(h driver.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.event("cuEventQuery", h)
	if err != nil {
		return err
	}
	return d.advance("cuEventQuery", e.at)
}

// EventElapsedTime is the emulator's own time, which says nothing about a
// device's.
func (d *Driver) EventElapsedTime(start, end driver.Event) (float32, error) {
	const call = "cuEventElapsedTime"
	d.mu.Lock()
	defer d.mu.Unlock()
	a, err := d.event(call, start)
	if err != nil {
		return 0, err
	}
	b, err := d.event(call, end)
	switch {
	case err != nil:
		return 0, err
	case !a.timing || !b.timing || a.time == nil || b.time == nil:
		return 0, fail(call, driver.InvalidHandle, "the event was made without timing, or never recorded")
	case a.time.IsZero() || b.time.IsZero():
		return 0, fail(call, driver.NotReady, "")
	}
	return float32(b.time.Sub(*a.time).Seconds() * 1000), nil
}
