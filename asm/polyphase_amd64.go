//go:build amd64 && !purego

package asm

import "unsafe"

// The transforms of polyphase Winograd F(4x4): a 3x3 convolution of stride 2
// whose rows and columns fall into two phases each, one with the taps w0 and w2,
// one with w1. In one dimension 4 outputs read 5 values of the first phase, d,
// and 4 of the second; both are evaluated at the points +-1/2 and +-3/2, the first
// at infinity too. A kernel of one tap is the same at all finite points.
//
//	finite(d) = p+u/2, p-u/2, q+3/2*v, q-3/2*v
//	         p = d3-9/4*d1, u = d2-9/4*d0, q = d3-d1/4, v = d2-d0/4
//	in(d)   = finite(d), (d4-5/2*d2)+9/16*d0
//	out(m)  = s/2+t/6, (f-e)/4, s/8+3/8*t, (m4-e/16)+9/16*f
//	         s = m1-m0, e = m0+m1, t = m2-m3, f = m2+m3
//	kern(w) = w0+w2/2, w0-w2/2, w0+3/2*w2, w0-3/2*w2, w2, w1       in float64
//
// and the transposes of the latter two, which a gradient of the weights takes,
//
//	spread(e) = b-a, b+a, d+c, d-c, e3
//	         a = e0/2+e2/8, b = -e1/4-e3/16, c = e0/6+3/8*e2, d = e1/4+9/16*e3
//	gather(m) = (m0+m1)+(m2+m3), m5, (m4+(m0-m1)/2)+3/2*(m2-m3)
//
// every product that is added fused with its sum in float32; m4 is absent from the
// second phase of an input gradient, 9/16*f-e/16. Columns go first, then rows.
// Of the nine planes of a dimension five belong to the first phase, in the order
// of points, then come four of the second; plane (i, j) is element 9*i+j, frequency
// (i, j) 5*i+j. Of the nine pixels those of the first phase are 0, 2, 4, 6, 8,
// of the eight of an input gradient 1, 3, 5, 7.
//
//	PolyphaseInput:   for c := range n { t = src[81][at+c] as 9x9; dst[p*plane+c] = in(in(t))[p] }
//	PolyphaseOutput:  for c := range n { t = src[f*plane+c] as 5x5; dst[16][at+c] (+)= out(out(t)) }
//	PolyphaseWeights: for c := range n { t = src[k*tap+c] as 3x3; dst[p*plane+c] = float32(kern(kern(t))[p]) }
//	PolyphaseGradY:   for c := range n { t = src[25][at+c] as 5x5; dst[f*plane+c] = in(in(t))[f] }
//	PolyphaseGradX:   for c := range n { t = src[p*plane+c] as 9x9; dst[64][at+c] (+)= out(out(t)) }
//	PolyphaseSpread:  for c := range n { t = src[16][at+c] as 4x4; dst[f*plane+c] = spread(spread(t))[f] }
//	PolyphaseGather:  for c := range n { t = src[p*plane+c] as 6x6; dst[k*tap+c] = gather(gather(t))[k] }
//
// Where pixels are read or written their addresses stand in a list. Behind a list
// that is read stands another tile's, whose pixels are fetched. Strides are in
// elements, tap may be negative; tmp is scratch.

// PolyphaseInputAVX512 transforms a tile of 9x9 pixels of n channels.
//
//go:noescape
func PolyphaseInputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)

// PolyphaseOutputAVX512 transforms 25 frequencies of n channels to 4x4 pixels.
//
//go:noescape
func PolyphaseOutputAVX512(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// PolyphaseWeightsAVX512 transforms n kernels of 3x3 to 6x6 planes.
//
//go:noescape
func PolyphaseWeightsAVX512(n int, src *float32, tap int, dst *float32, plane int, tmp *float32)

// PolyphaseGradYAVX512 transforms the gradient of 5x5 pixels of n channels.
//
//go:noescape
func PolyphaseGradYAVX512(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)

// PolyphaseGradXAVX512 transforms 81 planes of n channels to 8x8 pixels.
//
//go:noescape
func PolyphaseGradXAVX512(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// PolyphaseInputAVX2 transforms a tile of 9x9 pixels of n channels.
//
//go:noescape
func PolyphaseInputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)

// PolyphaseOutputAVX2 transforms 25 frequencies of n channels to 4x4 pixels.
//
//go:noescape
func PolyphaseOutputAVX2(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// PolyphaseWeightsAVX2 transforms n kernels of 3x3 to 6x6 planes.
//
//go:noescape
func PolyphaseWeightsAVX2(n int, src *float32, tap int, dst *float32, plane int, tmp *float32)

// PolyphaseGradYAVX2 transforms the gradient of 5x5 pixels of n channels.
//
//go:noescape
func PolyphaseGradYAVX2(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)

// PolyphaseGradXAVX2 transforms 81 planes of n channels to 8x8 pixels.
//
//go:noescape
func PolyphaseGradXAVX2(n int, src *float32, plane int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// PolyphaseSpreadAVX512 transforms the gradient of 4x4 pixels of n channels.
//
//go:noescape
func PolyphaseSpreadAVX512(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)

// PolyphaseGatherAVX512 transforms 6x6 planes of n kernels to 3x3 taps.
//
//go:noescape
func PolyphaseGatherAVX512(n int, src *float32, plane int, dst *float32, tap int, tmp *float32)

// PolyphaseSpreadAVX2 transforms the gradient of 4x4 pixels of n channels.
//
//go:noescape
func PolyphaseSpreadAVX2(n int, src *unsafe.Pointer, at int, dst *float32, plane int, tmp *float32)

// PolyphaseGatherAVX2 transforms 6x6 planes of n kernels to 3x3 taps.
//
//go:noescape
func PolyphaseGatherAVX2(n int, src *float32, plane int, dst *float32, tap int, tmp *float32)
