//go:build amd64 && !purego

package asm

import "unsafe"

// The transforms of Winograd's F(2x2,3x3), at the points 0, 1, -1 and infinity:
// additions, and halves, which are exact. Four values of a row or column become
//
//	in(d)   = d0-d2, d1+d2, d2-d1, d1-d3
//	out(m)  = (m0+m1)+m2, (m1-m2)-m3
//	kern(w) = w0, x+y, x-y, w2      x = (w0+w2)/2, y = w1/2, in float64
//
// and the transposes of the latter two, which a gradient of the weights takes
// (with the sign of their last value turned twice),
//
//	spread(e) = e0, e0+e1, e0-e1, e1
//	gather(m) = m0+a, b, a-m3       a = (m1+m2)/2, b = (m1-m2)/2
//
// Columns go first, then rows; frequency (i, j) is element 4*i+j. The functions
// are those of winograd_amd64.go with tiles of 4x4 pixels, 2x2 outputs and 16
// frequencies:
//
//	Winograd2Input:       for c := range n { t = src[16][at+c] as 4x4; dst[f*freq+c] = in(in(t))[f] }
//	Winograd2Output:      for c := range n { t = src[f*freq+c] as 4x4; dst[4][at+c] (+)= out(out(t)) }
//	Winograd2Weights:     for c := range n { t = src[k*tap+c] as 3x3; dst[f*freq+c] = float32(kern(kern(t))[f]) }
//	Winograd2GradOutput:  for c := range n { t = src[4][at+c] as 2x2; dst[f*freq+c] = spread(spread(t))[f] }
//	Winograd2GradWeights: for c := range n { t = src[f*freq+c] as 4x4; dst[k*tap+c] = gather(gather(t))[k] }
//
// tmp is not used.

// Winograd2InputAVX512 transforms a 4x4 tile of n channels.
//
//go:noescape
func Winograd2InputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// Winograd2OutputAVX512 transforms 16 frequencies of n channels to 2x2 pixels.
//
//go:noescape
func Winograd2OutputAVX512(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// Winograd2WeightsAVX512 transforms n kernels of 3x3.
//
//go:noescape
func Winograd2WeightsAVX512(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)

// Winograd2GradOutputAVX512 transforms the gradient of 2x2 pixels of n channels.
//
//go:noescape
func Winograd2GradOutputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// Winograd2GradWeightsAVX512 transforms 16 frequencies of n kernels to 3x3.
//
//go:noescape
func Winograd2GradWeightsAVX512(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)

// Winograd2InputAVX2 transforms a 4x4 tile of n channels.
//
//go:noescape
func Winograd2InputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// Winograd2OutputAVX2 transforms 16 frequencies of n channels to 2x2 pixels.
//
//go:noescape
func Winograd2OutputAVX2(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// Winograd2WeightsAVX2 transforms n kernels of 3x3.
//
//go:noescape
func Winograd2WeightsAVX2(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)

// Winograd2GradOutputAVX2 transforms the gradient of 2x2 pixels of n channels.
//
//go:noescape
func Winograd2GradOutputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// Winograd2GradWeightsAVX2 transforms 16 frequencies of n kernels to 3x3.
//
//go:noescape
func Winograd2GradWeightsAVX2(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
