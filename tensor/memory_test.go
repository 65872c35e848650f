package tensor

import (
	"errors"
	"strings"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	b := Default()
	old := SetMemoryLimit(8 << 20)
	err := Try(func() { Empty(b, 0, 4, 1<<20) })
	if got := SetMemoryLimit(old); got != 8<<20 {
		t.Errorf("the limit was %d", got)
	}
	var me *MemoryError
	if !errors.As(err, &me) || !strings.Contains(err.Error(), "raise the limit (tensor.SetMemoryLimit)") {
		t.Fatalf("16 MiB within a limit of 8: %v", err)
	}
	x := Empty(b, 0, 1<<20)
	before := MemoryInUse()
	x.Release()
	if MemoryInUse() > before-4<<20 {
		t.Error("Release frees nothing")
	}
}

// TestForgottenTensors: the collector frees what nobody released, before the
// limit refuses.
func TestForgottenTensors(t *testing.T) {
	b := Default()
	defer SetMemoryLimit(SetMemoryLimit(MemoryInUse() + 20<<20))
	for range 12 {
		New(b, 1<<20)
	}
}
