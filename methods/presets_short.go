package methods

import "github.com/sectile-ml/sectile/data"

// short makes a preset for CIFAR-10 one for a few thousand such images and a
// few hundred steps of 64. On 5,000 images three epochs end above the untrained
// network by these methods.
//
// Differs from the cifar presets: adamw by iteration, whose steps are of a
// known length from the first on (sgd at 0.03 batch/256 hardly moves in so few);
// crops of a fifth of the area and more.
func short(r RunConfig, rate float64) RunConfig {
	r.Epochs, r.Optimizer = 3, demoOptimizer()
	r.Optimizer.Rate = rate
	return r
}

// shortMoCo has a queue of four batches and a key encoder of about twenty
// steps' memory: the network moves far in a few hundred steps. With a queue of
// 1024, two groups and a higher rate embeddings had about two dimensions, with
// these settings 13; which of them counts was not taken apart. Batch norm at the
// head's end spreads embeddings from the first step on (mean cosine 0; 0.8 to 0.9
// without).
func shortMoCo() RunConfig {
	r := short(cifarMoCo(), 3e-4)
	r.MoCo.Batch, r.MoCo.Head, r.MoCo.Queue, r.MoCo.Momentum, r.MoCo.Groups = 64, HeadSimCLR, 256, 0.95, 4
	return r
}

// shortPCL is shortMoCo with prototypes after the first epoch.
func shortPCL() RunConfig {
	r := short(cifarPCL(), 3e-4)
	r.PCL.MoCoConfig, r.PCL.Warmup = shortMoCo().MoCo, 1
	return r
}

func shortSimCLR() RunConfig {
	r := short(cifarSimCLR(), 7e-4)
	r.SimCLR.Batch, r.SimCLR.Dim = 64, 128
	r.SimCLR.Crops = data.MultiCrop{{Count: 2, Size: 32, Scale: [2]float64{0.2, 1}}}
	return r
}
