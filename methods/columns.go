package methods

import "github.com/sectile-ml/sectile/data"

// Denominator says over which prototypes ProtoNCE's softmax runs.
type Denominator string

// The denominators.
const (
	// SampledPrototypes is the authors' code: the N prototypes of the batch's images,
	// in batch order, each as often as it occurs, and r others. Two images of
	// one cluster see each other's identical column as a negative.
	SampledPrototypes Denominator = "sampled"
	// DistinctPrototypes is SampledPrototypes with each prototype once.
	DistinctPrototypes Denominator = "distinct"
	// EveryPrototype has each of the K prototypes once: nothing is drawn.
	EveryPrototype Denominator = "every"
)

// NegativePurpose is the purpose of the stream that negative prototypes are
// drawn from, keyed by iteration, clustering and rank.
const NegativePurpose data.Purpose = 16

// columns are the columns of one clustering's logits in a step: ids [C], bias
// [C] (0, or excluded where a column is not used), and the column labels [N]
// of each image's own prototype.
type columns struct {
	ids, labels []int32
	bias        []float32

	place []int // [K]: column of a prototype of the batch, -1: none
	pool  []int32
}

func newColumns(d Denominator, n, r, k int) *columns {
	c := &columns{labels: make([]int32, n), place: make([]int, k), pool: make([]int32, 0, k)}
	size := n + r
	if d == EveryPrototype {
		size = k
	}
	c.ids, c.bias = make([]int32, size), make([]float32, size)
	for i := range c.ids[:min(size, k)] {
		c.ids[i] = int32(i)
	}
	for i := range c.place {
		c.place[i] = -1
	}
	return c
}

// every takes all prototypes; own are those of the batch's images.
func (c *columns) every(own []int32) { copy(c.labels, own) }

// sample takes the prototypes of the batch's images and r of the others up to
// id last, without replacement, by a Fisher-Yates shuffle of them in ascending
// order. It returns how many others there were: the columns that are missing
// to r are excluded.
func (c *columns) sample(own []int32, distinct bool, last int32, s *data.Stream) (pool int) {
	n := len(own)
	for i, id := range own {
		c.ids[i], c.bias[i], c.labels[i] = id, 0, int32(i)
		switch first := c.place[id]; {
		case first < 0:
			c.place[id] = i
		case distinct:
			c.bias[i], c.labels[i] = excluded, int32(first)
		}
	}
	c.pool = c.pool[:0]
	for id := range last + 1 {
		if c.place[id] < 0 {
			c.pool = append(c.pool, id)
		}
	}
	for j := range c.ids[n:] {
		c.ids[n+j], c.bias[n+j] = 0, excluded
		if left := len(c.pool) - j; left > 0 {
			at := j + s.IntN(left)
			c.pool[j], c.pool[at] = c.pool[at], c.pool[j]
			c.ids[n+j], c.bias[n+j] = c.pool[j], 0
		}
	}
	for _, id := range own {
		c.place[id] = -1
	}
	return len(c.pool)
}
