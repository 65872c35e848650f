package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sectile-ml/sectile/methods"
)

const evalUsage = `PROTOCOL RUN [flags]

Judges the encoder in a run's folder beside raw pixels and the encoder that the
run began with. Protocols: knn, the vote of the nearest labelled images; linear,
a linear classifier on the frozen features.`

// classifier judges features: methods.KNN, methods.Linear.
type classifier interface {
	Validate() error
	Classify(ctx context.Context, bank methods.Features, labels []int, queries methods.Features) (*methods.Votes, error)
}

// protocol is a way to judge features, with its flags.
type protocol struct {
	name  string
	flags []string
	with  classifier
	says  func() string // its settings, for the head of the table
}

// evalFlags are the flags of eval.
type evalFlags struct {
	knn        methods.KNN
	linear     methods.Linear
	decay      float64
	data, test string
	machine    machineFlags
}

func defineEval(f *flag.FlagSet) *evalFlags {
	e := &evalFlags{knn: methods.DefaultKNN(), linear: methods.DefaultLinear()}
	f.IntVar(&e.knn.K, "k", e.knn.K, "knn: `number` of neighbours that vote")
	f.Float64Var(&e.knn.Temperature, "temperature", e.knn.Temperature, "knn: a neighbour's vote is exp(cosine/`temperature`)")
	f.BoolVar(&e.knn.Center, "center", e.knn.Center, "knn: subtract the mean feature first")
	f.IntVar(&e.linear.Epochs, "epochs", e.linear.Epochs, "linear: `number` of passes over the labelled features")
	f.IntVar(&e.linear.Batch, "batch", e.linear.Batch, "linear: `number` of features a step")
	f.Float64Var(&e.linear.Rate, "lr", e.linear.Rate, "linear: highest learning `rate`")
	f.Float64Var(&e.decay, "decay", float64(e.linear.Decay), "linear: weight `decay`")
	f.Uint64Var(&e.linear.Seed, "seed", e.linear.Seed, "linear: `number` that decides the order of features")
	f.StringVar(&e.data, "data", "", "other `images` than the run's")
	f.StringVar(&e.test, "test", "", "labelled `images` to judge by; default those of the run")
	e.machine.define(f)
	return e
}

func (e *evalFlags) protocols() []protocol {
	return []protocol{
		{"knn", []string{"k", "temperature", "center"}, e.knn, func() string {
			centre := ""
			if e.knn.Center {
				centre = ", centred"
			}
			return fmt.Sprintf("kNN: %d neighbours, temperature %g%s", e.knn.K, e.knn.Temperature, centre)
		}},
		{"linear", []string{"epochs", "batch", "lr", "decay", "seed"}, e.linear, func() string {
			return fmt.Sprintf("linear classifier on frozen features: %s of batches of %d, learning rate %g, decay %g", epochs(e.linear.Epochs), e.linear.Batch, e.linear.Rate, e.decay)
		}},
	}
}

// protocol is the one that is named, if no flag is given that belongs to
// another.
func (e *evalFlags) protocol(name string, f *flag.FlagSet) (p protocol, err error) {
	e.linear.Decay = float32(e.decay)
	var all []string
	found := false
	for _, q := range e.protocols() {
		if all = append(all, q.name); q.name == name {
			p, found = q, true
		}
	}
	if !found {
		return p, fmt.Errorf("no protocol %q; protocols: %s", name, strings.Join(all, ", "))
	}
	f.Visit(func(given *flag.Flag) {
		for _, q := range e.protocols() {
			if q.name != name && slices.Contains(q.flags, given.Name) {
				err = fmt.Errorf("--%s is a setting of eval %s, not of eval %s", given.Name, q.name, name)
			}
		}
	})
	if err != nil {
		return p, err
	}
	return p, p.with.Validate()
}

// evaluate judges a run's encoder, beside raw pixels and the encoder that the
// run began with.
func evaluate(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("eval")
	flags := defineEval(f)
	pos, err := parse(f, args, 2, "a protocol (knn or linear) and a run's folder", evalUsage, out)
	if err != nil {
		return err
	}
	p, err := flags.protocol(pos[0], f)
	if err != nil {
		return err
	}
	e, err := openEncoder(pos[1], flags.data, flags.test, flags.machine)
	if err != nil {
		return err
	}
	defer e.images.Close()
	err = judge(ctx, e, p, out)
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: the run is as it was")
	}
	return err
}

func judge(ctx context.Context, e *trained, p protocol, out io.Writer) error {
	if e.images.classes == 0 {
		return fmt.Errorf("%s has no labelled images to judge by: --data names images with labels and a test set", e.images.what)
	}
	j, err := e.images.judged(out)
	if err != nil {
		return err
	}
	head := "top-1"
	if j.classes > 5 {
		head += " top-5"
	}
	fmt.Fprintf(out, "%d images judged by %d, in per cent; %s\n\n%-12s %s\n", j.queries.Len(), j.bank.Len(), p.says(), "", head)
	rows := j.rows(ctx, e.extractor(), methods.NamedEncoder{Name: "untrained", Encoder: e.Run.Untrained(e.tape.Backend())},
		methods.NamedEncoder{Name: "trained", Encoder: e.encoder})
	for _, r := range append(rows[:1], rows[2:]...) {
		err := j.ask(r, func(bank methods.Features, labels []int, queries methods.Features, want []int) error {
			votes, err := p.with.Classify(ctx, bank, labels, queries)
			if err != nil {
				return err
			}
			top1, err := votes.Top1(want)
			if err != nil {
				return err
			}
			line := fmt.Sprintf("%-12s %5.1f", r.name, top1)
			if j.classes > 5 {
				top5, err := votes.TopK(5, want)
				if err != nil {
					return err
				}
				line += fmt.Sprintf(" %5.1f", top5)
			}
			fmt.Fprintln(out, line)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
