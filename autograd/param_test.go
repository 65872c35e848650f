package autograd

import (
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// TestPreparedBySize: a weight keeps one layout for all batches and for image
// sizes that run by one algorithm, another for maps that run by another, and both
// serve their passes.
func TestPreparedBySize(t *testing.T) {
	cpu := kernels.NewCPU(kernels.NewTeam(1), kernels.Pins{})
	p := NewParam(cpu, "w", 64, 3, 3, 64)
	serve := func(n, size int) *kernels.Prepared {
		s := kernels.ConvShape{N: n, H: size, W: size, C: 64, OC: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1}
		w := p.prepared(cpu, &kernels.PrepareArgs{Pass: kernels.PassForward, Conv: s, Wt: p.Value.Mem()})
		x := kernels.F32Mem(make([]float32, n*size*size*64))
		y := kernels.F32Mem(make([]float32, n*size*size*64))
		cpu.Conv2D(&kernels.ConvArgs{ConvShape: s, X: x, Wt: p.Value.Mem(), Y: y, Prepared: w})
		return w
	}
	large, small := serve(1, 8), serve(1, 2)
	if large == small {
		t.Error("maps of 8x8 and 2x2 share a layout")
	}
	if serve(3, 28) != large || serve(5, 2) != small {
		t.Error("another batch or size made a layout of its own")
	}
	if len(p.prep) != 2 {
		t.Errorf("%d layouts, want 2", len(p.prep))
	}
}
