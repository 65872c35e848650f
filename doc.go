// Package sectile pretrains image encoders without labels, in Go: PCL and
// SwAV, with the methods they are judged against (SimCLR, MoCo v1 and v2,
// DeepCluster-v2, SeLa-v2), on ResNets, on a tensor and autograd engine whose
// kernels are written by hand and chosen when the program runs. No cgo.
//
// The root holds no code, only the map:
//
//	asm          micro-kernels in Go assembly; no policy, no threads, no allocation
//	kernels      every op on flat memory: reference, driver, dispatch table, team of threads; the Backend contract
//	cuda         the Backend of NVIDIA GPUs: driver opened at run time, PTX, an emulator of it
//	tensor       Tensor: shape and memory on a backend; arithmetic, errors, files, random streams
//	autograd     Tape, Var, one struct per op with both directions in one file, step plan, gradcheck
//	nn           modules, ResNets, losses, optimizers, schedules, checkpoints
//	methods      one file per algorithm, readable beside its paper; evaluation protocols
//	data         sources, decoding, views, loaders; data/fashionmnist is embedded
//	dist         process groups: solo and in-process; dist/mpi and dist/nccl are blank imports
//	cmd/sectile  the command line
//	bench        go test -bench by layer, what others reach in the same run
//	docs         how kernels and methods work, with figures; decisions
//
// Imports go one way (x <- y: y imports x), which layout_test.go proves:
//
//	asm <- kernels <- tensor <- autograd <- nn <- methods <- cmd
//	kernels <- cuda        tensor <- data <- methods        dist <- nn, methods
//
// Only programs and tests import cuda, dist/mpi and dist/nccl, which open
// shared libraries; a program without them is one static file and compiles no
// foreign modules but cpuid and x/sys.
//
// Read next: package tensor to compute, package nn to train, package methods
// for the algorithms, package kernels for the speed.
package sectile
