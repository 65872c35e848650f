package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// table prints all results as a table in Markdown, and what they took.
func (s *story) table(base storyBaselines, out io.Writer) error {
	fmt.Fprintf(out, "\n%d images judged by the %d learned from; raw pixels %.1f, untrained network %.1f\n\n", base.Queries, s.images.learn.Len(), base.Raw, base.Untrained)
	fmt.Fprintln(out, "| method | batch | seed | epochs | steps | learning rate | TFLOP | kNN top-1 | label shared: views | queue | prototypes | CPU s | images/s |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	var total storyTime
	for _, r := range s.runs {
		var res storyResult
		if err := readJSON(r.result(), &res); err != nil {
			return err
		}
		var took storyTime
		if err := readJSON(r.time(), &took); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total.Seconds += took.Seconds
		total.CPUSeconds += took.CPUSeconds
		cells := []string{storySeries[res.Method].label, fmt.Sprint(res.Batch), fmt.Sprint(res.Seed), fmt.Sprint(res.Epochs), fmt.Sprint(res.Steps),
			fmt.Sprintf("%.4g", res.Rate), fmt.Sprintf("%.3f", res.PlannedFLOP/1e12), percent(res.KNN)}
		for _, kind := range []string{"views", "queue", "prototypes"} {
			cell := ""
			if v, ok := res.share(kind); ok {
				cell = fmt.Sprintf("%.2f", v)
			}
			cells = append(cells, cell)
		}
		cells = append(cells, fmt.Sprintf("%.0f", took.CPUSeconds), fmt.Sprintf("%.0f", float64(took.Images)/took.Seconds))
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	}
	_, err := fmt.Fprintf(out, "\n%s of training, %.0f s of CPU time; the figure is %s\n", clock(seconds(total.Seconds)), total.CPUSeconds, filepath.Join(s.dir, "story.svg"))
	return err
}
