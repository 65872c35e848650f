package nn

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// EMA makes one module a moving average of another: MoCo's and PCL's momentum
// (key) encoder, key = m key + (1-m) query (He et al. 2020, equation 2). Only
// weights move so; the key encoder's running statistics are its own.
type EMA struct {
	b    kernels.Backend
	keys []*autograd.Param
	args kernels.EMAArgs
}

// NewEMA copies query's state to key and takes key's gradients away: its
// weights are constants from now on. The two modules are built alike.
func NewEMA(b kernels.Backend, key, query Module) *EMA {
	e := &EMA{b: b}
	ks, qs := key.State(), query.State()
	if len(ks) != len(qs) {
		panic(tensor.Misuse("EMA", "key and query are built alike", []int{len(ks)}, []int{len(qs)}))
	}
	for i, q := range qs {
		k := ks[i]
		if k.Value.Len() != q.Value.Len() {
			panic(tensor.Misuse("EMA", k.Name+" and "+q.Name+" have one shape", k.Value.Shape(), q.Value.Shape()))
		}
		b.Copy(k.Value.Mem(), q.Value.Mem())
		k.Value.Bump()
		if q.Grad == nil {
			continue
		}
		k.Grad.Release()
		k.Grad = nil
		e.keys = append(e.keys, k)
		e.args.Spans = append(e.args.Spans, kernels.Span{P: k.Value.Mem(), G: q.Value.Mem()})
	}
	return e
}

// Step moves the key weights by momentum m: 0.999 in MoCo and PCL.
func (e *EMA) Step(m float32) {
	e.args.Momentum = m
	e.b.EMA(&e.args)
	for _, k := range e.keys {
		k.Value.Bump()
	}
}
