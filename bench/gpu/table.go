package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

//go:embed expected.md
var expectedFile string

// expectation is a row of expected.md: requests that begin with these words
// are expected to reach so much.
type expectation struct {
	request, mode, unit string
	value               float64
}

// expectations reads the rows of expected.md's tables whose third cell is a
// number.
func expectations() (all []expectation) {
	for row := range strings.Lines(expectedFile) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
		if len(cells) < 5 {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		if v, err := strconv.ParseFloat(strings.ReplaceAll(cells[2], ",", ""), 64); err == nil {
			all = append(all, expectation{cells[0], cells[1], cells[3], v})
		}
	}
	return all
}

// expect is what is expected of a request: of several rows that fit, the one
// with the most words.
func expect(all []expectation, request, mode string) (best expectation, ok bool) {
	for _, e := range all {
		if e.mode == mode && (request == e.request || strings.HasPrefix(request, e.request+" ")) && len(e.request) > len(best.request) {
			best, ok = e, true
		}
	}
	return best, ok
}

// results are records by who, request and mode; the later counts.
type results struct {
	all  []record
	find map[[3]string]record
	copy float64 // bytes a second
}

func gather(files []string) (*results, error) {
	all, err := records(files)
	if err != nil {
		return nil, err
	}
	r := &results{all: all, find: map[[3]string]record{}, copy: copySpeed(all)}
	for _, x := range all {
		r.find[[3]string{x.Who, x.Request, x.Mode}] = x
	}
	return r, nil
}

// table prints records side by side as Markdown.
func table(w io.Writer, files []string) error {
	r, err := gather(files)
	if err != nil {
		return err
	}
	expected := expectations()
	r.head(w)
	fmt.Fprintf(w, "\n| request | mode | ours | expected | unit | torch, same mode | ours/torch | torch bf16 |\n|---|---|---|---|---|---|---|---|\n")
	for _, x := range r.all {
		if x.Who == "sectile" && (x.FLOP > 0 || x.Images > 0) && r.latest(x) {
			r.rate(w, expected, x)
		}
	}
	r.passes(w, expected)
	r.predicted(w)
	r.failures(w)
	return nil
}

func (r *results) latest(x record) bool {
	return fmt.Sprint(r.find[[3]string{x.Who, x.Request, x.Mode}]) == fmt.Sprint(x)
}

// head says on what it ran, and how fast memory is.
func (r *results) head(w io.Writer) {
	for _, x := range r.all {
		switch {
		case x.Request == "smoke" && x.Err == "":
			fmt.Fprintf(w, "device: %s; %.0f kernels compiled in %.1f s\n", x.Text, x.Facts["kernels"], x.Facts["compile_seconds"])
		case x.Request == "peer":
			fmt.Fprintf(w, "peer: %s on %s\n", x.Text, x.Device)
		case strings.HasPrefix(x.Request, "copy ") && x.Median > 0:
			fmt.Fprintf(w, "%s bytes: %.1f GB/s\n", x.Request, x.Bytes/x.Median/1e9)
		}
	}
}

// rate is the row of a product or a step.
func (r *results) rate(w io.Writer, expected []expectation, x record) {
	work, unit := x.FLOP/1e12, "TFLOP/s"
	if x.Images > 0 {
		work, unit = float64(x.Images), "images/s"
	}
	of := func(x record) string {
		if x.Median == 0 {
			return "-"
		}
		return digits(work / x.Median)
	}
	ours, want, ratio := of(x), "-", "-"
	if x.Err != "" {
		ours = "failed"
	}
	if e, ok := expect(expected, x.Request, x.Mode); ok && e.unit == unit {
		want = digits(e.value)
	}
	peer := r.find[[3]string{"torch", x.Request, x.Mode}]
	if peer.Median > 0 && x.Median > 0 {
		ratio = fmt.Sprintf("%.2f", peer.Median/x.Median)
	}
	fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", x.Request, x.Mode, ours, want, unit, of(peer), ratio,
		of(r.find[[3]string{"torch", x.Request, "bf16"}]))
}

