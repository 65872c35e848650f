//go:build amd64 && !purego

package asm

// LevelSumAVX2 sums rows of 8-bit levels that lie stride bytes apart, with
// weights of 22 fractional bits, n >= 32:
//
//	for i := range n {
//		s := int32(1 << 21)
//		for j := range taps {
//			s += int32(src[i+j*stride]) * w[j]
//		}
//		dst[i] = min(max(s>>22, 0), 255)
//	}
//
// dst may not overlap the source.
//
//go:noescape
func LevelSumAVX2(dst, src *uint8, stride int, w *int32, taps, n int)

// LevelBoxAVX2 is LevelSumAVX2 with unsigned weights of 24 fractional bits,
// which add up to at most 1: uint32(1<<23), s>>24.
//
//go:noescape
func LevelBoxAVX2(dst, src *uint8, stride int, w *uint32, taps, n int)

// LevelRowAVX2 is one row of RGB pixels, each a weighted sum of neighbours:
//
//	for x := range pixels {
//		for c := range 3 {
//			s := int32(1 << 21)
//			for j := range taps {
//				s += int32(src[3*(first[x]+j)+c]) * w[x*taps+j]
//			}
//			dst[3*x+c] = min(max(s>>22, 0), 255)
//		}
//	}
//
// taps is even. It reads two bytes beyond a pixel's last source pixel and
// writes one beyond dst's last, which the caller overwrites.
//
//go:noescape
func LevelRowAVX2(dst, src *uint8, first, w *int32, taps, pixels int)
