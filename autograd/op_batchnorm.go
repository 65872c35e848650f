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

// norm is what the ops with a batch norm in them share: chunk sums become the
// coefficients of y = relu?(scale x + shift + residual), and in backward dy
// becomes the coefficients of dx = A dy' + B x + C.
//
// With dy' = dy where the ReLU let x through: dresidual = dy', dbeta = sum dy',
// dgamma = sum dy' xhat, dx = gamma invstd (dy' - mean dy' - xhat mean(dy' xhat))
// (Ioffe & Szegedy 2015, section 3).
type norm struct {
	rows, c, groups, count int // count: values of a channel in a group, here
	total                  int // on all ranks
	moments                Buf
	mean, invStd           Buf
	sums, local, bwork     Buf
	ca, cb, cc             Buf
	mom                    kernels.BNMomentsArgs
	fin                    kernels.BNFinalizeArgs
	reduce                 kernels.BNReduceArgs
	gfin                   kernels.BNGradFinalizeArgs
	back                   kernels.BNBackwardArgs
}

// plan checks the batch norm of values of shape y, whose gamma and beta are
// inputs gamma and gamma+1, and asks for what both directions need.
func (o *norm) plan(p *Plan, op string, cfg *NormConfig, y Shape, gamma int) {
	o.rows, o.c, o.groups = y.Rows(), y.Cols(), max(1, cfg.Groups)
	bad := func(rule string) {
		panic(&tensor.ShapeError{Op: op, Operands: [][]int{y.Slice(), p.In(gamma).Slice(), p.In(gamma + 1).Slice()}, Rule: rule})
	}
	switch {
	case p.In(gamma) != Dims(o.c) || p.In(gamma+1) != Dims(o.c):
		bad(fmt.Sprintf("gamma and beta are [%d]", o.c))
	case y.Dim[0]%o.groups != 0:
		bad(fmt.Sprintf("%d statistics groups do not divide the batch", o.groups))
	case cfg.Train && o.rows/o.groups < 2 && cfg.Sync == nil:
		bad("batch statistics need more than one value a channel: use a larger batch")
	}
	f, d := kernels.Float32, kernels.Float64
	if !cfg.Train {
		o.groups = 1
	} else {
		o.moments = p.Scratch(d, 2*o.groups*o.c)
	}
	o.count = o.rows / o.groups
	gc := o.groups * o.c
	o.mean, o.invStd = p.Keep(f, gc), p.Keep(f, gc)
	if !p.Differentiates() {
		return
	}
	p.SaveIn(gamma)
	o.sums = p.BackScratch(d, 2*gc)
	if cfg.Sync != nil {
		o.local = p.BackScratch(d, 2*gc)
	}
	o.bwork = p.BackScratch(f, kernels.StatsChunks(o.rows, o.count)*2*o.c)
	o.ca, o.cb, o.cc = p.BackScratch(f, gc), p.BackScratch(f, gc), p.BackScratch(f, gc)
}

// chunks is the length of the chunk sums that finalize wants.
func (o *norm) chunks() int { return kernels.StatsChunks(o.rows, o.count) * 2 * o.c }

// stats says where a producer writes chunk sums: shifted by the running mean,
// which is close to the batch's, so that the variance loses no digits.
func (o *norm) stats(cfg *NormConfig, part kernels.Mem) kernels.Stats {
	return kernels.Stats{Group: o.count, Shift: cfg.RunMean.Value.Mem(), Part: part}
}

