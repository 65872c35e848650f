package asm

import "unsafe"

// Seg is one run of k for the outer-product tiles: K steps from addresses A
// and B.
type Seg struct {
	A, B unsafe.Pointer
	K    int
}
