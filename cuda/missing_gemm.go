package cuda

import "github.com/sectile-ml/sectile/kernels"

// Products and convolutions that are not there yet.

// Workspace panics with a *MissingError.
func (d *Device) Workspace(args any) int { panic(&MissingError{"Workspace"}) }

// PreparedBytes panics with a *MissingError.
func (d *Device) PreparedBytes(a *kernels.PrepareArgs) int { panic(&MissingError{"PreparedBytes"}) }

// Prepare panics with a *MissingError.
func (d *Device) Prepare(a *kernels.PrepareArgs) { panic(&MissingError{"Prepare"}) }

// Gemm panics with a *MissingError.
func (d *Device) Gemm(a *kernels.GemmArgs) { panic(&MissingError{"Gemm"}) }

// Conv2D panics with a *MissingError.
func (d *Device) Conv2D(a *kernels.ConvArgs) { panic(&MissingError{"Conv2D"}) }

// Conv2DGradInput panics with a *MissingError.
func (d *Device) Conv2DGradInput(a *kernels.ConvArgs) { panic(&MissingError{"Conv2DGradInput"}) }

// Conv2DGradWeight panics with a *MissingError.
func (d *Device) Conv2DGradWeight(a *kernels.ConvArgs) { panic(&MissingError{"Conv2DGradWeight"}) }
