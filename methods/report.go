package methods

import (
	"context"

	"github.com/sectile-ml/sectile/data"
)

// Report is how encoders fare on labelled images they learnt nothing from,
// beside what needs no learning.
type Report struct {
	Rows []Scores
}

// Scores are one row, in per cent.
type Scores struct {
	Name      string
	KNN       float64 // top-1 by the vote of neighbours
	Linear    float64 // top-1 of the linear probe
	FewLabels float64 // mean top-1 with ten labels a class, over the drawn sets
	AMI       float64 // agreement of clusters with the classes
}

// Protocol is how features are judged. The queries are asked, the bank answers.
type Protocol struct {
	KNN       KNN
	Linear    Linear
	FewLabels FewLabels
	KMeans    KMeans // of the queries alone, on unit rows
}

// DefaultProtocol is kNN with K 20 and temperature 0.07, DefaultLinear, ten
// labels a class with K 5 in ten draws, and the best of ten k-means runs with one cluster a
// class; nothing is centred.
func DefaultProtocol(classes int) Protocol {
	k := DefaultKMeans(classes)
	k.Redos = 10
	return Protocol{KNN: DefaultKNN(), Linear: DefaultLinear(), FewLabels: DefaultFewLabels(), KMeans: k}
}

// BestPixels is the protocol that suits raw pixels best of those we tried:
// votes are centred on the bank's mean, K is 5 (clusters suffer from it, so
// they are not; the probe centres anyway). It is asked for so that nobody need call the baseline weak.
func BestPixels(classes int) Protocol {
	p := DefaultProtocol(classes)
	p.KNN.K, p.KNN.Center, p.FewLabels.KNN.Center = 5, true, true
	return p
}

// Judge scores features with labels 0, 1, ...
func (p Protocol) Judge(ctx context.Context, name string, bank Features, labels []int, queries Features, queryLabels []int) (Scores, error) {
	s := Scores{Name: name}
	v, err := p.KNN.Classify(ctx, bank, labels, queries)
	if err != nil {
		return s, err
	}
	if s.KNN, err = v.Top1(queryLabels); err != nil {
		return s, err
	}
	if v, err = p.Linear.Classify(ctx, bank, labels, queries); err != nil {
		return s, err
	}
	if s.Linear, err = v.Top1(queryLabels); err != nil {
		return s, err
	}
	draws, err := p.FewLabels.Top1(ctx, bank, labels, queries, queryLabels)
	if err != nil {
		return s, err
	}
	for _, d := range draws {
		s.FewLabels += d / float64(len(draws))
	}
	clusters, err := p.KMeans.Fit(ctx, queries.Unit())
	if err != nil {
		return s, err
	}
	a, err := Agree(clusters.Assign, queryLabels)
	s.AMI = 100 * a.AMI
	return s, err
}

// NewReport judges raw pixels, raw pixels at their best, and the named
// encoders, in this order. bank and queries have labels 0 to classes-1.
func NewReport(ctx context.Context, e Extractor, bank, queries data.Source, classes int, encoders ...NamedEncoder) (*Report, error) {
	r := &Report{}
	x, l, err := Pixels(bank)
	if err != nil {
		return nil, err
	}
	y, m, err := Pixels(queries)
	if err != nil {
		return nil, err
	}
	add := func(p Protocol, name string) error {
		s, err := p.Judge(ctx, name, x, l, y, m)
		r.Rows = append(r.Rows, s)
		return err
	}
	if err := add(DefaultProtocol(classes), "raw pixels"); err != nil {
		return nil, err
	}
	if err := add(BestPixels(classes), "raw pixels (best: centred, k 5)"); err != nil {
		return nil, err
	}
	for _, n := range encoders {
		if x, l, err = e.Features(ctx, n.Encoder, bank); err != nil {
			return nil, err
		}
		if y, m, err = e.Features(ctx, n.Encoder, queries); err != nil {
			return nil, err
		}
		if err := add(DefaultProtocol(classes), n.Name); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// NamedEncoder is a row to be: "untrained", "SwAV".
type NamedEncoder struct {
	Name    string
	Encoder Encoder
}
