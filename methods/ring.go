package methods

import (
	"fmt"
	"math"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Ring is MoCo's queue of keys (He, Fan, Wu, Xie, Girshick, arXiv 1911.05722,
// section 3.2 "dictionary as a queue"): unit rows [L, D] that are overwritten
// in a circle, each step's keys in the place of the oldest.
//
// Differs: the authors' tensor is its transpose, [D, L].
type Ring struct {
	Rows *autograd.Param // NAME [L, D]
	Ptr  *autograd.Param // NAME_ptr [1], the row to be written next

	next int
	host [1]float32
}

// NewRing makes a queue of random unit rows (normal, then l2-normalised), as
// MoCo begins with.
func NewRing(b kernels.Backend, name string, l, d int, rng *tensor.RNG) *Ring {
	q := &Ring{Rows: autograd.NewState(b, name, l, d), Ptr: autograd.NewState(b, name+"_ptr", 1)}
	f := Features{make([]float32, l*d), d}
	rng.FillNormal(f.X, 1)
	f.unit(f, nil)
	q.Rows.Value.SetFloat32s(f.X)
	return q
}

// State is the rows and the pointer.
func (q *Ring) State() []*autograd.Param { return []*autograd.Param{q.Rows, q.Ptr} }

// Loaded takes the pointer from State, which holds a checkpoint's values. Rows
// that are not of unit length are an error: they are no keys.
func (q *Ring) Loaded() error {
	if err := q.Ptr.Value.CopyTo(q.host[:]); err != nil {
		return err
	}
	l := q.Rows.Value.Dim(0)
	if q.next = int(q.host[0]); q.next < 0 || q.next >= l {
		return fmt.Errorf("methods: %s is %v, %s has %d rows", q.Ptr.Name, q.host[0], q.Rows.Name, l)
	}
	f := Features{make([]float32, q.Rows.Value.Len()), q.Rows.Value.Dim(1)}
	if err := q.Rows.Value.CopyTo(f.X); err != nil {
		return err
	}
	return f.checkUnit(q.Rows.Name)
}

// Enqueue puts the rows of k [N, D] where the pointer is and moves it on; L is
// a multiple of N.
//
// It is a late op: it happens after the backward pass, so that the step's
// logits and their gradients see the queue as it was.
func (q *Ring) Enqueue(k *autograd.Var) {
	autograd.Apply[*ringWrite](k.Tape(), ringConfig{q}, k)
}

type ringConfig struct{ Ring *Ring }

type ringWrite struct {
	ringConfig
	autograd.LateOp
	n, d, l int
}

func (o *ringWrite) Config() *ringConfig { return &o.ringConfig }
func (o *ringWrite) Name() string        { return "Enqueue " + o.Ring.Rows.Name }

func (o *ringWrite) Plan(p *autograd.Plan) {
	k, q := p.In(0), o.Ring.Rows.Value.Shape()
	if k.Rank != 2 || k.Dim[1] != q[1] || q[0]%k.Dim[0] != 0 {
		panic(tensor.Misuse("Ring.Enqueue", "keys [N,D] into [L,D], L a multiple of N", k.Slice(), q))
	}
	o.n, o.d, o.l = k.Dim[0], k.Dim[1], q[0]
	p.OutFixed(kernels.Int32, autograd.Dims(1)) // the tape knows an op by an output
}

func (o *ringWrite) Forward(c *autograd.Ctx) {
	q, b := o.Ring, c.Backend()
	b.Copy(c.State(q.Rows).At(q.next*o.d, o.n*o.d), c.In(0))
	q.next = (q.next + o.n) % o.l
	q.host[0] = float32(q.next)
	b.Upload(c.State(q.Ptr), q.host[:])
}

// Backward is never called: late ops have none.
func (o *ringWrite) Backward(c *autograd.Ctx) {}

// checkUnit reports the first row whose length is not 1.
func (f Features) checkUnit(what string) error {
	for i := range f.N() {
		if n := math.Sqrt(sqNorm(f.Row(i))); !(math.Abs(n-1) < 1e-3) {
			return fmt.Errorf("methods: row %d of %s has length %.4g: similarities are cosines, so rows must be l2-normalised", i, what, n)
		}
	}
	return nil
}
