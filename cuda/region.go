package cuda

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sectile-ml/sectile/cuda/driver"
	"github.com/sectile-ml/sectile/cuda/ptx"
)

// keepRecordings bounds what is remembered of earlier segments; a segment of
// fewer than minGraph commands is not worth a graph.
const (
	keepRecordings = 64
	minGraph       = 4
)

// region records what is issued between Enter and Leave. Each segment of it,
// up to a Sync, a Download or Leave, is compared with the segments before:
//
//   - While it runs as no earlier one did, every command is issued at once.
//   - While it runs as an earlier one did, commands are held back. If it ends
//     where that one ended it is captured into a graph and launched, from then
//     on launched as a whole; if it turns out to differ, what was held back is
//     issued and the rest follows at once.
//
// A graph is only ever launched in place of a list of commands equal to its
// own to the byte: kernels, grids, addresses, sizes. What changes per step lies
// in the stage, whose addresses repeat, so a new learning rate is no
// difference, and a step that does something else is another recording.
type region struct {
	depth      int
	cmds       []command
	args       []byte
	like       *recording // the recording that cmds is a prefix of; nil: issued as they came
	recordings []*recording
	stats      GraphStats
}

// recording is a segment that was seen.
type recording struct {
	cmds   []command
	args   []byte
	exec   driver.GraphExec
	failed bool // the driver would not make a graph of it
}

// GraphStats counts segments by how they ran.
type GraphStats struct {
	Eager    int // command by command
	Captured int // made into a graph
	Replayed int // by a graph, the first time included
	Commands int // all commands
}

// Graphs returns how the regions so far ran.
func (d *Device) Graphs() GraphStats {
	d.lock()
	defer d.unlock()
	return d.region.stats
}

type commandKind uint8

const (
	cmdLaunch commandKind = iota
	cmdCopy
)

// command is one thing for the compute stream to do. Two commands are the same
// when they are equal and their arguments are.
type command struct {
	kind     commandKind
	kernel   *ptx.Kernel
	function driver.Function
	grid     driver.Dim3
	shared   int
	at, n    int // arguments: args[at : at+n]
	dst, src driver.Ptr
	bytes    int
}

// Enter begins a region; regions nest, and the outermost counts.
func (d *Device) Enter() {
	d.lock()
	defer d.unlock()
	if d.region.depth++; d.region.depth == 1 && !d.closed {
		d.stage.swap(d)
	}
}

// Leave ends a region and submits what it still holds.
func (d *Device) Leave() {
	d.lock()
	defer d.unlock()
	if d.region.depth == 1 && !d.closed {
		d.region.flush(d)
	}
	d.region.depth--
}

// add takes the next command.
func (r *region) add(d *Device, c command, args []byte, n *note) {
	r.stats.Commands++
	if r.depth == 0 || d.options.eager() {
		r.args = append(r.args[:0], args...)
		d.issue(&c, r.args, n)
		r.args = r.args[:0]
		return
	}
	c.at, c.n = len(r.args), len(args)
	r.args = append(r.args, args...)
	r.cmds = append(r.cmds, c)
	i := len(r.cmds) - 1
	switch {
	case i > 0 && r.like == nil:
		d.issue(&r.cmds[i], r.argsOf(i), nil)
	case i > 0 && r.like.same(r, i):
	default:
		if r.like = r.find(false); r.like == nil {
			r.issueAll(d)
		}
	}
}

func (r *region) argsOf(i int) []byte { return r.args[r.cmds[i].at : r.cmds[i].at+r.cmds[i].n] }

// same reports whether the recording's command i is the segment's.
func (x *recording) same(r *region, i int) bool {
	if i >= len(x.cmds) || x.cmds[i] != r.cmds[i] {
		return false
	}
	c := &x.cmds[i]
	return bytes.Equal(x.args[c.at:c.at+c.n], r.argsOf(i))
}

// find returns the recording that begins as the segment does, or, exact, that
// is the segment.
func (r *region) find(exact bool) *recording {
	n := len(r.cmds)
	for _, x := range r.recordings {
		if len(x.cmds) >= n && (!exact || len(x.cmds) == n) &&
			slices.Equal(x.cmds[:n], r.cmds) && bytes.Equal(x.args[:len(r.args)], r.args) {
			return x
		}
	}
	return nil
}

