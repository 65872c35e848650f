package methods

import (
	"errors"
	"fmt"
	"math"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/dist"
)

// SwAVConfig are the settings of SwAV. Comments give the value for ImageNet
// with a ResNet-50 at batch 4096 (64 devices) and, after "small:", at batch
// 256 (arXiv 2006.09882, appendix A and D, and the authors' scripts).
type SwAVConfig struct {
	Crops data.MultiCrop `json:"crops"` // 2x224 scale 0.14-1, 6x96 scale 0.05-0.14
	Batch int            `json:"batch"` // N, images a step on each rank: 64; small: 64 on 4
	// Assign are the crops whose codes the others predict: 0, 1.
	Assign      []int    `json:"assign"`
	Hidden      int      `json:"hidden"`      // width of the head: 2048; 8192 for wide nets
	Dim         int      `json:"dim"`         // D, length of embeddings: 128
	Prototypes  int      `json:"prototypes"`  // K: 3000
	Temperature float64  `json:"temperature"` // tau: 0.1
	Sinkhorn    Sinkhorn `json:"sinkhorn"`    // epsilon 0.05, 3 rounds; 0.03 for 800 epochs
	Freeze      int      `json:"freeze"`      // first iterations with fixed prototypes: 313; small: 5005
	// Queue is the number of embeddings that Sinkhorn sees besides the batch,
	// over all ranks, rounded down to a multiple of the global batch: none;
	// small: 3840.
	Queue      int        `json:"queue"`
	QueueStart int        `json:"queue_start"` // epochs before it begins to fill; small: 15
	Group      dist.Group `json:"-"`           // the ranks; nil: this one alone
}

// DefaultSwAV is the paper's setting at batch 4096.
func DefaultSwAV() SwAVConfig {
	return SwAVConfig{
		Crops:  data.MultiCrop{{Count: 2, Size: 224, Scale: [2]float64{0.14, 1}}, {Count: 6, Size: 96, Scale: [2]float64{0.05, 0.14}}},
		Batch:  64,
		Assign: []int{0, 1}, Hidden: 2048, Dim: 128,
		Prototypes: 3000, Temperature: 0.1, Sinkhorn: DefaultSinkhorn(), Freeze: 313,
	}
}

// views is V, the number of crops of an image.
func (c SwAVConfig) views() int {
	v := 0
	for _, crop := range c.Crops {
		v += crop.Count
	}
	return v
}

// ranks is the number of ranks.
func (c SwAVConfig) ranks() int {
	if c.Group == nil {
		return 1
	}
	return c.Group.Size()
}

// queueRows is L, the length of one rank's queue.
func (c SwAVConfig) queueRows() int { return c.Queue / (c.Batch * c.ranks()) * c.Batch }

// Validate reports every setting that no run can have, one sentence each.
func (c SwAVConfig) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("swav: "+format, args...))
		}
	}
	v, seen := c.views(), map[int]bool{}
	want(c.Batch >= 2, "batch %d: batch norm takes statistics over the images of a rank, at least 2", c.Batch)
	want(v >= 2, "%d crops: one predicts the code of another, at least 2", v)
	want(len(c.Assign) > 0, "no assigning crop: name at least one (0 and 1 in the paper)")
	for _, a := range c.Assign {
		want(0 <= a && a < v, "assigning crop %d: there are crops 0 to %d", a, v-1)
		want(!seen[a], "assigning crop %d is named twice", a)
		seen[a] = true
	}
	pairs := len(autograd.SoftConfig{}.Pairs)
	want(len(c.Assign)*(v-1) <= pairs, "%d assigning crops of %d: at most %d pairs of crops are compared", len(c.Assign), v, pairs)
	want(c.Hidden >= 1, "head of width %d: at least 1 (2048 in the paper)", c.Hidden)
	want(c.Dim >= 1, "embeddings of %d numbers: at least 1 (128 in the paper)", c.Dim)
	want(c.Prototypes >= 2, "%d prototypes: at least 2 (3000 in the paper)", c.Prototypes)
	want(c.Temperature > 0 && !math.IsInf(c.Temperature, 0), "temperature %v: it divides the scores, so it is more than 0 (0.1 in the paper)", c.Temperature)
	if err := c.Sinkhorn.Validate(); err != nil {
		errs = append(errs, err)
	}
	want(c.Freeze >= 0, "prototypes frozen for %d iterations: at least 0", c.Freeze)
	if c.Batch >= 2 {
		want(c.Queue == 0 || c.queueRows() > 0, "queue of %d: it holds whole steps of %d images, so at least that many, or 0 for none", c.Queue, c.Batch*c.ranks())
	}
	want(c.QueueStart >= 0, "queue_start %d: number of epochs before the queue begins to fill, at least 0", c.QueueStart)
	return errors.Join(errs...)
}

// Warnings are settings that run and seldom help.
func (c SwAVConfig) Warnings() []string {
	var w []string
	all := c.Batch * c.ranks()
	if n := all + c.queueRows()*c.ranks(); c.Prototypes > n {
		w = append(w, fmt.Sprintf("swav: %d prototypes share %d samples a step, so most get none: use at most %d, a larger batch or a queue", c.Prototypes, n, n))
	}
	if got := c.queueRows() * c.ranks(); c.Queue != got {
		w = append(w, fmt.Sprintf("swav: queue of %d rounded down to %d, a multiple of the batch of %d", c.Queue, got, all))
	}
	return w
}
