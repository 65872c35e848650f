//go:build amd64 && !purego

package asm

// Winograd's transforms where a tile's pixels lie at constant strides, in a
// patch with its padding in place, and the products of twelve such tiles in all
// frequencies. in, out and spread are those of winograd_amd64.go.
//
//	WinogradPatchInput:  for c := range n { t[i][j] = src[i*row+j*pixel+c], 6x6; dst[f*freq+c] = in(in(t))[f] }
//	WinogradPatchOutput: for c := range n { t = src[f*freq+c] as 6x6; dst[i*row+j*pixel+c] (+)= out(out(t))[i][j], i < h, j < w }
//	WinogradPatchSpread: for c := range n { t[i][j] = src[i*row+j*pixel+c], 4x4; dst[f*freq+c] = spread(spread(t))[f] }
//	WinogradProduct:     for f := range freqs, t := range 12, j := range NR {
//	                       s = 0; for i := range k { s = fma(v[f*freqV+t*ldv+i], u[f*freqU+i*NR+j], s) }
//	                       m[f*freqM+t*ldm+j] = s }
//
// Every four steps of k a product fetches two lines at read and two at write, which
// it does not touch, and goes readStep and writeStep bytes on.
//
// Strides are in elements. m may be v where a row of it holds NR elements: a
// frequency is stored when it has been read.

// WinogradPatchInputAVX512 transforms 6x6 pixels of n channels.
//
//go:noescape
func WinogradPatchInputAVX512(n int, src *float32, row, pixel int, dst *float32, freq int)

// WinogradPatchOutputAVX512 transforms 36 frequencies of n channels to 4x4
// pixels, of which h lines and w columns exist.
//
//go:noescape
func WinogradPatchOutputAVX512(n int, src *float32, freq int, dst *float32, row, pixel, h, w int, add bool)

// WinogradPatchSpreadAVX512 transforms the gradient of 4x4 pixels of n channels.
//
//go:noescape
func WinogradPatchSpreadAVX512(n int, src *float32, row, pixel int, dst *float32, freq int)

// WinogradProductAVX512x12x32 multiplies twelve tiles by 32 columns of U.
//
//go:noescape
func WinogradProductAVX512x12x32(freqs, k int, v *float32, ldv, freqV int, u *float32, freqU int, m *float32, ldm, freqM int, read uintptr, readStep int, write uintptr, writeStep int)

// WinogradProductAVX512x12x16 multiplies twelve tiles by 16 columns of U.
//
//go:noescape
func WinogradProductAVX512x12x16(freqs, k int, v *float32, ldv, freqV int, u *float32, freqU int, m *float32, ldm, freqM int, read uintptr, readStep int, write uintptr, writeStep int)
