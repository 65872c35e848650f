// Peers measures matrix products of other libraries beside ours, in one run
// and in turn, and prints ratios of medians as a Markdown table.
//
// It is a module of its own, so that nobody who uses Sectile downloads what it
// compares with. Ours and the libraries written in Go are compiled in; BLAS
// libraries are opened from the file that a flag names, without cgo; torch
// runs in the Python that a flag names. From this folder:
//
//	go run . -threads 1 -rounds 9 \
//	    -blas openblas=libopenblas.so.0:sgemm_ \
//	    -blas blis=libblis.so.4:sgemm_ \
//	    -python PYTHON-WITH-TORCH -write ../../README.md
//
// and with -threads 2 for the second table. -write puts the table between the
// lines "<!-- peers threads=N -->" and "<!-- /peers -->" of a file.
// With -times FILE a run may be made in pieces, and made again from what is there.
//
// Peers that choose kernels by the CPU's name fall back to AVX2 on CPUs newer
// than they are. The environment makes them use AVX-512, and what a table was
// made with stands above it: -env openblas:OPENBLAS_CORETYPE=Cooperlake,
// -env blis:BLIS_ARCH_TYPE=0.
//
// gomlx is v0.26.0 with its portable kernels. Its vector kernels of 2026 are in
// modules of their own (github.com/gomlx/compute, github.com/ajroetker/go-highway)
// that could not be downloaded in November 2026, so they are not measured.
//
// Each provider is a process, a worker: it reads a request a line,
//
//	gemm M N K TA TB INNER REPS
//
// and answers with REPS times in seconds, each the mean of INNER calls, or
// "err REASON". TA and TB are 1 for a transposed operand; matrices are
// row-major float32. -worker name=COMMAND adds one.
package main
