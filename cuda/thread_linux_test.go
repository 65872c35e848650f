package cuda

import "syscall"

// thread is the operating-system thread.
func thread() int { return syscall.Gettid() }
