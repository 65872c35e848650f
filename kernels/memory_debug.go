//go:build race || tensordebug

package kernels

// debugMemory takes all memory from the Go heap and poisons it.
const debugMemory = true
