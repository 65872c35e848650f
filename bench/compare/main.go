// Compare prints how far benchmark results have drifted from the stored ones:
//
//	go test -bench=. ./bench | go run ./bench/compare
//	go run ./bench/compare new.txt
//
// Stored results are the output of earlier runs in bench/results (-old). For
// every benchmark of both, medians over repetitions are compared in the first
// unit of the list below that both have. A drift above zero is
// an improvement. It informs: its exit status says nothing about speed.
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	old := flag.String("old", "bench/results/*.txt", "files with stored results")
	least := flag.Float64("least", 5, "smallest drift, in percent, that is listed")
	flag.Parse()
	if err := compare(os.Stdout, *old, flag.Args(), *least); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func compare(w io.Writer, pattern string, args []string, least float64) error {
	stored, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	was, is := results{}, results{}
	if err := was.readFiles(stored); err != nil {
		return err
	}
	if len(args) == 0 {
		err = is.read(os.Stdin)
	} else {
		err = is.readFiles(args)
	}
	if err != nil {
		return err
	}
	if len(is) == 0 {
		return fmt.Errorf("no benchmark results to compare")
	}
	report(w, drifts(was, is), len(is), least)
	return nil
}

// units in the order of preference, and whether more of them is better.
var units = []struct {
	name string
	more bool
}{{"%peak", true}, {"GFLOP/s", true}, {"GB/s", true}, {"Gelem/s", true}, {"ns/op", false}}

// results are the values of every benchmark by unit.
type results map[string]map[string][]float64

func (r results) readFiles(names []string) error {
	for _, n := range names {
		f, err := os.Open(n)
		if err != nil {
			return err
		}
		err = r.read(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
	}
	return nil
}

// read takes lines "BenchmarkName N value unit value unit ..." and passes over
// all others.
func (r results) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		if len(w) < 4 || !strings.HasPrefix(w[0], "Benchmark") {
			continue
		}
		values := r[w[0]]
		if values == nil {
			values = map[string][]float64{}
			r[w[0]] = values
		}
		for i := 2; i+1 < len(w); i += 2 {
			if v, err := strconv.ParseFloat(w[i], 64); err == nil {
				values[w[i+1]] = append(values[w[i+1]], v)
			}
		}
	}
	return lines.Err()
}

type drift struct {
	name, unit string
	was, is    float64
	percent    float64
}

func drifts(was, is results) []drift {
	var all []drift
	for name, values := range is {
		for _, u := range units {
			a, b := was[name][u.name], values[u.name]
			if len(a) == 0 || len(b) == 0 {
				continue
			}
			d := drift{name, u.name, median(a), median(b), 0}
			gain := d.is / d.was
			if !u.more {
				gain = d.was / d.is
			}
			d.percent = 100 * (gain - 1)
			all = append(all, d)
			break
		}
	}
	slices.SortFunc(all, func(a, b drift) int { return cmp.Or(cmp.Compare(a.percent, b.percent), cmp.Compare(a.name, b.name)) })
	return all
}

func median(s []float64) float64 {
	s = slices.Sorted(slices.Values(s))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func report(w io.Writer, all []drift, measured int, least float64) {
	sum := 0.0
	for _, d := range all {
		sum += math.Log1p(d.percent / 100)
		if math.Abs(d.percent) >= least {
			fmt.Fprintf(w, "%+7.1f %%  %8.4g to %8.4g %-8s %s\n", d.percent, d.was, d.is, d.unit, d.name)
		}
	}
	if len(all) > 0 {
		fmt.Fprintf(w, "geometric mean %+.1f %% over %d of %d benchmarks, the others have no stored result; drifts under %g %% are not listed\n",
			100*math.Expm1(sum/float64(len(all))), len(all), measured, least)
		return
	}
	fmt.Fprintf(w, "none of %d benchmarks has a stored result\n", measured)
}
