//go:build !amd64 || purego

package asm

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	NormStatsAVX512, NormReduceAVX512, NormStatsAVX2, NormReduceAVX2     func(*NormSums)
	NormApplyAVX512, NormBackwardAVX512, NormApplyAVX2, NormBackwardAVX2 func(*NormSpan)
)
