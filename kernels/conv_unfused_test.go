package kernels

import (
	"slices"
	"testing"
)

// unfused computes a case as single passes over memory, by the meaning of
// prologue and epilogue in backend.go: the operands are normalised first, the
// convolution runs bare, then an existing value is added, and after the
// statistics bias, residual and ReLU follow. Each step rounds as its fused form
// does, so the bits are the same, whatever the algorithm of the convolution.
func (c convCase) unfused(t testing.TB, cpu *CPU, d *convData) (out, part []float32) {
	a := c.args(d, func(v []float32) Mem { return F32Mem(slices.Clone(v)) })
	b := &ConvArgs{ConvShape: c.ConvShape, Pass: c.pass, X: a.X, Wt: a.Wt, Y: a.Y}
	if p := &a.ProX; p.Kind == ProAffine {
		b.X = poisoned(a.X.Len)
		cpu.BNApply(&BNApplyArgs{Rows: c.rowsX(), C: c.C, Group: p.Group, X: a.X, Scale: p.Scale, Shift: p.Shift, ReLU: p.ReLU, Y: b.X})
	}
	if p := &a.ProY; p.Kind == ProBNBackward {
		b.Y = poisoned(a.Y.Len)
		cpu.BNBackward(&BNBackwardArgs{Rows: c.rowsY(), C: c.OC, Group: p.Group, DY: a.Y, X: p.X, Mask: p.Mask, Scale: p.Scale, Shift: p.Shift,
			CoefA: p.A, CoefB: p.B, CoefC: p.C, DX: b.Y})
	}
	old := c.out(a).F32()
	v := poisoned(len(old))
	switch c.pass {
	case PassForward:
		b.Y = v
	case PassGradInput:
		b.X = v
	default:
		b.Wt = v
	}
	b.Work = poisoned(cpu.Workspace(b) / 4)
	runConv(cpu, b)
	out = v.F32()
	if c.acc {
		for i, x := range old {
			out[i] += x
		}
	}
	if s := a.Epi.Stats; !s.Part.IsNil() {
		cpu.ChannelStats(&ChannelStatsArgs{Rows: c.rowsY(), C: c.OC, X: v, Stats: s})
		part = s.Part.F32()
	}
	bias, resid := a.Epi.Bias.F32(), a.Epi.Residual.F32()
	for i := range out {
		if bias != nil {
			out[i] += bias[i%c.OC]
		}
		if resid != nil {
			out[i] += resid[i]
		}
		if a.Epi.ReLU {
			out[i] = relu32(out[i])
		}
	}
	return out, part
}
