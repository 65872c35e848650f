package main

import (
	"context"
	"fmt"
	"io"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
)

// judged are the images of a report: those that vote and those that are asked,
// all readable and labelled.
type judged struct {
	bank, queries data.Source
	classes       int
}

// judged are those images that a run can be judged by; notes of the others go
// to out, where it is not nil.
func (im *images) judged(out io.Writer) (*judged, error) {
	j := &judged{classes: im.classes}
	take := func(src data.Source) (data.Source, error) {
		s, note, err := readable(src, func(i int) bool { return src.Label(i) >= 0 })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", im.what, err)
		}
		if note != "" && out != nil {
			fmt.Fprintln(out, "note:", note)
		}
		return s, nil
	}
	var err error
	if j.bank, err = take(im.learn); err != nil {
		return nil, err
	}
	j.queries, err = take(im.judge)
	return j, err
}

// pixelSide is the largest side at which raw pixels of photographs are
// compared: more would cost memory and say no more.
const pixelSide = 32

// pixels are raw levels, at the size at which an encoder is judged where
// images differ in size, at most pixelSide.
func pixels(e methods.Extractor, src data.Source) (methods.Features, []int, error) {
	if _, same := src.(*data.Set); !same {
		size := min(e.Size, pixelSide)
		src = middle{src, e.Short * size / e.Size, size}
	}
	return methods.Pixels(src)
}

// middle is a source whose images are cut to their middle after a resize.
type middle struct {
	data.Source
	short, size int
}

func (m middle) Image(i int, buf *data.Image) error {
	var whole data.Image
	var scratch data.Scratch
	if err := m.Source.Image(i, &whole); err != nil {
		return err
	}
	data.EvalCrop(buf, &whole, m.short, m.size, data.Bilinear, &scratch)
	return nil
}

// evaluationSize is how whole images are shown to the encoder of a run: its
// first crop's size, cut out of a margin of an eighth where images are
// photographs.
func evaluationSize(c methods.RunConfig) (short, size int) {
	size = c.Crops()[0].Size
	if size < 64 {
		return size, size
	}
	return size * 8 / 7, size
}

// fit makes a protocol one for few images: no more neighbours than there are
// images to vote, no more labels a class than the smallest class has, no more
// clusters than images.
func (j *judged) fit(p methods.Protocol) methods.Protocol {
	members := map[int]int{}
	for i := range j.bank.Len() {
		members[j.bank.Label(i)]++
	}
	for _, n := range members {
		p.FewLabels.PerClass = min(p.FewLabels.PerClass, n)
	}
	p.KNN.K = min(p.KNN.K, j.bank.Len())
	p.FewLabels.KNN.K = min(p.FewLabels.KNN.K, p.FewLabels.PerClass*len(members))
	p.KMeans.K = min(p.KMeans.K, j.queries.Len())
	return p
}

// row is something that gives features: raw pixels, an encoder.
type row struct {
	name     string
	protocol methods.Protocol
	features func(src data.Source) (methods.Features, []int, error)
}

// rows are raw pixels and the named encoders.
func (j *judged) rows(ctx context.Context, e methods.Extractor, encoders ...methods.NamedEncoder) []row {
	raw := func(src data.Source) (methods.Features, []int, error) { return pixels(e, src) }
	rows := []row{
		{"raw pixels", methods.DefaultProtocol(j.classes), raw},
		{"raw pixels (best: centred, k 5)", methods.BestPixels(j.classes), raw},
	}
	for _, n := range encoders {
		rows = append(rows, row{n.Name, methods.DefaultProtocol(j.classes), func(src data.Source) (methods.Features, []int, error) {
			return e.Features(ctx, n.Encoder, src)
		}})
	}
	return rows
}

// ask computes both sides' features of a row.
func (j *judged) ask(r row, use func(bank methods.Features, labels []int, queries methods.Features, want []int) error) error {
	bank, labels, err := r.features(j.bank)
	if err != nil {
		return err
	}
	queries, want, err := r.features(j.queries)
	if err != nil {
		return err
	}
	return use(bank, labels, queries, want)
}

// report judges the trained encoder beside raw pixels and the encoder that the
// run began with.
func (s *session) report(ctx context.Context, out io.Writer) error {
	if s.images.classes == 0 {
		fmt.Fprintf(out, "no table: %s has no labelled images to judge by\n", s.images.what)
		return nil
	}
	j, err := s.images.judged(out)
	if err != nil {
		return err
	}
	line := newProgress(out, 0)
	line.say("judging ...")
	var scores []methods.Scores
	for _, r := range j.rows(ctx, extractor(s.trainer.Tape, s.trainer.Views, s.Run),
		methods.NamedEncoder{Name: "untrained", Encoder: s.Run.Untrained(s.trainer.Tape.Backend())},
		methods.NamedEncoder{Name: "trained", Encoder: s.trainer.Method.Encoder()}) {
		err := j.ask(r, func(bank methods.Features, labels []int, queries methods.Features, want []int) error {
			row, err := j.fit(r.protocol).Judge(ctx, r.name, bank, labels, queries, want)
			scores = append(scores, row)
			return err
		})
		if err != nil && ctx.Err() != nil {
			line.clear()
			fmt.Fprintf(out, "interrupted while judging; the run is whole, judge it with\n\n  %s eval knn %s\n", program(), s.run.Dir)
			return errInterrupted
		}
		if err != nil {
			return err
		}
	}
	line.clear()
	j.write(out, scores)
	return nil
}

// extractor computes features as a run is judged.
func extractor(t *autograd.Tape, v *data.Views, c methods.RunConfig) methods.Extractor {
	short, size := evaluationSize(c)
	return methods.Extractor{Tape: t, Views: v, Short: short, Size: size, Batch: 250}
}

// write prints the table that a run ends with.
func (j *judged) write(out io.Writer, scores []methods.Scores) {
	const columns = "%-31s %9s  %6s  %17s  %18s\n"
	fmt.Fprintf(out, "\n%d images judged by the %d learned from, in per cent\n\n", j.queries.Len(), j.bank.Len())
	p := j.fit(methods.DefaultProtocol(j.classes))
	few := fmt.Sprintf("%d labels a class", p.FewLabels.PerClass)
	fmt.Fprintf(out, columns, "", "kNN top-1", "linear", few, fmt.Sprintf("AMI of %d clusters", p.KMeans.K))
	for _, row := range scores {
		fmt.Fprintf(out, columns, row.Name, percent(row.KNN), percent(row.Linear), percent(row.FewLabels), percent(row.AMI))
	}
	fmt.Fprintf(out, "\nkNN: %d neighbours, cosine, temperature %g.\nlinear: a linear classifier on the frozen features, %s.\n%s: %d neighbours, mean of %d drawn sets.\n",
		p.KNN.K, p.KNN.Temperature, epochs(p.Linear.Epochs), few, p.FewLabels.KNN.K, p.FewLabels.Draws)
}

func percent(x float64) string { return fmt.Sprintf("%.1f", x) }