func (r *region) issueAll(d *Device) {
	for i := range r.cmds {
		d.issue(&r.cmds[i], r.argsOf(i), nil)
	}
}

// flush ends a segment: everything recorded is with the driver afterwards.
func (r *region) flush(d *Device) {
	if len(r.cmds) == 0 {
		return
	}
	defer func() { r.cmds, r.args, r.like = r.cmds[:0], r.args[:0], nil }()
	if r.like == nil { // issued as they came
		r.stats.Eager++
		r.record(d)
		return
	}
	x := r.find(true)
	if x == nil {
		r.issueAll(d)
		r.stats.Eager++
		r.record(d)
		return
	}
	if !d.replay(x) {
		r.issueAll(d)
		r.stats.Eager++
	}
	// The most recent first: find meets it soonest, and the last one goes when
	// there are too many.
	i := slices.Index(r.recordings, x)
	copy(r.recordings[1:], r.recordings[:i])
	r.recordings[0] = x
}

// record remembers the segment.
func (r *region) record(d *Device) {
	if len(r.cmds) < minGraph || d.err != nil {
		return
	}
	if len(r.recordings) == keepRecordings {
		old := r.recordings[keepRecordings-1]
		r.recordings = r.recordings[:keepRecordings-1]
		if old.exec != 0 {
			d.fail(d.api.StreamSynchronize(d.compute))
			d.fail(d.api.GraphExecDestroy(old.exec))
		}
	}
	r.recordings = slices.Insert(r.recordings, 0, &recording{cmds: slices.Clone(r.cmds), args: slices.Clone(r.args)})
}

func (r *region) release(d *Device) {
	for _, x := range r.recordings {
		if x.exec != 0 {
			d.api.GraphExecDestroy(x.exec)
		}
	}
	r.recordings, r.cmds, r.args, r.like = nil, nil, nil, nil
}

// replay launches the segment as a graph, made now if this is the second time
// that it is seen. False: there is no graph, nothing was issued.
func (d *Device) replay(x *recording) bool {
	if d.err != nil {
		return true
	}
	d.stage.push(d)
	if x.exec == 0 && !x.failed {
		exec, err := d.capture()
		if x.exec, x.failed = exec, err != nil; err != nil {
			d.warn("no graph of a segment of %d commands, it runs command by command: %v", len(x.cmds), err)
		} else {
			d.region.stats.Captured++
		}
	}
	if x.failed {
		return false
	}
	d.fail(d.api.GraphLaunch(x.exec, d.compute))
	d.region.stats.Replayed++
	return true
}

// capture makes a graph of the segment. Nothing runs.
func (d *Device) capture() (driver.GraphExec, error) {
	if err := d.api.StreamBeginCapture(d.compute); err != nil {
		return 0, err
	}
	d.region.issueAll(d)
	bad := d.err
	d.err = nil // not the stream's failure: nothing has run
	g, err := d.api.StreamEndCapture(d.compute)
	if err == nil {
		err = bad
	}
	if g == 0 || err != nil {
		if g != 0 {
			d.api.GraphDestroy(g)
		}
		return 0, fmt.Errorf("capture: %w", err)
	}
	exec, err := d.api.GraphInstantiate(g)
	d.api.GraphDestroy(g)
	return exec, err
}

// issue gives one command to the driver.
func (d *Device) issue(c *command, args []byte, n *note) {
	if d.err != nil {
		return
	}
	if d.stage.push(d); d.err != nil {
		return
	}
	if c.kind == cmdCopy {
		d.fail(d.api.MemcpyDtoDAsync(c.dst, c.src, c.bytes, d.compute))
		return
	}
	var before [][]byte
	if d.options.CheckNaN {
		before = d.snapshot(n)
	}
	block := driver.Dim3{X: uint32(c.kernel.Block), Y: 1, Z: 1}
	var start driver.Event
	if d.options.Timing {
		start = d.timing.begin(d)
	}
	err := d.api.LaunchKernel(c.function, c.grid, block, c.shared, d.compute, args)
	if d.options.Timing {
		d.timing.finish(d, c.kernel, start)
	}
	if err == nil && (d.options.Debug || d.options.CheckNaN) {
		err = d.api.StreamSynchronize(d.compute)
	}
	if err != nil {
		d.fail(fmt.Errorf("%s: %w", c.describe(n), err))
		return
	}
	if d.options.CheckNaN {
		d.checkNaN(c, n, before)
	}
}
