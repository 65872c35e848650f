//go:build amd64 && !purego

package asm

import "unsafe"

// Convolution with few channels a group: the lanes of a vector are destination
// channels of several groups side by side, and channel i of every lane's group
// is one permutation of the source's vector. A block of lanes.Out destination
// channels reads lanes.In source channels. For a run of pixels, block by block,
//
//	for p in 0..pixels-1, o in 0..lanes.Out-1:
//	  s = 0
//	  for t in 0..taps-1, i in 0..lanes.Depth-1:
//	    s = fma(tap[t][at+p*src+lanes.Index[i][o]], w[(t*lanes.Depth+i)*ldw+o], s)
//	  dst[p*step+o] = s                    mode 0, 2 (past the caches)
//	  dst[p*step+o] = dst[p*step+o] + s    mode 1
//
// Behind the taps stand addresses of pixels to fetch for later runs, and a zero.
//
// The gradient of the weights permutes dy, of lanes.In channels, and takes three
// taps by four channels from j on at once over segs runs of pixels, each five
// words: pixels, the address of dy, those of three taps:
//
//	for t in 0..2, i in 0..3, c in 0..lanes.Out-1:
//	  s = 0
//	  for g in 0..segs-1, p in 0..seg[g].pixels-1:
//	    s = fma(seg[g].dy[p*dyStep+lanes.Index[j+i][c]], seg[g].tap[t][p*xStep+c], s)
//	  dst[t*ldt+i*ldj+c] = s (+ dst[...] when load)
//
// dyAhead and xAhead away from what is read lies what a later call reads, which
// is fetched. Strides are in elements; cin and cout are all channels of source
// and destination, cdy and cx those of dy and x.

// GroupedAVX512 computes a run of pixels. Mode 2 wants blocks of 16 channels,
// whole ones, and dst and step of whole lines.
//
//go:noescape
func GroupedAVX512(pixels, cin, cout, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int, lanes *GroupLanes)

// GroupedAVX2 is the same for whole blocks of 8 channels, without mode 2.
//
//go:noescape
func GroupedAVX2(pixels, cin, cout, taps int, tap *unsafe.Pointer, src int, w *float32, ldw int, dst *float32, step, mode, at int, lanes *GroupLanes)

// GroupedGradAVX512 adds the products of all runs of a chunk.
//
//go:noescape
func GroupedGradAVX512(segs int, seg *uintptr, cdy, cx, dyStep, xStep int, dst *float32, ldj, ldt int, load bool, dyAhead, xAhead int, lanes *GroupLanes, j int)

// GroupedGradAVX2 is the same for whole blocks of 8 channels.
//
//go:noescape
func GroupedGradAVX2(segs int, seg *uintptr, cdy, cx, dyStep, xStep int, dst *float32, ldj, ldt int, load bool, dyAhead, xAhead int, lanes *GroupLanes, j int)
