package cuda

import (
	"math"

	"github.com/sectile-ml/sectile/cuda/ptx"
	"github.com/sectile-ml/sectile/kernels"
)

// SquareNorms sums the squares of all spans: one launch over all chunks, one
// that folds them.
func (d *Device) SquareNorms(a *kernels.SquareNormsArgs) {
	const op = "SquareNorms"
	if len(a.Spans) == 0 {
		return
	}
	s := d.sweeps.of(d, op, a.Spans, true)
	need(op, "Out", a.Out, kernels.Float64, 2*len(a.Spans))
	floats(op, 2*s.count, a.Work)
	d.squares(s, a.Work, a.Out, false)
}

// squares writes the sums of p^2 and g^2 of each span; with lars of p^2 and
// (g + decay p)^2.
func (d *Device) squares(s *sweep, work, out kernels.Mem, lars bool) {
	l := d.op(ptx.Squares)
	l.mem(s.table)
	l.mem(s.chunks)
	l.mem(work)
	l.i32(flag(lars))
	l.run(s.count, 1, 1, 0)

	l = d.op(ptx.SquaresFold)
	l.mem(work)
	l.mem(s.first)
	l.mem(out)
	l.i32(s.spans)
	l.run(ceil(s.spans, 8), 1, 1, 0)
}

// Update moves every span that has a gradient: one launch, after one that
// makes LARC's and LARS's rates (LARS sums |g + wd p|^2 before).
func (d *Device) Update(a *kernels.UpdateArgs) {
	const op = "Update"
	if len(a.Spans) == 0 {
		return
	}
	s := d.sweeps.of(d, op, a.Spans, false)
	if a.Kind >= kernels.UpdateAdam {
		d.adam(a, s)
		return
	}
	for i := range a.Spans {
		if p := &a.Spans[i]; p.M.IsNil() && a.Momentum != 0 && !p.G.IsNil() {
			panic(&kernels.ArgError{Op: op, Rule: "momentum without M"})
		}
	}
	var rates kernels.Mem
	if a.Kind != kernels.UpdateSGD {
		rates = d.trustRates(a, s)
	}
	negLR, nesterov := -a.LR, a.Nesterov
	if a.Kind == kernels.UpdateLARS {
		negLR, nesterov = -1, false
	}
	l := d.op(ptx.Momentum)
	l.mem(s.table)
	l.mem(s.chunks)
	l.mem(rates)
	l.step(a.Momentum)
	l.step(negLR)
	l.stepI32(flag(a.Step == 0))
	l.i32(flag(nesterov))
	l.run(s.count, 1, 1, 0)
}

// trustRates is scratch with (rate, decay) of each span.
func (d *Device) trustRates(a *kernels.UpdateArgs, s *sweep) kernels.Mem {
	need("Update", "Norms", a.Norms, kernels.Float64, 2*s.spans)
	n := 2 * s.spans
	scratch := d.scratch(4 * (n + 2*n + 2*s.count))
	norms := scratch.At(0, 2*n).As(kernels.Float64)
	rates := scratch.At(2*n, n)
	lars := a.Kind == kernels.UpdateLARS
	if lars {
		d.squares(s, scratch.At(3*n, 2*s.count), norms, true)
	}
	l := d.op(ptx.TrustRates)
	l.mem(s.table)
	l.mem(a.Norms)
	l.mem(norms)
	l.mem(rates)
	l.i32(s.spans)
	l.i32(flag(lars))
	l.i32(flag(a.Clip))
	l.f32(a.Trust)
	l.f32(a.Eps)
	l.step(a.LR)
	l.run(ceil(s.spans, ptx.TrustRates.Block), 1, 1, 0)
	return rates
}

func (d *Device) adam(a *kernels.UpdateArgs, s *sweep) {
	for i := range a.Spans {
		if p := &a.Spans[i]; !p.G.IsNil() {
			floats("Update", p.P.Len, p.M, p.V)
		}
	}
	lr, b1, b2, t := float64(a.LR), float64(a.Beta1), float64(a.Beta2), float64(a.Step+1)
	l := d.op(ptx.Adam)
	l.mem(s.table)
	l.mem(s.chunks)
	l.f32(a.Beta1)
	l.f32(float32(1 - b1))
	l.f32(a.Beta2)
	l.f32(float32(1 - b2))
	l.f32(a.Eps)
	l.step(float32(1 / math.Sqrt(1-math.Pow(b2, t))))
	l.step(float32(-lr / (1 - math.Pow(b1, t))))
	l.step(a.LR)
	l.stepI32(flag(a.Step == 0))
	l.i32(flag(a.Kind == kernels.UpdateAdamW))
	l.run(s.count, 1, 1, 0)
}

// EMA moves every span that has a G: P = fma(Momentum, P, (1-Momentum) G).
func (d *Device) EMA(a *kernels.EMAArgs) {
	if len(a.Spans) == 0 {
		return
	}
	s := d.sweeps.of(d, "EMA", a.Spans, false)
	l := d.op(ptx.EMA)
	l.mem(s.table)
	l.mem(s.chunks)
	l.step(a.Momentum)
	l.step(float32(1 - float64(a.Momentum)))
	l.run(s.count, 1, 1, 0)
}
