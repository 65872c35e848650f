package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/data"
)

// PresetNames are the presets of a method.
func PresetNames(method string) []string {
	if method == "swav" {
		return []string{"demo", "paper-small", "cifar-short", "cifar", "paper"}
	}
	return []string{"demo", "cifar-short", "cifar", "paper"}
}

// Preset is a run that works, by method and name.
//
//	demo         Fashion-MNIST in about three minutes on two cores (own)
//	paper-small  (swav) the same images by the paper's recipe in little, three epochs
//	cifar-short  5,000 images of CIFAR-10 in three epochs: a few minutes on two cores
//	cifar        CIFAR-10 and other 32x32 colour images, ResNet-18
//	paper        ImageNet with a ResNet-50 by the authors' settings, on one rank
//
// Every demo departs from its paper in the same way: AdamW, two full crops,
// gamma and brightness fields instead of colours, a head with batch norm.
// Features are a 2x2 grid and views are never mirrored, because where in the
// picture something is tells clothes apart.
func Preset(method, name string) (RunConfig, error) {
	makers := map[string]map[string]func() RunConfig{
		"swav":   {"demo": demoSwAV, "paper-small": paperSmallSwAV, "cifar-short": shortSwAV, "cifar": cifarSwAV, "paper": paperSwAV},
		"moco":   {"demo": DemoMoCo, "cifar-short": shortMoCo, "cifar": cifarMoCo, "paper": paperMoCo},
		"simclr": {"demo": DemoSimCLR, "cifar-short": shortSimCLR, "cifar": cifarSimCLR, "paper": paperSimCLR},
		"pcl":    {"demo": DemoPCL, "cifar-short": shortPCL, "cifar": cifarPCL, "paper": paperPCL},
	}
	of, ok := makers[method]
	if !ok {
		return RunConfig{}, fmt.Errorf("no method %q: there are %v", method, MethodNames)
	}
	preset, ok := of[name]
	if !ok {
		return RunConfig{}, fmt.Errorf("no preset %q of %s: there are %v", name, method, PresetNames(method))
	}
	c := preset()
	c.Method = method
	return c, nil
}

// Presets are those of SwAV, by name.
func Presets(name string) (SwAVRun, error) { return Preset("swav", name) }

// whole are two views of nearly the whole image, for the demos.
func whole() data.MultiCrop {
	return data.MultiCrop{{Count: 2, Size: 28, Scale: [2]float64{0.3, 1}}}
}

// demoOptimizer is that of all demos; SwAV's names its rate.
func demoOptimizer() OptimizerConfig {
	return OptimizerConfig{Rule: "adamw", WarmupShare: 0.05, Decay: 1e-4, MatricesOnly: true}
}

// cifarOf makes a paper's views those of CIFAR-10.
func cifarOf(v data.Recipe, crops data.MultiCrop) (data.Recipe, data.MultiCrop) {
	return data.Small(v.Under(data.CIFAR10), crops, 32)
}

// DemoMoCo is MoCo v2 on small grey images.
//
// Differs: see Preset; momentum 0.99 for a short run, plain batch norm in the
// key encoder.
func DemoMoCo() RunConfig {
	c := DefaultMoCoV2()
	c.Crops, c.Batch, c.Head, c.Hidden, c.Dim = whole(), 128, HeadMLPBN, 128, 64
	c.Queue, c.Momentum, c.Groups = 2048, 0.99, 1
	return RunConfig{Net: "demo8", MoCo: c, Views: data.GreyTone(), Epochs: 100, Optimizer: demoOptimizer()}
}

// DemoSimCLR is SimCLR on small grey images.
//
// Differs: see Preset; temperature 0.2, the plain mean as loss.
func DemoSimCLR() RunConfig {
	c := DefaultSimCLR()
	c.Crops, c.Batch, c.Head, c.Hidden, c.Dim, c.Temperature, c.SumOfHalves = whole(), 128, HeadMLPBN, 128, 64, 0.2, false
	return RunConfig{Net: "demo8", SimCLR: c, Views: data.GreyTone(), Epochs: 70, Optimizer: demoOptimizer()}
}

