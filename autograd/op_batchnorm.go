package autograd

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Reducer joins batch statistics over the ranks of a group (SyncBN). Every
// method is a collective: all ranks call it in the same order, and sums run in
// rank order.
type Reducer interface {
	// Moments replaces moments [groups, 2, C] (mean, M2) of count values a
	// channel on each rank by those of all ranks' values and returns how many
	// these are.
	Moments(moments kernels.Mem, groups, c, count int) (total int, err error)
	// Sums adds sums over the ranks.
	Sums(sums kernels.Mem) error
}

// NormConfig says how BatchNorm normalises.
type NormConfig struct {
	Eps      float32 // added to the variance: 1e-5
	Momentum float32 // how far running statistics move each step: 0.1
	Train    bool    // batch statistics (and running ones move); else running statistics
	ReLU     bool    // max(., 0) at the end
	// Groups > 1 takes statistics over that many equal parts of the batch by
	// themselves (shuffle BN on one machine). It divides the batch.
	Groups int
	// RunMean and RunVar are the running statistics [C].
	RunMean, RunVar *Param
	// Sync joins statistics over a group's ranks; nil keeps them local.
	Sync Reducer
}

type normConfig struct {
	NormConfig
	Stats, Residual bool
}

// batchNorm is y = relu?((x-mean)/sqrt(var+eps) gamma + beta + residual).
// With dy' = dy where y > 0: dresidual = dy', dbeta = sum dy',
// dgamma = sum dy' xhat, dx = gamma invstd (dy' - mean dy' - xhat mean(dy' xhat))
// (Ioffe & Szegedy 2015, section 3), in the form A dy' + B x + C.
type batchNorm struct {
	normConfig
	rows, c, groups, count int
	total                  int
	part, moments          Buf
	mean, invStd           Buf
	scale, shift           Buf
	sums, local, bwork     Buf
	ca, cb, cc             Buf
	chanStats              kernels.ChannelStatsArgs
	mom                    kernels.BNMomentsArgs
	fin                    kernels.BNFinalizeArgs
	apply                  kernels.BNApplyArgs
	reduce                 kernels.BNReduceArgs
	gfin                   kernels.BNGradFinalizeArgs
	back                   kernels.BNBackwardArgs
}

// BatchNorm normalises every channel (last axis) of x and applies gamma [C],
// beta [C]. stats is what Conv2DStats gave with RunMean as shift, or nil;
// residual, x's shape, is added before the ReLU, or nil.
//
//go:noinline
func BatchNorm(x, gamma, beta, stats, residual *Var, cfg NormConfig) *Var {
	n := normConfig{NormConfig: cfg, Stats: stats != nil && cfg.Train, Residual: residual != nil}
	switch {
	case n.Stats && n.Residual:
		return Apply[*batchNorm](x.t, n, x, gamma, beta, stats, residual)
	case n.Stats:
		return Apply[*batchNorm](x.t, n, x, gamma, beta, stats)
	case n.Residual:
		return Apply[*batchNorm](x.t, n, x, gamma, beta, residual)
	}
	return Apply[*batchNorm](x.t, n, x, gamma, beta)
}

func (o *batchNorm) Config() *normConfig { return &o.normConfig }
func (o *batchNorm) Name() string        { return fmt.Sprintf("BatchNorm %dx%d", o.rows, o.c) }

// residual is the index of the residual among the inputs.
func (o *batchNorm) residual() int {
	if o.Stats {
		return 4
	}
	return 3
}

func (o *batchNorm) Plan(p *Plan) {
	x := p.In(0)
	o.rows, o.c, o.groups = x.Rows(), x.Cols(), max(1, o.Groups)
	bad := func(rule string) {
		panic(&tensor.ShapeError{Op: "BatchNorm", Operands: [][]int{x.Slice(), p.In(1).Slice(), p.In(2).Slice()}, Rule: rule})
	}
	switch {
	case x.Rank < 2:
		bad("x has a batch and a channel axis")
	case p.In(1) != Dims(o.c) || p.In(2) != Dims(o.c):
		bad(fmt.Sprintf("gamma and beta are [%d]", o.c))
	case x.Dim[0]%o.groups != 0:
		bad(fmt.Sprintf("%d statistics groups do not divide the batch", o.groups))
	case o.Train && o.rows/o.groups < 2 && o.Sync == nil:
		bad("batch statistics need more than one value a channel: use a larger batch")
	case o.Residual && p.In(o.residual()) != x:
		bad("the residual has x's shape")
	}
	o.count = o.rows / o.groups
	if want := Dims(kernels.StatsChunks(o.rows, o.count), 2, o.c); o.Stats && p.In(3) != want {
		bad(fmt.Sprintf("stats are %v: StatGroups of the convolution equals Groups", want))
	}
	p.Out(x)
	f, d := kernels.Float32, kernels.Float64
	gc := o.groups * o.c
	if o.Train {
		if !o.Stats {
			o.part = p.Scratch(f, kernels.StatsChunks(o.rows, o.count)*2*o.c)
		}
		o.moments = p.Scratch(d, 2*gc)
	} else {
		o.groups, gc = 1, o.c
	}
	o.scale, o.shift = p.Scratch(f, gc), p.Scratch(f, gc)
	o.mean, o.invStd = p.Keep(f, gc), p.Keep(f, gc)
	if !p.Differentiates() {
		return
	}
	p.SaveIn(0)
	p.SaveIn(1)
	if o.ReLU {
		p.SaveOut(0)
	}
	o.sums = p.BackScratch(d, 2*gc)
	if o.Sync != nil {
		o.local = p.BackScratch(d, 2*gc)
	}
	o.bwork = p.BackScratch(f, kernels.StatsChunks(o.rows, o.rows/o.groups)*2*o.c)
	o.ca, o.cb, o.cc = p.BackScratch(f, gc), p.BackScratch(f, gc), p.BackScratch(f, gc)
}

