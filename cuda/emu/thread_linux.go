package emu

import "syscall"

// thread names the operating-system thread, to which the current context
// belongs.
func thread() int { return syscall.Gettid() }
