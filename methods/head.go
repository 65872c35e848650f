package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// Head names the network between features and embeddings.
type Head string

// The heads. All end without an activation; embeddings are l2-normalised.
const (
	HeadLinear Head = "linear" // in-out: MoCo v1, PCL v1
	HeadMLP    Head = "mlp"    // in-hidden, ReLU, hidden-out: MoCo v2, PCL v2
	HeadMLPBN  Head = "mlp-bn" // in-hidden, batch norm, ReLU, hidden-out: SwAV; our demos
	HeadSimCLR Head = "simclr" // as mlp-bn without biases, batch norm without beta at the end
)

// check reports a head that does not exist or cannot be.
func (h Head) check(hidden, dim int) error {
	switch h {
	case HeadLinear, HeadMLP, HeadMLPBN, HeadSimCLR:
	default:
		return fmt.Errorf("head %q: there are %s, %s, %s and %s", string(h), HeadLinear, HeadMLP, HeadMLPBN, HeadSimCLR)
	}
	if h != HeadLinear && hidden < 1 {
		return fmt.Errorf("head of width %d: at least 1 (2048 in the papers)", hidden)
	}
	if dim < 1 {
		return fmt.Errorf("embeddings of %d numbers: at least 1 (128 in the papers)", dim)
	}
	return nil
}

// New builds the head; its tensors are NAME.*, drawn from rng. h is one of the heads.
func (h Head) New(b kernels.Backend, name string, in, hidden, out int, rng *tensor.RNG) nn.Module {
	switch h {
	case HeadLinear:
		return nn.NewLinear(b, name, in, out, rng)
	case HeadMLP:
		return nn.MLPHead(b, name, in, hidden, out, rng)
	case HeadMLPBN:
		return nn.SwAVHead(b, name, in, hidden, out, rng)
	}
	return simCLRHead(b, name, in, hidden, out, rng)
}

// simCLRHead is the head of SimCLR's code: no linear layer has a bias, each is
// followed by batch norm, the last of which has no beta. Tensors: NAME.0 and
// NAME.3 (linear), NAME.1 and NAME.4 (batch norm).
func simCLRHead(b kernels.Backend, name string, in, hidden, out int, rng *tensor.RNG) nn.Sequential {
	first, last := nn.NewLinear(b, name+".0", in, hidden, rng), nn.NewLinear(b, name+".3", hidden, out, rng)
	first.Bias, last.Bias = nil, nil
	inner, outer := nn.NewBatchNorm(b, name+".1", hidden), nn.NewBatchNorm(b, name+".4", out)
	inner.ReLU = true
	outer.Beta.Grad = nil // a constant, 0
	return nn.Sequential{first, inner, last, outer}
}

// flop is what the head costs an image forward.
func (h Head) flop(in, hidden, out int) float64 {
	if h == HeadLinear {
		return 2 * float64(in) * float64(out)
	}
	return 2 * float64(hidden) * float64(in+out)
}
