package kernels

import (
	"math"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/internal/golden"
)

// goldenConv is one convolution of layers.safetensors in our layouts.
type goldenConv struct {
	ConvShape
	x, w, b, dy   []float32
	y, dx, dw, db []float64
}

func readGoldenConv(f *golden.File, name string) goldenConv {
	xs, ws, cfg := f.Shape(name+".x"), f.Shape(name+".w"), f.I64(name+".cfg")
	g := goldenConv{ConvShape: ConvShape{
		N: xs[0], C: xs[1], H: xs[2], W: xs[3], OC: ws[0], KH: ws[2], KW: ws[3],
		StrideH: int(cfg[0]), StrideW: int(cfg[1]), PadH: int(cfg[2]), PadW: int(cfg[3]),
		DilH: int(cfg[4]), DilW: int(cfg[5]), Groups: int(cfg[6]),
	}}
	ys := []int{g.N, g.OC, g.OH(), g.OW()}
	g.x, g.w = fromNCHW(f.F32(name+".x"), xs), fromNCHW(f.F32(name+".w"), ws)
	g.dy, g.y = fromNCHW(f.F32(name+".dy"), ys), fromNCHW(f.F64(name+".y"), ys)
	g.dx, g.dw = fromNCHW(f.F64(name+".dx"), xs), fromNCHW(f.F64(name+".dw"), ws)
	if f.Has(name + ".b") {
		g.b, g.db = f.F32(name+".b"), f.F64(name+".db")
	}
	return g
}

// TestConvGolden holds every row to PyTorch's float64 results.
func TestConvGolden(t *testing.T) {
	f := golden.Open(t, "layers")
	var names []string
	for _, n := range f.Names() {
		if base, ok := strings.CutSuffix(n, ".w"); ok && len(f.Shape(n)) == 4 {
			names = append(names, base)
		}
	}
	if len(names) < 13 {
		t.Fatalf("layers.safetensors has %d convolutions, want 13: %v", len(names), names)
	}
	gemmRows(t, func(t *testing.T, k *GemmKernel) {
		cpu := onRow(k, 2)
		defer cpu.team.Close()
		for _, n := range names {
			t.Run(n, func(t *testing.T) { readGoldenConv(f, n).check(t, cpu) })
		}
	})
}

func (g goldenConv) check(t *testing.T, cpu *CPU) {
	run := func(pass Pass, x, w, y []float32, epi Epilogue) {
		a := &ConvArgs{ConvShape: g.ConvShape, X: F32Mem(x), Wt: F32Mem(w), Y: F32Mem(y), Pass: pass, Epi: epi}
		a.Work = F32Mem(make([]float32, cpu.convWorkspace(a)/4))
		runConv(cpu, a)
	}
	y, dx, dw := make([]float32, len(g.y)), make([]float32, len(g.x)), make([]float32, len(g.w))
	var epi Epilogue
	if g.b != nil {
		epi.Bias = F32Mem(g.b)
	}
	run(PassForward, g.x, g.w, y, epi)
	run(PassGradInput, dx, g.w, g.dy, Epilogue{})
	run(PassGradWeight, g.x, dw, g.dy, Epilogue{})
	golden.Close(t, "y", y, g.y, 1e-5*largest(g.y), 0)
	golden.Close(t, "dx", dx, g.dx, 1e-5*largest(g.dx), 0)
	golden.Close(t, "dw", dw, g.dw, 1e-5*largest(g.dw), 0)
	if g.b == nil {
		return
	}
	// db is the sum of dy over pixels: a 1x1 weight gradient against ones.
	px := g.N * g.OH() * g.OW()
	ones, db := make([]float32, px), make([]float32, g.OC)
	for i := range ones {
		ones[i] = 1
	}
	g.ConvShape = ConvShape{N: 1, H: 1, W: px, C: 1, OC: g.OC, KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, Groups: 1}
	run(PassGradWeight, ones, db, g.dy, Epilogue{})
	golden.Close(t, "db", db, g.db, 1e-5*largest(g.db), 0)
}

// largest is the largest magnitude, the scale of the README's tolerance.
func largest(v []float64) (m float64) {
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}
