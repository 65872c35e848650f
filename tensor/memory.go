package tensor

import "github.com/sectile-ml/sectile/kernels"

// SetMemoryLimit bounds the host memory of all tensors, plans and workspaces
// together, in bytes; 0 takes the bound away. It returns the bound before.
// The first one is 80 % of what the system grants: the least of the control
// group's limits (versions 1 and 2) and the RAM. An allocation that would pass
// the bound runs the collector once, then panics with *MemoryError.
func SetMemoryLimit(bytes int64) (old int64) { return kernels.SetHostLimit(bytes) }

// MemoryInUse is the host memory in bytes that the bound applies to: what
// tensors, plans and workspaces hold now, in use or not. The Go heap's other
// values, decoded images for one, are not in it.
func MemoryInUse() int64 { return kernels.HostBytes() }
