package methods

import "github.com/sectile-ml/sectile/data"

// demoSwAV departs from the paper as Preset says, and by few prototypes and no
// queue.
func demoSwAV() RunConfig {
	c := DefaultSwAV()
	c.Crops = whole()
	c.Batch, c.Hidden, c.Dim, c.Prototypes, c.Freeze = 128, 128, 64, 100, 0
	o := demoOptimizer()
	o.Rate = 4e-3
	return RunConfig{Net: "demo8", SwAV: c, Views: data.GreyTone(), Epochs: 90, FreezeShare: 0.05, Optimizer: o}
}

// paperSmallSwAV is the paper's recipe in little: 2 + 4 crops, LARC on every
// tensor at 3 -> 0.003 with a warm-up, prototypes frozen at first, a queue of 15 batches from the second epoch on. Batch 32, because at
// 8,000 images the number of steps decides; small crops of 0.3 to 0.8 of the
// area, because less shows nothing of a garment. Three epochs end above the
// untrained network.
func paperSmallSwAV() RunConfig {
	r := demoSwAV()
	r.SwAV.Crops = data.MultiCrop{{Count: 2, Size: 28, Scale: [2]float64{0.3, 1}}, {Count: 4, Size: 14, Scale: [2]float64{0.3, 0.8}}}
	r.SwAV.Batch, r.SwAV.Queue, r.SwAV.QueueStart = 32, 480, 1
	r.Epochs = 3
	r.Optimizer = OptimizerConfig{Rule: "larc", Rate: 3, Final: 0.003, WarmupShare: 0.1, Decay: 1e-6}
	return r
}

// cifarSwAV is the recipe for batch 256 on 32x32 colour images: the crops'
// sizes keep the paper's ratio, colours its strengths; no blur at this size.
func cifarSwAV() RunConfig {
	c := DefaultSwAV()
	c.Crops = data.MultiCrop{{Count: 2, Size: 32, Scale: [2]float64{0.14, 1}}, {Count: 4, Size: 16, Scale: [2]float64{0.05, 0.14}}}
	c.Batch, c.Hidden, c.Prototypes, c.Freeze, c.Queue, c.QueueStart = 256, 512, 300, 0, 3840, 15
	v, _ := cifarOf(data.SwAV())
	return RunConfig{Net: "resnet18c", SwAV: c, Views: v, Epochs: 200, FreezeShare: 1.0 / 200,
		Optimizer: OptimizerConfig{Rule: "larc", Rate: 0.6, Final: 0.0006, Decay: 1e-6}}
}

// paperSwAV is the recipe for batch 256 and 200 epochs: queue from epoch 15,
// prototypes frozen for the first, and the code's 0.228 among the deviations.
func paperSwAV() RunConfig {
	c := DefaultSwAV()
	c.Batch, c.Freeze, c.Queue, c.QueueStart = 256, 5005, 3840, 15
	v, _ := data.SwAV()
	return RunConfig{Net: "resnet50", SwAV: c, Views: v, Epochs: 200,
		Optimizer: OptimizerConfig{Rule: "larc", Rate: 0.6, Final: 0.0006, Decay: 1e-6}}
}
