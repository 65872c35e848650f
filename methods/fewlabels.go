package methods

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// FewLabels asks how well features serve who has labelled only a few images:
// PerClass bank rows of each class are drawn without replacement, they alone
// vote by KNN, and this is done Draws times. Draw t takes its numbers from the
// PCG stream (Seed, t), so one seed gives every encoder the same sets. Own.
type FewLabels struct {
	PerClass int
	Draws    int
	Seed     uint64
	KNN      KNN
}

// DefaultFewLabels is 10 labels a class, 10 draws, K 5, temperature 0.07.
func DefaultFewLabels() FewLabels {
	return FewLabels{PerClass: 10, Draws: 10, KNN: KNN{K: 5, Temperature: 0.07}}
}

// Validate reports the first setting that is out of range.
func (c FewLabels) Validate() error {
	if c.PerClass < 1 {
		return fmt.Errorf("methods: FewLabels.PerClass is %d: at least 1", c.PerClass)
	}
	if c.Draws < 1 {
		return fmt.Errorf("methods: FewLabels.Draws is %d: at least 1", c.Draws)
	}
	return c.KNN.Validate()
}

// Top1 returns the percentage of correct queries for each drawn set; the
// protocol's figure is their mean. A class of the bank with fewer than
// PerClass rows is an error, a label that no row has is not.
func (c FewLabels) Top1(ctx context.Context, bank Features, labels []int, queries Features, queryLabels []int) ([]float64, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := bank.check("bank"); err != nil {
		return nil, err
	}
	if len(labels) != bank.N() {
		return nil, fmt.Errorf("methods: %d labels for a bank of %d rows", len(labels), bank.N())
	}
	members := map[int][]int{}
	for i, l := range labels {
		members[l] = append(members[l], i)
	}
	top1 := make([]float64, c.Draws)
	for t := range top1 {
		set, setLabels, err := c.draw(rand.New(rand.NewPCG(c.Seed, uint64(t))), bank, members)
		if err != nil {
			return nil, err
		}
		v, err := c.KNN.Classify(ctx, set, setLabels, queries)
		if err != nil {
			return nil, err
		}
		if top1[t], err = v.Top1(queryLabels); err != nil {
			return nil, err
		}
	}
	return top1, nil
}

// draw picks PerClass rows of each class, classes in ascending order.
func (c FewLabels) draw(r *rand.Rand, bank Features, members map[int][]int) (Features, []int, error) {
	set := Features{D: bank.D}
	var labels []int
	for _, class := range slices.Sorted(maps.Keys(members)) {
		rows := members[class]
		if len(rows) < c.PerClass {
			return set, nil, fmt.Errorf("methods: class %d has %d rows in the bank, FewLabels.PerClass is %d", class, len(rows), c.PerClass)
		}
		for _, p := range r.Perm(len(rows))[:c.PerClass] {
			set.X = append(set.X, bank.Row(rows[p])...)
			labels = append(labels, class)
		}
	}
	return set, labels, nil
}
