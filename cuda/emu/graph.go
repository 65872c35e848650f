package emu

import "github.com/sectile-ml/sectile/cuda/driver"

// capture is a graph while streams record into it. Its nodes run in the order
// in which they were issued, which every dependency allows.
type capture struct {
	origin *stream
	thread int
	nodes  []work
	lost   bool
}

// graph is recorded work: kernel arguments as they were at the launch, copies
// with the addresses they named.
type graph struct {
	dev   *device
	nodes []work
}

func (d *Driver) StreamBeginCapture(h driver.Stream) error {
	const call = "cuStreamBeginCapture"
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.stream(call, h)
	switch {
	case err != nil:
		return err
	case h == 0:
		return fail(call, driver.CaptureImplicit, "the default stream cannot be captured")
	case s.capture != nil:
		return fail(call, driver.InvalidValue, "the stream is being captured already")
	}
	t := thread()
	s.capture = &capture{origin: s, thread: t}
	d.capturer[t]++
	return nil
}

func (d *Driver) StreamEndCapture(h driver.Stream) (driver.Graph, error) {
	const call = "cuStreamEndCapture"
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.stream(call, h)
	if err != nil {
		return 0, err
	}
	c := s.capture
	switch {
	case c == nil:
		return 0, fail(call, driver.InvalidValue, "the stream is not being captured")
	case c.origin != s:
		return 0, fail(call, driver.InvalidValue, "the capture began on another stream")
	case c.thread != thread():
		return 0, fail(call, driver.CaptureWrongThread, "the capture began on another thread")
	}
	d.capturer[c.thread]--
	for _, o := range d.streams {
		if o.capture == c {
			o.capture = nil
		}
	}
	for _, e := range d.events {
		if e.capture == c {
			e.capture = nil
		}
	}
	if c.lost {
		return 0, fail(call, driver.CaptureInvalidated, "a call that is not allowed during a capture ended it")
	}
	g := driver.Graph(d.next())
	d.graphs[g] = &graph{s.dev, c.nodes}
	return g, nil
}

// invalidate ends the captures of this thread: a forbidden call was made.
func (d *Driver) invalidate() {
	for _, s := range d.streams {
		if s.capture != nil && s.capture.thread == thread() {
			s.capture.lost = true
		}
	}
}

func (d *Driver) GraphInstantiate(h driver.Graph) (driver.GraphExec, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, ok := d.graphs[h]
	if !ok {
		return 0, fail("cuGraphInstantiate", driver.InvalidHandle, "no such graph")
	}
	e := driver.GraphExec(d.next())
	d.execs[e] = &graph{g.dev, g.nodes}
	return e, nil
}

// GraphLaunch issues all nodes of the graph as it is now.
func (d *Driver) GraphLaunch(h driver.GraphExec, sh driver.Stream) error {
	const call = "cuGraphLaunch"
	d.mu.Lock()
	defer d.mu.Unlock()
	g, ok := d.execs[h]
	if !ok {
		return fail(call, driver.InvalidHandle, "no such executable graph")
	}
	s, err := d.stream(call, sh)
	if err != nil {
		return err
	}
	nodes := g.nodes
	return d.issue(s, call, func() error {
		for _, n := range nodes {
			if err := n.run(); err != nil {
				return err
			}
		}
		return nil
	})
}

// GraphExecUpdate replaces the nodes by those of a graph of the same shape.
func (d *Driver) GraphExecUpdate(h driver.GraphExec, with driver.Graph) error {
	const call = "cuGraphExecUpdate"
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.execs[h]
	g, ok2 := d.graphs[with]
	if !ok || !ok2 {
		return fail(call, driver.InvalidHandle, "no such graph")
	}
	if len(e.nodes) != len(g.nodes) {
		return fail(call, driver.GraphUpdateFailure, "%d nodes, the executable graph has %d", len(g.nodes), len(e.nodes))
	}
	for i := range g.nodes {
		if a, b := e.nodes[i].kind, g.nodes[i].kind; a != b {
			return fail(call, driver.GraphUpdateFailure, "node %d is %s, in the executable graph %s", i, b, a)
		}
	}
	e.nodes = g.nodes
	return nil
}

func (d *Driver) GraphDestroy(h driver.Graph) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.graphs[h]; !ok {
		return fail("cuGraphDestroy", driver.InvalidHandle, "no such graph")
	}
	delete(d.graphs, h)
	return nil
}

func (d *Driver) GraphExecDestroy(h driver.GraphExec) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.execs[h]; !ok {
		return fail("cuGraphExecDestroy", driver.InvalidHandle, "no such executable graph")
	}
	delete(d.execs, h)
	return nil
}