// DemoPCL is PCL v2 on small grey images.
//
// Differs: see Preset and DemoMoCo; every prototype once in the denominator, so
// none are drawn; E-steps from 30 % of the run, every third epoch, of ten
// rounds from one start.
func DemoPCL() RunConfig {
	r := DemoMoCo()
	c := DefaultPCLV2()
	c.MoCoConfig, r.MoCo = r.MoCo, MoCoConfig{}
	c.Clusters, c.Negatives, c.Denominator = []int{50, 100, 200}, 0, EveryPrototype
	c.Warmup, c.WarmupShare, c.Every, c.Short, c.Iters, c.Redos = 0, 0.3, 3, 0, 10, 1
	r.PCL = c
	return r
}

// cifarMoCo is MoCo v2 scaled to 32x32 images: batch 256, 200 epochs.
func cifarMoCo() RunConfig {
	c := DefaultMoCoV2()
	views, crops := cifarOf(data.MoCoV2())
	c.Crops, c.Hidden, c.Queue, c.Momentum = crops, 512, 0, 0.99
	return RunConfig{Net: "resnet18c", MoCo: c, Views: views, Epochs: 200,
		Optimizer: OptimizerConfig{Rule: "sgd", Decay: 5e-4, Schedule: "epoch cosine"}}
}

// cifarSimCLR is the authors' CIFAR-10 command at batch 256 with their advice
// for small batches: rate by the square root, temperature 0.2, 64 numbers.
// Unlike theirs, levels are normalised.
func cifarSimCLR() RunConfig {
	c := DefaultSimCLR()
	views, crops := cifarOf(data.SimCLR(0.5))
	c.Crops, c.Batch, c.Hidden, c.Dim, c.Temperature = crops, 256, 512, 64, 0.2
	return RunConfig{Net: "resnet18c", SimCLR: c, Views: views, Epochs: 200,
		Optimizer: OptimizerConfig{Rule: "lars", WarmupShare: 0.01, Decay: 1e-4, MatricesOnly: true, Schedule: "simclr"}}
}

// cifarPCL is PCL v2 scaled to 32x32 images as cifarMoCo is; clusters, negatives
// and queue follow the number of images.
func cifarPCL() RunConfig {
	r := cifarMoCo()
	c := DefaultPCLV2()
	c.MoCoConfig, r.MoCo = r.MoCo, MoCoConfig{}
	c.Clusters, c.Negatives, c.Warmup, c.WarmupShare, c.Short = nil, 0, 0, 0.1, 0
	r.PCL = c
	return r
}

// paperMoCo is MoCo v2 for 200 epochs: sgd, a cosine by epoch, all tensors
// decayed.
func paperMoCo() RunConfig {
	views, _ := data.MoCoV2()
	return RunConfig{Net: "resnet50", MoCo: DefaultMoCoV2(), Views: views, Epochs: 200,
		Optimizer: OptimizerConfig{Rule: "sgd", Rate: 0.03, Decay: 1e-4, Schedule: "epoch cosine"}}
}

// paperSimCLR is SimCLR at batch 256, the smallest that the paper shows (figure
// 9): rate by the square root, colours of strength 1, levels in [0,1].
func paperSimCLR() RunConfig {
	c := DefaultSimCLR()
	c.Batch = 256
	views, _ := data.SimCLR(1)
	return RunConfig{Net: "resnet50", SimCLR: c, Views: views, Epochs: 200,
		Optimizer: OptimizerConfig{Rule: "lars", Rate: 1.2, WarmupShare: 0.05, Decay: 1e-4, MatricesOnly: true, Schedule: "simclr"}}
}

// paperPCL is PCL v2 for 200 epochs.
func paperPCL() RunConfig {
	r := paperMoCo()
	r.MoCo, r.PCL = MoCoConfig{}, DefaultPCLV2()
	return r
}
