package cuda

import "github.com/sectile-ml/sectile/kernels"

// Ops along rows that are not there yet.

// RowNormalize panics with a *MissingError.
func (d *Device) RowNormalize(a *kernels.RowNormalizeArgs) { panic(&MissingError{"RowNormalize"}) }

// RowNormalizeGrad panics with a *MissingError.
func (d *Device) RowNormalizeGrad(a *kernels.RowNormalizeArgs) {
	panic(&MissingError{"RowNormalizeGrad"})
}

// LogSoftmax panics with a *MissingError.
func (d *Device) LogSoftmax(a *kernels.LogSoftmaxArgs) { panic(&MissingError{"LogSoftmax"}) }

// LogSoftmaxGrad panics with a *MissingError.
func (d *Device) LogSoftmaxGrad(a *kernels.LogSoftmaxArgs) { panic(&MissingError{"LogSoftmaxGrad"}) }

// CrossEntropy panics with a *MissingError.
func (d *Device) CrossEntropy(a *kernels.CrossEntropyArgs) { panic(&MissingError{"CrossEntropy"}) }

// CrossEntropyGrad panics with a *MissingError.
func (d *Device) CrossEntropyGrad(a *kernels.CrossEntropyArgs) {
	panic(&MissingError{"CrossEntropyGrad"})
}

// SoftCrossEntropy panics with a *MissingError.
func (d *Device) SoftCrossEntropy(a *kernels.SoftCrossEntropyArgs) {
	panic(&MissingError{"SoftCrossEntropy"})
}

// SoftCrossEntropyGrad panics with a *MissingError.
func (d *Device) SoftCrossEntropyGrad(a *kernels.SoftCrossEntropyArgs) {
	panic(&MissingError{"SoftCrossEntropyGrad"})
}

// LSE panics with a *MissingError.
func (d *Device) LSE(a *kernels.LSEArgs) { panic(&MissingError{"LSE"}) }

// SinkhornCodes panics with a *MissingError.
func (d *Device) SinkhornCodes(a *kernels.SinkhornCodesArgs) { panic(&MissingError{"SinkhornCodes"}) }
