//go:build !amd64 || purego

package asm

// The rows of this family exist on amd64 only; in the table they never fit here.
var (
	MomentumAVX512, MomentumAVX2 func(n int, p, grad, m *float32, k *MomentumFactors)
	AdamAVX512, AdamAVX2         func(n int, p, grad, m, v *float32, k *AdamFactors)
)
