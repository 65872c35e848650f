package methods

import (
	"fmt"
	"math"

	"github.com/sectile-ml/sectile/autograd"
)

// Monitor watches a run for collapse: embeddings that no longer tell images
// apart. It looks at the values of every Every-th step, which costs a few
// milliseconds, and warns of what it saw three times in a row, each thing once.
// The figures change no number of the run.
type Monitor struct {
	Every int // 100

	rows, codes []float32
	look        observed
	seen        [alarms]int
	health      Health
}

// Health is what a Monitor saw in a step, of the batch's first views.
type Health struct {
	// CodeEntropy is the mean entropy of an image's code, for PCL that of the
	// sizes of the largest clustering, as a share of ln K: 1 says nothing
	// about the image. Without prototypes it is NaN.
	CodeEntropy float64
	Used, K     int     // prototypes that some image belongs to, of K; 0 of 0: there are none
	Cosine      float64 // mean cosine between embeddings of different images: 1 is collapse
	Rank        float64 // EffectiveRank of features, of 128 images at most
	Dead        float64 // share of features that are 0 for every image
	// Warnings are new: what is wrong and what is known to help.
	Warnings []string
}

// observed are the values of a step that a Monitor looks at, kept by the tape.
type observed struct {
	images     int           // N
	features   *autograd.Var // [N or more, F], of the encoder that is trained
	embeddings *autograd.Var // [N or more, D], unit rows
	codes      *autograd.Var // [N or more, K], distributions over prototypes; nil: none
	sizes      []int         // [K], members of clusters; nil: none
	remedies   string
}

// observable is a Method that shows its last step.
type observable interface{ observe() observed }

// What a monitor warns of.
const (
	alarmCosine = iota
	alarmRank
	alarmDead
	alarmCodes
	alarmUnused
	alarms
)

// Look is the health of method m after a step that t ran: nil where m shows
// nothing. It is overwritten by the next call.
func (w *Monitor) Look(m Method) (*Health, error) {
	o, ok := m.(observable)
	if !ok {
		return nil, nil
	}
	w.look = o.observe()
	w.health = Health{CodeEntropy: math.NaN()}
	z, err := w.read(&w.rows, w.look.embeddings)
	if err != nil {
		return nil, err
	}
	w.health.Cosine = meanCosine(z)
	f, err := w.read(&w.rows, w.look.features)
	if err != nil {
		return nil, err
	}
	w.health.Rank, w.health.Dead = EffectiveRank(f.rows(0, min(128, f.N()))), deadShare(f)
	limit := float64(min(f.D, f.N()-1, 127))
	if err := w.assignments(); err != nil {
		return nil, err
	}
	w.warn(limit)
	return &w.health, nil
}

// read copies the rows of the batch's first views into buf.
func (w *Monitor) read(buf *[]float32, v *autograd.Var) (Features, error) {
	s := v.Shape()
	if n := s.Len(); cap(*buf) < n {
		*buf = make([]float32, n)
	}
	x := (*buf)[:s.Len()]
	err := v.CopyTo(x)
	return Features{x, s.Dim[1]}.rows(0, min(w.look.images, s.Dim[0])), err
}

// assignments fills in what there is to say of prototypes.
func (w *Monitor) assignments() error {
	h := &w.health
	switch {
	case w.look.codes != nil:
		q, err := w.read(&w.codes, w.look.codes)
		if err != nil {
			return err
		}
		h.K = q.D
		h.CodeEntropy, h.Used = codeEntropy(q)
	case w.look.sizes != nil:
		h.K, h.CodeEntropy = len(w.look.sizes), 0
		total := 0
		for _, n := range w.look.sizes {
			total += n
		}
		for _, n := range w.look.sizes {
			if n > 0 {
				h.Used++
				p := float64(n) / float64(total)
				h.CodeEntropy -= p * math.Log(p) / math.Log(float64(h.K))
			}
		}
	}
	return nil
}

// warn raises each alarm the third time in a row that its reason holds.
func (w *Monitor) warn(maxRank float64) {
	h := &w.health
	perImage := w.look.codes != nil
	for alarm, c := range [alarms]struct {
		bad  bool
		what string
	}{
		alarmCosine: {h.Cosine > 0.95, fmt.Sprintf("embeddings of different images are nearly equal (mean cosine %.3f)", h.Cosine)},
		alarmRank:   {h.Rank < 0.03*maxRank, fmt.Sprintf("features span about %.1f directions of %.0f", h.Rank, maxRank)},
		alarmDead:   {h.Dead > 0.5, fmt.Sprintf("%.0f %% of the features are 0 for every image", 100*h.Dead)},
		alarmCodes:  {perImage && h.CodeEntropy > 0.98, fmt.Sprintf("codes say nothing about images (entropy %.3f of ln %d, where the loss is stuck)", h.CodeEntropy, h.K)},
		alarmUnused: {h.K > 0 && (perImage && h.Used < min(h.K, w.look.images)/10 || !perImage && h.CodeEntropy < 0.5), fmt.Sprintf("few prototypes have nearly all images (%d of %d are in use)", h.Used, h.K)},
	} {
		if w.seen[alarm]++; !c.bad {
			w.seen[alarm] = 0
		}
		if w.seen[alarm] == 3 {
			h.Warnings = append(h.Warnings, c.what+"; what is known to help: "+w.look.remedies)
		}
	}
}

// meanCosine is the mean inner product of different unit rows:
// (|sum z|² - n) / (n (n-1)).
func meanCosine(z Features) float64 {
	n, sum := float64(z.N()), 0.0
	for _, m := range z.mean() {
		sum += m * n * m * n
	}
	return (sum - n) / (n * (n - 1))
}

// deadShare is the share of columns that are 0 in every row.
func deadShare(f Features) float64 {
	dead := 0
	for j := range f.D {
		alive := false
		for i := 0; i < f.N() && !alive; i++ {
			alive = f.X[i*f.D+j] != 0
		}
		if !alive {
			dead++
		}
	}
	return float64(dead) / float64(f.D)
}

// codeEntropy is the mean entropy of rows of q over ln K, and the number of
// columns that are some row's largest.
func codeEntropy(q Features) (entropy float64, used int) {
	taken := make([]bool, q.D)
	for i := range q.N() {
		best, row := 0, q.Row(i)
		for k, p := range row {
			if p > 0 {
				entropy -= float64(p) * math.Log(float64(p))
			}
			if p > row[best] {
				best = k
			}
		}
		taken[best] = true
	}
	for _, t := range taken {
		if t {
			used++
		}
	}
	return entropy / (float64(q.N()) * math.Log(float64(q.D))), used
}
