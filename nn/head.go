package nn

import (
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// SwAVHead is the projection head of SwAV and DeepCluster-v2: Linear
// in-hidden, batch norm, ReLU, Linear hidden-out. SwAV: 2048, 2048, 128. Its
// tensors are NAME.0 (linear), NAME.1 (batch norm) and NAME.3 (linear); SwAV's
// NAME is "projection_head". Batch norm sees the whole batch that Forward is
// given: SwAV passes all crops at once.
func SwAVHead(b kernels.Backend, name string, in, hidden, out int, rng *tensor.RNG) Sequential {
	norm := NewBatchNorm(b, name+".1", hidden)
	norm.ReLU = true
	return Sequential{NewLinear(b, name+".0", in, hidden, rng), norm, NewLinear(b, name+".3", hidden, out, rng)}
}

// MLPHead is the projection head of MoCo v2 and PCL v2: Linear in-hidden,
// ReLU, Linear hidden-out. Both use 2048, 2048, 128 and NAME "fc": tensors
// fc.0 and fc.2. The head of MoCo v1 is NewLinear(b, "fc", 2048, 128, rng).
func MLPHead(b kernels.Backend, name string, in, hidden, out int, rng *tensor.RNG) Sequential {
	return Sequential{NewLinear(b, name+".0", in, hidden, rng), ReLU{}, NewLinear(b, name+".2", hidden, out, rng)}
}
