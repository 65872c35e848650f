package methods

import (
	"errors"
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
)

// NegativeShare is what Negatives counted of one kind.
type NegativeShare struct {
	Kind      string `json:"kind"`      // views, queue or prototypes
	Anchors   int    `json:"anchors"`   // images that had such negatives; for SwAV, codes
	Negatives int64  `json:"negatives"` // of all anchors together
	Same      int64  `json:"same"`      // those of them that carry their anchor's label
}

// Share is the part of the negatives that carry their anchor's label. With C
// labels of equal frequency, negatives drawn blindly have 1/C.
func (s NegativeShare) Share() float64 { return float64(s.Same) / float64(s.Negatives) }

func (s NegativeShare) String() string {
	return fmt.Sprintf("%s: %.2f %% of %.0f a time", s.Kind, 100*s.Share(), float64(s.Negatives)/float64(s.Anchors))
}

// Shares is what was counted, one for each kind of negatives that a step had.
// The error is a device's.
func (n *Negatives) Shares() ([]NegativeShare, error) {
	var all []NegativeShare
	for _, t := range n.tallies {
		s := NegativeShare{Kind: t.kind}
		for i, negatives := range t.all.v {
			if negatives > 0 {
				s.Anchors++
				s.Negatives += int64(negatives)
				s.Same += int64(t.same.v[i])
			}
		}
		if s.Anchors > 0 {
			all = append(all, s)
		}
	}
	if m, ok := n.Method.(*SwAV); ok {
		if s := n.otherPrototypes(m.Prototypes); s.Anchors > 0 {
			all = append(all, s)
		}
	}
	return all, n.err
}

// assign notes the prototypes that the step's codes choose.
func (n *Negatives) assign(m *SwAV) {
	s := m.observed.codes.Shape()
	if len(n.codes) != s.Len() {
		n.codes = make([]float32, s.Len())
	}
	if err := m.observed.codes.CopyTo(n.codes); err != nil {
		n.err = errors.Join(n.err, err)
		return
	}
	n.choose(Features{n.codes, s.Dim[1]})
	n.assigned.keep()
}

// choose takes the largest column of each row of q [A N, K], of equal ones the
// first.
func (n *Negatives) choose(q Features) {
	for row := range q.N() {
		best, codes := 0, q.Row(row)
		for k, p := range codes {
			if p > codes[best] {
				best = k
			}
		}
		crop, i := row/len(n.images), row%len(n.images)
		n.assigned.v[crop*len(n.labels)+n.images[i]] = float32(best)
	}
}

// otherPrototypes counts, for every code, the k-1 prototypes that it did not
// choose.
func (n *Negatives) otherPrototypes(k int) NegativeShare {
	total := NegativeShare{Kind: "prototypes"}
	members := make([]int, len(n.assigned.v)) // labels, crop by crop
	for i := range members {
		members[i] = n.labels[i%len(n.labels)]
	}
	major := majority(members, func(i int) int { return int(n.assigned.v[i]) }, k, len(n.counts))
	of := make([]int, len(n.counts))
	for _, l := range major {
		if l >= 0 {
			of[l]++
		}
	}
	for i, l := range members {
		own := int(n.assigned.v[i])
		if l < 0 || own < 0 {
			continue
		}
		same := of[l]
		if major[own] == l {
			same--
		}
		total.Anchors++
		total.Negatives += int64(k - 1)
		total.Same += int64(same)
	}
	return total
}

// majority is the label that most members of each of k clusters have, of equal
// counts the lowest, -1 without labelled members. of is the cluster of item i,
// -1 where it has none.
func majority(labels []int, of func(i int) int, k, classes int) []int {
	count := make([]int, k*classes)
	for i, l := range labels {
		if c := of(i); c >= 0 && l >= 0 {
			count[c*classes+l]++
		}
	}
	major := make([]int, k)
	for c := range major {
		major[c] = -1
		most := 0
		for l, n := range count[c*classes : (c+1)*classes] {
			if n > most {
				major[c], most = l, n
			}
		}
	}
	return major
}

// State lists the method's tensors and negatives.*.
func (n *Negatives) State() []*autograd.Param {
	s := n.Method.State()
	for _, r := range n.records() {
		s = append(s, r.param)
	}
	return s
}

func (n *Negatives) records() []*record {
	var all []*record
	for _, t := range n.tallies {
		all = append(all, t.same, t.all)
	}
	for _, r := range []*record{n.queue, n.assigned} {
		if r != nil {
			all = append(all, r)
		}
	}
	return all
}

// Loaded takes up what was counted.
func (n *Negatives) Loaded() error {
	if err := n.Method.Loaded(); err != nil {
		return err
	}
	for _, r := range n.records() {
		if err := r.load(); err != nil {
			return err
		}
	}
	if n.queue != nil {
		clear(n.counts)
		for i, l := range n.queue.v {
			if int(l) >= len(n.counts) {
				return fmt.Errorf("negatives: %s[%d] is %v, there are %d labels", n.queue.param.Name, i, l, len(n.counts))
			}
			if l >= 0 {
				n.counts[int(l)]++
			}
		}
	}
	if m, ok := n.Method.(*SwAV); ok {
		for i, k := range n.assigned.v {
			if int(k) >= m.Prototypes {
				return fmt.Errorf("negatives: %s[%d] is %v, there are %d prototypes", n.assigned.param.Name, i, k, m.Prototypes)
			}
		}
	}
	n.name()
	return nil
}

// observe shows the method's step to a Monitor.
func (n *Negatives) observe() observed { return n.Method.(observable).observe() }
