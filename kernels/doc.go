// Package kernels holds every op on flat memory: its generic reference, its
// blocked driver, its rows in the dispatch table, and the team of threads that
// runs them. Backend is the contract that the CPU, package cuda and the
// float64 reference implement; the package knows nothing of tensors.
//
// # Glossary
//
//	GEMM          C[M,N] += A[M,K] B[K,N]; K is depth here, prototypes in package methods
//	MR, NR        rows and columns of the micro-tile held in registers
//	KC, MC, NC    cache blocks of depth, rows and columns; KC belongs to the contract
//	micro-kernel  the assembly that computes tiles (RowTile, OuterTile)
//	panel         NR columns of B, packed k-major; MR rows of A likewise
//	epilogue      statistics, bias, residual, ReLU on a finished tile
//	prologue      an affine map or batch norm's backward on an operand as it is loaded
//	row           a line of a dispatch table: one kernel (also: a row of a matrix)
//	contract      what fixes the bits: algorithm, KC, lanes, chunk sizes (contract*.go)
//
// Read next: backend.go for the ops, contract.go for the numbers, team.go for
// the threads, gemm.go for the five loops.
package kernels
