package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/kernels"
)

// convLayer is a convolution of a network at its usual batch: size x size
// pixels of c channels to oc by k x k, padded by k/2.
type convLayer struct {
	net            string
	n, size, c, oc int
	k, stride      int
}

var convLayers = []convLayer{
	{"resnet18c", 128, 32, 3, 64, 3, 1},
	{"resnet18c", 128, 32, 64, 64, 3, 1},
	{"resnet18c", 128, 32, 64, 128, 3, 2},
	{"resnet18c", 128, 32, 64, 128, 1, 2},
	{"resnet18c", 128, 16, 128, 128, 3, 1},
	{"resnet18c", 128, 8, 256, 256, 3, 1},
	{"resnet18c", 128, 8, 256, 512, 3, 2},
	{"resnet18c", 128, 4, 512, 512, 3, 1},
	{"resnet50", 32, 224, 3, 64, 7, 2},
	{"resnet50", 32, 56, 64, 64, 1, 1},
	{"resnet50", 32, 56, 64, 64, 3, 1},
	{"resnet50", 32, 56, 64, 256, 1, 1},
	{"resnet50", 32, 56, 256, 64, 1, 1},
	{"resnet50", 32, 56, 128, 128, 3, 2},
	{"resnet50", 32, 28, 128, 512, 1, 1},
	{"resnet50", 32, 28, 512, 1024, 1, 2},
	{"resnet50", 32, 14, 256, 256, 3, 1},
	{"resnet50", 32, 14, 1024, 256, 1, 1},
	{"resnet50", 32, 7, 512, 512, 3, 1},
	{"resnet50", 32, 7, 512, 2048, 1, 1},
	{"fashion", 128, 28, 1, 16, 3, 1},
	{"fashion", 128, 28, 16, 16, 3, 1},
	{"fashion", 128, 28, 16, 32, 3, 2},
	{"fashion", 128, 14, 32, 32, 3, 1},
	{"fashion", 128, 14, 32, 64, 3, 2},
	{"fashion", 128, 7, 64, 64, 3, 1},
}

var convPasses = []struct {
	name string
	pass kernels.Pass
	run  func(c *kernels.CPU, a *kernels.ConvArgs)
}{
	{"fwd", kernels.PassForward, (*kernels.CPU).Conv2D},
	{"dx", kernels.PassGradInput, (*kernels.CPU).Conv2DGradInput},
	{"dw", kernels.PassGradWeight, (*kernels.CPU).Conv2DGradWeight},
}

// BenchmarkConv reports GFLOP/s (padding counted) and the share of the
// multiply-add peak of the widest float32 instruction set: medians over
// rounds that measure the peak before every call. Weights are prepared inside
// the time.
func BenchmarkConv(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, l := range convLayers {
			for i := range convPasses {
				name := fmt.Sprintf("net=%s/n=%d/size=%d/c=%d/oc=%d/k=%d/stride=%d/pass=%s/threads=%d",
					l.net, l.n, l.size, l.c, l.oc, l.k, l.stride, convPasses[i].name, threads)
				b.Run(name, func(b *testing.B) { benchConv(b, l, i, threads) })
			}
		}
	}
}

func benchConv(b *testing.B, l convLayer, pass, threads int) {
	team := kernels.NewTeam(threads)
	defer team.Close()
	c := kernels.NewCPU(team, kernels.Pins{})
	s := kernels.ConvShape{
		N: l.n, H: l.size, W: l.size, C: l.c, OC: l.oc, KH: l.k, KW: l.k,
		StrideH: l.stride, StrideW: l.stride, PadH: l.k / 2, PadW: l.k / 2, DilH: 1, DilW: 1, Groups: 1,
	}
	p := convPasses[pass]
	a := &kernels.ConvArgs{
		ConvShape: s, Pass: p.pass,
		X:  random(b, c, s.N*s.H*s.W*s.C),
		Wt: random(b, c, s.OC*s.KH*s.KW*s.C),
		Y:  random(b, c, s.N*s.OH()*s.OW()*s.OC),
	}
	a.Work = random(b, c, c.Workspace(a)/4)
	defer func() {
		for _, m := range []kernels.Mem{a.X, a.Wt, a.Y, a.Work} {
			c.Free(m)
		}
	}()
	flop := float64(s.FLOP())
	inner := max(1, int(2e8/flop)) // at least about 1 ms between two clock readings
	b.ReportAllocs()
	var rates, shares []float64
	for b.Loop() {
		b.StopTimer()
		peak := kernels.Peak(threads, asm.AVX512&asm.Have()|asm.AVX2, 10*time.Millisecond)
		c.Enter()
		p.run(c, a) // warms the caches
		b.StartTimer()
		t := time.Now()
		for range inner {
			p.run(c, a)
		}
		c.Leave()
		rate := flop * float64(inner) / float64(time.Since(t).Nanoseconds())
		rates, shares = append(rates, rate), append(shares, 100*rate/peak)
	}
	b.ReportMetric(median(rates), "GFLOP/s")
	b.ReportMetric(median(shares), "%peak")
}
