package cuda

import "github.com/sectile-ml/sectile/kernels"

// Normalisation and pooling that are not there yet.

// ChannelStats panics with a *MissingError.
func (d *Device) ChannelStats(a *kernels.ChannelStatsArgs) { panic(&MissingError{"ChannelStats"}) }

// BNMoments panics with a *MissingError.
func (d *Device) BNMoments(a *kernels.BNMomentsArgs) { panic(&MissingError{"BNMoments"}) }

// BNFinalize panics with a *MissingError.
func (d *Device) BNFinalize(a *kernels.BNFinalizeArgs) { panic(&MissingError{"BNFinalize"}) }

// BNApply panics with a *MissingError.
func (d *Device) BNApply(a *kernels.BNApplyArgs) { panic(&MissingError{"BNApply"}) }

// BNReduce panics with a *MissingError.
func (d *Device) BNReduce(a *kernels.BNReduceArgs) { panic(&MissingError{"BNReduce"}) }

// BNGradFinalize panics with a *MissingError.
func (d *Device) BNGradFinalize(a *kernels.BNGradFinalizeArgs) {
	panic(&MissingError{"BNGradFinalize"})
}

// BNBackward panics with a *MissingError.
func (d *Device) BNBackward(a *kernels.BNBackwardArgs) { panic(&MissingError{"BNBackward"}) }

// Pool panics with a *MissingError.
func (d *Device) Pool(a *kernels.PoolArgs) { panic(&MissingError{"Pool"}) }

// PoolGrad panics with a *MissingError.
func (d *Device) PoolGrad(a *kernels.PoolArgs) { panic(&MissingError{"PoolGrad"}) }
