package kernels

import (
	"math"
	"sort"

	"github.com/sectile-ml/sectile/asm"
)

// optimRow is a row of the table "optim": the inner loops of the optimizers,
// one pass over a run of n elements. The factors' types have the formulas.
type optimRow struct {
	Kernel

	// Momentum serves SGD (Rate 1), LARC, and LARS, which has its lr in the
	// rate and NegLR -1.
	Momentum func(n int, p, g, m *float32, k *asm.MomentumFactors)

	// Adam serves Adam and AdamW.
	Adam func(n int, p, g, m, v *float32, k *asm.AdamFactors)
}

type optimState struct {
	optim   *optimRow
	updates freelist[updateJob]
	emas    freelist[emaJob]
	norms   freelist[squareNormsJob]
}

func (s *optimState) init(c *CPU) { s.optim = usable(c.pins, optimRows)[0] }

// updateRun is the elements of one tile of a sweep: five streams of it pass
// through L2 in under 20 µs.
const updateRun = 8192

// sweep cuts the spans of one call into runs of run elements; a run never
// crosses spans.
type sweep struct {
	spans []Span
	run   int
	ends  []int // runs of spans 0..i
}

func (s *sweep) cut(spans []Span, run int, want func(*Span) bool) (runs, elements int) {
	s.spans, s.run, s.ends = spans, run, s.ends[:0]
	for i := range spans {
		if want(&spans[i]) {
			runs += tiles(spans[i].P.Len, run)
			elements += spans[i].P.Len
		}
		s.ends = append(s.ends, runs)
	}
	return runs, elements
}

// at is the span of run i and the run's place in it.
func (s *sweep) at(i int) (span, lo, n int) {
	span = sort.SearchInts(s.ends, i+1)
	if span > 0 {
		i -= s.ends[span-1]
	}
	lo = i * s.run
	return span, lo, min(s.run, s.spans[span].P.Len-lo)
}

func withGrad(s *Span) bool { return !s.G.IsNil() }

func everySpan(*Span) bool { return true }

// updateJob runs one sweep; LARS, whose rate needs |g + wd p|, measures that
// in a sweep of its own first.
type updateJob struct {
	sweep
	UpdateArgs
	row       *optimRow
	vec       *vecRow
	sums      *reduceRow
	measuring bool
	square    []float32             // of d, a chunk of NormChunk each
	momentum  []asm.MomentumFactors // of each span
	adam      []asm.AdamFactors
}

// Update moves every span that has a gradient, all in one sweep. Without
// momentum M may be nil.
func (c *CPU) Update(a *UpdateArgs) {
	j := c.updates.get()
	j.UpdateArgs, j.row, j.vec, j.sums = *a, c.optim, c.vec, c.reduce
	if a.Kind == UpdateLARS {
		runs, elements := j.cut(a.Spans, NormChunk, withGrad)
		j.square, j.measuring = sized(j.square, runs), true
		c.team.Do(runs, elements/2, j)
		j.measuring = false
	}
	j.momentum, j.adam = j.momentum[:0], j.adam[:0]
	for i := range a.Spans {
		if a.Kind >= UpdateAdam {
			j.adam = append(j.adam, a.adamFactors(&a.Spans[i]))
		} else {
			j.momentum = append(j.momentum, a.momentumFactors(&a.Spans[i], j.rate(i)))
		}
	}
	runs, elements := j.cut(a.Spans, updateRun, withGrad)
	c.team.Do(runs, elements/2, j)
	j.UpdateArgs = UpdateArgs{}
	c.updates.put(j)
}

// Tile moves one run of a span, or measures it.
func (j *updateJob) Tile(w *Worker, i int) {
	k, lo, n := j.at(i)
	s := &j.Spans[k]
	p, g := first(s.P.At(lo, n).F32()), first(s.G.At(lo, n).F32())
	switch {
	case j.measuring:
		d := first(w.Scratch(n))
		j.vec.Map[MapAXPY](n, d, p, g, s.Decay, 0)
		j.square[i] = j.sums.Dot(n, d, d)
	case j.Kind >= UpdateAdam:
		j.row.Adam(n, p, g, first(s.M.At(lo, n).F32()), first(s.V.At(lo, n).F32()), &j.adam[k])
	case s.M.IsNil():
		j.row.Momentum(n, p, g, first(w.Scratch(n)), &j.momentum[k]) // keeps nothing
	default:
		j.row.Momentum(n, p, g, first(s.M.At(lo, n).F32()), &j.momentum[k])
	}
}

