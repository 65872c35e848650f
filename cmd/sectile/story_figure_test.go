package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/methods"
)

// told are made-up results: kNN rises by 1 with the batch.
func told() figure {
	f := figure{batches: []int{32, 64, 128}, base: storyBaselines{2000, 79, 75}, flop: 6e12, classes: 10, what: "a < b & c"}
	for i, b := range f.batches {
		for _, m := range storyMethods {
			kinds := map[string][]string{"simclr": {"views"}, "moco": {"queue"}, "pcl": {"queue", "prototypes"}, "swav": {"prototypes"}}[m]
			r := storyResult{Method: m, Batch: b, KNN: 80 + float64(i)}
			for _, k := range kinds {
				r.Negatives = append(r.Negatives, methods.NegativeShare{Kind: k, Anchors: 1, Negatives: 100, Same: 9})
			}
			f.results = append(f.results, r)
		}
	}
	return f
}

// marks are the runs' marks: where they stand, and what they say.
func marks(t *testing.T, svg []byte) (x, y []float64, titles []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	in := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return x, y, titles
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			for _, a := range e.Attr {
				if a.Name.Local == "class" && a.Value == "run" {
					in = true
				}
				if in && a.Name.Local == "transform" {
					var px, py float64
					if _, err := fmt.Sscanf(a.Value, "translate(%f %f)", &px, &py); err != nil {
						t.Fatal(err)
					}
					x, y = append(x, px), append(y, py)
				}
			}
		case xml.EndElement:
			in = in && e.Name.Local != "path"
		case xml.CharData:
			if in && len(bytes.TrimSpace(e)) > 0 {
				titles = append(titles, string(e))
			}
		}
	}
}

// TestStoryFigure: well-formed, one mark for each accuracy and each share,
// where they belong.
func TestStoryFigure(t *testing.T) {
	f := told()
	svg := f.svg()
	x, y, titles := marks(t, svg)
	if want := 12 + 15; len(x) != want || len(titles) != want {
		t.Fatalf("%d marks, %d titles, want %d", len(x), len(titles), want)
	}
	if want := "SimCLR, batch 32, seed 0: 80.00 % top-1"; titles[0] != want {
		t.Errorf("%q, want %q", titles[0], want)
	}
	if want := "SwAV, other prototypes, batch 128, seed 0: 9.00 % of its negatives"; titles[26] != want {
		t.Errorf("%q, want %q", titles[26], want)
	}
	for i := range x {
		if x[i] < 64 || x[i] > figureWidth-20 || y[i] < 62 || y[i] > 352 {
			t.Errorf("%s stands at %v, %v: outside", titles[i], x[i], y[i])
		}
	}
	even := func(v []float64) bool { return math.Abs(v[2]-2*v[1]+v[0]) < 0.25 }
	if !even(x) || x[1] <= x[0] || !even(y) || y[1] >= y[0] {
		t.Errorf("batches of 32, 64, 128 with 80, 81, 82 per cent stand at %v, %v", x[:3], y[:3])
	}
	if y[12] != y[26] {
		t.Errorf("equal shares stand at %v and %v", y[12], y[26])
	}
	for _, want := range []string{"a &lt; b &amp; c", "raw pixels, 79.0", "untrained network, 75.0", "1 of 10 labels", "6 TFLOP", "batch, images a step", "standard error of one run, 0.9"} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("no %q", want)
		}
	}
}

// TestStoryFigureOfSome: a figure of one run, and of two seeds, whose line
// goes through the mean.
func TestStoryFigureOfSome(t *testing.T) {
	f := told()
	f.results = f.results[:1]
	if x, _, _ := marks(t, f.svg()); len(x) != 2 {
		t.Errorf("%d marks, want 2", len(x))
	}
	second := f.results[0]
	second.Seed, second.KNN = 1, 82
	f.results = append(f.results, second)
	svg := string(f.svg())
	x, y, _ := marks(t, []byte(svg))
	if want := fmt.Sprintf(`<path d="M%.1f %.1f"`, x[0], (y[0]+y[1])/2); !strings.Contains(svg, want) {
		t.Errorf("no line through the mean, %s", want)
	}
	if !strings.Contains(svg, "batch 32 has 2 seeds") {
		t.Error("does not say which batch has seeds")
	}
}
