package methods

import (
	"fmt"

	"github.com/sectile-ml/sectile/nn"
)

// Cost is what a run takes, in floating-point operations: planned from the
// configuration, nothing is measured. A training pass counts three times its
// forward pass; batch norm, views and the optimizer are left out, so a run
// takes a little longer than Run over the machine's speed.
type Cost struct {
	Image  float64 // forward pass of the encoder on one full view
	Step   float64 // all views, keys, heads and logits of a batch, and their gradients
	Steps  int     // of the run
	EStep  float64 // embeddings and clusterings of one E-step (PCL)
	ESteps int
	Run    float64 // of all: Step · Steps + EStep · ESteps
}

func (c Cost) String() string {
	s := fmt.Sprintf("%s in %d steps of %s", flopText(c.Run), c.Steps, flopText(c.Step))
	if c.ESteps > 0 {
		s += fmt.Sprintf(" and %d E-steps of %s", c.ESteps, flopText(c.EStep))
	}
	return s
}

// flopText is 5.90 TFLOP, say.
func flopText(x float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e18, "E"}, {1e15, "P"}, {1e12, "T"}, {1e9, "G"}} {
		if x >= u.size {
			return fmt.Sprintf("%.3g %sFLOP", x/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.3g MFLOP", x/1e6)
}

// Cost plans the run on a number of images on each rank, one rank's share.
// What is automatic is chosen as New does. The configuration is valid.
func (c RunConfig) Cost(images int) (Cost, error) {
	c, _ = c.Automatic(images)
	net, err := nn.ResNetByName(c.Net)
	if err != nil {
		return Cost{}, err
	}
	crops, batch, group := c.settings().common()
	n := float64(batch)
	k := Cost{Steps: c.Epochs * (images / max(1, batch))}
	views, count := 0.0, 0.0
	for i, crop := range crops {
		one := encoderFLOP(net, crop.Size)
		if i == 0 {
			k.Image = one
		}
		views += float64(crop.Count) * one
		count += float64(crop.Count)
	}
	f := net.Features()
	switch c.Method {
	case "moco", "pcl":
		m := c.MoCo
		if c.Method == "pcl" {
			m = c.PCL.MoCoConfig
		}
		branch := k.Image + m.Head.flop(f, m.Hidden, m.Dim)
		k.Step = n * (3*branch + branch + 2*2*float64(m.Queue)*float64(m.Dim)) // the query, then the key, without gradient
		if c.Method == "pcl" {
			c.PCL.cost(&k, branch, c.Epochs, images, ranks(group))
		}
	case "simclr":
		m := c.SimCLR
		k.Step = 3 * n * (views + count*m.Head.flop(f, m.Hidden, m.Dim) + 2*2*(2*n*float64(ranks(group)))*float64(m.Dim))
	default:
		m := c.SwAV
		k.Step = 3 * n * (views + count*(HeadMLPBN.flop(f, m.Hidden, m.Dim)+2*float64(m.Prototypes)*float64(m.Dim)))
	}
	k.Run = k.Step*float64(k.Steps) + k.EStep*float64(k.ESteps)
	return k, nil
}

// cost adds the E-steps and the prototypes' logits, which steps have from the
// warm-up on; Step keeps the dearer kind's.
func (c PCLConfig) cost(k *Cost, branch float64, epochs, images, ranks int) {
	columns, clusters := 0, 0
	for _, n := range c.Clusters {
		clusters += n
		if c.Denominator != EveryPrototype {
			n = c.Batch + c.Negatives
		}
		columns += n
	}
	k.Step += float64(c.Batch) * 2 * 2 * float64(columns) * float64(c.Dim)
	k.ESteps = max(0, (epochs-c.Warmup+c.Every-1)/c.Every)
	points := float64(images * ranks)
	k.EStep = float64(images)*branch + 2*points*float64(clusters)*float64(c.Dim)*float64(c.Iters*c.Redos+1)
}

// encoderFLOP is the forward pass of one image of size x size pixels: two
// operations a multiply-add, padding included.
func encoderFLOP(c nn.ResNetConfig, size int) float64 {
	total, side, in := 0.0, size, c.Channels
	conv := func(k, stride, from, to int) {
		side = (side + stride - 1) / stride
		total += 2 * float64(side*side) * float64(k*k) * float64(from) * float64(to)
	}
	conv(c.StemKernel, c.StemStride, in, c.Width)
	in = c.Width
	if c.StemPool {
		side = (side + 1) / 2
	}
	for stage, blocks := range c.Blocks {
		width, stride := c.Width<<stage, min(2, stage+1)
		out := width
		if c.Bottleneck {
			out = 4 * width
		}
		for range blocks {
			before := side
			if c.Bottleneck {
				conv(1, 1, in, width)
				conv(3, stride, width, width)
				conv(1, 1, width, out)
			} else {
				conv(3, stride, in, width)
				conv(3, 1, width, width)
			}
			if stride != 1 || in != out {
				side = before
				conv(1, stride, in, out)
			}
			in, stride = out, 1
		}
	}
	return total
}
