//go:build amd64 && !purego

package asm

// Weight gradients of stems: n pixels of dy, lddy apart, times the taps of x,
// which lie in runs behind x0, x1 and x2 that move by step from pixel to pixel.
// StemGrad*RxS has R runs of S taps:
//
//	for p := range n { for r := range R { for s := range S { for o := range 16 {
//		acc[(r*S+s)*16+o] = fma(dy[p*lddy+o], x[r][p*step+s], acc[(r*S+s)*16+o])
//	} } } }
//
// and the forward pass over one channel, from +0:
//
//	Stem*3x3: for p := range n { for o := range 16 {
//		s = 0; for r := range 3 { for k := range 3 { s = fma(x[r][p*step+k], w[(3*r+k)*ldw+o], s) } }
//		y[p*ldy+o] = s
//	} }
//
// Strides are in elements. With one run x1 and x2 are not read.

// StemGradAVX512x3x3 is 3x3 over one channel.
//
//go:noescape
func StemGradAVX512x3x3(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)

// StemGradAVX512x3x9 is 3x3 over three channels.
//
//go:noescape
func StemGradAVX512x3x9(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)

// StemGradAVX512x1x21 is one line of 7x7 over three channels.
//
//go:noescape
func StemGradAVX512x1x21(n int, dy *float32, lddy int, x0, x1, x2 *float32, step int, acc *float32)

// StemAVX512x3x3 is the forward pass of 3x3 over one channel.
//
//go:noescape
func StemAVX512x3x3(n int, x0, x1, x2 *float32, step int, w *float32, ldw int, y *float32, ldy int)
