package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// results are those of the runs that are done.
func (s *story) results() ([]storyResult, error) {
	var all []storyResult
	for _, r := range s.runs {
		var res storyResult
		err := readJSON(r.result(), &res)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, res)
	}
	return all, nil
}

// draw writes the figure of all runs that are done.
func (s *story) draw(base storyBaselines) error {
	all, err := s.results()
	if err != nil || len(all) == 0 {
		return err
	}
	f := figure{results: all, batches: s.batches, base: base, flop: s.flop, classes: s.images.classes,
		what: fmt.Sprintf("%s: %d images to learn from, %d to judge by", s.images.what, s.images.learn.Len(), base.Queries)}
	return writeWhole(filepath.Join(s.dir, "story.svg"), f.svg())
}

// figure is the drawing of a story: two panels over one axis of batch sizes.
type figure struct {
	results []storyResult
	batches []int
	base    storyBaselines
	flop    float64
	classes int
	what    string
	bytes.Buffer
}

// series is a line of a panel: means over seeds, and a mark for each run.
type series struct {
	method, label string
	colour, mark  string // mark is a path about (0,0)
	dashed        bool
	value         func(storyResult) (float64, bool)
}

// The colours tell apart what colour-blind eyes do too (Okabe and Ito), the
// marks do without any.
var storySeries = map[string]series{
	"simclr": {label: "SimCLR", colour: "#0072b2", mark: "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z"},
	"moco":   {label: "MoCo v2", colour: "#d55e00", mark: "M-4 -4h8v8h-8z"},
	"pcl":    {label: "PCL", colour: "#00805c", mark: "M0 -5.5l5 9h-10z"},
	"swav":   {label: "SwAV", colour: "#a8508a", mark: "M0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z"},
}

// accuracies are the left panel's lines.
func accuracies() []series {
	var all []series
	for _, m := range storyMethods {
		l := storySeries[m]
		l.method = m
		l.value = func(r storyResult) (float64, bool) { return r.KNN, true }
		all = append(all, l)
	}
	return all
}

// collisions are the right panel's lines.
func collisions() []series {
	var all []series
	for _, k := range []struct{ method, kind, label string }{
		{"simclr", "views", "the batch"},
		{"moco", "queue", "queue"},
		{"pcl", "queue", "queue"},
		{"pcl", "prototypes", "other prototypes"},
		{"swav", "prototypes", "other prototypes"},
	} {
		l := storySeries[k.method]
		l.method, l.label, l.dashed = k.method, l.label+", "+k.label, k.kind == "prototypes"
		l.value = func(r storyResult) (float64, bool) { return r.share(k.kind) }
		all = append(all, l)
	}
	return all
}

// panel is a plane with batch sizes, by their logarithm, to the right.
type panel struct {
	x, y, w, h float64
	lo, hi     float64 // values at the bottom and at the top
	first      int     // batch at the left edge
	octaves    float64
}

func (p panel) px(batch int) float64 {
	return p.x + p.w*(0.08+0.84*math.Log2(float64(batch)/float64(p.first))/p.octaves)
}

func (p panel) py(v float64) float64 { return p.y + p.h*(p.hi-v)/(p.hi-p.lo) }

const (
	figureWidth, figureHeight = 940, 500
	dodge                     = 5 // between lines at one batch, so that none hides another
)

