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
	{"crops", 96, 2, 512, 512, 3, 1, false},
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

// BenchmarkWinograd takes the direct path and the contract's choice in turns,
// weights prepared, statistics in the forward epilogue, and reports the ratio
// of their times (medians and bests) and what preparation takes.
func BenchmarkWinograd(b *testing.B) {
	pins, err := kernels.ParsePins("conv:direct")
	if err != nil {
		b.Fatal(err)
	}
	for _, threads := range []int{1, 2} {
		team := kernels.NewTeam(threads)
		defer team.Close()
		both := []*kernels.CPU{kernels.NewCPU(team, pins), kernels.NewCPU(team, kernels.Pins{})}
		for _, l := range winogradLayers {
			if !l.typical && !*all {
				continue
			}
			for _, p := range convPasses {
				name := fmt.Sprintf("net=%s/n=%d/size=%d/c=%d/oc=%d/stride=%d/pass=%s/threads=%d", l.net, l.n, l.size, l.c, l.oc, l.stride, p.name, threads)
				b.Run(name, func(b *testing.B) {
					s := kernels.ConvShape{N: l.n, H: l.size, W: l.size, C: l.c, OC: l.oc, KH: 3, KW: 3,
						StrideH: l.stride, StrideW: l.stride, PadH: 1, PadW: 1, DilH: 1, DilW: 1, Groups: 1}
					a := kernels.ConvArgs{ConvShape: s, Pass: p.pass}
					take := func(n int) kernels.Mem {
						m := random(b, both[0], n)
						b.Cleanup(func() { both[0].Free(m) })
						return m
					}
					a.X, a.Wt, a.Y = take(s.N*s.H*s.W*s.C), take(s.OC*9*s.C), take(s.N*s.OH()*s.OW()*s.OC)
					if p.pass == kernels.PassForward {
						a.Epi.Stats.Part = take(2 * kernels.StatsChunks(s.N*s.OH()*s.OW(), 0) * s.OC)
					}
					args := [2]kernels.ConvArgs{a, a}
					var preps [2]kernels.PrepareArgs
					for i, c := range both {
						if p.pass != kernels.PassGradWeight {
							preps[i] = kernels.PrepareArgs{Pass: p.pass, Conv: s, Wt: a.Wt, Dst: &kernels.Prepared{}}
							preps[i].Dst.Mem = take(c.PreparedBytes(&preps[i]) / 4)
							args[i].Prepared = preps[i].Dst
						} else if n := c.Workspace(&a) / 4; n > 0 {
							args[i].Work = take(n)
						}
					}
					var times, prep [2][]float64
					inner := max(1, int(2e8/float64(s.FLOP())))
					for b.Loop() {
						for i, c := range both {
							c.Enter()
							if args[i].Prepared != nil {
								t := time.Now()
								c.Prepare(&preps[i])
								prep[i] = append(prep[i], float64(time.Since(t).Nanoseconds()))
							}
							p.run(c, &args[i])
							t := time.Now()
							for range inner {
								p.run(c, &args[i])
							}
							times[i] = append(times[i], float64(time.Since(t).Nanoseconds())/float64(inner))
							c.Leave()
						}
					}
					b.ReportMetric(median(times[0])/median(times[1]), "ratio")
					b.ReportMetric(slices.Min(times[0])/slices.Min(times[1]), "best-ratio")
					b.ReportMetric(slices.Min(times[0])/1e6, "direct-ms")
					b.ReportMetric(slices.Min(times[1])/1e6, "chosen-ms")
					if len(prep[0]) > 0 {
						b.ReportMetric(slices.Min(prep[0])/1e6, "direct-prep-ms")
						b.ReportMetric(slices.Min(prep[1])/1e6, "chosen-prep-ms")
					}
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
