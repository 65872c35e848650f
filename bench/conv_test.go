package bench

import (
	"fmt"
	"testing"

	"github.com/sectile-ml/sectile/kernels"
)

// convLayer is a convolution of a network at its usual batch: size x size
// pixels of c channels to oc by k x k, padded by k/2.
type convLayer struct {
	net            string
	n, size, c, oc int
	k, stride      int
	typical        bool // runs without -all
}

var convLayers = []convLayer{
	{"resnet18c", 128, 32, 3, 64, 3, 1, true},
	{"resnet18c", 128, 32, 64, 64, 3, 1, true},
	{"resnet18c", 128, 32, 64, 128, 3, 2, true},
	{"resnet18c", 128, 32, 64, 128, 1, 2, false},
	{"resnet18c", 128, 16, 128, 128, 3, 1, false},
	{"resnet18c", 128, 8, 256, 256, 3, 1, true},
	{"resnet18c", 128, 8, 256, 512, 3, 2, false},
	{"resnet18c", 128, 4, 512, 512, 3, 1, true},
	{"resnet50", 32, 224, 3, 64, 7, 2, true},
	{"resnet50", 32, 56, 64, 64, 1, 1, false},
	{"resnet50", 32, 56, 64, 64, 3, 1, false},
	{"resnet50", 32, 56, 64, 256, 1, 1, true},
	{"resnet50", 32, 56, 256, 64, 1, 1, true},
	{"resnet50", 32, 56, 128, 128, 3, 2, true},
	{"resnet50", 32, 28, 128, 512, 1, 1, false},
	{"resnet50", 32, 28, 512, 1024, 1, 2, false},
	{"resnet50", 32, 14, 256, 256, 3, 1, true},
	{"resnet50", 32, 14, 1024, 256, 1, 1, true},
	{"resnet50", 32, 7, 512, 512, 3, 1, false},
	{"resnet50", 32, 7, 512, 2048, 1, 1, false},
	{"fashion", 128, 28, 1, 16, 3, 1, false},
	{"fashion", 128, 28, 16, 16, 3, 1, true},
	{"fashion", 128, 28, 16, 32, 3, 2, false},
	{"fashion", 128, 14, 32, 32, 3, 1, false},
	{"fashion", 128, 14, 32, 64, 3, 2, false},
	{"fashion", 128, 7, 64, 64, 3, 1, false},
}

// groupedLayers are depthwise layers and layers of many groups, of 4 and 8
// channels each, as mobile networks, ResNeXts and RegNets have them.
var groupedLayers = []struct {
	convLayer
	groups int
}{
	{convLayer{"mobile", 32, 112, 32, 32, 3, 1, true}, 32},
	{convLayer{"mobile", 32, 56, 144, 144, 3, 1, false}, 144},
	{convLayer{"mobile", 32, 56, 144, 144, 3, 2, false}, 144},
	{convLayer{"mobile", 32, 28, 192, 192, 3, 1, false}, 192},
	{convLayer{"mobile", 32, 14, 512, 512, 3, 1, true}, 512},
	{convLayer{"mobile", 32, 14, 480, 480, 5, 1, false}, 480},
	{convLayer{"mobile", 32, 7, 960, 960, 5, 1, false}, 960},
	{convLayer{"resnext", 32, 56, 128, 128, 3, 1, true}, 32},
	{convLayer{"resnext", 32, 56, 128, 128, 3, 2, false}, 32},
	{convLayer{"resnext", 32, 28, 256, 256, 3, 1, false}, 64},
	{convLayer{"resnext", 32, 14, 512, 512, 3, 1, false}, 128},
	{convLayer{"regnet", 32, 28, 256, 256, 3, 1, false}, 32},
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

// BenchmarkConv is every pass of the layers; padding counts as work, and
// preparing the weights is inside the time. Without -all only those run that
// stand for a kernel or a shape of their own: the 64-channel layers that a
// memory bound could hide in, one layer of each stride and depth.
func BenchmarkConv(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, l := range convLayers {
			if !l.typical && !*all {
				continue
			}
			for i := range convPasses {
				name := fmt.Sprintf("net=%s/n=%d/size=%d/c=%d/oc=%d/k=%d/stride=%d/pass=%s/threads=%d",
					l.net, l.n, l.size, l.c, l.oc, l.k, l.stride, convPasses[i].name, threads)
				b.Run(name, func(b *testing.B) { benchConv(b, l, 1, i, threads) })
			}
		}
	}
}

// BenchmarkGrouped is every pass of the layers with groups.
func BenchmarkGrouped(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, l := range groupedLayers {
			if !l.typical && !*all {
				continue
			}
			for i := range convPasses {
				name := fmt.Sprintf("net=%s/n=%d/size=%d/c=%d/oc=%d/k=%d/stride=%d/groups=%d/pass=%s/threads=%d",
					l.net, l.n, l.size, l.c, l.oc, l.k, l.stride, l.groups, convPasses[i].name, threads)
				b.Run(name, func(b *testing.B) { benchConv(b, l.convLayer, l.groups, i, threads) })
			}
		}
	}
}

func benchConv(b *testing.B, l convLayer, groups, pass, threads int) {
	team := kernels.NewTeam(threads)
	defer team.Close()
	c := kernels.NewCPU(team, kernels.Pins{})
	s := kernels.ConvShape{
		N: l.n, H: l.size, W: l.size, C: l.c, OC: l.oc, KH: l.k, KW: l.k,
		StrideH: l.stride, StrideW: l.stride, PadH: l.k / 2, PadW: l.k / 2, DilH: 1, DilW: 1, Groups: groups,
	}
	p := convPasses[pass]
	a := &kernels.ConvArgs{
		ConvShape: s, Pass: p.pass,
		X:  random(b, c, s.N*s.H*s.W*s.C),
		Wt: random(b, c, s.OC*s.KH*s.KW*s.C/groups),
		Y:  random(b, c, s.N*s.OH()*s.OW()*s.OC),
	}
	a.Work = random(b, c, c.Workspace(a)/4)
	defer func() {
		for _, m := range []kernels.Mem{a.X, a.Wt, a.Y, a.Work} {
			c.Free(m)
		}
	}()
	c.Enter()
	defer c.Leave()
	reportRates(b, threads, float64(s.FLOP()), func() { p.run(c, a) })
}
