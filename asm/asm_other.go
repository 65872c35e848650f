//go:build !amd64 || purego

package asm

const compiled = false

// Pause tells the core that the caller spins; without assembly it returns.
func Pause(n int) {}
