package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sectile-ml/sectile/kernels"
)

// winogradLayers are the 3x3 layers of a CIFAR ResNet-18 and of a ResNet-50,
// and those where the contract's choice brings least: few channels,
// few tiles.
var winogradLayers = []convLayer{
	{"resnet18c", 128, 32, 64, 64, 3, 1, true},
	{"resnet18c", 128, 16, 128, 128, 3, 1, false},
	{"resnet18c", 128, 8, 256, 256, 3, 1, true},
	{"resnet18c", 128, 4, 512, 512, 3, 1, false},
	{"resnet50", 32, 56, 64, 64, 3, 1, false},
	{"resnet50", 32, 28, 128, 128, 3, 1, true},
	{"resnet50", 32, 14, 256, 256, 3, 1, false},
	{"resnet50", 32, 7, 512, 512, 3, 1, false},
	{"fashion", 128, 28, 16, 16, 3, 1, true},
	{"fashion", 128, 28, 16, 32, 3, 1, false},
	{"fashion", 128, 14, 32, 32, 3, 1, false},
	{"fashion", 128, 7, 64, 64, 3, 1, false},
	{"one", 1, 56, 64, 64, 3, 1, false},
	{"one", 1, 14, 256, 256, 3, 1, false},
	{"one", 1, 7, 512, 512, 3, 1, false},
	{"one", 1, 2, 512, 512, 3, 1, false},
	{"crops", 96, 2, 512, 512, 3, 1, true},
	{"crops", 96, 2, 64, 64, 3, 1, false},
	{"crops", 12, 2, 512, 512, 3, 1, false},
	{"crops", 24, 2, 256, 256, 3, 1, false},
	{"crops", 3, 6, 256, 256, 3, 1, false},
	{"crops", 96, 6, 16, 16, 3, 1, false},
	{"crops", 96, 6, 64, 64, 3, 1, false},
	{"crops", 96, 3, 512, 512, 3, 1, false},
	{"crops", 96, 5, 256, 256, 3, 1, false},
	{"crops", 96, 6, 256, 256, 3, 1, false},
	{"resnet18c", 128, 32, 64, 128, 3, 2, true},
	{"resnet18c", 128, 16, 128, 256, 3, 2, false},
	{"resnet18c", 128, 8, 256, 512, 3, 2, false},
	{"resnet50", 32, 56, 128, 128, 3, 2, false},
	{"resnet50", 32, 28, 256, 256, 3, 2, false},
	{"resnet50", 32, 14, 512, 512, 3, 2, false},
	{"fashion", 128, 28, 16, 32, 3, 2, false},
	{"fashion", 128, 14, 32, 64, 3, 2, false},
	{"one", 1, 56, 128, 128, 3, 2, false},
	{"one", 1, 14, 512, 512, 3, 2, false},
}

// winogradAlgorithms are the rows that BenchmarkWinograd takes in turns, by
// stride; the last is what the contract mostly takes.
var winogradAlgorithms = map[int][]string{
	1: {"direct", "winograd_f2x2", "winograd_f4x4"},
	2: {"direct", "polyphase_f4x4"},
}

// BenchmarkWinograd takes the algorithms of a shape in turns,
// statistics in the forward epilogue, weights prepared or laid out inside the
// time as a training step does, and reports the best time of each and the ratios
// of medians to that of the last. A weight gradient that an algorithm does not
// fit is direct.
func BenchmarkWinograd(b *testing.B) {
	for _, threads := range []int{1, 2} {
		team := kernels.NewTeam(threads)
		defer team.Close()
		cpus := map[int][]*kernels.CPU{}
		for stride, names := range winogradAlgorithms {
			for _, a := range names {
				pins, err := kernels.ParsePins("conv:" + a)
				if err != nil {
					b.Fatal(err)
				}
				cpus[stride] = append(cpus[stride], kernels.NewCPU(team, pins))
			}
		}
		for _, l := range winogradLayers {
			if !l.typical && !*all {
				continue
			}
			for _, p := range convPasses {
				for _, prepared := range []bool{false, true} {
					if prepared && p.pass == kernels.PassGradWeight {
						continue
					}
					name := fmt.Sprintf("net=%s/n=%d/size=%d/c=%d/oc=%d/stride=%d/pass=%s/prepared=%v/threads=%d", l.net, l.n, l.size, l.c, l.oc, l.stride, p.name, prepared, threads)
					b.Run(name, func(b *testing.B) { benchWinograd(b, cpus[l.stride], l, p.pass, prepared, p.run) })
				}
			}
		}
	}
}

func benchWinograd(b *testing.B, cpus []*kernels.CPU, l convLayer, pass kernels.Pass, prepared bool, run func(c *kernels.CPU, a *kernels.ConvArgs)) {
	s := kernels.ConvShape{N: l.n, H: l.size, W: l.size, C: l.c, OC: l.oc, KH: 3, KW: 3,
		StrideH: l.stride, StrideW: l.stride, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1}
	a := kernels.ConvArgs{ConvShape: s, Pass: pass}
	take := func(n int) kernels.Mem {
		m := random(b, cpus[0], n)
		b.Cleanup(func() { cpus[0].Free(m) })
		return m
	}
	a.X, a.Wt, a.Y = take(s.N*s.H*s.W*s.C), take(s.OC*9*s.C), take(s.N*s.OH()*s.OW()*s.OC)
	if pass == kernels.PassForward {
		a.Epi.Stats.Part = take(2 * kernels.StatsChunks(s.N*s.OH()*s.OW(), 0) * s.OC)
	}
	args := make([]kernels.ConvArgs, len(cpus))
	for i, c := range cpus {
		args[i] = a
		if prepared {
			p := kernels.PrepareArgs{Pass: pass, Conv: s, Wt: a.Wt, Dst: &kernels.Prepared{}}
			p.Dst.Mem = take(c.PreparedBytes(&p) / 4)
			c.Prepare(&p)
			args[i].Prepared = p.Dst
		}
		if n := c.Workspace(&args[i]) / 4; n > 0 {
			args[i].Work = take(n)
		}
	}
	times := make([][]float64, len(cpus))
	inner := max(1, int(2e8/float64(s.FLOP())))
	for b.Loop() {
		for i, c := range cpus {
			c.Enter()
			run(c, &args[i])
			t := time.Now()
			for range inner {
				run(c, &args[i])
			}
			times[i] = append(times[i], float64(time.Since(t).Nanoseconds())/float64(inner))
			c.Leave()
		}
	}
	for i, a := range winogradAlgorithms[l.stride] {
		b.ReportMetric(slices.Min(times[i])/1e6, a+"-ms")
		b.ReportMetric(median(times[i])/median(times[len(times)-1]), a+"/last")
	}
	b.ReportMetric(0, "ns/op")
}