// rate is the trust ratio of span i, 0 where LARC or LARS does not adapt it.
func (j *updateJob) rate(i int) float64 {
	s := &j.Spans[i]
	if !s.Adapt || !withGrad(s) || j.Kind != UpdateLARC && j.Kind != UpdateLARS {
		return 0
	}
	sums := j.Norms.F64()
	p, g, trust := math.Sqrt(sums[2*i]), math.Sqrt(sums[2*i+1]), float64(j.Trust)
	if j.Kind == UpdateLARS {
		lo, hi := 0, j.ends[i]
		if i > 0 {
			lo = j.ends[i-1]
		}
		d := math.Sqrt(sumChunks(j.square[lo:hi], 1))
		if p > 0 && d > 0 {
			return trust * p / d
		}
		return 0
	}
	if !(p > 0 && g > 0) {
		return 0
	}
	r := trust * p / (g + float64(s.Decay)*p + float64(j.Eps))
	if j.Clip {
		r = min(r/float64(j.LR), 1)
	}
	return r
}

// keep is the mask of the moments: nothing of them counts at step 0.
func (a *UpdateArgs) keep() uint32 {
	if a.Step == 0 {
		return 0
	}
	return ^uint32(0)
}

func (a *UpdateArgs) momentumFactors(s *Span, rate float64) asm.MomentumFactors {
	if s.M.IsNil() && a.Momentum != 0 && withGrad(s) {
		panic(&ArgError{"Update", "momentum without M"})
	}
	k := asm.MomentumFactors{WD: s.Decay, Rate: 1, Mom: a.Momentum, NegLR: -a.LR, Keep: a.keep()}
	switch a.Kind {
	case UpdateLARC:
		k.Rate = float32(rate)
		if rate == 0 {
			k.WD, k.Rate = 0, 1
		}
	case UpdateLARS:
		if rate == 0 {
			rate = 1
		}
		k.Rate, k.NegLR = float32(float64(a.LR)*rate), -1
	}
	if a.Nesterov && a.Kind != UpdateLARS {
		k.Nesterov = ^uint32(0)
	}
	if s.M.IsNil() {
		k.Keep = 0
	}
	return k
}

func (a *UpdateArgs) adamFactors(s *Span) asm.AdamFactors {
	lr, b1, b2, t := float64(a.LR), float64(a.Beta1), float64(a.Beta2), float64(a.Step+1)
	k := asm.AdamFactors{
		WD: s.Decay, Shrink: 1,
		Beta1: a.Beta1, One1: float32(1 - b1),
		Beta2: a.Beta2, One2: float32(1 - b2),
		Root:  float32(1 / math.Sqrt(1-math.Pow(b2, t))),
		Eps:   a.Eps,
		NegLR: float32(-lr / (1 - math.Pow(b1, t))),
		Keep:  a.keep(),
	}
	if a.Kind == UpdateAdamW {
		k.WD, k.Shrink = 0, float32(1-lr*float64(s.Decay))
	}
	return k
}

type emaJob struct {
	sweep
	row    *vecRow
	mom, q float32
}

// EMA moves every span: k = fma(mom, k, round((1-mom)*q)).
func (c *CPU) EMA(a *EMAArgs) {
	j := c.emas.get()
	j.row, j.mom, j.q = c.vec, a.Momentum, float32(1-float64(a.Momentum))
	runs, elements := j.cut(a.Spans, updateRun, withGrad)
	c.team.Do(runs, elements/4, j)
	j.spans = nil
	c.emas.put(j)
}

// Tile moves one run of a span.
func (j *emaJob) Tile(w *Worker, i int) {
	s, lo, n := j.at(i)
	k, q := first(j.spans[s].P.At(lo, n).F32()), first(j.spans[s].G.At(lo, n).F32())
	j.row.Map[MapAXPBY](n, k, k, q, j.mom, j.q)
}

type squareNormsJob struct {
	sweep
	row  *reduceRow
	part []float32 // sum(P^2), sum(G^2) of each chunk
}

// SquareNorms sums the squares of all spans in one sweep. The sum of a
// gradient that is not given is 0.
func (c *CPU) SquareNorms(a *SquareNormsArgs) {
	j := c.norms.get()
	j.row = c.reduce
	runs, elements := j.cut(a.Spans, NormChunk, everySpan)
	j.part = a.Work.At(0, 2*runs).F32()
	c.team.Do(runs, elements/4, j)
	out, from := a.Out.At(0, 2*len(a.Spans)).F64(), 0
	for i, end := range j.ends {
		out[2*i] = sumChunks(j.part[2*from:2*end], 2)
		out[2*i+1] = 0
		if withGrad(&a.Spans[i]) {
			out[2*i+1] = sumChunks(j.part[2*from+1:2*end], 2)
		}
		from = end
	}
	j.spans, j.part = nil, nil
	c.norms.put(j)
}

// Tile sums one chunk.
func (j *squareNormsJob) Tile(w *Worker, i int) {
	k, lo, n := j.at(i)
	s := &j.spans[k]
	p := first(s.P.At(lo, n).F32())
	j.part[2*i] = j.row.Dot(n, p, p)
	if withGrad(s) {
		g := first(s.G.At(lo, n).F32())
		j.part[2*i+1] = j.row.Dot(n, g, g)
	}
}

// sumChunks adds every step-th chunk sum from left to right.
func sumChunks(part []float32, step int) float64 {
	var s float64
	for i := 0; i < len(part); i += step {
		s += float64(part[i])
	}
	return s
}
