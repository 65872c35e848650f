//go:build amd64 && !purego

package asm

// The inner loops of the optimizers, one pass over n elements.

// MomentumAVX512 serves SGD, LARC and LARS; MomentumFactors has the formula.
//
//go:noescape
func MomentumAVX512(n int, p, grad, m *float32, k *MomentumFactors)

// AdamAVX512 serves Adam and AdamW; AdamFactors has the formula.
//
//go:noescape
func AdamAVX512(n int, p, grad, m, v *float32, k *AdamFactors)

// MomentumAVX2 serves SGD, LARC and LARS; MomentumFactors has the formula.
//
//go:noescape
func MomentumAVX2(n int, p, grad, m *float32, k *MomentumFactors)

// AdamAVX2 serves Adam and AdamW; AdamFactors has the formula.
//
//go:noescape
func AdamAVX2(n int, p, grad, m, v *float32, k *AdamFactors)
