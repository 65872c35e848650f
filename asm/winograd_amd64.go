//go:build amd64 && !purego

package asm

import "unsafe"

// The transforms of Winograd's F(4x4,3x3), at the points 0, +-sqrt(1/2),
// +-sqrt(2) and infinity. With h = sqrt(1/2) rounded, g = 2h, six values d of a
// row or column become
//
//	in(d)  = (d4-2.5*d2)+d0, p+h*u, p-h*u, s+g*t, s-g*t, (d5-2.5*d3)+d1
//	         p = d4-2*d2, u = d3-2*d1, s = d4-d2/2, t = d3-d1/2
//	out(m) = (m0+a)+c, h*b+g*d, a/2+2*c, (m5+h/2*b)+2*g*d
//	         a = m1+m2, b = m1-m2, c = m3+m4, d = m3-m4
//	kern(w) = w0, x-y, x+y, z+v, z-v, w2                     in float64
//	         x = -2/3*w0-w2/3, y = sqrt(2)/3*w1, z = w0/6+w2/3, v = sqrt(2)/6*w1
//
// and the transposes of the latter two, which a gradient of the weights takes,
//
//	spread(e) = e0, a+h*b, a-h*b, c+g*d, c-g*d, e3
//	         a = e0+e2/2, b = e1+e3/2, c = e0+2*e2, d = e1+2*e3
//	gather(m) = (m0-2/3*a)+c/6, sqrt(2)/3*b+sqrt(2)/6*d, (m5-a/3)+c/3
//	         a = m1+m2, b = m2-m1, c = m3+m4, d = m3-m4
//
// every product that is added fused with its sum. Columns go first, then rows;
// frequency (i, j) is element 6*i+j.
//
//	WinogradInput:       for c := range n { t = src[36][at+c] as 6x6; dst[f*freq+c] = in(in(t))[f] }
//	WinogradOutput:      for c := range n { t = src[f*freq+c] as 6x6; dst[16][at+c] (+)= out(out(t)) }
//	WinogradWeights:     for c := range n { t = src[k*tap+c] as 3x3; dst[f*freq+c] = float32(kern(kern(t))[f]) }
//	WinogradGradOutput:  for c := range n { t = src[16][at+c] as 4x4; dst[f*freq+c] = spread(spread(t))[f] }
//	WinogradGradWeights: for c := range n { t = src[f*freq+c] as 6x6; dst[k*tap+c] = gather(gather(t))[k] }
//
// src of the input and dst of the output, their pixels, are lists of addresses.
// Behind a list that is read stands another tile's, whose pixels are fetched;
// where tap is negative, so are the kernels nine taps on, which follow in the
// weights of an input gradient. Strides are in elements, tap may be negative; tmp is scratch.

// WinogradInputAVX512 transforms a 6x6 tile of n channels.
//
//go:noescape
func WinogradInputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// WinogradOutputAVX512 transforms 36 frequencies of n channels to 4x4 pixels.
//
//go:noescape
func WinogradOutputAVX512(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// WinogradWeightsAVX512 transforms n kernels of 3x3.
//
//go:noescape
func WinogradWeightsAVX512(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)

// WinogradInputAVX2 transforms a 6x6 tile of n channels.
//
//go:noescape
func WinogradInputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// WinogradOutputAVX2 transforms 36 frequencies of n channels to 4x4 pixels.
//
//go:noescape
func WinogradOutputAVX2(n int, src *float32, freq int, dst *unsafe.Pointer, at int, tmp *float32, add bool)

// WinogradWeightsAVX2 transforms n kernels of 3x3.
//
//go:noescape
func WinogradWeightsAVX2(n int, src *float32, tap int, dst *float32, freq int, tmp *float32)

// WinogradGradOutputAVX512 transforms the gradient of 4x4 pixels of n channels.
//
//go:noescape
func WinogradGradOutputAVX512(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// WinogradGradWeightsAVX512 transforms 36 frequencies of n kernels to 3x3.
//
//go:noescape
func WinogradGradWeightsAVX512(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)

// WinogradGradOutputAVX2 transforms the gradient of 4x4 pixels of n channels.
//
//go:noescape
func WinogradGradOutputAVX2(n int, src *unsafe.Pointer, at int, dst *float32, freq int, tmp *float32)

// WinogradGradWeightsAVX2 transforms 36 frequencies of n kernels to 3x3.
//
//go:noescape
func WinogradGradWeightsAVX2(n int, src *float32, freq int, dst *float32, tap int, tmp *float32)
