package autograd

import (
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Var is a value of a step: an input, a parameter or an op's output. It has a
// shape from the moment it is made and data once Run has returned, as long as
// Keep was called on it (outputs that no op reads are kept by themselves).
type Var struct {
	t      *Tape
	g      *graph
	node   *node // producer; nil for parameters
	shape  Shape
	dtype  kernels.DType
	param  *Param
	alias  *Var // same memory as another Var, another shape
	stop   bool // with alias: no gradient passes
	wants  bool // takes part in differentiation
	keep   bool // asked for by Keep
	pinned bool // by the plan: lives to the end of the step
	// deferred: no values, see Plan.OutDeferred
	deferred bool

	value, grad buffer
	gradSet     bool // this step's gradient was written once already
	hasGrad     bool // some op will write a gradient

	src    []float32 // inputs: what Run uploads
	srcInt []int32
}

// Shape is the value's shape.
func (v *Var) Shape() Shape { return v.shape }

// Tape is the tape the value is on.
func (v *Var) Tape() *Tape { return v.t }

// Keep says that the value will be read after Run.
func (v *Var) Keep() *Var {
	if v.deferred {
		panic(&tensor.ShapeError{Op: "Keep", Operands: [][]int{v.shape.Slice()}, Rule: "a deferred result has no values to keep"})
	}
	if r := v.root(); !r.keep {
		r.keep = true
		v.g.planned = false
	}
	return v
}

// unread reports, once lifetimes are known, that no op reads v: then it is the
// step's result and stays to the end. Second outputs that carry no gradient
// (pool positions) are not.
func (v *Var) unread() bool {
	return v.value.last == v.value.first && v.node.outs[0] == v
}

// CopyTo copies the value after Run into dst, which has Shape().Len() places.
// It panics with *tensor.ShapeError when the value was not kept.
func (v *Var) CopyTo(dst []float32) error {
	r := v.root()
	if r.param == nil && (!v.g.ran || !r.pinned) {
		panic(&tensor.ShapeError{Op: "CopyTo", Operands: [][]int{v.shape.Slice()}, Rule: "read before Run, or not kept: call Keep while building the step"})
	}
	return v.t.b.Download(dst, v.mem())
}

// Item is the value of a one-element Var after Run. A device's failure to give
// it comes out of the next Run.
func (v *Var) Item() float32 {
	if v.shape.Len() != 1 {
		panic(&tensor.ShapeError{Op: "Item", Operands: [][]int{v.shape.Slice()}, Rule: "one element"})
	}
	if err := v.CopyTo(v.t.item[:]); err != nil {
		v.t.err = err
	}
	return v.t.item[0]
}

// Mem is the value's memory between Run and the next Begin, for kernels that
// go on with it (a kept value).
func (v *Var) Mem() kernels.Mem { return v.mem() }

// Output is output i of the op that made v.
func (v *Var) Output(i int) *Var { return v.node.outs[i] }

// root is the Var that owns v's memory.
func (v *Var) root() *Var {
	for v.alias != nil {
		v = v.alias
	}
	return v
}

func (v *Var) mem() kernels.Mem {
	r := v.root()
	if r.param != nil {
		return r.param.Value.Mem()
	}
	return r.value.mem
}

func (v *Var) gradMem() kernels.Mem {
	r := v.root()
	if !r.gradSet {
		return kernels.Mem{}
	}
	if r.param != nil {
		return r.param.Grad.Mem()
	}
	return r.grad.mem
}

// takeGrad hands out the gradient buffer and whether to add to it.
func (v *Var) takeGrad() (kernels.Mem, bool, bool) {
	acc := v.gradSet
	v.gradSet = true
	if p := v.param; p != nil {
		acc = acc || v.t.g.accumulate
		return p.Grad.Mem(), acc, true
	}
	return v.grad.mem, acc, true
}
