// Package ladder climbs from the triple loop to the matrix product of package
// kernels in nine rungs, one idea a file, so that each idea has a price: the
// difference between two rows of the table that
//
//	GOEXPERIMENT=simd go run ./kernels/ladder/climb
//
// prints. All rungs have one signature, C = A*B with A [M,K], B [K,N], C [M,N]
// dense and row-major, and all are tested against float64.
//
//	rung0_naive.go    the definition: every element of C is a dot product
//	rung1_order.go    loops in another order: memory is walked along its rows
//	rung2_tile.go     a tile of C stays in registers
//	rung3_pack.go     a panel of B is copied so that the tile reads it in order
//	rung4_blocks.go   five loops: every level of cache holds its operand
//	rung5_simd.go     the tile with the experimental package simd/archsimd
//	rung6_avx2.go     the tile in assembly, 8 lanes
//	rung7_avx512.go   the tile in assembly, 16 lanes and 32 registers
//	rung8_threads.go  blocks of C shared by all threads
//
// Names are BLIS's: MR x NR is the micro-kernel's tile, KC, MC, NC are the
// cache blocks, a panel is NR columns of B stored step of k after step of k.
// The guide page docs/guide/gemm.md draws them. What package kernels adds to
// the last rung: operands in any layout, prologues and epilogues, small and
// long shapes, a team that is awake already, and bits that do not depend on
// how the product is cut.
package ladder
