package asm

import "unsafe"

// NormUnit is one vector of channels over one chunk of rows, the piece whose
// sums stay in registers: byte offsets of its first element in the streams
// (X), in the per-channel coefficients (Coef) and in the result (Part).
type NormUnit struct{ X, Coef, Part int }

// NormSums asks for two sums of each of N units over Rows rows. All units have
// Lanes channels; those beyond are neither read nor written.
//
//	for u in Unit[:N], r in 0..Rows-1, c in 0..Lanes-1:
//	  statistics: d = X - Coef;                     s += d;  q = fma(d, d, q)
//	  gradients:  g = open ? DY : 0; open: Mask > 0, without Mask
//	              fma(X, Gate[u][0], Gate[u][1]) > 0, without both true;
//	              d = X - Coef;                     s += g;  q = fma(g, d, q)
//	              Resid (+)= g                      (Resid != nil; + when Acc)
//	Part[u] = s, Part[u] + Second bytes = q
//
// Streams are advanced by Ld bytes a row.
type NormSums struct {
	Rows, Ld, Lanes    int
	N                  int
	X, DY, Mask, Resid unsafe.Pointer
	Coef, Part         unsafe.Pointer
	Second             int
	Acc                bool
	Gate               *[8][2][16]float32 // scale and shift of each unit's lanes, 0 beyond
	Unit               [8]NormUnit
}

// NormSpan asks for an elementwise pass over Rows dense rows of N floats with
// N coefficients of each kind.
//
//	apply:    Y = relu?(fma(X, A, C) + Resid)             (Resid nil: without)
//	backward: Y (+)= fma(A, g, fma(B, X, C))
//	          g = open ? DY : 0; open: Mask > 0, without Mask
//	          fma(X, Scale, Shift) > 0, without both true (+ when Acc)
type NormSpan struct {
	Rows, N            int
	X, DY, Mask, Resid unsafe.Pointer
	A, B, C            unsafe.Pointer
	Scale, Shift       unsafe.Pointer
	Y                  unsafe.Pointer
	ReLU, Acc          bool
}
