package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/dist"
	"github.com/sectile-ml/sectile/kernels"
)

// Gather joins rows over the ranks of a group so that gradients find their way
// back: forward is an all-gather in rank order, backward the sum over ranks (in
// rank order) of the gradients for this rank's rows.
type Gather struct{ group dist.Group }

// NewGather is the gather of one rank. nil and a group of one gather nothing.
func NewGather(g dist.Group) *Gather {
	if g != nil && g.Size() == 1 {
		g = nil
	}
	return &Gather{g}
}

// Rows are the rows [W R, D] of all W ranks, each of which brings x [R, D].
func (g *Gather) Rows(x *autograd.Var) *autograd.Var {
	if g.group == nil {
		return x
	}
	return autograd.Apply[*gather](x.Tape(), gatherConfig{g.group}, x)
}

// First is the number of the first of this rank's r rows among all.
func (g *Gather) First(r int) int {
	if g.group == nil {
		return 0
	}
	return g.group.Rank() * r
}

type gatherConfig struct{ Group dist.Group }

type gather struct {
	gatherConfig
	mine, all []float32 // on the host, where ranks meet
	own       autograd.Buf
	add       kernels.MapArgs
}

func (o *gather) Config() *gatherConfig { return &o.gatherConfig }
func (o *gather) Name() string          { return fmt.Sprintf("Gather %d", o.Group.Size()) }

func (o *gather) Plan(p *autograd.Plan) {
	s := p.In(0)
	n := s.Len()
	o.mine, o.all = make([]float32, n), make([]float32, n*o.Group.Size())
	o.own = p.BackScratch(kernels.Float32, n)
	s.Dim[0] *= o.Group.Size()
	p.Out(s)
}

func (o *gather) Forward(c *autograd.Ctx) {
	err := c.Backend().Download(o.mine, c.In(0))
	if err == nil {
		err = o.Group.AllGather32(o.all, o.mine)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	c.Backend().Upload(c.Out(0), o.all)
}

func (o *gather) Backward(c *autograd.Ctx) {
	b := c.Backend()
	err := b.Download(o.all, c.GradOut(0))
	if err == nil {
		err = o.Group.AllReduceSum32(o.all)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	if g, acc, ok := c.GradIn(0); ok {
		n, own := len(o.mine), c.Buf(o.own)
		b.Upload(own, o.all[o.Group.Rank()*n:][:n])
		o.add = kernels.MapArgs{Op: kernels.MapCopy, N: n, Dst: g, A: own, Accumulate: acc}
		b.Map(&o.add)
	}
}
