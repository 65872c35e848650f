package main

import (
	"fmt"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/cuda"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// trained are the networks of steps: side and classes of their images, side of
// small crops, and what SwAV and MoCo's queue take for them.
var trained = map[string]struct {
	side, small, smallCrops    int
	classes, prototypes, queue int
}{
	"resnet50":  {224, 96, 6, 1000, 3000, 65536},
	"resnet18c": {32, 16, 4, 10, 300, 4096},
	"small8":    {12, 8, 2, 10, 6, 8}, // for the emulator
}

// step is a training step on inputs that lie on the device: record, run, move
// the weights by SGD.
type step struct {
	tape   *autograd.Tape
	opt    *nn.Optimizer
	kind   func() string
	loss   func(p *nn.Pass) *autograd.Var
	done   func()
	images int
}

func newStep(d *cuda.Device, weights []*autograd.Param, images int) *step {
	s := &step{tape: autograd.NewTape(d), images: images, kind: func() string { return "train" }, done: func() {}}
	s.opt = nn.NewOptimizer(d, nn.SGD{Momentum: 0.9}, nn.Group{Weights: weights, Decay: 1e-4, Scale: 1})
	return s
}

func (s *step) run() error {
	p := nn.Pass{Tape: s.tape, Train: true}
	s.tape.Begin(s.kind())
	s.tape.Backward(s.loss(&p))
	if err := s.tape.Run(); err != nil {
		return err
	}
	s.opt.Step(s.tape, 0.01)
	s.done()
	return nil
}

// resident is an input that stays on the device, as the peer's does.
func resident(d *cuda.Device, rng *tensor.RNG, shape ...int) *autograd.Param {
	t := tensor.New(d, shape...)
	x := make([]float32, t.Len())
	rng.FillNormal(x, 1)
	t.SetFloat32s(x)
	return &autograd.Param{Name: "input", Value: t}
}

// prepareStep makes the step of a request.
func prepareStep(d *cuda.Device, request string) (*step, error) {
	l := &line{words: strings.Fields(request)}
	part, method := l.word(), ""
	if part == "ssl" {
		method = l.word()
	}
	net, batch := l.word(), l.count(2)
	l.flags()
	in, ok := trained[net]
	if !ok {
		l.fail("no network " + net)
	}
	if l.err != nil {
		return nil, l.err
	}
	cfg, err := nn.ResNetByName(net)
	if err != nil {
		return nil, err
	}
	rng := tensor.NewRNG(1, "gpu")
	if part == "ssl" {
		return sslStep(d, method, net, cfg, batch, rng)
	}
	cfg.Classes = in.classes
	model := nn.NewResNet(d, cfg, rng)
	x := resident(d, rng, batch, in.side, in.side, cfg.Channels)
	labels := make([]int32, batch)
	for i := range labels {
		labels[i] = int32(rng.IntN(in.classes))
	}
	s := newStep(d, nn.Weights(model), batch)
	s.loss = func(p *nn.Pass) *autograd.Var {
		return autograd.CrossEntropy(model.Forward(p, p.Tape.Use(x)), p.Tape.Ints(labels))
	}
	return s, nil
}

func sslStep(d *cuda.Device, method, net string, cfg nn.ResNetConfig, batch int, rng *tensor.RNG) (*step, error) {
	in := trained[net]
	crops := data.MultiCrop{{Count: 2, Size: in.side, Scale: [2]float64{0.2, 1}}}
	var m methods.Method
	var err error
	switch method {
	case "swav":
		crops = append(crops, data.Crop{Count: in.smallCrops, Size: in.small, Scale: [2]float64{0.05, 0.14}})
		c := methods.DefaultSwAV()
		c.Crops, c.Batch, c.Hidden, c.Dim, c.Prototypes, c.Freeze = crops, batch, cfg.Features(), 128, in.prototypes, 0
		m, err = methods.NewSwAV(d, nn.NewResNet(d, cfg, rng), c, rng)
	case "pcl":
		m, err = clustered(d, net, cfg, crops, batch, rng)
	default:
		err = fmt.Errorf("method %q: swav or pcl", method)
	}
	if err != nil {
		return nil, err
	}
	var weights, views []*autograd.Param
	for _, p := range m.State() {
		if p.Grad != nil {
			weights = append(weights, p)
		}
	}
	for _, c := range crops {
		views = append(views, resident(d, rng, c.Count*batch, c.Size, c.Size, cfg.Channels))
	}
	s := newStep(d, weights, batch)
	s.kind = func() string { return m.BeforeStep(methods.Step{}) }
	s.done = m.AfterStep
	s.loss = func(p *nn.Pass) *autograd.Var {
		vars := make([]*autograd.Var, len(views))
		for i, v := range views {
			vars[i] = p.Tape.Use(v)
		}
		return m.Loss(p, vars)
	}
	return s, nil
}

// clustered is PCL as after an E-step, with prototypes of noise: all of 250,
// 500 and 1000 (small8: 6 and 3) in the denominator, phi 0.2.
func clustered(d kernels.Backend, net string, cfg nn.ResNetConfig, crops data.MultiCrop, batch int, rng *tensor.RNG) (methods.Method, error) {
	in := trained[net]
	c := methods.PCLConfig{MoCoConfig: methods.MoCoConfig{Crops: crops, Batch: batch, Head: methods.HeadMLP, Hidden: cfg.Features(), Dim: 128,
		Temperature: 0.2, Queue: in.queue / batch * batch, Momentum: 0.999, Groups: 1},
		Clusters: []int{250, 500, 1000}, Denominator: methods.EveryPrototype, Every: 1, Iters: 1, Redos: 1, MaxPerCentroid: 1000, Images: 4096}
	if net == "small8" {
		c.Clusters, c.Images = []int{6, 3}, 16
	}
	m, err := methods.NewPCL(d, nn.NewResNet(d, cfg, rng), nn.NewResNet(d, cfg, rng), c, rng)
	if err != nil {
		return nil, err
	}
	state := map[string]*autograd.Param{}
	for _, p := range m.State() {
		state[p.Name] = p
	}
	for i, k := range c.Clusters {
		rows := make([]float32, k*c.Dim)
		rng.FillNormal(rows, 1)
		rows = methods.Features{X: rows, D: c.Dim}.Unit().X
		for name, value := range map[string]func(j int) float32{
			"centroids": func(j int) float32 { return rows[j] },
			"phi":       func(int) float32 { return 0.2 },
			"assign":    func(j int) float32 { return float32(j % k) },
			"size":      func(int) float32 { return float32(c.Images / k) },
		} {
			p := state[fmt.Sprintf("prototypes.%d.%s", i, name)].Value
			x := make([]float32, p.Len())
			for j := range x {
				x[j] = value(j)
			}
			p.SetFloat32s(x)
		}
	}
	indexes := make([]int, c.Batch)
	for i := range indexes {
		indexes[i] = rng.IntN(c.Images)
	}
	m.Indexes(indexes)
	return m, m.Loaded()
}

// steps measures the training steps of a part, each on a device of its own:
// what one leaves behind is nothing to the next.
func (p *program) steps(part string) error {
	for _, r := range requests(part, p.tiny) {
		for _, mode := range p.modes {
			if err := p.out.put(p.step(r, mode)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *program) step(request, mode string) record {
	rec := record{Request: request, Mode: mode, Facts: map[string]float64{}}
	err := guard(func() error {
		d, err := p.open(cuda.Options{TF32: mode == "tf32"})
		if err != nil {
			return err
		}
		defer d.Close()
		s, err := prepareStep(d, request)
		if err != nil {
			return err
		}
		defer s.tape.Release()
		rec.Images = s.images
		if !p.tiny { // so that graphs of both stage blocks are made
			for range 6 {
				if err := s.run(); err != nil {
					return err
				}
			}
		}
		rec.Seconds, rec.Calls, err = p.groupTimes(d, s.run)
		g, mem := d.Graphs(), d.Memory()
		rec.Facts["segments_replayed"], rec.Facts["segments_eager"] = float64(g.Replayed), float64(g.Eager)
		rec.Facts["peak_bytes"], rec.Facts["plan_bytes"] = float64(mem.Peak), float64(s.tape.Peak())
		return err
	})
	if err != nil {
		rec.Err = err.Error()
	}
	return rec
}

// profile is where a step's time goes: each kernel's, by events. Commands are
// issued one by one for it, so that the sum is more than a step takes.
func (p *program) profile() error {
	for _, r := range requests("profile", p.tiny) {
		rec := record{Request: "profile " + r, Mode: p.modes[0], Facts: map[string]float64{}}
		err := guard(func() error {
			d, err := p.open(cuda.Options{TF32: p.modes[0] == "tf32", Timing: true})
			if err != nil {
				return err
			}
			defer d.Close()
			s, err := prepareStep(d, r)
			if err != nil {
				return err
			}
			defer s.tape.Release()
			for i := range 3 {
				if i == 2 || p.tiny {
					if _, err := d.Timings(); err != nil {
						return err
					}
				}
				if err := s.run(); err != nil {
					return err
				}
				if p.tiny {
					break
				}
			}
			times, err := d.Timings()
			for _, t := range times {
				rec.Facts["seconds."+t.Kernel], rec.Facts["launches."+t.Kernel] = t.Seconds, float64(t.Launches)
			}
			return err
		})
		if err != nil {
			rec.Err = err.Error()
		}
		if err := p.out.put(rec); err != nil {
			return err
		}
	}
	return nil
}
