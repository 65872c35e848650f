package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
)

// record is a line of results: of this program (Who "sectile") or of the peer
// ("torch").
type record struct {
	Who     string             `json:"who"`
	Device  string             `json:"device"`
	Request string             `json:"request"`
	Mode    string             `json:"mode,omitempty"`
	Seconds []float64          `json:"seconds,omitempty"` // of a call, a group of calls each
	Median  float64            `json:"median,omitempty"`
	Calls   int                `json:"calls,omitempty"`  // in a group
	FLOP    float64            `json:"flop,omitempty"`   // of a call
	Bytes   float64            `json:"bytes,omitempty"`  // of a call, each operand read or written once
	Images  int                `json:"images,omitempty"` // of a call
	Facts   map[string]float64 `json:"facts,omitempty"`
	Text    string             `json:"text,omitempty"`
	Err     string             `json:"err,omitempty"`
}

// sink receives records as they are made: a part that is cut has written what
// it had.
type sink struct {
	w      io.Writer
	device string
	failed bool
}

func (s *sink) put(r record) error {
	r.Who, r.Device = "sectile", s.device
	if r.Err != "" {
		s.failed = true
		fmt.Fprintf(os.Stderr, "%s %s: %s\n", r.Request, r.Mode, r.Err)
	}
	if len(r.Seconds) > 0 {
		r.Median = median(r.Seconds)
	}
	return json.NewEncoder(s.w).Encode(r)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// records reads files of records; of two for the same request the later counts
// for those who look them up. Lines that a cut left half are passed over.
func records(files []string) ([]record, error) {
	var all []record
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var r record
			if json.Unmarshal(lines.Bytes(), &r) == nil && r.Request != "" {
				all = append(all, r)
			}
		}
		err = lines.Err()
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
