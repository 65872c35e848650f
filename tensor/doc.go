// Package tensor holds numbers: a Tensor is a shape over dense, row-major
// memory of one kernels.Backend. Beside it stand plain arithmetic, files and
// random streams. Gradients are package autograd's.
//
// Mistakes in a program (shapes, axes, use after Release) panic with
// *ShapeError and exhausted memory with *MemoryError, so that formulas stay one
// line; Try makes errors of both. What the world does (files, devices) is an
// error.
//
// # Map
//
//	tensor.go             Tensor: creation, views, copies, versions, Release
//	elementwise.go        Add, Sub, Mul, Div with broadcasting; Scale, Exp, Log, ReLU, ...
//	matmul.go             MatMul and its variants
//	reduce.go             Sum, Mean, Max, ArgMax
//	arrange.go            T, Concat
//	backend.go            Default, the CPU
//	errors.go             ShapeError, MemoryError, DeviceError, Try
//	memory.go             SetMemoryLimit, MemoryInUse
//	rng.go                RNG: random streams with the same bits everywhere
//	safetensors.go        reading safetensors; safetensors_write.go: writing
//	npy.go                NumPy's arrays
//	stored.go             the types of numbers in files
//	file.go               FileError, WriteFile (whole or not at all)
//
// # Glossary
//
//	axis       a dimension's place, counted from 0; reductions keep the axis with size 1
//	broadcast  an operand of size 1 along an axis is repeated; ranks are equal
//	backend    the device that holds a tensor's memory and computes on it
//	view       a tensor over another's memory: Reshape, Rows
//	version    a count of writes to memory, by which prepared weights know that they are old
//	stream     the random numbers of one seed, purpose and keys
//
// Read next: tensor.go, then package autograd for gradients or package kernels
// for what runs below.
package tensor
