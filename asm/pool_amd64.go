//go:build amd64 && !purego

package asm

// PoolMaxAVX512 is PoolRun's max.
//
//go:noescape
func PoolMaxAVX512(a *PoolRun)

// PoolAvgAVX512 is PoolRun's average.
//
//go:noescape
func PoolAvgAVX512(a *PoolRun)

// PoolMaxGradAVX512 is PoolRun's max grad.
//
//go:noescape
func PoolMaxGradAVX512(a *PoolRun)

// PoolAvgGradAVX512 is PoolRun's avg grad.
//
//go:noescape
func PoolAvgGradAVX512(a *PoolRun)

// PoolMaxAVX2 is PoolRun's max.
//
//go:noescape
func PoolMaxAVX2(a *PoolRun)

// PoolAvgAVX2 is PoolRun's average.
//
//go:noescape
func PoolAvgAVX2(a *PoolRun)

// PoolMaxGradAVX2 is PoolRun's max grad.
//
//go:noescape
func PoolMaxGradAVX2(a *PoolRun)

// PoolAvgGradAVX2 is PoolRun's avg grad.
//
//go:noescape
func PoolAvgGradAVX2(a *PoolRun)

// PoolMaxPastAVX512 is PoolMaxAVX512 storing past the caches: C is a multiple of
// 64, Dst, Index and DstPixel of 64 bytes.
//
//go:noescape
func PoolMaxPastAVX512(a *PoolRun)

// PoolMaxGradPastAVX512 is PoolMaxGradAVX512 without Acc, storing past the
// caches: C is a multiple of 64, Dst and DstPixel of 64 bytes.
//
//go:noescape
func PoolMaxGradPastAVX512(a *PoolRun)
