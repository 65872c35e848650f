package cuda

import (
	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// statsColumns is the channels of a block of the statistics, mergeColumns of a
// block that merges chunks.
const (
	statsColumns = 32
	mergeColumns = 8
)

// ChannelStats computes the chunk sums of X.
func (d *Device) ChannelStats(a *kernels.ChannelStatsArgs) {
	const op = "ChannelStats"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	chunks := kernels.StatsChunks(a.Rows, a.Stats.Group)
	n, size := groupsOf(a.Rows, a.Stats.Group)
	floats(op, a.Rows*a.C, a.X)
	floats(op, 2*chunks*a.C, a.Stats.Part)
	optional(op, a.C, a.Stats.Shift)
	l := d.op(ptx.ChannelStats)
	l.mem(a.X)
	l.mem(a.Stats.Shift)
	l.mem(a.Stats.Part)
	l.i32(size)
	l.i32(chunks / n)
	l.i32(a.C)
	l.run(chunks, ceil(a.C, statsColumns), 1, 0)
}

// BNMoments merges chunk sums into mean and M2.
func (d *Device) BNMoments(a *kernels.BNMomentsArgs) {
	const op = "BNMoments"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	chunks := kernels.StatsChunks(a.Rows, a.Stats.Group)
	n, size := groupsOf(a.Rows, a.Stats.Group)
	floats(op, 2*chunks*a.C, a.Stats.Part)
	optional(op, a.C, a.Stats.Shift)
	need(op, "Moments", a.Moments, kernels.Float64, 2*n*a.C)
	l := d.op(ptx.BNMoments)
	l.mem(a.Stats.Part)
	l.mem(a.Stats.Shift)
	l.mem(a.Moments)
	l.i32(size)
	l.i32(chunks / n)
	l.i32(a.C)
	l.run(ceil(a.C, mergeColumns), n, 1, 0)
}

// BNFinalize turns moments into the affine form.
func (d *Device) BNFinalize(a *kernels.BNFinalizeArgs) {
	const op = "BNFinalize"
	groups := a.Groups
	if a.Eval {
		groups = 1
		floats(op, a.C, a.RunMean, a.RunVar)
	} else {
		need(op, "Moments", a.Moments, kernels.Float64, 2*groups*a.C)
		optional(op, a.C, a.RunMean, a.RunVar)
	}
	floats(op, a.C, a.Gamma, a.Beta)
	floats(op, groups*a.C, a.Mean, a.InvStd, a.Scale, a.Shift)
	l := d.op(ptx.BNFinalize)
	for _, m := range []kernels.Mem{a.Moments, a.Gamma, a.Beta, a.RunMean, a.RunVar, a.Mean, a.InvStd, a.Scale, a.Shift} {
		l.mem(m)
	}
	l.i32(groups)
	l.i32(a.C)
	l.i32(a.Count)
	l.i32(flag(a.Eval))
	l.f32(a.Eps)
	l.f32(a.Momentum)
	l.run(ceil(a.C, ptx.BNFinalize.Block), 1, 1, 0)
}

// BNApply applies the affine form, a residual and ReLU.
func (d *Device) BNApply(a *kernels.BNApplyArgs) {
	const op = "BNApply"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	n, size := groupsOf(a.Rows, a.Group)
	floats(op, a.Rows*a.C, a.X, a.Y)
	floats(op, n*a.C, a.Scale, a.Shift)
	optional(op, a.Rows*a.C, a.Residual)
	t := d.tile(size, a.C, n)
	l := d.op(ptx.BNApply)
	l.mem(a.X)
	l.mem(a.Scale)
	l.mem(a.Shift)
	l.mem(a.Residual)
	l.mem(a.Y)
	l.i32(size)
	l.i32(a.C)
	l.i32(t.lg)
	l.i32(vectors(a.C, nil, a.X, a.Scale, a.Shift, a.Residual, a.Y))
	l.i32(flag(a.ReLU))
	l.run(t.x, t.y, n, 0)
}

// BNReduce computes the sums of the backward pass: chunk sums, then their merge.
func (d *Device) BNReduce(a *kernels.BNReduceArgs) {
	const op = "BNReduce"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	chunks := kernels.StatsChunks(a.Rows, a.Group)
	n, size := groupsOf(a.Rows, a.Group)
	floats(op, a.Rows*a.C, a.DY, a.X)
	floats(op, n*a.C, a.Mean)
	floats(op, 2*chunks*a.C, a.Work)
	optional(op, a.Rows*a.C, a.Mask, a.DResid)
	optional(op, n*a.C, a.Scale, a.Shift)
	need(op, "Sums", a.Sums, kernels.Float64, 2*n*a.C)
	l := d.op(ptx.BNReduce)
	for _, m := range []kernels.Mem{a.DY, a.X, a.Mask, a.Scale, a.Shift, a.Mean, a.DResid, a.Work} {
		l.mem(m)
	}
	l.i32(size)
	l.i32(chunks / n)
	l.i32(a.C)
	l.i32(flag(a.AccResid))
	l.run(chunks, ceil(a.C, statsColumns), 1, 0)

	l = d.op(ptx.BNSums)
	l.mem(a.Work)
	l.mem(a.Sums)
	l.i32(chunks / n)
	l.i32(a.C)
	l.run(ceil(a.C, mergeColumns), n, 1, 0)
}

// BNGradFinalize turns sums into the coefficients of dx, and into dgamma and
// dbeta.
func (d *Device) BNGradFinalize(a *kernels.BNGradFinalizeArgs) {
	const op = "BNGradFinalize"
	local := a.LocalSums
	if local.IsNil() {
		local = a.Sums
	}
	need(op, "Sums", a.Sums, kernels.Float64, 2*a.Groups*a.C)
	need(op, "LocalSums", local, kernels.Float64, 2*a.Groups*a.C)
	floats(op, a.C, a.Gamma)
	floats(op, a.Groups*a.C, a.Mean, a.InvStd, a.CoefA, a.CoefB, a.CoefC)
	optional(op, a.C, a.DGamma, a.DBeta)
	l := d.op(ptx.BNGradFinalize)
	for _, m := range []kernels.Mem{a.Sums, local, a.Gamma, a.Mean, a.InvStd, a.CoefA, a.CoefB, a.CoefC, a.DGamma, a.DBeta} {
		l.mem(m)
	}
	l.i32(a.Groups)
	l.i32(a.C)
	l.i32(a.Count)
	l.i32(flag(a.Eval))
	l.i32(flag(a.AccGamma))
	l.i32(flag(a.AccBeta))
	l.run(ceil(a.C, ptx.BNGradFinalize.Block), 1, 1, 0)
}

// BNBackward computes the input gradient.
func (d *Device) BNBackward(a *kernels.BNBackwardArgs) {
	const op = "BNBackward"
	if a.Rows == 0 || a.C == 0 {
		return
	}
	n, size := groupsOf(a.Rows, a.Group)
	floats(op, a.Rows*a.C, a.DY, a.X, a.DX)
	floats(op, n*a.C, a.CoefA, a.CoefB, a.CoefC)
	optional(op, a.Rows*a.C, a.Mask)
	optional(op, n*a.C, a.Scale, a.Shift)
	t := d.tile(size, a.C, n)
	l := d.op(ptx.BNBackward)
	mems := []kernels.Mem{a.DY, a.X, a.Mask, a.Scale, a.Shift, a.CoefA, a.CoefB, a.CoefC, a.DX}
	for _, m := range mems {
		l.mem(m)
	}
	l.i32(size)
	l.i32(a.C)
	l.i32(t.lg)
	l.i32(vectors(a.C, nil, mems...))
	l.i32(flag(a.Accumulate))
	l.run(t.x, t.y, n, 0)
}
