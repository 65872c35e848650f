package asm

import "unsafe"

// PoolRun asks for Pixels results of C channels, each made from a rectangle of
// Rows x Cols source pixels: the taps of a window (forward) or the windows
// that cover an input pixel (gradients). Strides are in bytes; result p starts
// at Dst + p*DstPixel, its rectangle at Src + p*SrcPixel. Tap t of row i,
// column j is Tap + i*TapRow + j*TapCol.
//
//	max:      y = first maximum over the rectangle, NaN wins; Index[p] = its tap
//	average:  y = (0 + x + x + ...) / Count
//	max grad: s = 0 + (Index == tap ? dy : 0) + ...;  dx (+)= s
//	avg grad: s = fma(dy, Inv[tap], s) from 0;        dx (+)= s
//
// The gradient of max reads Index at Src's offsets; that of the average reads
// Inv at p*InvPixel + i*InvRow + j*InvCol bytes.
type PoolRun struct {
	Pixels, C, Rows, Cols    int
	Src, Dst, Index          unsafe.Pointer
	SrcPixel, SrcRow, SrcCol int
	DstPixel                 int
	Tap, TapRow, TapCol      int
	Inv                      unsafe.Pointer
	InvPixel, InvRow, InvCol int
	Count                    float32
	Acc                      bool
}