// passes are held to the copy measured in the same run, and to the time that
// follows from the emulator's counters.
func (r *results) passes(w io.Writer, expected []expectation) {
	fmt.Fprintf(w, "\nPasses; a copy runs at %s GB/s. \"emulator\" is the time that its counts ask for: the longer of 32-byte sectors at that speed and warp instructions at 4 a clock of 132 SMs at 1.755 GHz. It counts what L1 serves too (a row's second reading, coefficients of channels), and on small grids, so that where sectors exceed the operands' bytes it is late, not early.\n", digits(r.copy/1e9))
	fmt.Fprintf(w, "\n| request | ours, us | %% of copy | expected | emulator, us | sectors, B/element | instructions/1000 elements | torch, us | ours/torch |\n|---|---|---|---|---|---|---|---|---|\n")
	model := passModel()
	for _, x := range r.all {
		if x.Who != "sectile" || !strings.HasPrefix(x.Request, "pass ") || !r.latest(x) {
			continue
		}
		if x.Err != "" {
			fmt.Fprintf(w, "| %s | failed |\n", x.Request)
			continue
		}
		share, want, peer, ratio := "-", "-", "-", "-"
		if x.Bytes > 0 && x.Median > 0 {
			share = digits(100 * x.Bytes / x.Median / r.copy)
		}
		if e, ok := expect(expected, x.Request, "fp32"); ok && e.unit == "% of copy" {
			want = digits(e.value)
		}
		t := r.find[[3]string{"torch", x.Request, "fp32"}]
		if t.Median > 0 {
			peer, ratio = digits(1e6*t.Median), fmt.Sprintf("%.2f", t.Median/x.Median)
		}
		words := strings.Fields(x.Request)
		m := model[words[1]]
		units := number(words[2]) * number(words[3])
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %.1f | %.0f | %s | %s |\n", x.Request, digits(1e6*x.Median), share, want,
			digits(1e6*units*m.seconds(r.copy)), 32*m.sectors, 1000*m.instructions, peer, ratio)
	}
}

// cost is what a pass does for an element, counted by the emulator.
type cost struct{ sectors, instructions float64 }

// seconds is the time of an element on an H200 that copies so many bytes a
// second.
func (c cost) seconds(copy float64) float64 {
	return math.Max(32*c.sectors/copy, c.instructions/(132*4*1.755e9))
}

// passModel are the costs by name, from the small runs with the smallest tails.
func passModel() map[string]cost {
	m := map[string]cost{}
	all, err := predictions()
	if err != nil {
		return m
	}
	for _, g := range all {
		words := strings.Fields(g.Request)
		if words[0] != "pass" || words[2] != "336" {
			continue
		}
		var c cost
		for _, k := range g.Kernels {
			c.sectors += float64(k.Sectors) / g.Units
			c.instructions += float64(k.Instructions) / g.Units
		}
		m[words[1]] = c
	}
	return m
}

// predicted sums up how the device agrees with the emulator.
func (r *results) predicted(w io.Writer) {
	n, equal, worst, at := 0, 0, 0.0, "none"
	for _, x := range r.all {
		if strings.HasPrefix(x.Request, "predict ") && x.Facts != nil && r.latest(x) {
			n++
			equal += int(x.Facts["bits_equal"])
			if b := x.Facts["bounds"]; b > worst {
				worst, at = b, x.Request+" "+x.Mode
			}
		}
	}
	if n > 0 {
		fmt.Fprintf(w, "\nEmulator's values: %d small runs, %d equal to the bit, the largest difference %.3g bounds (%s).\n", n, equal, worst, at)
	}
}

// failures are last, where a reader of a log looks first.
func (r *results) failures(w io.Writer) {
	fmt.Fprintln(w)
	n := 0
	for _, x := range r.all {
		if x.Err != "" {
			n++
			fmt.Fprintf(w, "failed: %s, %s %s: %.300s\n", x.Who, x.Request, x.Mode, x.Err)
		}
	}
	fmt.Fprintf(w, "%d records, %d failures\n", len(r.all), n)
}

// digits is a number to three of them.
func digits(x float64) string {
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

func number(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}
