//go:build amd64 && !purego

package asm

import "unsafe"

// Depthwise convolution: every channel has a kernel of its own, so channels are
// the lanes and nothing is shared between them. Forward (and for the input
// gradient, whose taps are those of a parity class) a run of pixels is
//
//	for p in 0..pixels-1, i in 0..c-1:
//	  s = 0
//	  for t in 0..taps-1:
//	    s = fma(tap[t][at+p*src+i], w[t*ldw+i], s)
//	  dst[p*step+i] = s                    mode 0, 2 (past the caches)
//	  dst[p*step+i] = dst[p*step+i] + s    mode 1
//
// where tap[t] is an address, in the image or in zeros that stand for padding.
// Behind the taps stand addresses of pixels to fetch for later runs, and a zero.
// The gradient of the weights takes nine taps at once over runs of pixels,
// segs of them, each eleven words: pixels, the address of dy, those of nine taps:
//
//	for t in 0..8, i in 0..c-1:
//	  s = 0
//	  for g in 0..segs-1, p in 0..seg[g].pixels-1:
//	    s = fma(seg[g].dy[p*dyStep+i], seg[g].tap[t][p*xStep+i], s)
//	  dst[t*ldd+i] = s (+ dst[...] when load)
//
// dyAhead and xAhead away from dy and from the fifth tap lies what a later call
// reads, which is fetched. Strides are in elements.

// DepthwiseAVX512 computes a run of pixels of any c. Mode 2 wants c a multiple
// of 16 and dst and step of whole lines.
//
//go:noescape
func DepthwiseAVX512(pixels, c, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int)

// DepthwiseAVX2 is the same for c a multiple of 8, without mode 2.
//
//go:noescape
func DepthwiseAVX2(pixels, c, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int)

// DepthwiseGradAVX512 adds the products of all runs of a chunk for any c.
//
//go:noescape
func DepthwiseGradAVX512(segs int, seg *uintptr, c, dyStep, xStep int, dst *float32, ldd int, load bool, dyAhead, xAhead int)

// DepthwiseGradAVX2 is the same for c a multiple of 8.
//
//go:noescape
func DepthwiseGradAVX2(segs int, seg *uintptr, c, dyStep, xStep int, dst *float32, ldd int, load bool, dyAhead, xAhead int)
