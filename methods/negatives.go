package methods

import (
	"context"
	"fmt"
	"slices"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/kernels"
)

// Negatives is a Method that trains another and counts beside it how many of
// an image's negatives carry the label of the image: what a contrast pushes
// apart although it shows the same kind of thing, PCL's "class collision"
// (arXiv 2005.04966, section 1). Labels are counted, never learned from: the
// tensors of the method are the same bits with and without.
//
// Kinds of negatives, for an image (the anchor) of a batch of N:
//
//	views       SimCLR: the other 2N-2 rows of the batch
//	queue       MoCo, PCL: the L keys that the step's logits saw. Rows from
//	            before the first key carry no label.
//	prototypes  PCL: the columns of each clustering's denominator, but for the
//	            image's own. SwAV: the K-1 prototypes but for the one that is
//	            largest in a crop's code.
//
// A prototype carries the label that most of its members have, of equal counts
// the lowest: members are the images of the cluster (PCL), or the images that
// were last assigned to it (SwAV). One without members carries none.
//
// What counts is each image's last step. It is kept in State, as negatives.*,
// so a run that is resumed counts on. It costs a few microseconds a step.
type Negatives struct {
	Method
	labels []int // of all images, -1: none
	images []int // of the batch
	batch  []int // their labels
	counts []int // by label, of the keys in the queue
	same   []int // by label, of a step

	tallies  []*tally
	queue    *record // [L], the label of each key
	assigned *record // [A, images], the last prototype of each image, by assigning crop
	major    [][]int // label of each prototype, by clustering
	codes    []float32
	err      error
}

// record is a tensor of whole numbers, -1 where nothing is known yet.
type record struct {
	param *autograd.Param
	v     []float32
}

func newRecord(b kernels.Backend, name string, n int) *record {
	r := &record{autograd.NewState(b, "negatives."+name, n), make([]float32, n)}
	for i := range r.v {
		r.v[i] = -1
	}
	r.keep()
	return r
}

func (r *record) keep()       { r.param.Value.SetFloat32s(r.v) }
func (r *record) load() error { return r.param.Value.CopyTo(r.v) }

// tally is how many negatives of a kind each image had in its last step, and
// how many of them carried its label.
type tally struct {
	kind      string
	same, all *record // [images]
}

// WatchNegatives makes m, one of this package's methods on one rank, count
// among images with these labels, -1 for none. A trainer gets it by
//
//	t.Method, err = WatchNegatives(b, t.Method, labels)
//
// before it is resumed or trains.
func WatchNegatives(b kernels.Backend, m Method, labels []int) (*Negatives, error) {
	n := &Negatives{Method: m, labels: labels}
	classes := slices.Max(append([]int{-1}, labels...)) + 1
	n.counts, n.same = make([]int, classes), make([]int, classes)
	watch := func(kinds ...string) {
		for _, k := range kinds {
			n.tallies = append(n.tallies, &tally{k, newRecord(b, k+".same", len(labels)), newRecord(b, k+".all", len(labels))})
		}
	}
	group := 1
	switch m := m.(type) {
	case *SimCLR:
		group = ranks(m.Group)
		watch("views")
	case *MoCo:
		group = ranks(m.Group)
		watch("queue")
		n.queue = newRecord(b, "labels", m.Queue)
	case *PCL:
		group = ranks(m.Group)
		watch("queue", "prototypes")
		n.queue = newRecord(b, "labels", m.Queue)
		n.major = make([][]int, len(m.sets))
	case *SwAV:
		group = m.ranks()
		n.assigned = newRecord(b, "assigned", len(m.Assign)*len(labels))
	default:
		return nil, fmt.Errorf("negatives: %T has none that are known", m)
	}
	if group > 1 {
		return nil, fmt.Errorf("negatives: %d ranks: they are counted on one", group)
	}
	return n, nil
}

// Indexes takes the batch's images.
func (n *Negatives) Indexes(images []int) {
	n.images = append(n.images[:0], images...)
	n.batch = n.batch[:0]
	for _, i := range images {
		n.batch = append(n.batch, n.labels[i])
	}
	if m, ok := n.Method.(Indexed); ok {
		m.Indexes(images)
	}
}

// EpochStart is the method's; the prototypes of its E-step get their labels.
func (n *Negatives) EpochStart(ctx context.Context, epoch int) error {
	err := n.Method.EpochStart(ctx, epoch)
	n.name()
	return err
}

// name finds the labels of PCL's prototypes.
func (n *Negatives) name() {
	if m, ok := n.Method.(*PCL); ok && m.ready {
		for i, s := range m.sets {
			n.major[i] = majority(n.labels, func(image int) int { return int(s.of[image]) }, len(s.members), len(n.counts))
		}
	}
}

// AfterStep counts the negatives that the step had.
func (n *Negatives) AfterStep() {
	n.Method.AfterStep()
	switch m := n.Method.(type) {
	case *SimCLR:
		n.views()
	case *MoCo:
		n.keys(m.queue)
	case *PCL:
		n.keys(m.moco.queue)
		if m.active {
			n.prototypes(m)
		}
	case *SwAV:
		n.assign(m)
	}
	for _, t := range n.tallies {
		t.same.keep()
		t.all.keep()
	}
}

// views counts the other rows of the batch.
func (n *Negatives) views() {
	clear(n.same)
	for _, l := range n.batch {
		if l >= 0 {
			n.same[l]++
		}
	}
	t := n.tallies[0]
	for i, l := range n.batch {
		if l >= 0 {
			t.set(n.images[i], 2*(n.same[l]-1), 2*len(n.batch)-2)
		}
	}
}

// set is what image i had in its last step.
func (t *tally) set(i, same, all int) { t.same.v[i], t.all.v[i] = float32(same), float32(all) }

// keys counts the queue as the step saw it, then puts the labels of the batch
// where its keys are: the ring has moved on already.
func (n *Negatives) keys(q *Ring) {
	t, l := n.tallies[0], len(n.queue.v)
	for i, label := range n.batch {
		if label >= 0 {
			t.set(n.images[i], n.counts[label], l)
		}
	}
	for i, label := range n.batch {
		at := &n.queue.v[(q.next-len(n.batch)+i+l)%l]
		if *at >= 0 {
			n.counts[int(*at)]--
		}
		if *at = float32(label); label >= 0 {
			n.counts[label]++
		}
	}
	n.queue.keep()
}

// prototypes counts the columns of PCL's denominators.
func (n *Negatives) prototypes(m *PCL) {
	t := n.tallies[1]
	for _, i := range n.images {
		t.set(i, 0, 0)
	}
	for k, s := range m.sets {
		clear(n.same)
		columns := 0
		for j, id := range s.columns.ids {
			if s.columns.bias[j] != 0 {
				continue
			}
			columns++
			if l := n.major[k][id]; l >= 0 {
				n.same[l]++
			}
		}
		for i, l := range n.batch {
			if l < 0 {
				continue
			}
			same := n.same[l]
			if own := s.columns.ids[s.columns.labels[i]]; n.major[k][own] == l {
				same--
			}
			t.same.v[n.images[i]] += float32(same)
			t.all.v[n.images[i]] += float32(columns - 1)
		}
	}
}
