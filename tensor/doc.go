// Package tensor holds numbers: a Tensor is a shape over the memory of one
// kernels.Backend, with plain arithmetic, files and random streams beside it.
// Gradients are package autograd's.
package tensor
