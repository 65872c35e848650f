package kernels

import (
	"math/rand/v2"
	"testing"
)

// TestPoolPast: storing past the caches changes no bit of a maximum, of its tap
// or of its gradient.
func TestPoolPast(t *testing.T) {
	past := NewCPU(NewTeam(2), Pins{})
	if past.poolRow.MaxPast == nil {
		return // stores nothing past the caches
	}
	near, row := NewCPU(NewTeam(2), Pins{}), *past.poolRow
	row.MaxPast = nil
	near.poolRow = &row
	a := PoolArgs{Kind: PoolMax, N: 1, H: 257, W: 256, C: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1}
	n := a.H * a.W * a.C
	x, dy := randFloats(rand.New(rand.NewPCG(1, 2)), n), randFloats(rand.New(rand.NewPCG(3, 4)), n)
	var y, dx [2]Mem
	var index [2]Mem
	for i, cpu := range []*CPU{past, near} {
		mem := func(d DType) Mem {
			m, err := cpu.Alloc(d, n)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cpu.Free(m) })
			return m
		}
		y[i], dx[i], index[i] = mem(Float32), mem(Float32), mem(Int32)
		a.X, a.Y, a.Index = F32Mem(x), y[i], index[i]
		cpu.Pool(&a)
		a.X, a.Y = dx[i], F32Mem(dy)
		cpu.PoolGrad(&a)
		cpu.team.Close()
	}
	equalBits(t, "y", y[0].F32(), y[1].F32())
	equalBits(t, "dx", dx[0].F32(), dx[1].F32())
	for i, v := range index[1].I32() {
		if index[0].I32()[i] != v {
			t.Fatalf("index %d is %d, want %d", i, index[0].I32()[i], v)
		}
	}
}
