package autograd

import "github.com/sectile-ml/sectile/kernels"

// Op is one differentiable operation: a struct with a comparable Config, the
// buffers it asked for in Plan, and both directions in one file.
//
// A step is built by calling functions such as Conv2D; each records an Op on
// the tape and computes nothing. Run then plans (shapes, lifetimes, one
// address per buffer) and executes. A later step of the same kind runs the
// same Go code: op i is matched with the recorded op i by type, Config and
// inputs, and keeps its planned addresses, so that a steady step allocates
// nothing.
//
// An Op writes only where its Ctx tells it to. It may keep kernel argument
// structs as fields, but no Mem from one call to the next.
type Op interface {
	// Name is the op's name in traces and errors.
	Name() string
	// Plan checks shapes (panicking with *tensor.ShapeError), declares the
	// outputs, scratch and what backward needs. It sees no data.
	Plan(p *Plan)
	// Forward computes the outputs from the inputs.
	Forward(c *Ctx)
	// Backward adds to or sets the gradients of the inputs that want one.
	// It is not called when no output has a gradient.
	Backward(c *Ctx)
}

// Coster is an Op that knows its cost, for traces: floating-point operations
// and bytes moved, forward and backward.
type Coster interface {
	Cost(backward bool) (flop, bytes float64)
}

// Late is an Op that changes state which earlier ops of the step still read
// in backward (a queue, a bank): its Forward runs after the whole backward
// pass, in recording order, and it has no gradient.
type Late interface{ late() }

// LateOp is embedded to make an Op Late.
type LateOp struct{}

func (LateOp) late() {}

// taker is an Op that reads some inputs' deferred values.
type taker interface{ takes(input int) bool }

// Configured is how Apply reaches the comparable part of an op.
type Configured[C comparable] interface {
	Op
	Config() *C
}

// Apply records op P with configuration cfg on the inputs' tape and returns
// its first output; Output gives the others. It is the door for built-in and
// user ops alike. When the tape replays and the op at this place has the same
// type, configuration and inputs, the recorded one is returned and nothing is
// allocated.
//
// Constructors around it are kept from inlining: into another package the
// compiler carries no escape facts of a generic callee, and ins would move to
// the heap.
func Apply[P interface {
	*O
	Configured[C]
}, O any, C comparable](t *Tape, cfg C, ins ...*Var) *Var {
	if n := t.expect(ins); n != nil {
		if op, ok := n.op.(P); ok && *op.Config() == cfg {
			return t.accept(n)
		}
	}
	op := P(new(O))
	*op.Config() = cfg
	return t.record(op, ins)
}

// Buf names a buffer that an op asked for in Plan.
type Buf int

// Plan is what an op sees while it declares itself.
type Plan struct {
	t *Tape
	n *node
}

// In is the shape of input i.
func (p *Plan) In(i int) Shape { return p.n.ins[i].shape }

// Inputs is the number of inputs.
func (p *Plan) Inputs() int { return len(p.n.ins) }

// Wants reports whether input i takes part in differentiation: its gradient
// will be asked for in Backward.
func (p *Plan) Wants(i int) bool { return p.t.g.grads && p.n.ins[i].wants }

// Differentiates reports whether any input wants a gradient.
func (p *Plan) Differentiates() bool {
	for i := range p.n.ins {
		if p.Wants(i) {
			return true
		}
	}
	return false
}

// Param is the parameter behind input i, nil when it is none.
func (p *Plan) Param(i int) *Param { return p.n.ins[i].param }

// Backend is the tape's backend.
func (p *Plan) Backend() kernels.Backend { return p.t.b }

// Out declares the next output.
func (p *Plan) Out(s Shape) { p.out(s, kernels.Float32, true) }

// OutDeferred declares the next output as a shape and a gradient without
// values of its own: ops that know how make them from the op's other outputs
// as they load; no other op may read it.
func (p *Plan) OutDeferred(s Shape) {
	p.Out(s)
	p.n.outs[len(p.n.outs)-1].deferred = true
}

