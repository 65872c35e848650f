//go:build amd64 && !purego

package asm

// NormStatsAVX512 sums s and q of NormSums' statistics.
//
//go:noescape
func NormStatsAVX512(a *NormSums)

// NormReduceAVX512 sums s and q of NormSums' gradients.
//
//go:noescape
func NormReduceAVX512(a *NormSums)

// NormApplyAVX512 is NormSpan's apply.
//
//go:noescape
func NormApplyAVX512(a *NormSpan)

// NormBackwardAVX512 is NormSpan's backward.
//
//go:noescape
func NormBackwardAVX512(a *NormSpan)

// NormStatsAVX2 sums s and q of NormSums' statistics.
//
//go:noescape
func NormStatsAVX2(a *NormSums)

// NormReduceAVX2 sums s and q of NormSums' gradients.
//
//go:noescape
func NormReduceAVX2(a *NormSums)

// NormApplyAVX2 is NormSpan's apply.
//
//go:noescape
func NormApplyAVX2(a *NormSpan)

// NormBackwardAVX2 is NormSpan's backward.
//
//go:noescape
func NormBackwardAVX2(a *NormSpan)
