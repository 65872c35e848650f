//go:build !linux

package emu

// thread names the operating-system thread; here all count as one, so that a
// missing CtxSetCurrent goes unseen.
func thread() int { return 0 }
