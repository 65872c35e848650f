package nn

import "github.com/sectile-ml/sectile/autograd"

// Module is a part of a network: it records its ops on the pass's tape and
// owns named tensors.
type Module interface {
	// Forward records the module's ops on x and returns their result.
	Forward(p *Pass, x *autograd.Var) *autograd.Var
	// State lists weights and running statistics with torchvision's names, in
	// torchvision's order. Weights have a Grad, statistics do not.
	State() []*autograd.Param
}

// Weights is the part of m's state that is trained, in order.
func Weights(m Module) []*autograd.Param {
	var w []*autograd.Param
	for _, p := range m.State() {
		if p.Grad != nil {
			w = append(w, p)
		}
	}
	return w
}

// ByRank splits weights into matrices (convolutions and linear layers) and
// vectors (biases, batch norm's gamma and beta), which many recipes keep from
// weight decay and from layer-wise rates.
func ByRank(weights []*autograd.Param) (matrices, vectors []*autograd.Param) {
	for _, p := range weights {
		if p.Value.Rank() < 2 {
			vectors = append(vectors, p)
		} else {
			matrices = append(matrices, p)
		}
	}
	return matrices, vectors
}

// Prefix puts prefix before the name of each of m's tensors: a query and a key
// encoder in one checkpoint are "encoder_q." and "encoder_k.".
func Prefix(m Module, prefix string) {
	for _, p := range m.State() {
		p.Name = prefix + p.Name
	}
}

// Sequential runs modules one after the other.
type Sequential []Module

// Forward feeds each module's result to the next.
func (s Sequential) Forward(p *Pass, x *autograd.Var) *autograd.Var {
	for _, m := range s {
		x = m.Forward(p, x)
	}
	return x
}

// State lists the modules' states, joined in order.
func (s Sequential) State() []*autograd.Param {
	var all []*autograd.Param
	for _, m := range s {
		all = append(all, m.State()...)
	}
	return all
}

// ReLU is max(x, 0) as a module, without state.
type ReLU struct{}

// Forward records max(x, 0).
func (ReLU) Forward(p *Pass, x *autograd.Var) *autograd.Var { return autograd.ReLU(x) }

// State is empty.
func (ReLU) State() []*autograd.Param { return nil }
