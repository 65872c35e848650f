package autograd

import (
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Param is a named tensor that outlives steps: a weight with its gradient, or
// state without one (running statistics, queues, banks). Its memory belongs to
// no tape. Ops change it only through Ctx.State or an optimizer's sweep, and
// each write moves Value's version.
type Param struct {
	Name  string
	Value *tensor.Tensor
	Grad  *tensor.Tensor // nil for state
	// Frozen parameters take part in the step but get no gradient.
	Frozen bool

	prep []*prepared
}

type prepared struct {
	key     prepKey
	version uint64
	mem     *tensor.Tensor // owns the layout's memory
	kernels.Prepared
}

// prepKey is what a layout depends on. Batch and image size do not count but for
// the bytes: small maps may have an algorithm, and so a layout, of their own.
type prepKey struct {
	pass   kernels.Pass
	conv   kernels.ConvShape
	n, k   int
	transB bool
	bytes  int
}

// NewParam makes a weight of the given shape with a gradient, both zero.
func NewParam(b kernels.Backend, name string, shape ...int) *Param {
	return &Param{Name: name, Value: tensor.New(b, shape...), Grad: tensor.New(b, shape...)}
}

// NewState makes a named tensor without gradient.
func NewState(b kernels.Backend, name string, shape ...int) *Param {
	return &Param{Name: name, Value: tensor.New(b, shape...)}
}

// prepared is the value laid out as a asks, made or refreshed when the
// version moved. a.Dst is set to it.
func (p *Param) prepared(b kernels.Backend, a *kernels.PrepareArgs) *kernels.Prepared {
	n := b.PreparedBytes(a)
	if n == 0 {
		return nil
	}
	key := prepKey{a.Pass, a.Conv, a.N, a.K, a.TransB, n}
	key.conv.N, key.conv.H, key.conv.W = 0, 0, 0
	var e *prepared
	for _, q := range p.prep {
		if q.key == key {
			e = q
			break
		}
	}
	if e == nil {
		e = &prepared{key: key, version: p.Value.Version() - 1, mem: tensor.New(b, (n+3)/4)}
		e.Mem = e.mem.Mem()
		p.prep = append(p.prep, e)
	}
	a.Dst = &e.Prepared
	if v := p.Value.Version(); e.version != v {
		b.Prepare(a)
		e.version = v
	}
	return &e.Prepared
}
