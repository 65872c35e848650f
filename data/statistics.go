package data

import (
	"context"
	"fmt"
	"math"
)

// Statistics are what a view's levels/255 are normalised by, one mean and
// standard deviation a channel.
type Statistics struct{ Mean, Std []float32 }

// The statistics that published recipes use. SwAV's first standard deviation
// is 0.228 where everyone else's is 0.229, in training and in evaluation.
//
// Source: torchvision's pretrained models; facebookresearch/swav,
// src/multicropdataset.py; kuangliu/pytorch-cifar (CIFAR-10; over all pixels)
// and weiaicunzai/pytorch-cifar100; own for Fashion-MNIST.
var (
	ImageNet     = Statistics{[]float32{0.485, 0.456, 0.406}, []float32{0.229, 0.224, 0.225}}
	SwAVImageNet = Statistics{[]float32{0.485, 0.456, 0.406}, []float32{0.228, 0.224, 0.225}}
	CIFAR10      = Statistics{[]float32{0.4914, 0.4822, 0.4465}, []float32{0.2470, 0.2435, 0.2616}}
	CIFAR100     = Statistics{[]float32{0.5071, 0.4865, 0.4409}, []float32{0.2673, 0.2564, 0.2762}}
	MNIST        = Statistics{[]float32{0.1307}, []float32{0.3081}}
	FashionMNIST = Statistics{[]float32{0.286}, []float32{0.353}}
	UnitRange    = Statistics{[]float32{0, 0, 0}, []float32{1, 1, 1}} // SimCLR's: levels stay in [0,1]
)

// Measure computes the statistics of a source from at most `most` images,
// spread evenly over it: mean and standard deviation over all their pixels. An
// image that cannot be read is left out; it fails if none can. A channel
// without any spread gets standard deviation 1.
func Measure(ctx context.Context, s Source, most int) (Statistics, error) {
	var m Image
	var sum, squares [3]uint64
	var pixels, channels int
	var bad error
	n := min(s.Len(), max(most, 1))
	for i := range n {
		if err := ctx.Err(); err != nil {
			return Statistics{}, err
		}
		if err := s.Image(int(int64(i)*int64(s.Len())/int64(n)), &m); err != nil {
			bad = err
			continue
		}
		if channels != 0 && channels != m.C {
			return Statistics{}, fmt.Errorf("statistics: image of %d channels after one of %d: choose one number of channels", m.C, channels)
		}
		channels = m.C
		pixels += m.H * m.W
		for at, v := range m.Pix {
			sum[at%m.C] += uint64(v)
			squares[at%m.C] += uint64(v) * uint64(v)
		}
	}
	if pixels == 0 {
		return Statistics{}, fmt.Errorf("statistics: none of %d images can be read; the last: %w", n, bad)
	}
	var r Statistics
	for c := range channels {
		mean := float64(sum[c]) / float64(pixels)
		std := math.Sqrt(max(float64(squares[c])/float64(pixels)-float64(mean*mean), 0))
		if std < 0.5 {
			std = 255
		}
		r.Mean, r.Std = append(r.Mean, float32(mean/255)), append(r.Std, float32(std/255))
	}
	return r, nil
}
