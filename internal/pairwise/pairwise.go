// Package pairwise makes covering arrays of strength two for tests: rows of
// factor levels in which any two levels of two factors meet at least once.
// Most mistakes need one or two unlucky choices at a time (Kuhn et al.,
// "Software Fault Interactions and Implications for Software Testing", 2004),
// and the rows grow with the product of the two largest factors where a full
// grid grows with the product of all.
//
// Rows are grown greedily, as AETG does (Cohen et al. 1997): a row begins with
// a pair that is still missing, then every other factor takes the level that
// brings most new pairs.
package pairwise

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Open is the level of a factor that a row has not set yet.
const Open = -1

// Factor is one choice: levels 0..Levels-1.
type Factor struct {
	Name   string
	Levels int
}

// Rule says which levels of some factors go together. A factor is in at most
// one rule: then what is allowed to a few factors of a row can always be
// completed to a row, and a pair is possible exactly if its rules say so.
type Rule struct {
	On    []int                   // factors
	Holds func(levels []int) bool // levels of On, in order
}

// Plan is what to cover.
type Plan struct {
	Factors []Factor
	Rules   []Rule
	// Cost is the least that a row with Open factors can cost, 1 being what a
	// case should; rows pass that only where a missing pair leaves no choice.
	// Nil is 0.
	Cost func(row []int) float64
	Seed uint64
}

// Cover makes rows that cover all possible pairs. The same plan gives the same
// rows.
func (p *Plan) Cover() [][]int {
	c := p.start()
	r := rand.New(rand.NewPCG(p.Seed, 0))
	var rows [][]int
	for c.left > 0 {
		row := c.row(r)
		c.take(row)
		rows = append(rows, row)
	}
	return rows
}

// Missing names the possible pairs that no row has, and the first row that
// breaks a rule, by a count of its own.
func (p *Plan) Missing(rows [][]int) (missing []string, err error) {
	c := p.start()
	for _, row := range rows {
		for i := range p.Factors {
			if row[i] < 0 || row[i] >= p.Factors[i].Levels || !c.allowed(row, i) {
				return nil, fmt.Errorf("row %v: %s", row, p.Factors[i].Name)
			}
		}
	}
	seen := map[[4]int]bool{}
	for _, row := range rows {
		for i := range row {
			for j := range i {
				seen[[4]int{j, row[j], i, row[i]}] = true
			}
		}
	}
	for i := range p.Factors {
		for j := range i {
			for a := range p.Factors[j].Levels {
				for b := range p.Factors[i].Levels {
					if c.possible(j, a, i, b) && !seen[[4]int{j, a, i, b}] {
						missing = append(missing, fmt.Sprintf("%s=%d %s=%d", p.Factors[j].Name, a, p.Factors[i].Name, b))
					}
				}
			}
		}
	}
	return missing, nil
}

// cover is a covering in the making.
type cover struct {
	*Plan
	rule  []int             // of each factor, or -1
	known []map[uint64]bool // what a rule says to some levels
	open  [][]bool          // [pair of factors][levels]: still missing
	left  int
	first int // pairs of factors before this one are covered
}

func (p *Plan) start() *cover {
	c := &cover{Plan: p, rule: slices.Repeat([]int{-1}, len(p.Factors))}
	for i, r := range p.Rules {
		c.known = append(c.known, map[uint64]bool{})
		for _, f := range r.On {
			if c.rule[f] >= 0 {
				panic("pairwise: factor " + p.Factors[f].Name + " is in two rules")
			}
			c.rule[f] = i
		}
	}
	for i := range p.Factors {
		for j := range i {
			n := p.Factors[i].Levels
			open := make([]bool, p.Factors[j].Levels*n)
			for k := range open {
				if open[k] = c.possible(j, k/n, i, k%n); open[k] {
					c.left++
				}
			}
			c.open = append(c.open, open)
		}
	}
	return c
}

// pair is where a pair of levels stands in open.
func (c *cover) pair(i, a, j, b int) *bool {
	if i < j {
		i, a, j, b = j, b, i, a
	}
	return &c.open[i*(i-1)/2+j][b*c.Factors[i].Levels+a]
}

// possible reports whether some row has a pair.
func (c *cover) possible(i, a, j, b int) bool {
	row := slices.Repeat([]int{Open}, len(c.Factors))
	row[i], row[j] = a, b
	return c.allowed(row, i) && c.allowed(row, j)
}

// allowed reports whether the rule of a factor can hold when the Open factors
// of the row are chosen well.
func (c *cover) allowed(row []int, factor int) bool {
	i := c.rule[factor]
	if i < 0 {
		return true
	}
	var key uint64
	levels := make([]int, len(c.Rules[i].On))
	for k, f := range c.Rules[i].On {
		levels[k] = row[f]
		key = key*uint64(c.Factors[f].Levels+1) + uint64(row[f]+1)
	}
	holds, ok := c.known[i][key]
	if !ok {
		holds = c.completes(&c.Rules[i], levels, 0)
		c.known[i][key] = holds
	}
	return holds
}

// completes tries all levels of the Open factors from k on.
func (c *cover) completes(r *Rule, levels []int, k int) bool {
	if k == len(levels) {
		return r.Holds(levels)
	}
	if levels[k] != Open {
		return c.completes(r, levels, k+1)
	}
	defer func() { levels[k] = Open }()
	for levels[k] = range c.Factors[r.On[k]].Levels {
		if c.completes(r, levels, k+1) {
			return true
		}
	}
	return false
}

// row makes a row that has at least one missing pair.
func (c *cover) row(r *rand.Rand) []int {
	row := slices.Repeat([]int{Open}, len(c.Factors))
	c.missing(row)
	for _, f := range r.Perm(len(row)) {
		if row[f] == Open {
			row[f] = c.best(row, f, r)
		}
	}
	return row
}

// missing sets the first pair that is missing.
func (c *cover) missing(row []int) {
	at := 0
	for i := range c.Factors {
		for j := range i {
			if at >= c.first {
				if k := slices.Index(c.open[at], true); k >= 0 {
					c.first = at
					row[j], row[i] = k/c.Factors[i].Levels, k%c.Factors[i].Levels
					return
				}
			}
			at++
		}
	}
}

// best is the level of a factor that is allowed, costs at most 1, and brings
// most missing pairs with the levels that the row has; else the cheapest.
func (c *cover) best(row []int, f int, r *rand.Rand) int {
	best, most, least := Open, -1, math.Inf(1)
	n := c.Factors[f].Levels
	first := r.IntN(n)
	for k := range n {
		row[f] = (first + k) % n
		if !c.allowed(row, f) {
			continue
		}
		cost := 1.0
		if c.Cost != nil {
			cost = max(cost, c.Cost(row))
		}
		gain := 0
		for g, b := range row {
			if g != f && b != Open && *c.pair(f, row[f], g, b) {
				gain++
			}
		}
		if cost < least || cost == least && gain > most {
			best, most, least = row[f], gain, cost
		}
	}
	return best
}

// take marks the pairs of a row as covered.
func (c *cover) take(row []int) {
	for i, a := range row {
		for j, b := range row[:i] {
			if p := c.pair(i, a, j, b); *p {
				*p = false
				c.left--
			}
		}
	}
}
