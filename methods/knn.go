package methods

import (
	"context"
	"fmt"
	"math"
)

// KNN classifies by weighted vote of the nearest neighbours: rows are
// l2-normalised, s = cosine, and each of a query's K nearest bank rows adds
// exp(s/Temperature) to the score of its label (Wu et al., arXiv 1805.01978,
// section 3.4).
//
// Common settings: K 10, 20, 100 or 200 with temperature 0.07 (DINO), 200 with
// 0.1 (VISSL), 20 with 0.07 (solo-learn).
type KNN struct {
	K           int     // neighbours; at most the bank's rows
	Temperature float64 // at least 1/700, where exp(s/T) still fits
	// Center subtracts the bank's mean row from every row first. It takes
	// away what all images share: on raw pixels it gains several points, on
	// trained features less. Own.
	Center bool
}

// DefaultKNN is K 20, temperature 0.07, not centred.
func DefaultKNN() KNN { return KNN{K: 20, Temperature: 0.07} }

// Validate reports the first setting that is out of range.
func (c KNN) Validate() error {
	if c.K < 1 {
		return fmt.Errorf("methods: KNN.K is %d: at least 1 neighbour", c.K)
	}
	if !(c.Temperature >= 1.0/700) {
		return fmt.Errorf("methods: KNN.Temperature is %v: at least 1/700", c.Temperature)
	}
	return nil
}

// Classify lets the bank, whose rows have these labels (0, 1, ...), vote on
// the queries. Of equally near rows the lower index is the nearer one.
//
// It costs 2·M·N·D floating-point operations and memory for the queries and
// their neighbours; the bank is read in blocks. Errors: settings, shapes,
// values that are not finite, the context's.
func (c KNN) Classify(ctx context.Context, bank Features, labels []int, queries Features) (*Votes, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := bank.check("bank"); err != nil {
		return nil, err
	}
	if err := queries.check("queries"); err != nil {
		return nil, err
	}
	n, m := bank.N(), queries.N()
	if bank.D != queries.D {
		return nil, fmt.Errorf("methods: bank rows have %d numbers, queries %d", bank.D, queries.D)
	}
	classes, err := countClasses(labels, n)
	if err != nil {
		return nil, err
	}
	if c.K > n {
		return nil, fmt.Errorf("methods: KNN.K is %d, but the bank has only %d rows", c.K, n)
	}
	near, err := c.nearest(ctx, bank, queries)
	if err != nil {
		return nil, err
	}
	v := newVotes(m, classes)
	for i := range m {
		scores := v.Scores[i*classes:][:classes]
		for _, nb := range near[i*c.K:][:c.K] {
			scores[labels[nb.index]] += math.Exp(float64(nb.s) / c.Temperature)
		}
	}
	v.decide()
	return v, nil
}

// neighbour is a bank row and its cosine to a query.
type neighbour struct {
	s     float32
	index int32
}

// nearest returns each query's K nearest bank rows, nearest first: [M, K].
func (c KNN) nearest(ctx context.Context, bank, queries Features) ([]neighbour, error) {
	n, m, d := bank.N(), queries.N(), bank.D
	var shift []float64
	if c.Center {
		shift = bank.mean()
	}
	q := Features{make([]float32, m*d), d}
	queries.unit(q, shift)
	near := make([]neighbour, m*c.K)
	for i := range near {
		near[i].s = float32(math.Inf(-1))
	}
	block := Features{make([]float32, min(n, tileBank)*d), d}
	tile := make([]float32, min(m, tileQueries)*block.N())
	var dots similarity
	for lo := 0; lo < n; lo += tileBank {
		b := block.rows(0, min(tileBank, n-lo))
		bank.rows(lo, lo+b.N()).unit(b, shift)
		for qlo := 0; qlo < m; qlo += tileQueries {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			rows := q.rows(qlo, min(qlo+tileQueries, m))
			if err := dots.product(tile, rows, b); err != nil {
				return nil, err
			}
			split(rows.N(), func(from, to int) {
				for i := from; i < to; i++ {
					keep(near[(qlo+i)*c.K:][:c.K], tile[i*b.N():][:b.N()], lo)
				}
			})
		}
	}
	return near, nil
}

// keep merges the cosines of bank rows lo, lo+1, ... into a sorted list. Later
// rows come in only if they are strictly nearer.
func keep(list []neighbour, cosines []float32, lo int) {
	last := len(list) - 1
	for j, s := range cosines {
		if s <= list[last].s {
			continue
		}
		at := last
		for ; at > 0 && s > list[at-1].s; at-- {
			list[at] = list[at-1]
		}
		list[at] = neighbour{s, int32(lo + j)}
	}
}
