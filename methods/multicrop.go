package methods

import (
	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/nn"
)

// MultiCrop passes views through an encoder, one pass for each resolution, and
// joins the features crop-major: row v*N + n is crop v of image n. views[g]
// [V_g N, H_g, W_g, C] holds the crops of one size in the same order, the
// largest first, as data.Batch does (SwAV, arXiv 2006.09882, section 3.2).
//
// Batch norm inside the encoder therefore takes its statistics over one
// resolution at a time, and moves its running ones once for each.
func MultiCrop(p *nn.Pass, encoder nn.Module, views []*autograd.Var) *autograd.Var {
	f := make([]*autograd.Var, 0, 8)
	for _, x := range views {
		f = append(f, encoder.Forward(p, x))
	}
	if len(f) == 1 {
		return f[0]
	}
	return autograd.Concat(f...)
}
