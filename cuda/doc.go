// Package cuda is the kernels.Backend of NVIDIA GPUs from compute capability
// 8.0 on: kernels written in PTX (cuda/ptx) that the driver compiles when they
// are first used, called without cgo through cuda/driver. Importing it for its
// side effect makes the devices known to kernels.OpenDevice:
//
//	import _ "github.com/sectile-ml/sectile/cuda"
//
// All work of a Device runs on one compute stream in the order of the calls;
// ops return before they have run. A failure is sticky: the first one comes
// out of Sync and of every Download from then on.
//
// # Glossary
//
//	arena        device memory taken from the driver in one piece (here: segment)
//	block        a part of a segment that Alloc gave out; threads of a grid elsewhere
//	pinned       host memory the device reads by itself
//	stage        pinned blocks and their device mirrors, for what changes per step
//	step scalar  a number that changes per step and is read from device memory
//	region       the commands between Enter and Leave
//	replay       launching a region's recorded graph instead of its commands
//
// Read next: device.go, launch.go for how an op becomes a launch, region.go
// for graphs, alloc.go for memory, docs/adr/011-cuda-runtime.md for why.
package cuda
