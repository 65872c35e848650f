package main

import (
	"context"
	"fmt"
	"io"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
)

const evalUsage = `knn RUN [flags]

Judges the encoder in a run's folder by its nearest neighbours.`

// evaluate judges a run's encoder by its nearest neighbours, beside raw pixels
// and the encoder that the run began with.
func evaluate(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("eval")
	knn := methods.DefaultKNN()
	f.IntVar(&knn.K, "k", knn.K, "neighbours that vote")
	f.Float64Var(&knn.Temperature, "temperature", knn.Temperature, "a neighbour's vote is exp(cosine/temperature)")
	f.BoolVar(&knn.Center, "center", knn.Center, "subtract the mean feature first")
	from := f.String("data", "", "other images than the run's: embedded, or a `folder` of IDX files")
	var machine machineFlags
	machine.define(f)
	pos, err := parse(f, args, 2, "a protocol (knn) and a run's folder", evalUsage, out)
	if err != nil {
		return err
	}
	if pos[0] != "knn" {
		return fmt.Errorf("no protocol %q; protocols: knn", pos[0])
	}
	run := methods.Run{Dir: pos[1]}
	c, err := readConfig(run.Config())
	if err != nil {
		return fmt.Errorf("%s is no run's folder: %w", run.Dir, err)
	}
	if *from != "" {
		c.Data = *from
	}
	if err := knn.Validate(); err != nil {
		return err
	}
	if err := machine.apply(); err != nil {
		return err
	}
	return judge(ctx, c, run, knn, out)
}

func judge(ctx context.Context, c config, run methods.Run, knn methods.KNN, out io.Writer) error {
	im, err := openImages(c.Data)
	if err != nil {
		return err
	}
	if err := im.fit(c); err != nil {
		return err
	}
	if im.classes == 0 {
		return fmt.Errorf("%s has no labelled images to judge by: --data names a folder with labels and a test set", im.what)
	}
	b, err := backend()
	if err != nil {
		return err
	}
	t, err := c.Run.New(b, im.learn)
	if err != nil {
		return err
	}
	encoder := t.Method.Encoder()
	loaded, err := nn.LoadWeights(run.Checkpoint(), "", encoder.State())
	if err != nil {
		return err
	}
	if len(loaded.Missing)+len(loaded.WrongShape) > 0 {
		return fmt.Errorf("%s does not hold the encoder of %s: %s", run.Checkpoint(), run.Config(), loaded)
	}
	centre := ""
	if knn.Center {
		centre = ", centred"
	}
	fmt.Fprintf(out, "%d images judged by %d; kNN top-1 in per cent: %d neighbours, temperature %g%s\n\n", im.judge.N, im.learn.N, knn.K, knn.Temperature, centre)
	e := extractor(t, c)
	for _, row := range []struct {
		name     string
		features func(src data.Source) (methods.Features, []int, error)
	}{
		{"raw pixels", methods.Pixels},
		{"untrained", func(src data.Source) (methods.Features, []int, error) {
			return e.Features(ctx, c.Run.Untrained(b), src)
		}},
		{"trained", func(src data.Source) (methods.Features, []int, error) { return e.Features(ctx, encoder, src) }},
	} {
		bank, labels, err := row.features(im.learn)
		if err != nil {
			return err
		}
		queries, want, err := row.features(im.judge)
		if err != nil {
			return err
		}
		votes, err := knn.Classify(ctx, bank, labels, queries)
		if err != nil {
			return err
		}
		top1, err := votes.Top1(want)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-12s %5.1f\n", row.name, top1)
	}
	return nil
}
