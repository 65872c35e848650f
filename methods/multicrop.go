package methods

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/nn"
)

// MultiCrop passes views through an encoder, one pass for each resolution, and
// joins the features crop-major: row v*N + n is crop v of image n. It keeps
// nothing but a little memory between steps.
//
// Batch norm inside the encoder therefore takes its statistics over one
// resolution at a time, and moves its running ones once for each (SwAV, arXiv
// 2006.09882, section 3.2 and the authors' forward pass).
type MultiCrop struct{ parts []*autograd.Var }

// Forward is the features [V N, Features()] of views[g] [V_g N, H_g, W_g, C],
// which hold the crops of one size each, in order, as data.Batch does.
func (m *MultiCrop) Forward(p *nn.Pass, encoder nn.Module, views []*autograd.Var) *autograd.Var {
	m.parts = m.parts[:0]
	for _, x := range views {
		m.parts = append(m.parts, encoder.Forward(p, x))
	}
	if len(m.parts) == 1 {
		return m.parts[0]
	}
	return autograd.Concat(m.parts...)
}
