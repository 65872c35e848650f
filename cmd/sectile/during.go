package main

import (
	"context"
	"fmt"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
)

// While a run goes on its encoder is judged by at most this many images, spread
// evenly over all: the figures shall cost little, and are compared with one
// another.
const (
	duringBank    = 10000
	duringQueries = 2000
)

// during judges a run's encoder every so many epochs. It changes no number of
// the run.
type during struct {
	every   int // epochs; 0: never
	session *session
	judged  *judged // from the first time on
}

// judgeEvery is the number of epochs that a user who names none gets: a tenth
// of the run, and none in a run of a few epochs, which soon ends with a table.
func judgeEvery(epochs int) int { return epochs / 10 }

// due says whether the encoder is to be judged where the trainer stands.
func (d *during) due() bool {
	t := d.session.trainer
	return d.every > 0 && t.Iteration%(t.Steps()*d.every) == 0
}

// figures judges the encoder.
func (d *during) figures(ctx context.Context) (f figures, err error) {
	s := d.session
	if d.judged == nil {
		some := *s.images
		some.learn, some.judge = evenly(some.learn, duringBank), evenly(some.judge, duringQueries)
		if d.judged, err = some.judged(nil); err != nil {
			return f, err
		}
	}
	j, p := d.judged, d.judged.fit(methods.DefaultProtocol(d.judged.classes))
	r := row{"", p, func(src data.Source) (methods.Features, []int, error) {
		return extractor(s.trainer.Tape, s.trainer.Views, s.Run).Features(ctx, s.trainer.Method.Encoder(), src)
	}}
	err = j.ask(r, func(bank methods.Features, labels []int, queries methods.Features, want []int) error {
		for _, c := range []struct {
			by  classifier
			top *float64
		}{{p.KNN, &f.KNN}, {p.Linear, &f.Linear}} {
			v, err := c.by.Classify(ctx, bank, labels, queries)
			if err != nil {
				return err
			}
			if *c.top, err = v.Top1(want); err != nil {
				return err
			}
		}
		return nil
	})
	return f, err
}

// say is the line about figures.
func (d *during) say(f figures) string {
	t := d.session.trainer
	return fmt.Sprintf("after epoch %d: kNN %.1f, linear %.1f per cent (%d images judged by %d)", t.Iteration/t.Steps(), f.KNN, f.Linear, d.judged.queries.Len(), d.judged.bank.Len())
}

// evenly is at most n images of src, spread over it.
func evenly(src data.Source, n int) data.Source {
	all := src.Len()
	if all <= n {
		return src
	}
	p := part{Source: src, at: make([]int, n)}
	for i := range p.at {
		p.at[i] = int(int64(i) * int64(all) / int64(n))
	}
	return p
}
