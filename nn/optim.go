package nn

import (
	"cmp"
	"math"
	"slices"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// Group is weights that an optimizer treats alike.
type Group struct {
	Weights []*autograd.Param
	Decay   float32 // weight decay
	Scale   float32 // multiplies the learning rate; 1 is neutral
	Adapt   bool    // LARC and LARS: the rate follows |p|/|g|
}

// Optimizer updates weights from their gradients, over all weights at once:
// one sweep for the norms (LARC and LARS) and one for the update.
//
// A weight that got no gradient in a step is left alone: no decay, no momentum
// (SwAV's prototypes while they are frozen). It also has a step count of its
// own, so that one that joins late starts like a new one: momentum begins with
// its first gradient, Adam's bias correction with its first step.
//
// A steady step allocates nothing. The order of weights within the sweeps has
// no effect on the result.
type Optimizer struct {
	b     kernels.Backend
	rule  Rule
	slots []slot

	spans   []kernels.Span // of weights with a gradient
	active  []int          // their slots
	sweeps  []sweep        // parts of spans
	norms   *tensor.Tensor // Float64 [slots, 2]
	work    *tensor.Tensor
	host    []float64 // norms, for Clip
	squares kernels.SquareNormsArgs
	update  kernels.UpdateArgs
	scale   kernels.MapArgs
}

// slot is one weight and what the optimizer keeps for it.
type slot struct {
	weight *autograd.Param
	m, v   *autograd.Param // v: Adam only
	group  Group
	steps  int // updates so far
	active bool
}

// sweep is spans lo to hi-1, equal in step count and learning rate.
type sweep struct {
	lo, hi, steps int
	scale         float32
}

// NewOptimizer makes an optimizer for the groups' weights, each listed once.
func NewOptimizer(b kernels.Backend, rule Rule, groups ...Group) *Optimizer {
	o := &Optimizer{b: b, rule: rule}
	rule.set(&o.update)
	chunks := 0
	for _, g := range groups {
		for _, p := range g.Weights {
			s := slot{weight: p, group: g, m: autograd.NewState(b, "optim."+p.Name+".m", p.Value.Shape()...)}
			if o.update.Kind == kernels.UpdateAdam || o.update.Kind == kernels.UpdateAdamW {
				s.v = autograd.NewState(b, "optim."+p.Name+".v", p.Value.Shape()...)
			}
			o.slots = append(o.slots, s)
			chunks += (p.Value.Len() + 4095) / 4096
		}
	}
	o.norms = tensor.Empty(b, kernels.Float64, len(o.slots), 2)
	o.work = tensor.Empty(b, kernels.Float32, 2*chunks)
	return o
}

// Step updates the weights whose gradients t's last Run wrote, at learning
// rate lr times their group's Scale, and moves their versions.
func (o *Optimizer) Step(t *autograd.Tape, lr float32) {
	o.gather(t)
	if len(o.spans) == 0 {
		return
	}
	if k := o.update.Kind; k == kernels.UpdateLARC || k == kernels.UpdateLARS {
		o.squareNorms()
	}
	for i := range o.sweeps {
		s := &o.sweeps[i]
		o.update.Spans, o.update.Step, o.update.LR = o.spans[s.lo:s.hi], s.steps, lr*s.scale
		o.update.Norms = o.norms.Mem().At(2*s.lo, 2*(s.hi-s.lo))
		o.b.Update(&o.update)
		s.steps++
	}
	for _, i := range o.active {
		o.slots[i].steps++
		o.slots[i].weight.Value.Bump()
	}
}

// Clip scales the gradients that t's last Run wrote by max/(norm+1e-6) when
// norm, the Euclidean norm of all of them together, is larger than max (as
// torch.nn.utils.clip_grad_norm_ does). It returns norm; the error is a
// device's failure.
func (o *Optimizer) Clip(t *autograd.Tape, max float64) (norm float64, err error) {
	o.gather(t)
	if len(o.spans) == 0 {
		return 0, nil
	}
	o.squareNorms()
	o.host = slices.Grow(o.host[:0], 2*len(o.spans))[:2*len(o.spans)]
	sq := o.host
	if err := o.b.DownloadFloat64(sq, o.squares.Out); err != nil {
		return 0, err
	}
	total := 0.0
	for i := range o.spans {
		total += sq[2*i+1]
	}
	if norm = math.Sqrt(total); norm > max {
		for i := range o.spans {
			g := o.spans[i].G
			o.scale = kernels.MapArgs{Op: kernels.MapScale, N: g.Len, Dst: g, A: g, S: float32(max / (norm + 1e-6))}
			o.b.Map(&o.scale)
		}
	}
	return norm, nil
}

// gather lists the weights that have a gradient, anew only when it is not the
// same ones as in the step before.
func (o *Optimizer) gather(t *autograd.Tape) {
	same := true
	for i := range o.slots {
		s := &o.slots[i]
		if has := t.HasGrad(s.weight) && !s.weight.Frozen; has != s.active {
			s.active, same = has, false
		}
	}
	if same {
		return
	}
	o.active, o.spans, o.sweeps = o.active[:0], o.spans[:0], o.sweeps[:0]
	for i := range o.slots {
		if o.slots[i].active {
			o.active = append(o.active, i)
		}
	}
	slices.SortStableFunc(o.active, func(i, j int) int {
		a, b := &o.slots[i], &o.slots[j]
		return cmp.Or(cmp.Compare(a.group.Scale, b.group.Scale), cmp.Compare(a.steps, b.steps))
	})
	for k, i := range o.active {
		s := &o.slots[i]
		span := kernels.Span{P: s.weight.Value.Mem(), G: s.weight.Grad.Mem(), M: s.m.Value.Mem(), Decay: s.group.Decay, Adapt: s.group.Adapt}
		if s.v != nil {
			span.V = s.v.Value.Mem()
		}
		o.spans = append(o.spans, span)
		if k == 0 || o.slots[o.active[k-1]].group.Scale != s.group.Scale || o.slots[o.active[k-1]].steps != s.steps {
			o.sweeps = append(o.sweeps, sweep{lo: k, steps: s.steps, scale: s.group.Scale})
		}
		o.sweeps[len(o.sweeps)-1].hi = k + 1
	}
}

// squareNorms fills norms for spans.
func (o *Optimizer) squareNorms() {
	o.squares = kernels.SquareNormsArgs{Spans: o.spans, Out: o.norms.Mem().At(0, 2*len(o.spans)), Work: o.work.Mem()}
	o.b.SquareNorms(&o.squares)
}

// State lists the moments, for checkpoints: "optim.WEIGHT.m" and, for Adam,
// "optim.WEIGHT.v".
func (o *Optimizer) State() []*autograd.Param {
	var all []*autograd.Param
	for _, s := range o.slots {
		all = append(all, s.m)
		if s.v != nil {
			all = append(all, s.v)
		}
	}
	return all
}

// Steps is each weight's step count by name, for checkpoints.
func (o *Optimizer) Steps() map[string]int {
	n := map[string]int{}
	for _, s := range o.slots {
		n[s.weight.Name] = s.steps
	}
	return n
}

// SetSteps restores what Steps gave; a weight not in it is new.
func (o *Optimizer) SetSteps(steps map[string]int) {
	for i := range o.slots {
		s := &o.slots[i]
		s.steps, s.active = steps[s.weight.Name], false
	}
	o.active, o.spans, o.sweeps = o.active[:0], o.spans[:0], o.sweeps[:0]
}