func (o *batchNorm) Forward(c *Ctx) {
	b := c.Backend()
	x := c.In(0)
	f := &o.fin
	*f = kernels.BNFinalizeArgs{Groups: o.groups, C: o.c, Gamma: c.In(1), Beta: c.In(2), Eps: o.Eps, Momentum: o.Momentum,
		Mean: c.Buf(o.mean), InvStd: c.Buf(o.invStd), Scale: c.Buf(o.scale), Shift: c.Buf(o.shift)}
	if o.Train {
		st := kernels.Stats{Group: o.count, Shift: o.RunMean.Value.Mem()}
		if o.Stats {
			st.Part = c.In(3)
		} else {
			st.Part = c.Buf(o.part)
			o.chanStats = kernels.ChannelStatsArgs{Rows: o.rows, C: o.c, X: x, Stats: st}
			b.ChannelStats(&o.chanStats)
		}
		f.Moments, f.Count = c.Buf(o.moments), o.count
		o.mom = kernels.BNMomentsArgs{Rows: o.rows, C: o.c, Stats: st, Moments: f.Moments}
		b.BNMoments(&o.mom)
		if o.Sync != nil {
			n, err := o.Sync.Moments(f.Moments, o.groups, o.c, o.count)
			if err != nil {
				c.Fail(err)
				return
			}
			f.Count = n
		}
		o.total = f.Count
		f.RunMean, f.RunVar = c.State(o.RunMean), c.State(o.RunVar)
	} else {
		f.Eval, f.Count = true, 1
		o.total = o.count
		f.RunMean, f.RunVar = o.RunMean.Value.Mem(), o.RunVar.Value.Mem()
	}
	b.BNFinalize(f)
	o.apply = kernels.BNApplyArgs{Rows: o.rows, C: o.c, Group: o.rows / o.groups, X: x, Scale: f.Scale, Shift: f.Shift, ReLU: o.ReLU, Y: c.Out(0)}
	if o.Residual {
		o.apply.Residual = c.In(o.residual())
	}
	b.BNApply(&o.apply)
}

func (o *batchNorm) Backward(c *Ctx) {
	b := c.Backend()
	dy, x := c.GradOut(0), c.In(0)
	r := &o.reduce
	*r = kernels.BNReduceArgs{Rows: o.rows, C: o.c, Group: o.rows / o.groups, DY: dy, X: x, Mean: c.Buf(o.mean), Sums: c.Buf(o.sums), Work: c.Buf(o.bwork)}
	if o.ReLU {
		r.Mask = c.Out(0)
	}
	if o.Residual {
		if g, acc, ok := c.GradIn(o.residual()); ok {
			r.DResid, r.AccResid = g, acc
		}
	}
	b.BNReduce(r)
	g := &o.gfin
	*g = kernels.BNGradFinalizeArgs{Groups: o.groups, C: o.c, Count: o.total, Sums: r.Sums, LocalSums: r.Sums, Gamma: c.In(1), Mean: r.Mean, InvStd: c.Buf(o.invStd),
		Eval: !o.Train, CoefA: c.Buf(o.ca), CoefB: c.Buf(o.cb), CoefC: c.Buf(o.cc)}
	if o.Sync != nil && o.Train {
		g.LocalSums = c.Buf(o.local)
		b.Copy(g.LocalSums, r.Sums)
		if err := o.Sync.Sums(r.Sums); err != nil {
			c.Fail(err)
			return
		}
	}
	if m, acc, ok := c.GradIn(1); ok {
		g.DGamma, g.AccGamma = m, acc
	}
	if m, acc, ok := c.GradIn(2); ok {
		g.DBeta, g.AccBeta = m, acc
	}
	b.BNGradFinalize(g)
	if dx, acc, ok := c.GradIn(0); ok {
		o.back = kernels.BNBackwardArgs{Rows: o.rows, C: o.c, Group: o.rows / o.groups, DY: dy, X: x, Mask: r.Mask, CoefA: g.CoefA, CoefB: g.CoefB, CoefC: g.CoefC, DX: dx, Accumulate: acc}
		b.BNBackward(&o.back)
	}
}

// Cost counts one read and write of each tensor in each pass over it.
func (o *batchNorm) Cost(backward bool) (flop, bytes float64) {
	n := float64(o.rows * o.c)
	if backward {
		return 12 * n, 4 * 7 * n
	}
	return 4 * n, 4 * 2 * n
}
