package nn

import "github.com/sectile-ml/sectile/kernels"

// Rule is how an optimizer moves a weight: SGD, LARC, LARS, Adam or AdamW.
// In the formulas p is a weight, g its gradient, m and v its moments, wd its
// group's Decay, lr the learning rate times its group's Scale.
type Rule interface {
	set(a *kernels.UpdateArgs)
}

// SGD is gradient descent with momentum, as torch.optim.SGD:
//
//	d = g + wd p
//	m = d in the first step, then Momentum m + d
//	p -= lr m, with Nesterov lr (d + Momentum m)
type SGD struct {
	Momentum float32 `json:"momentum"` // 0.9
	Nesterov bool    `json:"nesterov"`
}

func (r SGD) set(a *kernels.UpdateArgs) {
	a.Kind, a.Momentum, a.Nesterov = kernels.UpdateSGD, r.Momentum, r.Nesterov
}

// LARC is SwAV's optimizer (You et al. 2017, as in NVIDIA's apex around SGD):
//
//	rate = Trust |p| / (|g| + wd |p| + Eps), with Clip min(rate/lr, 1)
//	d = (g + wd p) rate where |p|, |g| > 0 and the group is adapted, else g
//	then SGD of d
//
// SwAV: Momentum 0.9, Trust 0.001, Eps 1e-8, no Clip, all weights adapted, wd
// 1e-6.
type LARC struct {
	Momentum float32 `json:"momentum"`
	Trust    float32 `json:"trust"`
	Eps      float32 `json:"eps"`
	Clip     bool    `json:"clip"`
}

func (r LARC) set(a *kernels.UpdateArgs) {
	a.Kind, a.Momentum, a.Trust, a.Eps, a.Clip = kernels.UpdateLARC, r.Momentum, r.Trust, r.Eps, r.Clip
}

// LARS is SimCLR's optimizer (You et al. 2017); vectors are in a group without
// Adapt and Decay:
//
//	d = g + wd p
//	rate = Trust |p| / |d| where both are > 0 and the group is adapted, else 1
//	m = Momentum m + lr rate d
//	p -= m
//
// SimCLR: Momentum 0.9, Trust 0.001, wd 1e-6 (CIFAR 1e-4).
type LARS struct {
	Momentum float32 `json:"momentum"`
	Trust    float32 `json:"trust"`
}

func (r LARS) set(a *kernels.UpdateArgs) {
	a.Kind, a.Momentum, a.Trust = kernels.UpdateLARS, r.Momentum, r.Trust
}

// Adam is Kingma & Ba 2015, algorithm 1, of d = g + wd p. Beta1 0.9, Beta2
// 0.999, Eps 1e-8.
type Adam struct {
	Beta1 float32 `json:"beta1"`
	Beta2 float32 `json:"beta2"`
	Eps   float32 `json:"eps"`
}

func (r Adam) set(a *kernels.UpdateArgs) {
	a.Kind, a.Beta1, a.Beta2, a.Eps = kernels.UpdateAdam, r.Beta1, r.Beta2, r.Eps
}

// AdamW is Adam with decay beside it, p *= 1 - lr wd (Loshchilov & Hutter
// 2019, algorithm 2, as torch.optim.AdamW).
type AdamW Adam

func (r AdamW) set(a *kernels.UpdateArgs) {
	Adam(r).set(a)
	a.Kind = kernels.UpdateAdamW
}