// OutFixed declares the next output of element type t, which carries no
// gradient.
func (p *Plan) OutFixed(t kernels.DType, s Shape) { p.out(s, t, false) }

func (p *Plan) out(s Shape, t kernels.DType, diff bool) {
	n := p.n
	v := &Var{t: p.t, g: p.t.g, node: n, shape: s, dtype: t}
	for _, in := range n.ins {
		v.wants = v.wants || (diff && in.wants)
	}
	n.outs = append(n.outs, v)
}

// SaveIn says that Backward reads input i.
func (p *Plan) SaveIn(i int) { p.n.savesIn |= 1 << i }

// SaveOut says that Backward reads output i.
func (p *Plan) SaveOut(i int) { p.n.savesOut |= 1 << i }

// Scratch asks for n elements that live during Forward.
func (p *Plan) Scratch(t kernels.DType, n int) Buf { return p.buf(t, n, liveForward) }

// BackScratch asks for n elements that live during Backward.
func (p *Plan) BackScratch(t kernels.DType, n int) Buf { return p.buf(t, n, liveBackward) }

// Keep asks for n elements that live from Forward to Backward.
func (p *Plan) Keep(t kernels.DType, n int) Buf { return p.buf(t, n, liveBoth) }

// WorkFor asks for the workspace of kernel arguments a in Forward,
// BackWorkFor in Backward.
func (p *Plan) WorkFor(a any) Buf {
	return p.Scratch(kernels.Float32, (p.t.b.Workspace(a)+p.t.floatSize-1)/p.t.floatSize)
}

// BackWorkFor asks for the workspace of kernel arguments a in Backward.
func (p *Plan) BackWorkFor(a any) Buf {
	return p.BackScratch(kernels.Float32, (p.t.b.Workspace(a)+p.t.floatSize-1)/p.t.floatSize)
}

func (p *Plan) buf(t kernels.DType, n int, l life) Buf {
	p.n.bufs = append(p.n.bufs, buffer{dtype: t, len: n, life: l})
	return Buf(len(p.n.bufs) - 1)
}

// Ctx is what an op sees while it runs.
type Ctx struct {
	t *Tape
	n *node
}

// Backend runs the op's kernels.
func (c *Ctx) Backend() kernels.Backend { return c.t.b }

// In is the memory of input i: in Backward only if Plan saved it.
func (c *Ctx) In(i int) kernels.Mem { return c.n.ins[i].mem() }

// Out is the memory of output i: written by Forward, in Backward readable if
// Plan saved it.
func (c *Ctx) Out(i int) kernels.Mem { return c.n.outs[i].mem() }

// Buf is the memory of a buffer asked for in Plan; the zero Mem where its
// length is 0.
func (c *Ctx) Buf(b Buf) kernels.Mem {
	if c.n.bufs[b].len == 0 {
		return kernels.Mem{}
	}
	return c.n.bufs[b].mem
}

// GradOut is the gradient of output i; the zero Mem when nothing used it.
func (c *Ctx) GradOut(i int) kernels.Mem { return c.n.outs[i].gradMem() }

// GradIn is where the gradient of input i goes: into g, added to what is there
// when accumulate is set. want is false when input i needs none. It must be
// called at most once for each input and followed by the write.
func (c *Ctx) GradIn(i int) (g kernels.Mem, accumulate, want bool) {
	v := c.n.ins[i]
	if !v.wants {
		return kernels.Mem{}, false, false
	}
	return v.root().takeGrad()
}

// State opens parameter or state tensor p for writing; its version moves.
func (c *Ctx) State(p *Param) kernels.Mem {
	p.Value.Bump()
	return p.Value.Mem()
}

// Prepared is the weight of input i laid out for pass, refreshed when the
// parameter changed since; nil when input i is no parameter.
func (c *Ctx) Prepared(i int, a *kernels.PrepareArgs) *kernels.Prepared {
	p := c.n.ins[i].param
	if p == nil {
		return nil
	}
	return p.prepared(c.t.b, a)
}

// Fail ends the step with err: Run returns it after this op.
func (c *Ctx) Fail(err error) {
	if c.t.err == nil {
		c.t.err = err
	}
}
