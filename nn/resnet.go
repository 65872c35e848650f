package nn

import (
	"fmt"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/tensor"
)

// ResNetConfig is the shape of a residual network (He et al. 2016) as
// torchvision builds it, "v1.5": a bottleneck's stride is in its 3×3.
type ResNetConfig struct {
	Channels   int   `json:"channels"`   // of the input: 3, or 1 for grey
	Width      int   `json:"width"`      // channels of the stem and first stage: 64; SwAV's w2, w4, w5: 128, 256, 320
	Blocks     []int `json:"blocks"`     // blocks of each stage; stages after the first halve the map and double the width
	Bottleneck bool  `json:"bottleneck"` // 1×1, 3×3, 1×1 (4 times wider) instead of two 3×3
	StemKernel int   `json:"stemKernel"` // 7; small images: 3
	StemStride int   `json:"stemStride"` // 2; small images: 1
	StemPool   bool  `json:"stemPool"`   // 3×3 max pool, stride 2, after the stem
	// Grid is the side that the last map is averaged to before it is
	// flattened: 1 is the global mean, 2 keeps which quarter of the image a
	// feature was seen in.
	Grid    int `json:"grid"`
	Classes int `json:"classes"` // outputs of a linear layer "fc" at the end; 0: none
}

// imageNet and smallImage are the two stems.
func imageNet(bottleneck bool, blocks ...int) ResNetConfig {
	return ResNetConfig{Channels: 3, Width: 64, Blocks: blocks, Bottleneck: bottleneck, StemKernel: 7, StemStride: 2, StemPool: true, Grid: 1}
}

func smallImage(channels, width, stride, grid int, blocks ...int) ResNetConfig {
	return ResNetConfig{Channels: channels, Width: width, Blocks: blocks, StemKernel: 3, StemStride: stride, Grid: grid}
}

// wide multiplies every channel count.
func wide(times int, c ResNetConfig) ResNetConfig {
	c.Width *= times
	return c
}

// resNets is the table of names, without "fc".
var resNets = []struct {
	name string
	ResNetConfig
}{
	{"resnet18", imageNet(false, 2, 2, 2, 2)},
	{"resnet34", imageNet(false, 3, 4, 6, 3)},
	{"resnet50", imageNet(true, 3, 4, 6, 3)},
	{"resnet101", imageNet(true, 3, 4, 23, 3)},
	{"resnet152", imageNet(true, 3, 8, 36, 3)},
	{"resnet50w2", wide(2, imageNet(true, 3, 4, 6, 3))},
	{"resnet50w4", wide(4, imageNet(true, 3, 4, 6, 3))},
	{"resnet50w5", wide(5, imageNet(true, 3, 4, 6, 3))},
	{"resnet18c", smallImage(3, 64, 1, 1, 2, 2, 2, 2)},
	{"small8", smallImage(1, 16, 1, 1, 1, 1, 1)},
	{"small14", smallImage(1, 16, 1, 1, 2, 2, 2)},
	{"demo8", smallImage(1, 16, 2, 2, 1, 1, 1)},
}

// ResNetByName is the configuration of a named network without "fc":
// resnet18, 34, 50, 101, 152 (ImageNet); resnet50w2, w4, w5 (SwAV's wide ones:
// every channel count times 2, 4, 5); resnet18c (CIFAR: 3×3 stem of stride
// 1, no pool); small8 and small14 (grey images of about 28×28, widths 16, 32,
// 64); demo8 (small8 with a stem of stride 2 and a 2×2 grid: 256 features).
// The error of an unknown name lists the known ones.
func ResNetByName(name string) (ResNetConfig, error) {
	var known []string
	for _, n := range resNets {
		if n.name == name {
			return n.ResNetConfig, nil
		}
		known = append(known, n.name)
	}
	return ResNetConfig{}, fmt.Errorf("nn: no network %q; there are %s", name, strings.Join(known, ", "))
}

// Features is the number of features of an image: channels of the last stage
// times Grid².
func (c ResNetConfig) Features() int {
	return c.Grid * c.Grid * c.expansion() * c.Width << (len(c.Blocks) - 1)
}

// expansion is how much wider a block's output is than its 3×3.
func (c ResNetConfig) expansion() int {
	if c.Bottleneck {
		return 4
	}
	return 1
}

// ResNet is a residual network. Its input is [N,H,W,Channels], its output
// [N,Features()], or [N,Classes] with "fc".
type ResNet struct {
	ResNetConfig
	Stem   *ConvBN
	Stages [][]*Block
	FC     *Linear // nil without Classes
}

