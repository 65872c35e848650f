package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/kernels"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

const assignUsage = `RUN --out FILE.csv [flags]

Writes the prototype (SwAV) or the cluster (PCL) of each image: name, label,
number. Where labels are known, says how well the parts agree with them.`

// assign writes to which prototype each image belongs.
func assign(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("assign")
	var s shown
	f.StringVar(&s.data, "data", "", "other `images` than the run's")
	f.StringVar(&s.split, "split", "train", "`part` of them: train or test")
	f.StringVar(&s.out, "out", "", "`file` to write: .csv")
	clustering := f.Int("clustering", 0, "`number` of PCL's clustering, from 0 in the order of its settings")
	s.machine.define(f)
	pos, err := parse(f, args, 1, "a run's folder", assignUsage, out)
	if err != nil {
		return err
	}
	if filepath.Ext(s.out) != ".csv" {
		return fmt.Errorf("--out %q: name a file that ends in .csv", s.out)
	}
	t, err := openEncoder(pos[0], s.data, "", s.machine)
	if err != nil {
		return err
	}
	defer t.images.Close()
	embedder, prototypes, err := t.prototypes(*clustering)
	if err != nil {
		return err
	}
	e, err := t.embed(ctx, s.split, embedder, out)
	if err != nil {
		return err
	}
	of, err := methods.Nearest(ctx, e.Unit(), prototypes.Unit(), true)
	if err != nil {
		return err
	}
	err = writeTable(s.out, []string{"name", "label", "prototype"}, e.N(), func(line []string, i int) []string {
		return append(line, data.NameOf(e.src, i), e.class(i), strconv.Itoa(of[i]))
	})
	if err != nil {
		return err
	}
	return summary(out, s.out, of, prototypes.N(), e.labels)
}

// summary says how large the parts are, and how they agree with labels.
func summary(out io.Writer, path string, of []int, k int, labels []int) error {
	sizes, used := make([]int, k), 0
	for _, p := range of {
		sizes[p]++
	}
	for _, n := range sizes {
		if n > 0 {
			used++
		}
	}
	fmt.Fprintf(out, "%d images at %d of %d prototypes, at most %d at one: %s\n", len(of), used, k, slices.Max(sizes), path)
	if slices.Min(labels) < 0 {
		return nil
	}
	a, err := methods.Agree(of, labels)
	if err == nil {
		fmt.Fprintf(out, "agreement with the labels in per cent: AMI %.1f, NMI %.1f, ARI %.1f\n", 100*a.AMI, 100*a.NMI, 100*a.ARI)
	}
	return err
}

// embedder is an encoder with the head whose embeddings prototypes divide.
type embedder struct {
	encoder methods.Encoder
	head    nn.Module
	dim     int
}

func (e embedder) Forward(p *nn.Pass, x *autograd.Var) *autograd.Var {
	return e.head.Forward(p, e.encoder.Forward(p, x))
}

func (e embedder) State() []*autograd.Param {
	return slices.Concat(e.encoder.State(), e.head.State())
}

func (e embedder) Features() int { return e.dim }

// prototypes are the run's prototypes, for PCL those of a clustering, and the
// network to whose embeddings they belong: with PCL that of the keys, as in
// its E-step.
func (t *trained) prototypes(clustering int) (methods.Encoder, methods.Features, error) {
	b := t.tape.Backend().(*kernels.CPU)
	rng := tensor.NewRNG(t.Run.Seed, "head")
	var e embedder
	var name string
	switch t.Run.Method {
	case "swav":
		c := t.Run.SwAV
		e = embedder{t.encoder, methods.HeadMLPBN.New(b, "projection_head", t.encoder.Features(), c.Hidden, c.Dim, rng), c.Dim}
		name = "prototypes.weight"
	case "pcl":
		c := t.Run.PCL
		e = embedder{t.Run.Untrained(b), c.Head.New(b, "fc", t.encoder.Features(), c.Hidden, c.Dim, rng), c.Dim}
		nn.Prefix(e, "encoder_k.")
		name = fmt.Sprintf("prototypes.%d.centroids", clustering)
	default:
		return nil, methods.Features{}, fmt.Errorf("%s has no prototypes: swav and pcl have them", t.Run.Method)
	}
	if err := t.load(e.State()); err != nil {
		return nil, methods.Features{}, err
	}
	p, err := t.rows(name)
	return e, p, err
}

// rows reads a matrix of the checkpoint.
func (t *trained) rows(name string) (methods.Features, error) {
	f, err := tensor.OpenSafetensors(t.run.Checkpoint())
	if err != nil {
		return methods.Features{}, err
	}
	defer f.Close()
	info, ok := f.Info(name)
	if !ok || len(info.Shape) != 2 {
		return methods.Features{}, fmt.Errorf("%s holds no %s", t.run.Checkpoint(), name)
	}
	m := methods.Features{X: make([]float32, info.Len()), D: info.Shape[1]}
	if err := f.ReadFloat32(name, m.X); err != nil {
		return m, err
	}
	if !slices.ContainsFunc(m.X, func(v float32) bool { return v != 0 }) {
		return m, errors.New("the run did no E-step yet: its clusters come after the warm-up")
	}
	return m, nil
}