// finalize turns chunk sums into scale and shift; false: the step has failed.
func (o *norm) finalize(c *Ctx, cfg *NormConfig, st kernels.Stats, gamma int, scale, shift kernels.Mem) bool {
	b := c.Backend()
	f := &o.fin
	*f = kernels.BNFinalizeArgs{Groups: o.groups, C: o.c, Gamma: c.In(gamma), Beta: c.In(gamma + 1), Eps: cfg.Eps, Momentum: cfg.Momentum,
		Mean: c.Buf(o.mean), InvStd: c.Buf(o.invStd), Scale: scale, Shift: shift}
	if !cfg.Train {
		f.Eval, f.Count = true, 1
		o.total = o.count
		f.RunMean, f.RunVar = cfg.RunMean.Value.Mem(), cfg.RunVar.Value.Mem()
		b.BNFinalize(f)
		return true
	}
	f.Moments, f.Count = c.Buf(o.moments), o.count
	o.mom = kernels.BNMomentsArgs{Rows: o.rows, C: o.c, Stats: st, Moments: f.Moments}
	b.BNMoments(&o.mom)
	if cfg.Sync != nil {
		n, err := cfg.Sync.Moments(f.Moments, o.groups, o.c, o.count)
		if err != nil {
			c.Fail(err)
			return false
		}
		f.Count = n
	}
	o.total = f.Count
	f.RunMean, f.RunVar = c.State(cfg.RunMean), c.State(cfg.RunVar)
	b.BNFinalize(f)
	return true
}

// gate is what says where the ReLU let a value through: the normalised values,
// or scale and shift that make them again; none without ReLU.
type gate struct{ mask, scale, shift kernels.Mem }

// gradients computes dgamma, dbeta, dresidual (input residual, if >= 0) and
// leaves the coefficients of dx in ca, cb, cc; false: the step has failed.
func (o *norm) gradients(c *Ctx, cfg *NormConfig, dy, x kernels.Mem, open gate, gamma, residual int) bool {
	b := c.Backend()
	r := &o.reduce
	*r = kernels.BNReduceArgs{Rows: o.rows, C: o.c, Group: o.count, DY: dy, X: x, Mask: open.mask, Scale: open.scale, Shift: open.shift,
		Mean: c.Buf(o.mean), Sums: c.Buf(o.sums), Work: c.Buf(o.bwork)}
	if residual >= 0 {
		if g, acc, ok := c.GradIn(residual); ok {
			r.DResid, r.AccResid = g, acc
		}
	}
	b.BNReduce(r)
	g := &o.gfin
	*g = kernels.BNGradFinalizeArgs{Groups: o.groups, C: o.c, Count: o.total, Sums: r.Sums, LocalSums: r.Sums, Gamma: c.In(gamma), Mean: r.Mean, InvStd: c.Buf(o.invStd),
		Eval: !cfg.Train, CoefA: c.Buf(o.ca), CoefB: c.Buf(o.cb), CoefC: c.Buf(o.cc)}
	if cfg.Sync != nil && cfg.Train {
		g.LocalSums = c.Buf(o.local)
		b.Copy(g.LocalSums, r.Sums)
		if err := cfg.Sync.Sums(r.Sums); err != nil {
			c.Fail(err)
			return false
		}
	}
	if m, acc, ok := c.GradIn(gamma); ok {
		g.DGamma, g.AccGamma = m, acc
	}
	if m, acc, ok := c.GradIn(gamma + 1); ok {
		g.DBeta, g.AccBeta = m, acc
	}
	b.BNGradFinalize(g)
	return true
}

// input writes dx from dy with the coefficients that gradients left. Where dy'
// has become the residual's gradient it is read there: one stream less.
func (o *norm) input(c *Ctx, dy, x kernels.Mem, open gate, dx kernels.Mem, accumulate bool) {
	if r := &o.reduce; !r.DResid.IsNil() && !r.AccResid {
		dy, open = r.DResid, gate{}
	}
	o.back = kernels.BNBackwardArgs{Rows: o.rows, C: o.c, Group: o.count, DY: dy, X: x, Mask: open.mask, Scale: open.scale, Shift: open.shift,
		CoefA: c.Buf(o.ca), CoefB: c.Buf(o.cb), CoefC: c.Buf(o.cc), DX: dx, Accumulate: accumulate}
	c.Backend().BNBackward(&o.back)
}

// bnGamma and bnResidual number BatchNorm's inputs.
const (
	bnGamma    = 1
	bnResidual = 3
)

