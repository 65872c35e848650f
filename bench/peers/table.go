package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/asm"
	"github.com/sectile-ml/sectile/kernels"
)

// table is what one run measured: a row a shape, a column a provider.
type table struct {
	providers       []*provider
	shapes          []shape
	threads, rounds int
	peaks           []float64           // [shape], best of its rounds, GFLOP/s
	seconds         [][][]float64       // [shape][provider]
	stored          map[string]*measure // by shape
}

// measure is what is stored of a shape: the peak in each round and each
// provider's times.
type measure struct {
	Peaks   []float64
	Seconds map[string][]float64
}

// pause lets a library's idle threads stop spinning before the next one is timed.
const pause = 80 * time.Millisecond

func run(providers []*provider, shapes []shape, threads, rounds int, file string) (*table, error) {
	t := &table{providers: providers, shapes: shapes, threads: threads, rounds: rounds, stored: map[string]*measure{}}
	if err := t.load(file); err != nil {
		return nil, err
	}
	var workers []*worker
	for _, p := range providers {
		w, err := p.start(threads)
		if err != nil {
			return nil, err
		}
		defer w.stop()
		workers = append(workers, w)
	}
	for _, s := range shapes {
		m := t.stored[s.name]
		if m == nil {
			var err error
			if m, err = t.measure(workers, s); err != nil {
				return nil, err
			}
			t.stored[s.name] = m
			if err := t.save(file); err != nil {
				return nil, err
			}
		}
		row := make([][]float64, len(providers))
		for i, p := range providers {
			row[i] = m.Seconds[p.name]
		}
		t.seconds, t.peaks = append(t.seconds, row), append(t.peaks, slices.Max(m.Peaks))
	}
	return t, nil
}

func (t *table) measure(workers []*worker, s shape) (*measure, error) {
	m := &measure{Seconds: map[string][]float64{}}
	for range t.rounds {
		m.Peaks = append(m.Peaks, kernels.Peak(t.threads, asm.Have()&(asm.AVX2|asm.AVX512), 30*time.Millisecond))
		for _, w := range workers {
			flop := 1.2e9
			if w.slow {
				flop = 1e8
			}
			if w.slow && s.flop() > w.most {
				continue
			}
			if t.threads > 1 {
				time.Sleep(pause)
			}
			times, err := w.ask(s.request(flop))
			if err != nil {
				return nil, err
			}
			m.Seconds[w.name] = append(m.Seconds[w.name], times...)
		}
	}
	return m, nil
}

// load reads what an earlier piece of the run measured on as many threads.
func (t *table) load(file string) error {
	if file == "" {
		return nil
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &t.stored); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func (t *table) save(file string) error {
	if file == "" {
		return nil
	}
	b, err := json.Marshal(t.stored)
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o666)
}

func median(s []float64) float64 {
	s = slices.Sorted(slices.Values(s))
	return s[len(s)/2]
}

// markdown is the table: shares of the best peak of the same rounds, and ours against the best of the
// others and against the best one written in Go.
func (t *table) markdown(command string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %d thread(s), peak %.0f GFLOP/s, medians of %d rounds, providers in turn; `%s`\n\n",
		time.Now().Format(time.DateOnly), asm.CPUName(), t.threads, median(t.peaks), t.rounds, command)
	b.WriteString("| shape | M × N × K |")
	for _, p := range t.providers {
		fmt.Fprintf(&b, " %s |", p.name)
	}
	b.WriteString(" × best | × best Go |\n|---|---|" + strings.Repeat("---:|", len(t.providers)+2) + "\n")
	var ratios, goRatios []float64
	for i, s := range t.shapes {
		fmt.Fprintf(&b, "| %s | %d × %d × %d |", s.name, s.m, s.n, s.k)
		best, bestGo := math.Inf(1), math.Inf(1)
		for j, p := range t.providers {
			if len(t.seconds[i][j]) == 0 {
				b.WriteString(" |")
				continue
			}
			sec := median(t.seconds[i][j])
			fmt.Fprintf(&b, " %.1f %% |", 100*s.flop()/sec/1e9/t.peaks[i])
			switch {
			case j == 0:
			case p.slow:
				bestGo = min(bestGo, sec)
			default:
				best = min(best, sec)
			}
		}
		ours := median(t.seconds[i][0])
		for _, r := range []struct {
			best float64
			all  *[]float64
		}{{best, &ratios}, {bestGo, &goRatios}} {
			if math.IsInf(r.best, 1) {
				b.WriteString(" |")
				continue
			}
			*r.all = append(*r.all, r.best/ours)
			fmt.Fprintf(&b, " %.2f |", r.best/ours)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "| geometric mean | |%s %s | %s |\n", strings.Repeat(" |", len(t.providers)), geomean(ratios), geomean(goRatios))
	return b.String()
}

func geomean(s []float64) string {
	if len(s) == 0 {
		return ""
	}
	sum := 0.0
	for _, r := range s {
		sum += math.Log(r)
	}
	return fmt.Sprintf("%.2f", math.Exp(sum/float64(len(s))))
}