// svg is the whole drawing. It has its own light ground, so that it reads the
// same on light and dark pages.
func (f *figure) svg() []byte {
	f.Reset()
	f.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`, figureWidth, figureHeight)
	f.put("<title>kNN accuracy and colliding negatives against batch size</title>")
	f.put(`<rect width="%d" height="%d" rx="6" fill="#fff"/>`, figureWidth, figureHeight)
	left := panel{x: 64, y: 62, w: 384, h: 290, first: f.batches[0], octaves: math.Max(1, math.Log2(float64(f.batches[len(f.batches)-1])/float64(f.batches[0])))}
	right := left
	right.x = 536

	left.lo, left.hi = f.extent(accuracies(), f.base.Raw, f.base.Untrained)
	left.lo, left.hi = math.Floor(left.lo-0.8), math.Ceil(left.hi+0.5)
	chance := 100 / float64(f.classes)
	_, right.hi = f.extent(collisions(), chance)
	right.hi = math.Ceil(right.hi + 1.5)

	f.frame(left, "kNN top-1, per cent", fmt.Sprintf("What is learned: %.3g TFLOP for every run", f.flop/1e12))
	f.level(left, f.base.Raw, 13, fmt.Sprintf("raw pixels, %.1f", f.base.Raw))
	f.level(left, f.base.Untrained, 13, fmt.Sprintf("untrained network, %.1f", f.base.Untrained))
	f.lines(left, accuracies(), "top-1")
	f.spread(left)
	f.legend(left.x, 408, 2, accuracies())

	f.frame(right, "per cent of the negatives", "Negatives that carry the anchor’s label")
	f.level(right, chance, -9, fmt.Sprintf("chance: 1 of %d labels", f.classes))
	f.lines(right, collisions(), "of its negatives")
	f.legend(right.x, 408, 2, collisions())

	f.text(left.x-44, figureHeight-16, "start", 11, f.what+"; "+f.seeds())
	f.put("</svg>")
	return slices.Clone(f.Bytes())
}

func (f *figure) put(format string, args ...any) { fmt.Fprintf(f, format+"\n", args...) }

func (f *figure) text(x, y float64, anchor string, size int, s string) {
	var safe strings.Builder
	xml.EscapeText(&safe, []byte(s)) // a Builder takes everything
	f.put(`<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="#222">%s</text>`, x, y, anchor, size, safe.String())
}

// extent is the range of the lines' values and some others.
func (f *figure) extent(lines []series, others ...float64) (lo, hi float64) {
	lo, hi = slices.Min(others), slices.Max(others)
	for _, l := range lines {
		for _, r := range f.results {
			if v, ok := l.of(r); ok {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	return lo, hi
}

// of is the line's value of a result, where it is one of its method.
func (l series) of(r storyResult) (float64, bool) {
	if r.Method != l.method {
		return 0, false
	}
	return l.value(r)
}

// frame draws axes, ticks and titles.
func (f *figure) frame(p panel, unit, title string) {
	f.text(p.x-44, 28, "start", 15, title)
	f.text(p.x-44, 48, "start", 12, unit)
	step := 1.0
	for (p.hi-p.lo)/step > 8 {
		step *= 2
	}
	for v := math.Ceil(p.lo/step) * step; v <= p.hi; v += step {
		f.put(`<path d="M%.1f %.1fh%.1f" stroke="#e4e4e4"/>`, p.x, p.py(v), p.w)
		f.text(p.x-8, p.py(v)+4, "end", 12, fmt.Sprintf("%g", v))
	}
	f.put(`<path d="M%.1f %.1fv%.1fh%.1f" fill="none" stroke="#555"/>`, p.x, p.y, p.h, p.w)
	for _, b := range f.batches {
		f.put(`<path d="M%.1f %.1fv5" stroke="#555"/>`, p.px(b), p.y+p.h)
		f.text(p.px(b), p.y+p.h+20, "middle", 12, fmt.Sprint(b))
	}
	f.text(p.x+p.w/2, p.y+p.h+38, "middle", 12, "batch, images a step")
}

// level is a thin line across a panel; its name stands below it by so much.
func (f *figure) level(p panel, v, below float64, what string) {
	f.put(`<path d="M%.1f %.1fh%.1f" stroke="#555" stroke-width="1" stroke-dasharray="2 3"/>`, p.x, p.py(v), p.w)
	f.text(p.x+6, p.py(v)+below, "start", 11, what)
}

// lines draws each line through its means, and a mark for every run.
func (f *figure) lines(p panel, all []series, unit string) {
	for i, l := range all {
		aside := dodge * (float64(i) - float64(len(all)-1)/2)
		dash, fill := "", l.colour
		if l.dashed {
			dash, fill = ` stroke-dasharray="6 4"`, "#fff"
		}
		var path, marks strings.Builder
		for _, b := range f.batches {
			sum, n := 0.0, 0
			for _, r := range f.results {
				v, ok := l.of(r)
				if !ok || r.Batch != b {
					continue
				}
				sum += v
				n++
				fmt.Fprintf(&marks, `<path class="run" transform="translate(%.1f %.1f)" d="%s" fill="%s" stroke="%s" stroke-width="1.2" fill-opacity="0.85"><title>%s, batch %d, seed %d: %.2f %% %s</title></path>`+"\n",
					p.px(b)+aside, p.py(v), l.mark, fill, l.colour, l.label, b, r.Seed, v, unit)
			}
			if n > 0 {
				fmt.Fprintf(&path, "L%.1f %.1f", p.px(b)+aside, p.py(sum/float64(n)))
			}
		}
		if path.Len() > 0 {
			f.put(`<path d="M%s" fill="none" stroke="%s" stroke-width="1.8"%s/>`, strings.TrimPrefix(path.String(), "L"), l.colour, dash)
		}
		f.WriteString(marks.String())
	}
}

// spread shows what chance does to one run: a standard error of a share of
// the queries, up and down.
func (f *figure) spread(p panel) {
	mean := 0.0
	for _, r := range f.results {
		mean += r.KNN / 100 / float64(len(f.results))
	}
	se := 100 * math.Sqrt(mean*(1-mean)/float64(f.base.Queries))
	size := p.py(0) - p.py(se)
	x, y := p.x+14, p.py((f.base.Raw+100*mean)/2)
	f.put(`<path d="M%.1f %.1fh8m-4 0v%.1fm-4 0h8" fill="none" stroke="#555"/>`, x-4, y-size, 2*size)
	f.text(x+10, y+4, "start", 11, fmt.Sprintf("± a standard error of one run, %.1f", se))
}

// legend names the lines, in columns.
func (f *figure) legend(x, y float64, columns int, all []series) {
	rows := (len(all) + columns - 1) / columns
	for i, l := range all {
		cx, cy := x-40+float64(i/rows)*(figureWidth/2-40)/float64(columns), y+22*float64(i%rows)
		dash, fill := "", l.colour
		if l.dashed {
			dash, fill = ` stroke-dasharray="6 4"`, "#fff"
		}
		f.put(`<path d="M%.1f %.1fh26" stroke="%s" stroke-width="1.8"%s/>`, cx, cy, l.colour, dash)
		f.put(`<path transform="translate(%.1f %.1f)" d="%s" fill="%s" stroke="%s" stroke-width="1.2"/>`, cx+13, cy, l.mark, fill, l.colour)
		f.text(cx+33, cy+4, "start", 12, l.label)
	}
}

// seeds says what the marks are.
func (f *figure) seeds() string {
	most, at := uint64(0), 0
	for _, r := range f.results {
		if r.Seed >= most {
			most, at = r.Seed, r.Batch
		}
	}
	if most == 0 {
		return "a mark is a run"
	}
	return fmt.Sprintf("a mark is a run; batch %d has %d seeds, lines join means", at, most+1)
}
