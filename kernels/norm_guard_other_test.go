//go:build !linux

package kernels

import (
	"slices"
	"testing"
)

// edgeF32 is a copy of v; guard pages are Linux's.
func edgeF32(t testing.TB, v []float32) Mem { return F32Mem(slices.Clone(v)) }
