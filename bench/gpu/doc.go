// Gpu measures everything of package cuda on a machine with an NVIDIA GPU that
// has neither Go nor a network, beside PyTorch, in under nine minutes.
//
//	bash bench/gpu/pack.sh .gpu        # here: builds the folder to carry, says its size
//	bash .gpu/run.sh                   # there: everything; files below ${OUT:-bench/results/gpu}
//	bash .gpu/run.sh --device emu --tiny   # anywhere: the same parts in small, on the emulator
//
// run.sh needs bash, timeout and, for the peer, a python3 with torch; without
// one (or without a GPU in it) that part says so and the rest runs. Parts come
// in the order of their worth and each has its own limit of time, so that a cut
// loses the least; what a part had measured by then is in its file already.
//
// The program has a subcommand a part. Each writes one JSON object a line (a
// record, see record.go) to the end of the file that -out names, or to standard
// output:
//
//	smoke    opens the device, compiles every kernel, checks a sum and a graph
//	predict  small seeded runs against what the emulator gave (testdata/golden.json)
//	copy     bytes a second: device, host to device and back
//	gemm, conv, passes, train, ssl
//	profile  the time of each kernel in one training step
//	requests prints the requests of a part, a line each, for torch_gpu.py
//	table    puts records of both and expected.md side by side
//	golden   writes testdata/golden.json from the emulator: go generate ./bench/gpu
//
// A request is a line of words, the same for both programs:
//
//	gemm M N K [nt|tn|tt] [affine|bn] [stats]      C[M,N] = A[M,K] B[K,N]
//	conv fwd|dx|dw N H W C OC K STRIDE PAD [affine] [bn] [stats]
//	pass NAME ROWS C                               a pass over [ROWS,C], passes.go
//	train NET BATCH                                a supervised step, SGD
//	ssl swav|pcl NET BATCH                         a step of a method
//
// in a mode: fp32 (exact products), tf32 (inputs rounded to 10 bits of
// mantissa; sums Float32), and of the peer alone bf16 (autocast, channels_last).
// The numbers that we expect were written down before any of it ran on a GPU:
// expected.md.
//
// Times are of the wall clock round enough calls to fill 10 ms, which the
// stream is waited for once; medians over such groups. The peer's are CUDA
// events round the same number of calls.
package main

//go:generate go run . golden
