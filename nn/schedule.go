package nn

import "math"

// Schedule is a rate as a function of time: a learning rate, a momentum, a
// weight decay. At is pure, so a resumed run needs only its step.
//
// The unit of a step is the caller's: SwAV counts iterations, MoCo, PCL and
// the evaluations epochs ([PerEpoch] turns the second kind into the first).
// Steps before the first give the first value, steps past the last hold the
// final one. Every schedule but PerEpoch is a plain struct that a JSON config
// holds as it is.
type Schedule interface {
	At(step int) float64
}

// Step multiplies by Gamma at each milestone:
//
//	At(s) = Base · Gamma^(number of Milestones <= s)
//
// MoCo v1 and PCL v1: 0.03, ×0.1 at epochs 120 and 160 of 200; SwAV's
// semi-supervised evaluation: ×0.2 at 12 and 16 of 20. Without milestones it
// is the constant Base. Milestones may stand in any order.
type Step struct {
	Base       float64 `json:"base"`
	Gamma      float64 `json:"gamma"`
	Milestones []int   `json:"milestones"`
}

// At returns the rate of a step.
func (s Step) At(step int) float64 {
	rate := s.Base
	for _, m := range s.Milestones {
		if m <= max(step, 0) {
			rate *= s.Gamma
		}
	}
	return rate
}

// Cosine falls from Base to Final along half a cosine (Loshchilov and Hutter,
// arXiv 1608.03983, without restarts):
//
//	At(s) = Final + (Base - Final) · (1 + cos(π·s/Steps)) / 2
//
// Final itself is reached at s = Steps, one past the last step of a run.
// MoCo v2: 0.03 to 0 over 200 epochs; SwAV's linear evaluation: 0.3 to 0 over
// 100.
type Cosine struct {
	Base  float64 `json:"base"`
	Final float64 `json:"final"`
	Steps int     `json:"steps"`
}

// At returns the rate of a step.
func (c Cosine) At(step int) float64 {
	if step >= c.Steps {
		return c.Final
	}
	t := float64(max(step, 0)) / float64(c.Steps)
	return c.Final + float64((c.Base-c.Final)*(0.5*(1+math.Cos(math.Pi*t))))
}

// WarmupCosine is SwAV's schedule (arXiv 2006.09882, appendix A; section 4 of
// Goyal et al., arXiv 1706.02677, for the warm-up): linear from Start to Base,
// then a cosine to Final over the rest of Steps:
//
//	s <  Warmup:  Start + (Base - Start) · s / (Warmup - 1)
//	s >= Warmup:  Cosine{Base, Final, Steps - Warmup}.At(s - Warmup)
//
// Warmup and Steps count iterations; Steps includes the warm-up. SwAV at batch
// 4096: Start 0.3, Base 4.8, Final 0.0048, ten epochs of warm-up.
//
// Differs: as in the authors' code the warm-up includes both of its ends and
// the cosine starts at its own zero, so Base appears twice; a warm-up of a
// single step is Start.
type WarmupCosine struct {
	Start  float64 `json:"start"`
	Base   float64 `json:"base"`
	Final  float64 `json:"final"`
	Warmup int     `json:"warmup"`
	Steps  int     `json:"steps"`
}

// At returns the rate of a step.
func (w WarmupCosine) At(step int) float64 {
	if step >= w.Warmup {
		return Cosine{w.Base, w.Final, w.Steps - w.Warmup}.At(step - w.Warmup)
	}
	if step <= 0 {
		return w.Start
	}
	return w.Start + float64((w.Base-w.Start)*float64(step)/float64(w.Warmup-1))
}

// SimCLR is the schedule of SimCLR (arXiv 2002.05709, section 2.2 and appendix
// B.1): linear from 0 over the warm-up, then a cosine to 0.
//
//	s <  Warmup:  Peak · s / Warmup
//	s >= Warmup:  Cosine{Peak, 0, Steps - Warmup}.At(s - Warmup)
//
// With n images, batch B and E epochs the authors' code has Steps = n·E/B + 1
// and Warmup = n·W/B for W = 10 epochs, divisions rounded down. [SimCLRLinear]
// and [SimCLRSqrt] are its two peaks.
type SimCLR struct {
	Peak   float64 `json:"peak"`
	Warmup int     `json:"warmup"`
	Steps  int     `json:"steps"`
}

// At returns the rate of a step.
func (c SimCLR) At(step int) float64 {
	if step >= c.Warmup {
		return Cosine{c.Peak, 0, c.Steps - c.Warmup}.At(step - c.Warmup)
	}
	return c.Peak * float64(max(step, 0)) / float64(c.Warmup)
}

// SimCLRLinear is the peak base · batch / 256; the paper's base is 0.3.
func SimCLRLinear(base float64, batch int) float64 { return base * float64(batch) / 256 }

// SimCLRSqrt is the peak base · sqrt(batch), better for small batches; with the
// paper's base of 0.075 it meets the linear one at 4096.
func SimCLRSqrt(base float64, batch int) float64 { return base * math.Sqrt(float64(batch)) }

// PerEpoch gives a schedule that counts epochs to a loop that counts
// iterations:
//
//	At(s) = Of.At(s / Steps), rounded down
//
// Steps is the number of iterations an epoch has, at least 1.
type PerEpoch struct {
	Of    Schedule
	Steps int
}

// At returns the rate of the epoch that a step lies in.
func (p PerEpoch) At(step int) float64 { return p.Of.At(max(step, 0) / p.Steps) }