type normConfig struct {
	NormConfig
	Residual bool
}

// batchNorm is y = relu?((x-mean)/sqrt(var+eps) gamma + beta + residual).
type batchNorm struct {
	normConfig
	norm
	part, scale, shift Buf
	chanStats          kernels.ChannelStatsArgs
	apply              kernels.BNApplyArgs
}

// BatchNorm normalises every channel (last axis) of x and applies gamma [C],
// beta [C]. residual, x's shape, is added before the ReLU, or nil. After a
// convolution ConvBN does the same in fewer passes.
//
//go:noinline
func BatchNorm(x, gamma, beta, residual *Var, cfg NormConfig) *Var {
	if residual != nil {
		return Apply[*batchNorm](x.t, normConfig{cfg, true}, x, gamma, beta, residual)
	}
	return Apply[*batchNorm](x.t, normConfig{cfg, false}, x, gamma, beta)
}

func (o *batchNorm) Config() *normConfig { return &o.normConfig }
func (o *batchNorm) Name() string        { return fmt.Sprintf("BatchNorm %dx%d", o.rows, o.c) }

func (o *batchNorm) Plan(p *Plan) {
	x := p.In(0)
	if x.Rank < 2 {
		panic(&tensor.ShapeError{Op: "BatchNorm", Operands: [][]int{x.Slice()}, Rule: "x has a batch and a channel axis"})
	}
	if o.Residual && p.In(bnResidual) != x {
		panic(&tensor.ShapeError{Op: "BatchNorm", Operands: [][]int{x.Slice(), p.In(bnResidual).Slice()}, Rule: "the residual has x's shape"})
	}
	p.Out(x)
	o.plan(p, "BatchNorm", &o.NormConfig, x, bnGamma)
	if o.Train {
		o.part = p.Scratch(kernels.Float32, o.chunks())
	}
	gc := o.groups * o.c
	o.scale, o.shift = p.Keep(kernels.Float32, gc), p.Keep(kernels.Float32, gc)
	if p.Differentiates() {
		p.SaveIn(0)
		if o.ReLU && o.Residual {
			p.SaveOut(0)
		}
	}
}

func (o *batchNorm) Forward(c *Ctx) {
	x := c.In(0)
	st := o.stats(&o.NormConfig, c.Buf(o.part))
	if o.Train {
		o.chanStats = kernels.ChannelStatsArgs{Rows: o.rows, C: o.c, X: x, Stats: st}
		c.Backend().ChannelStats(&o.chanStats)
	}
	if !o.finalize(c, &o.NormConfig, st, bnGamma, c.Buf(o.scale), c.Buf(o.shift)) {
		return
	}
	o.apply = kernels.BNApplyArgs{Rows: o.rows, C: o.c, Group: o.count, X: x, Scale: o.fin.Scale, Shift: o.fin.Shift, ReLU: o.ReLU, Y: c.Out(0)}
	if o.Residual {
		o.apply.Residual = c.In(bnResidual)
	}
	c.Backend().BNApply(&o.apply)
}

func (o *batchNorm) Backward(c *Ctx) {
	dy, x := c.GradOut(0), c.In(0)
	var open gate
	residual := -1
	switch {
	case o.Residual:
		residual = bnResidual
		if o.ReLU {
			open.mask = c.Out(0)
		}
	case o.ReLU:
		open.scale, open.shift = c.Buf(o.scale), c.Buf(o.shift)
	}
	if !o.gradients(c, &o.NormConfig, dy, x, open, bnGamma, residual) {
		return
	}
	if dx, acc, ok := c.GradIn(0); ok {
		o.input(c, dy, x, open, dx, acc)
	}
}

// Cost counts one read and write of each tensor in each pass over it.
func (o *batchNorm) Cost(backward bool) (flop, bytes float64) {
	n := float64(o.rows * o.c)
	if backward {
		return 12 * n, 4 * 5 * n
	}
	return 4 * n, 4 * 3 * n
}