// NewResNet makes a network with torchvision's names and initial weights:
// convolutions as in NewConv2D, gamma 1, beta 0, "fc" as in NewLinear.
func NewResNet(b kernels.Backend, cfg ResNetConfig, rng *tensor.RNG) *ResNet {
	r := &ResNet{ResNetConfig: cfg, Stem: NewConvBN(b, "conv1", "bn1", cfg.Channels, cfg.Width, cfg.StemKernel, cfg.StemStride, rng)}
	in := cfg.Width
	for i, n := range cfg.Blocks {
		width, stride := cfg.Width<<i, min(2, i+1)
		stage := make([]*Block, n)
		for j := range stage {
			stage[j] = newBlock(b, fmt.Sprintf("layer%d.%d.", i+1, j), cfg.Bottleneck, in, width, width*cfg.expansion(), stride, rng)
			in, stride = width*cfg.expansion(), 1
		}
		r.Stages = append(r.Stages, stage)
	}
	if cfg.Classes > 0 {
		r.FC = NewLinear(b, "fc", cfg.Features(), cfg.Classes, rng)
	}
	return r
}

// Forward is the features of x [N,H,W,Channels], through "fc" if there is one.
func (r *ResNet) Forward(p *Pass, x *autograd.Var) *autograd.Var {
	x = r.Trunk(p, x)
	if r.FC != nil {
		x = r.FC.Forward(p, x)
	}
	return x
}

// Trunk is the features of x [N,H,W,Channels] before "fc": [N,Features()]. A
// grid is flattened row by row, the channels of a cell together: feature
// (i·Grid + j)·C + c is channel c of cell (i, j).
func (r *ResNet) Trunk(p *Pass, x *autograd.Var) *autograd.Var {
	x = r.Stem.Forward(p, x, nil, true)
	if r.StemPool {
		x = autograd.MaxPool(x, 3, 2, 1)
	}
	for _, stage := range r.Stages {
		for _, b := range stage {
			x = b.Forward(p, x)
		}
	}
	s := x.Shape()
	if s.Dim[1]%r.Grid != 0 || s.Dim[2]%r.Grid != 0 {
		panic(tensor.Misuse("ResNet", fmt.Sprintf("the last map is cut into %d×%d cells of equal size", r.Grid, r.Grid), s.Slice()))
	}
	kh, kw := s.Dim[1]/r.Grid, s.Dim[2]/r.Grid
	x = autograd.Pool(x, autograd.PoolConfig{Kind: kernels.PoolAvg, KH: kh, KW: kw, StrideH: kh, StrideW: kw})
	return x.Reshape(s.Dim[0], r.Features())
}

// State lists the tensors in the order of torchvision's state_dict.
func (r *ResNet) State() []*autograd.Param {
	s := r.Stem.State()
	for _, stage := range r.Stages {
		for _, b := range stage {
			s = append(s, b.State()...)
		}
	}
	if r.FC != nil {
		s = append(s, r.FC.State()...)
	}
	return s
}

// Block is one residual block: relu(units(x) + shortcut(x)).
type Block struct {
	Units []*ConvBN // two 3×3, or 1×1, 3×3, 1×1; ReLU after each
	Down  *ConvBN   // 1×1 on the shortcut where the shape changes; nil: identity
}

func newBlock(b kernels.Backend, name string, bottleneck bool, in, width, out, stride int, rng *tensor.RNG) *Block {
	unit := func(i, in, out, k, stride int) *ConvBN {
		return NewConvBN(b, fmt.Sprintf("%sconv%d", name, i), fmt.Sprintf("%sbn%d", name, i), in, out, k, stride, rng)
	}
	k := &Block{}
	if bottleneck {
		k.Units = []*ConvBN{unit(1, in, width, 1, 1), unit(2, width, width, 3, stride), unit(3, width, out, 1, 1)}
	} else {
		k.Units = []*ConvBN{unit(1, in, width, 3, stride), unit(2, width, out, 3, 1)}
	}
	if stride != 1 || in != out {
		k.Down = NewConvBN(b, name+"downsample.0", name+"downsample.1", in, out, 1, stride, rng)
	}
	return k
}

// Forward records the block on x [N,H,W,in]; the last unit adds the shortcut.
func (k *Block) Forward(p *Pass, x *autograd.Var) *autograd.Var {
	shortcut := x
	if k.Down != nil {
		shortcut = k.Down.Forward(p, x, nil, false)
	}
	last := len(k.Units) - 1
	for _, u := range k.Units[:last] {
		x = u.Deferred(p, x)
	}
	return k.Units[last].Forward(p, x, shortcut, true)
}

// State is the units', then the shortcut's.
func (k *Block) State() []*autograd.Param {
	var s []*autograd.Param
	for _, u := range k.Units {
		s = append(s, u.State()...)
	}
	if k.Down != nil {
		s = append(s, k.Down.State()...)
	}
	return s
}
