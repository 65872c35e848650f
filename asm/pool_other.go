//go:build !amd64 || purego

package asm

// The kernels exist on amd64 only; their rows of the table never fit here.
var (
	PoolMaxAVX512, PoolAvgAVX512, PoolMaxGradAVX512, PoolMaxPastAVX512, PoolMaxGradPastAVX512, PoolAvgGradAVX512 func(*PoolRun)
	PoolMaxAVX2, PoolAvgAVX2, PoolMaxGradAVX2, PoolAvgGradAVX2                                                   func(*PoolRun)
)
