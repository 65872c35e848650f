//go:build amd64 && !purego

package asm

const compiled = true

// Pause tells the core that the caller spins: n PAUSE instructions.
//
//go:noescape
func Pause(n int)
