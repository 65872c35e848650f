package methods

import "fmt"

// Votes are the scores of M queries, by neighbours ([KNN]) or a classifier
// ([Linear]).
type Votes struct {
	Classes int       // 1 + the bank's largest label
	Scores  []float64 // [M, Classes]: KNN sums of exp(s/Temperature), Linear logits
	Pred    []int     // [M]: the class with the largest score; of equal ones the lowest
}

func newVotes(m, classes int) *Votes {
	return &Votes{Classes: classes, Scores: make([]float64, m*classes), Pred: make([]int, m)}
}

// countClasses is 1 + the largest of a bank's labels.
func countClasses(labels []int, rows int) (int, error) {
	if len(labels) != rows {
		return 0, fmt.Errorf("methods: %d labels for a bank of %d rows", len(labels), rows)
	}
	classes := 0
	for i, l := range labels {
		if l < 0 {
			return 0, fmt.Errorf("methods: label %d of bank row %d is negative", l, i)
		}
		classes = max(classes, l+1)
	}
	return classes, nil
}

// decide fills Pred from Scores.
func (v *Votes) decide() {
	for i := range v.Pred {
		scores := v.Scores[i*v.Classes:][:v.Classes]
		for class, s := range scores {
			if s > scores[v.Pred[i]] {
				v.Pred[i] = class
			}
		}
	}
}

// Top1 is the percentage of queries whose predicted class is their label.
// labels is [M].
func (v *Votes) Top1(labels []int) (float64, error) { return v.TopK(1, labels) }

// TopK is the percentage of queries whose label is among the k classes with
// the largest scores, of equal ones the lowest. labels is [M]. Where there are
// no more than k classes it says nothing: 100, less unknown labels.
func (v *Votes) TopK(k int, labels []int) (float64, error) {
	if len(labels) != len(v.Pred) {
		return 0, fmt.Errorf("methods: %d labels for %d queries", len(labels), len(v.Pred))
	}
	hits := 0
	for i, l := range labels {
		if l >= 0 && l < v.Classes && v.rank(i, l) < k {
			hits++
		}
	}
	return 100 * (float64(hits) / float64(len(labels))), nil
}

// rank is how many classes come before class l for query i.
func (v *Votes) rank(i, l int) int {
	scores, before := v.Scores[i*v.Classes:][:v.Classes], 0
	for class, s := range scores {
		if s > scores[l] || s == scores[l] && class < l {
			before++
		}
	}
	return before
}
