package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/tensor"
)

// metrics writes metrics.jsonl of a run's folder: one JSON object a line,
// about 20 lines an epoch.
type metrics struct {
	f      *os.File
	w      *bufio.Writer
	every  int // steps a line
	steps  int // an epoch
	sum    float64
	n      int
	health *vitals       // since the last line
	esteps []estep       // since the last line
	last   *metricsLine  // not written yet: an epoch's may get figures
	before time.Duration // what earlier sessions of the run took
	start  time.Time
}

// metricsLine is the mean loss of the steps since the line before.
type metricsLine struct {
	Epoch       int     `json:"epoch"`     // from 1
	Iteration   int     `json:"iteration"` // steps done
	Loss        float64 `json:"loss"`
	Rate        float64 `json:"rate"` // learning rate of the last step
	ImagesPerS  float64 `json:"images_per_s"`
	WaitPercent float64 `json:"wait_percent"` // of the time so far went by waiting for images
	Seconds     float64 `json:"seconds"`      // of training since the run began
	*vitals
	*figures
	ESteps []estep `json:"esteps,omitempty"` // before these steps, one for each clustering
}

// estep is what an E-step found: methods.EStep says what the figures mean.
type estep struct {
	K         int        `json:"k"`
	Objective float64    `json:"objective"`
	Least     int        `json:"least"`
	Median    int        `json:"median"`
	Most      int        `json:"most"`
	Single    int        `json:"single"`
	Phi       [3]float64 `json:"phi"`     // least, mean, largest
	Seconds   float64    `json:"seconds"` // of the clustering
}

// vitals are what the collapse monitor saw last: methods.Health says what the
// figures mean.
type vitals struct {
	Cosine      float64  `json:"cosine"`
	Rank        float64  `json:"rank"`
	Dead        float64  `json:"dead"`
	CodeEntropy *float64 `json:"code_entropy,omitempty"`
	Used        *int     `json:"prototypes_used,omitempty"`
}

func vitalsOf(h *methods.Health) *vitals {
	v := &vitals{Cosine: h.Cosine, Rank: h.Rank, Dead: h.Dead}
	if h.K > 0 && !math.IsNaN(h.CodeEntropy) {
		entropy, used := h.CodeEntropy, h.Used // h is overwritten
		v.CodeEntropy, v.Used = &entropy, &used
	}
	return v
}

// figures are how the encoder was judged after an epoch, in per cent.
type figures struct {
	KNN    float64 `json:"knn"`
	Linear float64 `json:"linear"`
}

// openMetrics opens the file for a run that stands at an iteration. Lines
// beyond it, of steps that a crash undid, are dropped.
func openMetrics(path string, iteration, steps int) (*metrics, error) {
	m := &metrics{every: max(1, steps/20), steps: steps, start: time.Now()}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if kept := m.keep(old, iteration); kept < len(old) {
		err := tensor.WriteFile(path, func(w io.Writer) error { _, err := w.Write(old[:kept]); return err })
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	if m.f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	m.w = bufio.NewWriter(m.f)
	return m, nil
}

// keep is the length of the whole lines up to an iteration.
func (m *metrics) keep(old []byte, iteration int) int {
	kept := 0
	for i, c := range old {
		if c != '\n' {
			continue
		}
		var l struct {
			Iteration int
			Seconds   float64
		}
		if json.Unmarshal(old[kept:i], &l) != nil || l.Iteration > iteration {
			break
		}
		m.before, kept = time.Duration(l.Seconds*float64(time.Second)), i+1
	}
	return kept
}

func (m *metrics) step(s methods.Progress) {
	m.sum += float64(s.Loss)
	m.n++
	if s.Health != nil {
		m.health = vitalsOf(s.Health)
	}
	done := s.Iteration + 1
	if in := done - s.Epoch*m.steps; in%m.every != 0 && in != m.steps {
		return
	}
	m.write()
	m.last = &metricsLine{s.Epoch + 1, done, m.sum / float64(m.n), s.Rate, s.ImagesPerS, s.WaitPercent, m.gone().Seconds(), m.health, nil, m.esteps}
	m.sum, m.n, m.health, m.esteps = 0, 0, nil, nil
}

// eStep keeps what an E-step found for the next line.
func (m *metrics) eStep(e methods.EStep) {
	m.esteps = append(m.esteps, estep{e.K, e.Objective, e.Least, e.Median, e.Most, e.Single, e.Phi, e.Took.Seconds()})
}

// judged adds how the encoder fared to the line of the epoch that ended.
func (m *metrics) judged(f figures) {
	if m.last != nil {
		m.last.figures = &f
	}
}

// write writes the line that is not written yet. The writer keeps an error for
// flush.
func (m *metrics) write() {
	if m.last == nil {
		return
	}
	if line, err := json.Marshal(m.last); err == nil { // only finite numbers
		m.w.Write(append(line, '\n'))
	}
	m.last = nil
}

// gone is how long the run has trained, all sessions together.
func (m *metrics) gone() time.Duration { return m.before + time.Since(m.start) }

// flush reports the first failure to write since the last one.
func (m *metrics) flush() error {
	m.write()
	return m.w.Flush()
}

func (m *metrics) close() error { return errors.Join(m.flush(), m.f.Close()) }
