package cuda

import "github.com/sectile-ml/sectile/kernels"

// Maps, reductions and sweeps that are not there yet.

// Map panics with a *MissingError.
func (d *Device) Map(a *kernels.MapArgs) { panic(&MissingError{"Map"}) }

// Broadcast panics with a *MissingError.
func (d *Device) Broadcast(a *kernels.BroadcastArgs) { panic(&MissingError{"Broadcast"}) }

// Reduce panics with a *MissingError.
func (d *Device) Reduce(a *kernels.ReduceArgs) { panic(&MissingError{"Reduce"}) }

// CopyRows panics with a *MissingError.
func (d *Device) CopyRows(a *kernels.CopyRowsArgs) { panic(&MissingError{"CopyRows"}) }

// SquareNorms panics with a *MissingError.
func (d *Device) SquareNorms(a *kernels.SquareNormsArgs) { panic(&MissingError{"SquareNorms"}) }

// Update panics with a *MissingError.
func (d *Device) Update(a *kernels.UpdateArgs) { panic(&MissingError{"Update"}) }

// EMA panics with a *MissingError.
func (d *Device) EMA(a *kernels.EMAArgs) { panic(&MissingError{"EMA"}) }
