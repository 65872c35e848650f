package data

// half is the blur of all recipes: half of the views, sigma from 0.1 to 2.
var half = Chance{0.5, [2]float64{0.1, 2}}

// pair is two crops of 224 pixels.
func pair(low float64) MultiCrop { return MultiCrop{{2, 224, [2]float64{low, 1}}} }

// SwAV is the recipe and the crops of SwAV, also of DeepCluster-v2: flip 0.5,
// jitter (0.8,0.8,0.8,0.2) with probability 0.8, grey 0.2, blur 0.5; two crops
// of 224 pixels and six of 96.
//
// Source: facebookresearch/swav, src/multicropdataset.py; arXiv 2006.09882,
// section 3.3.
func SwAV() (Recipe, MultiCrop) {
	return Recipe{Flip: 0.5, Colour: ColourJitter{0.8, 0.8, 0.8, 0.8, 0.2}, Grey: 0.2, Blur: half,
		Mean: SwAVImageNet.Mean, Std: SwAVImageNet.Std}, MultiCrop{{2, 224, [2]float64{0.14, 1}}, {6, 96, [2]float64{0.05, 0.14}}}
}

// MoCoV1 is the recipe and the crops of MoCo v1 and PCL v1: grey 0.2, then
// jitter (0.4,0.4,0.4,0.4) always, flip.
//
// Source: facebookresearch/moco, main_moco.py; salesforce/PCL, main_pcl.py.
func MoCoV1() (Recipe, MultiCrop) {
	return Recipe{Flip: 0.5, Colour: ColourJitter{1, 0.4, 0.4, 0.4, 0.4}, Grey: 0.2, GreyFirst: true,
		Mean: ImageNet.Mean, Std: ImageNet.Std}, pair(0.2)
}

// MoCoV2 is the recipe and the crops of MoCo v2 and PCL v2 ("aug-plus"):
// jitter (0.4,0.4,0.4,0.1) with probability 0.8, grey 0.2, blur 0.5, flip.
//
// Source: as MoCoV1, --aug-plus.
func MoCoV2() (Recipe, MultiCrop) {
	return Recipe{Flip: 0.5, Colour: ColourJitter{0.8, 0.4, 0.4, 0.4, 0.1}, Grey: 0.2, Blur: half,
		Mean: ImageNet.Mean, Std: ImageNet.Std}, pair(0.2)
}

// SimCLR is the recipe and the crops of SimCLR with jitter strength s (1 for
// ImageNet, 0.5 for CIFAR): bicubic crops, flip, jitter (0.8s,0.8s,0.8s,0.2s)
// with probability 0.8, grey 0.2, blur 0.5. Levels stay in [0,1].
//
// Source: google-research/simclr, data_util.py; arXiv 2002.05709, appendix A.
//
// Differs: TensorFlow changes colours in float32 and clips after each step,
// takes contrast around the mean of each channel, resizes without antialias
// and blurs by a true Gaussian of (size/10) taps on a black border; here the
// steps are Pillow's, on 8-bit levels, as in the ports to PyTorch.
func SimCLR(s float64) (Recipe, MultiCrop) {
	return Recipe{Filter: Bicubic, Flip: 0.5, Colour: ColourJitter{0.8, 0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s}, Grey: 0.2, Blur: half,
		Mean: UnitRange.Mean, Std: UnitRange.Std}, pair(0.08)
}

// Supervised is the recipe of a linear classifier's training: one crop of
// area (0.08,1), flip.
//
// Source: facebookresearch/swav, eval_linear.py; moco, main_lincls.py. SwAV
// normalises by SwAVImageNet here too.
func Supervised() (Recipe, MultiCrop) {
	return Recipe{Flip: 0.5, Mean: ImageNet.Mean, Std: ImageNet.Std}, MultiCrop{{1, 224, [2]float64{0.08, 1}}}
}

// EvalShort and EvalSize are how an image is judged (Views.Plain): its shorter
// side to 256 pixels, then the middle 224.
const (
	EvalShort = 256
	EvalSize  = 224
)

// Small makes a recipe one for images of about size pixels (32 for CIFAR, 96
// for STL-10): crops of 224 pixels become size, other ones as much smaller,
// and below 64 pixels there is no blur, where sigma 2 would leave little to see.
//
// Source: the papers' CIFAR-10 experiments, SimCLR appendix B.9.
func Small(r Recipe, crops MultiCrop, size int) (Recipe, MultiCrop) {
	if size < 64 {
		r.Blur = Chance{}
	}
	small := make(MultiCrop, len(crops))
	for i, c := range crops {
		c.Size = max((c.Size*size+112)/224, 1)
		small[i] = c
	}
	return r, small
}

// Under returns the recipe with other statistics.
func (r Recipe) Under(s Statistics) Recipe {
	r.Mean, r.Std = s.Mean, s.Std
	return r
}
