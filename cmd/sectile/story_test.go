package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestStoryPlan: 16 runs and 8 more, each within 2 % of the cost that is
// asked for, with the learning rate of their batch.
func TestStoryPlan(t *testing.T) {
	s := tinyStory(t, t.TempDir())
	s.flop, s.batches, s.repeated, s.seeds = 6e12, []int{32, 64, 128, 256}, 128, 3
	all, err := openImages(config{Data: embedded, Run: s.runs[0].Run})
	if err != nil {
		t.Fatal(err)
	}
	s.images = all
	if err := s.plan(); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range s.runs {
		names[r.name] = true
		cost, err := r.Run.Cost(all.learn.Len())
		if err != nil || cost != r.cost || math.Abs(cost.Run/s.flop-1) > 0.02 {
			t.Errorf("%s: %v, %v, want 6 TFLOP to 2 %%", r.name, cost, err)
		}
		if want := 0.004 * math.Sqrt(float64(r.Run.Batch())/128); r.rate != want || r.Run.Optimizer.Rate != 0 {
			t.Errorf("%s: learning rate %v, want %v", r.name, r.rate, want)
		}
	}
	if len(names) != 24 || len(s.runs) != 24 || !names["pcl-032-0"] || !names["swav-128-2"] || names["swav-064-1"] {
		t.Errorf("%d runs: %v", len(s.runs), names)
	}
	if got := len(s.rules()); got != 4 {
		t.Errorf("%d rules for four batches: %q", got, s.rules())
	}
	s.flop = 0.3e12 // one epoch is 0.25
	if err := s.plan(); err == nil || !strings.Contains(err.Error(), "--flop") {
		t.Errorf("a cost that whole epochs do not meet: %v", err)
	}
}

// tinyStory is a story of eight runs of a fraction of a second.
func tinyStory(t *testing.T, dir string) *story {
	t.Helper()
	c, err := presetConfig("simclr", "demo")
	if err != nil {
		t.Fatal(err)
	}
	c.Data = idxFolder(t, 32, 20)
	s := &story{dir: dir, flop: 0.02e12, batches: []int{16}, repeated: 16, seeds: 2}
	if s.images, err = openImages(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.images.Close)
	if err := s.plan(); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.runs {
		if r.Run.Method == "pcl" {
			r.Run.PCL.Clusters = []int{3, 6} // of 32 images
		}
	}
	return s
}

// until is a context that ends once a file is there.
type until struct {
	context.Context
	path string
}

func (c until) Err() error {
	if _, err := os.Stat(c.path); err == nil {
		return context.Canceled
	}
	return nil
}

// TestStoryGoesOn stops a story between runs and within one, and compares all
// results with those of a story that was left alone. What is done is not done
// again.
func TestStoryGoesOn(t *testing.T) {
	whole, stopped := tinyStory(t, t.TempDir()), tinyStory(t, t.TempDir())
	stopped.images.what = whole.images.what // the name of a temporary folder
	var text bytes.Buffer
	if err := whole.tell(context.Background(), &text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"8 runs of 0.02 TFLOP", "learning rate 0.00141", "pcl-016-1", "| MoCo v2 | 16 |", "SwAV     batch 16 to 16, seed 0: +0.0; mean of 2 seeds at batch 16: ", "story.svg"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if line := regexp.MustCompile(`\| PCL \| 16 \| \d+ \| \d+ \| 0.00141 \| 0.02 \| [\d.]+, [\d.]+ \|  \| [\d.]+ \| [\d.]+ \| \d+, \d+ \|\n`); !line.MatchString(text.String()) {
		t.Errorf("no row of both seeds of PCL in\n%s", text.String())
	}

	tell := func(ctx context.Context, done string) {
		t.Helper()
		text.Reset()
		if err := stopped.tell(ctx, &text); err != errInterrupted || !strings.Contains(text.String(), "interrupted with "+done+" of 8 runs done") {
			t.Fatalf("%v, %s", err, text.String())
		}
	}
	tell(until{context.Background(), stopped.runs[0].result()}, "1")
	first := stat(t, stopped.runs[0].result())
	tell(until{context.Background(), stopped.runs[2].time()}, "2") // after PCL's first epoch
	if err := stopped.tell(context.Background(), &text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "3 of 8: pcl-016-0\ngoing on after step 2 of") {
		t.Errorf("the run that was stopped began anew:\n%s", text.String())
	}
	if again := stat(t, stopped.runs[0].result()); !os.SameFile(first, again) {
		t.Error("a run that was done was done again")
	}
	for i, r := range whole.runs {
		if got, want := get(t, stopped.runs[i].result()), get(t, r.result()); !bytes.Equal(got, want) {
			t.Errorf("%s: the stopped story has %s, want %s", r.name, got, want)
		}
	}
	svg := "story.svg"
	if !bytes.Equal(get(t, filepath.Join(stopped.dir, svg)), get(t, filepath.Join(whole.dir, svg))) {
		t.Error("the figures differ")
	}

	other := tinyStory(t, stopped.dir)
	other.flop *= 2
	if err := other.plan(); err != nil {
		t.Fatal(err)
	}
	if err := other.tell(context.Background(), &text); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("another story in the same folder: %v", err)
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	i, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestStoryFlags(t *testing.T) {
	for _, args := range [][]string{{"--flop", "0"}, {"--flop", "-1"}, {"--seeds", "0"}, {"swav"}, {"--batch", "3"}} {
		if code, _, errOut := sectile(t, append([]string{"story", "--out", t.TempDir()}, args...)...); code != 1 || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%q: code %d, %q", args, code, errOut)
		}
	}
}
