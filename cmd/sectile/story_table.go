package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// storyRow is a method at a batch: a line of the table.
type storyRow struct {
	method string
	batch  int
	seeds  []storyResult // 0, 1, ...
	cpu    []float64     // seconds of each
}

// rows are the results by method and batch, in the order in which the story
// goes, and what all of them took.
func (s *story) rows() (rows []storyRow, total storyTime, err error) {
	for _, m := range storyMethods {
		for _, batch := range s.batches {
			row := storyRow{method: m, batch: batch}
			for _, r := range s.runs {
				if r.Run.Method != m || r.Run.Batch() != batch {
					continue
				}
				var res storyResult
				if err := readJSON(r.result(), &res); err != nil {
					return nil, total, err
				}
				var took storyTime
				if err := readJSON(r.time(), &took); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, total, err
				}
				row.seeds, row.cpu = append(row.seeds, res), append(row.cpu, took.CPUSeconds)
				total.Seconds += took.Seconds
				total.CPUSeconds += took.CPUSeconds
			}
			rows = append(rows, row)
		}
	}
	return rows, total, nil
}

// knn are the row's accuracies, by seed.
func (r storyRow) knn() []float64 {
	var all []float64
	for _, res := range r.seeds {
		all = append(all, res.KNN)
	}
	return all
}

// share is the mean over seeds of a kind of negatives that carry the anchor's
// label, as a cell: empty where the method has none.
func (r storyRow) share(kind string) string {
	sum := 0.0
	for _, res := range r.seeds {
		v, ok := res.share(kind)
		if !ok {
			return ""
		}
		sum += v
	}
	return fmt.Sprintf("%.2f", sum/float64(len(r.seeds)))
}

// cell is one value, or those of the seeds in their order.
func cell(format string, values []float64) string {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprintf(format, v))
	}
	return strings.Join(all, ", ")
}

// table prints all results as the table in Markdown of docs/guide/story.md, and
// the figures that its text draws from it.
func (s *story) table(base storyBaselines, out io.Writer) error {
	rows, total, err := s.rows()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d images judged by the %d learned from; raw pixels %.1f, untrained network %.1f\n\n", base.Queries, s.images.learn.Len(), base.Raw, base.Untrained)
	fmt.Fprintln(out, "| method | batch | epochs | steps | learning rate | TFLOP | kNN top-1 | label shared, per cent: views | queue | prototypes | CPU s |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		one := r.seeds[0]
		fmt.Fprintf(out, "| %s | %d | %d | %d | %.3g | %.2f | %s | %s | %s | %s | %s |\n", storySeries[r.method].label, r.batch, one.Epochs, one.Steps, one.Rate,
			one.PlannedFLOP/1e12, cell("%.1f", r.knn()), r.share("views"), r.share("queue"), r.share("prototypes"), cell("%.0f", r.cpu))
	}
	fmt.Fprintln(out)
	n := len(s.batches)
	for i, m := range storyMethods {
		of := rows[i*n : (i+1)*n]
		repeated := of[slices.Index(s.batches, s.repeated)].knn()
		sum := 0.0
		for _, v := range repeated {
			sum += v
		}
		fmt.Fprintf(out, "%-8s batch %d to %d, seed 0: %+.1f; mean of %d seeds at batch %d: %.1f, which lie within %.1f\n", storySeries[m].label,
			of[0].batch, of[n-1].batch, of[n-1].seeds[0].KNN-of[0].seeds[0].KNN, len(repeated), s.repeated, sum/float64(len(repeated)), slices.Max(repeated)-slices.Min(repeated))
	}
	_, err = fmt.Fprintf(out, "\n%s of training, %.0f s of CPU time; the figure is %s\n", clock(seconds(total.Seconds)), total.CPUSeconds, filepath.Join(s.dir, "story.svg"))
	return err
}
