package autograd

import (
	"fmt"
	"time"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Tape records the ops of a step, plans its memory and runs it. It belongs to
// one backend and one goroutine at a time. Steps of different kinds (training,
// evaluation, a method's phases) have plans of their own in one arena as large
// as the largest.
type Tape struct {
	b         kernels.Backend
	floatSize int // bytes of a Float32 element on b
	graphs    map[string]*graph
	g         *graph // the step being built
	arena     kernels.Mem
	arenaGen  int
	one       kernels.Mem // keeps the probe of floatSize
	fillArgs  kernels.MapArgs
	err       error
	item      [1]float32
	ctx       Ctx
	trace     *Trace
}

// graph is the recorded step of one kind and its plan.
type graph struct {
	kind   string
	grads  bool
	nodes  []*node
	cursor int // ops matched or recorded in this step
	leaves map[*Param]*Var
	root   *Var // what Backward starts from

	accumulate bool
	planned    bool
	ran        bool
	gen        int // arena generation that addresses refer to
	bytes      int
	bufs       []*buffer
}

// node is one recorded op.
type node struct {
	op       Op
	ins      []*Var
	outs     []*Var
	bufs     []buffer
	savesIn  uint32
	savesOut uint32
	late     bool
	active   bool // Backward runs
	alias    bool
}

// NewTape makes an empty tape on b. SECTILE_TRACE=file.json makes it write the
// time of every op there (see Trace).
func NewTape(b kernels.Backend) *Tape {
	probe, err := b.Alloc(kernels.Float32, 1)
	if err != nil {
		panic(err)
	}
	t := &Tape{b: b, floatSize: probe.Type.Size(), graphs: map[string]*graph{}, one: probe, trace: envTrace()}
	return t
}

// Backend is the tape's backend.
func (t *Tape) Backend() kernels.Backend { return t.b }

// Begin starts a step of the given kind whose gradients will be taken. Steps
// that differ in shapes, mode or phase should have kinds of their own: a kind
// whose ops change is planned anew each time.
func (t *Tape) Begin(kind string) { t.begin(kind, true) }

// BeginNoGrad starts a step that records nothing for backward.
func (t *Tape) BeginNoGrad(kind string) { t.begin(kind, false) }

func (t *Tape) begin(kind string, grads bool) {
	g := t.graphs[kind]
	if g == nil || g.grads != grads {
		g = &graph{kind: kind, grads: grads, leaves: map[*Param]*Var{}, gen: -1}
		t.graphs[kind] = g
	}
	g.cursor, g.accumulate, g.ran = 0, false, false
	t.g = g
}

// AccumulateGrads makes this step add to the parameters' gradients instead of
// setting them.
func (t *Tape) AccumulateGrads() { t.g.accumulate = true }

// Use is parameter p as a value of this step.
func (t *Tape) Use(p *Param) *Var {
	v := t.g.leaves[p]
	if v == nil {
		v = &Var{t: t, g: t.g, shape: Dims(p.Value.Shape()...), param: p}
		t.g.leaves[p] = v
	}
	if w := t.g.grads && p.Grad != nil && !p.Frozen; v.wants != w {
		v.wants = w
		t.diverge() // what is saved for backward changes with it
	}
	return v
}

// diverge drops the recorded ops from the cursor on.
func (t *Tape) diverge() {
	g := t.g
	clear(g.nodes[g.cursor:])
	g.nodes = g.nodes[:g.cursor]
	g.planned = false
}

// expect is the recorded node at the cursor when its inputs are ins.
func (t *Tape) expect(ins []*Var) *node {
	g := t.g
	if g == nil || g.cursor >= len(g.nodes) {
		return nil
	}
	n := g.nodes[g.cursor]
	if len(n.ins) != len(ins) {
		return nil
	}
	for i, v := range ins {
		if n.ins[i] != v {
			return nil
		}
	}
	return n
}

func (t *Tape) accept(n *node) *Var {
	t.g.cursor++
	return n.outs[0]
}

func (t *Tape) record(op Op, ins []*Var) *Var {
	g := t.g
	if g == nil {
		panic(&tensor.ShapeError{Op: op.Name(), Rule: "no step is open: call Begin"})
	}
	t.diverge()
	n := &node{op: op, ins: append([]*Var(nil), ins...)}
	_, n.late = op.(Late)
	for i, v := range ins {
		if v.g != g {
			panic(&tensor.ShapeError{Op: op.Name(), Operands: [][]int{v.shape.Slice()}, Rule: "a value of another tape or of an earlier step"})
		}
		if k, ok := op.(taker); v.deferred && (!ok || !k.takes(i)) {
			panic(&tensor.ShapeError{Op: op.Name(), Operands: [][]int{v.shape.Slice()}, Rule: "a deferred result is read as the x of ConvBN alone"})
		}
	}
	if a, ok := op.(*alias); ok {
		n.alias = true
		in := ins[0]
		n.outs = []*Var{{t: t, g: g, node: n, shape: a.Shape, dtype: in.dtype, alias: in, stop: a.Stop, wants: in.wants && !a.Stop, param: nil}}
	} else {
		op.Plan(&Plan{t, n})
	}
	g.nodes = append(g.nodes, n)
	g.cursor++
	return n.outs[0]
}

// Backward says that this step takes the gradients of v, a scalar.
func (t *Tape) Backward(v *Var) {
	if v.shape.Len() != 1 {
		panic(&tensor.ShapeError{Op: "Backward", Operands: [][]int{v.shape.Slice()}, Rule: "a scalar"})
	}
	if t.g.root != v {
		t.g.root = v
		t.g.planned = false
	}
}

// Peak is the size in bytes of the arena that this step needs. The step is
// planned if it was not, and no memory is taken.
func (t *Tape) Peak() int {
	t.settle()
	return t.g.bytes
}

// ArenaBytes is the size of the arena that the tape holds now.
func (t *Tape) ArenaBytes() int { return t.arena.Bytes() }

func (t *Tape) settle() {
	g := t.g
	if g.cursor < len(g.nodes) {
		t.diverge()
	}
	if !g.planned {
		g.plan(t.floatSize)
	}
}

// Run plans the step if it is new, takes memory, and executes: inputs, forward,
// backward, late ops. It returns the first failure of an op or of the device;
// out of memory is a *tensor.MemoryError that names the largest buffers.
func (t *Tape) Run() error {
	t.settle()
	g := t.g
	if err := t.failure(); err != nil {
		return err
	}
	if err := t.reserve(g); err != nil {
		return err
	}
	if t.arenaGen != g.gen {
		g.bind(t.arena, t.floatSize)
		g.gen = t.arenaGen
	}
	t.b.Enter()
	defer t.b.Leave()
	g.forgetGrads()
	for _, n := range g.nodes {
		if err := t.fill(n); err != nil {
			return err
		}
	}
	for _, n := range g.nodes {
		if !n.late {
			if t.forward(n); t.err != nil {
				return t.failure()
			}
		}
	}
	if g.root != nil && g.grads {
		m, _, _ := g.root.root().takeGrad()
		t.b.Map(t.fillOne(m))
		for i := len(g.nodes) - 1; i >= 0; i-- {
			if n := g.nodes[i]; n.active {
				if t.backward(n); t.err != nil {
					return t.failure()
				}
			}
		}
	}
	for _, n := range g.nodes {
		if n.late {
			if t.forward(n); t.err != nil {
				return t.failure()
			}
		}
	}
	g.ran = true
	return t.b.Sync()
}

// failure returns the pending error and forgets it.
func (t *Tape) failure() error {
	err := t.err
	t.err = nil
	return err
}

func (t *Tape) fillOne(m kernels.Mem) *kernels.MapArgs {
	t.fillArgs = kernels.MapArgs{Op: kernels.MapFill, N: m.Len, Dst: m, S: 1}
	return &t.fillArgs
}

// forgetGrads starts a step with no gradient written.
func (g *graph) forgetGrads() {
	for _, v := range g.leaves {
		v.gradSet = false
	}
	for _, n := range g.nodes {
		for _, v := range n.outs {
			v.gradSet = false
		}
	}
}

// HasGrad reports whether the last Run of the open step wrote p's gradient.
func (t *Tape) HasGrad(p *Param) bool {
	v := t.g.leaves[p]
	return v != nil && v.gradSet
}

// fill uploads an input's data.
func (t *Tape) fill(n *node) error {
	op, ok := n.op.(*input)
	if !ok {
		return nil
	}
	v := n.outs[0]
	switch {
	case op.Int && len(v.srcInt) == v.shape.Len():
		t.b.UploadInts(v.value.mem, v.srcInt)
	case !op.Int && len(v.src) == v.shape.Len():
		t.b.Upload(v.value.mem, v.src)
	default:
		return fmt.Errorf("autograd: input %v of step %q has no data: call Set or SetInts before Run", v.shape, t.g.kind)
	}
	return nil
}

func (t *Tape) forward(n *node) {
	if n.alias {
		return
	}
	t.ctx = Ctx{t, n}
	if t.trace != nil {
		start := time.Now()
		n.op.Forward(&t.ctx)
		t.trace.op(n.op, false, start, time.Now())
		return
	}
	n.op.Forward(&t.ctx)
}

func (t *Tape) backward(n *node) {
	t.ctx = Ctx{t, n}
	if t.trace != nil {
		start := time.Now()
		n.op.Backward(&t.ctx)
		t.trace.op(n.op, true, start, time.Now())
		return
	}
	n.op.Backward(&t.ctx)
}

// reserve makes the arena large enough for g.
func (t *Tape) reserve(g *graph) error {
	if t.arena.Bytes() >= g.bytes && !t.arena.IsNil() {
		return nil
	}
	if !t.arena.IsNil() {
		t.b.Free(t.arena)
		t.arena = kernels.Mem{}
	}
	m, err := t.b.Alloc(kernels.Float64, (g.bytes+7)/8)
	if err != nil {
		return fmt.Errorf("step %q needs %d MiB (largest: %s): %w", g.kind, g.bytes>>20, g.largest(5), err)
	}
	t.arena = m
	t.arenaGen++
	return nil
}

// Release gives the tape's memory back. Its Vars are dead.
func (t *Tape) Release() {
	t.b.Free(t.arena)
	t.b.Free(t.one)
	t.arena, t.one = kernels.Mem{}, kernels.Mem{}
	t.graphs, t.g = map[string]*graph{}, nil
}
