package pairwise

import (
	"reflect"
	"slices"
	"testing"
)

// small has a rule that forbids some pairs at once and others only because no
// level of a third factor goes with them.
func small() *Plan {
	return &Plan{
		Factors: []Factor{{"a", 5}, {"b", 4}, {"c", 3}, {"d", 3}, {"e", 2}, {"f", 2}},
		Rules:   []Rule{{On: []int{0, 1, 3}, Holds: func(l []int) bool { return l[0] <= l[1]+l[2] }}},
		Seed:    1,
	}
}

func TestCover(t *testing.T) {
	p := small()
	rows := p.Cover()
	if missing, err := p.Missing(rows); err != nil || len(missing) > 0 {
		t.Fatalf("missing %v, %v", missing, err)
	}
	if len(rows) < 16 || len(rows) > 26 {
		t.Errorf("%d rows; the pairs of a and b alone need 16 to 20", len(rows))
	}
	if !reflect.DeepEqual(rows, small().Cover()) {
		t.Error("another array from the same plan")
	}
	// Any row but the redundant ones is needed for some pair.
	found := 0
	for i := range rows {
		if missing, _ := p.Missing(slices.Delete(slices.Clone(rows), i, i+1)); len(missing) > 0 {
			found++
		}
	}
	if found < len(rows)/2 {
		t.Errorf("Missing notices %d of %d rows taken away", found, len(rows))
	}
	rows[0] = []int{4, 0, 0, 0, 0, 0}
	if _, err := p.Missing(rows); err == nil {
		t.Error("a row that breaks the rule passes")
	}
}

// TestPossible holds the possible pairs to a search through the whole grid.
func TestPossible(t *testing.T) {
	p := small()
	c := p.start()
	seen := map[[4]int]bool{}
	row := make([]int, len(p.Factors))
	var grid func(k int)
	grid = func(k int) {
		if k < len(row) {
			for row[k] = range p.Factors[k].Levels {
				grid(k + 1)
			}
			return
		}
		if row[0] > row[1]+row[3] {
			return
		}
		for i := range row {
			for j := range i {
				seen[[4]int{j, row[j], i, row[i]}] = true
			}
		}
	}
	grid(0)
	for i := range p.Factors {
		for j := range i {
			for a := range p.Factors[j].Levels {
				for b := range p.Factors[i].Levels {
					if got := c.possible(j, a, i, b); got != seen[[4]int{j, a, i, b}] {
						t.Errorf("%s=%d %s=%d: possible %v", p.Factors[j].Name, a, p.Factors[i].Name, b, got)
					}
				}
			}
		}
	}
}

// TestCost: rows stay small where a missing pair leaves the choice.
func TestCost(t *testing.T) {
	p := &Plan{Factors: []Factor{{"a", 9}, {"b", 9}, {"c", 9}, {"d", 9}}, Seed: 2}
	size := func(row []int) int {
		n := 1
		for _, l := range row {
			n *= max(l, 0) + 1
		}
		return n
	}
	p.Cost = func(row []int) float64 { return float64(size(row)) / 100 }
	rows := p.Cover()
	if missing, err := p.Missing(rows); err != nil || len(missing) > 0 {
		t.Fatalf("missing %v, %v", missing, err)
	}
	for _, row := range rows {
		if size(row) > 100 {
			t.Errorf("row %v has size %d", row, size(row))
		}
	}
	p.Rules = []Rule{{On: []int{0, 1}}, {On: []int{1, 2}}} // a mistake of the plan
	defer func() {
		if recover() == nil {
			t.Error("a factor is in two rules")
		}
	}()
	p.Cover()
}
