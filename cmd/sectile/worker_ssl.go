package main

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

func answerSSL(r *request) ([]float64, error) {
	method, set, batch, reps := r.word(), r.word(), r.count(), r.count()
	if err := r.done(); err != nil {
		return nil, err
	}
	s, err := newSSLStep(method, set, batch)
	if err != nil {
		return nil, err
	}
	return s.time(reps)
}

// sslSet is the network of the protocol's images, and the sides of their full
// and small crops.
type sslSet struct {
	net         string
	side, small int
}

var sslSets = map[string]sslSet{"cifar": {"resnet18c", 32, 16}, "fashion": {"small8", 28, 14}}

// newSSLStep is a step of a method on crops of noise.
func newSSLStep(method, name string, batch int) (*benchStep, error) {
	set, ok := sslSets[name]
	if !ok {
		return nil, fmt.Errorf("unknown data %q: cifar or fashion", name)
	}
	b, err := backend()
	if err != nil {
		return nil, err
	}
	cfg, err := nn.ResNetByName(set.net)
	if err != nil {
		return nil, err
	}
	rng := tensor.NewRNG(1, "bench")
	encoder := func() methods.Encoder { return nn.NewResNet(b, cfg, rng) }
	crops := data.MultiCrop{{Count: 2, Size: set.side, Scale: [2]float64{0.2, 1}}}
	var m methods.Method
	switch method {
	case "swav":
		crops = append(crops, data.Crop{Count: 4, Size: set.small, Scale: [2]float64{0.05, 0.14}})
		c := methods.DefaultSwAV()
		c.Crops, c.Batch, c.Hidden, c.Dim, c.Prototypes, c.Freeze = crops, batch, cfg.Features(), 128, 300, 0
		m, err = methods.NewSwAV(b, encoder(), c, rng)
	case "simclr":
		c := methods.SimCLRConfig{Crops: crops, Batch: batch, Head: methods.HeadMLP, Hidden: cfg.Features(), Dim: 128, Temperature: 0.2}
		m, err = methods.NewSimCLR(b, encoder(), c, rng)
	case "moco":
		m, err = methods.NewMoCo(b, encoder(), encoder(), benchMoCo(crops, batch, cfg.Features()), rng)
	case "pcl":
		m, err = benchPCL(b, encoder(), encoder(), benchMoCo(crops, batch, cfg.Features()), rng)
	default:
		err = fmt.Errorf("unknown method %q", method)
	}
	if err != nil {
		return nil, err
	}
	return stepOf(b, m, crops, batch, cfg.Channels, rng), nil
}

// benchMoCo is a queue of 4096 and a head of two layers without batch norm.
func benchMoCo(crops data.MultiCrop, batch, width int) methods.MoCoConfig {
	return methods.MoCoConfig{Crops: crops, Batch: batch, Head: methods.HeadMLP, Hidden: width, Dim: 128,
		Temperature: 0.2, Queue: 4096 / batch * batch, Momentum: 0.999, Groups: 1}
}

// benchPCL has prototypes of noise, as after an E-step: 250, 500 and 1000, all
// in the denominator, phi 0.2.
func benchPCL(b kernels.Backend, query, key methods.Encoder, moco methods.MoCoConfig, rng *tensor.RNG) (methods.Method, error) {
	c := methods.PCLConfig{MoCoConfig: moco, Clusters: []int{250, 500, 1000}, Denominator: methods.EveryPrototype,
		Every: 1, Iters: 1, Redos: 1, MaxPerCentroid: 1000, Images: 4096}
	m, err := methods.NewPCL(b, query, key, c, rng)
	if err != nil {
		return nil, err
	}
	state := map[string]*autograd.Param{}
	for _, p := range m.State() {
		state[p.Name] = p
	}
	set := func(i int, name string, value func(j int) float32) {
		p := state[fmt.Sprintf("prototypes.%d.%s", i, name)].Value
		x := make([]float32, p.Len())
		for j := range x {
			x[j] = value(j)
		}
		p.SetFloat32s(x)
	}
	for i, k := range c.Clusters {
		rows := methods.Features{X: normals(rng, k*c.Dim), D: c.Dim}.Unit().X
		set(i, "centroids", func(j int) float32 { return rows[j] })
		set(i, "phi", func(int) float32 { return 0.2 })
		set(i, "assign", func(j int) float32 { return float32(j % k) })
		set(i, "size", func(int) float32 { return float32(c.Images / k) })
	}
	indexes := make([]int, c.Batch)
	for i := range indexes {
		indexes[i] = rng.IntN(c.Images)
	}
	m.Indexes(indexes)
	return m, m.Loaded()
}

// stepOf is a step of a method on crops of noise.
func stepOf(b kernels.Backend, m methods.Method, crops data.MultiCrop, batch, channels int, rng *tensor.RNG) *benchStep {
	var shapes []autograd.Shape
	var pixels [][]float32
	for _, c := range crops {
		shape := autograd.Dims(c.Count*batch, c.Size, c.Size, channels)
		shapes, pixels = append(shapes, shape), append(pixels, normals(rng, shape.Len()))
	}
	var weights []*autograd.Param
	for _, p := range m.State() {
		if p.Grad != nil {
			weights = append(weights, p)
		}
	}
	s := newBenchStep(b, weights, 0.03)
	views := make([]*autograd.Var, len(shapes))
	s.kind = func() string { return m.BeforeStep(methods.Step{}) }
	s.loss = func(p *nn.Pass) *autograd.Var {
		for i, shape := range shapes {
			views[i] = p.Tape.Input(shape, pixels[i])
		}
		return m.Loss(p, views)
	}
	s.done = m.AfterStep
	return s
}
