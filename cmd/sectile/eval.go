package main

import (
	"context"
	"fmt"
	"io"

	"github.com/sectile-ml/sectile/methods"
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
	from := f.String("data", "", "other `images` than the run's")
	test := f.String("test", "", "labelled `images` to judge by; default those of the run")
	var machine machineFlags
	machine.define(f)
	pos, err := parse(f, args, 2, "a protocol (knn) and a run's folder", evalUsage, out)
	if err != nil {
		return err
	}
	if pos[0] != "knn" {
		return fmt.Errorf("no protocol %q; protocols: knn", pos[0])
	}
	if err := knn.Validate(); err != nil {
		return err
	}
	e, err := openEncoder(pos[1], *from, *test, machine)
	if err != nil {
		return err
	}
	defer e.images.Close()
	return judge(ctx, e, knn, out)
}

func judge(ctx context.Context, e *trained, knn methods.KNN, out io.Writer) error {
	if e.images.classes == 0 {
		return fmt.Errorf("%s has no labelled images to judge by: --data names images with labels and a test set", e.images.what)
	}
	j, err := e.images.judged(out)
	if err != nil {
		return err
	}
	centre := ""
	if knn.Center {
		centre = ", centred"
	}
	fmt.Fprintf(out, "%d images judged by %d; kNN top-1 in per cent: %d neighbours, temperature %g%s\n\n", j.queries.Len(), j.bank.Len(), knn.K, knn.Temperature, centre)
	rows := j.rows(ctx, e.extractor(), methods.NamedEncoder{Name: "untrained", Encoder: e.Run.Untrained(e.tape.Backend())},
		methods.NamedEncoder{Name: "trained", Encoder: e.encoder})
	for _, r := range append(rows[:1], rows[2:]...) {
		err := j.ask(r, func(bank methods.Features, labels []int, queries methods.Features, want []int) error {
			votes, err := knn.Classify(ctx, bank, labels, queries)
			if err != nil {
				return err
			}
			top1, err := votes.Top1(want)
			fmt.Fprintf(out, "%-12s %5.1f\n", r.name, top1)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
