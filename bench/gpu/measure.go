package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/cuda"
)

// How long a group of calls takes, how many groups there are, and how long a
// request may take in all.
const (
	groupTime   = 10 * time.Millisecond
	groups      = 7
	requestTime = 700 * time.Millisecond
)

// groupTimes measures calls in groups, after two that warm up: kernels are
// compiled at their first use.
func (p *program) groupTimes(d *cuda.Device, call func() error) (seconds []float64, calls int, err error) {
	group := func(n int) (time.Duration, error) {
		start := time.Now()
		for range n {
			if err := call(); err != nil {
				return 0, err
			}
		}
		err := d.Sync()
		return time.Since(start), err
	}
	if p.tiny { // the emulator: one call shows that it works
		t, err := group(1)
		return []float64{t.Seconds()}, 1, err
	}
	var once time.Duration
	for range 2 {
		if once, err = group(1); err != nil {
			return nil, 0, err
		}
	}
	calls = int(min(200, max(1, groupTime/max(once, time.Microsecond))))
	for spent := time.Duration(0); len(seconds) < groups && (len(seconds) < 3 || spent < requestTime); {
		t, err := group(calls)
		if err != nil {
			return seconds, calls, err
		}
		spent += t
		seconds = append(seconds, t.Seconds()/float64(calls))
	}
	return seconds, calls, nil
}

// ops measures requests for single ops in each mode.
func (p *program) ops(part string) error {
	modes := p.modes
	if part == "passes" {
		modes = []string{"fp32"} // nothing that mode changes
	}
	for _, mode := range modes {
		d, err := p.open(cuda.Options{TF32: mode == "tf32", NoGraphs: true})
		if err != nil {
			return err
		}
		for _, r := range requests(part, p.tiny) {
			if err := p.out.put(p.op(d, r, mode)); err != nil {
				return err
			}
			if d.Sync() != nil { // lost: a device takes no more work after a failure
				d.Close()
				if d, err = p.open(cuda.Options{TF32: mode == "tf32", NoGraphs: true}); err != nil {
					return err
				}
			}
		}
		d.Close()
	}
	return nil
}

func (p *program) op(d *cuda.Device, request, mode string) record {
	rec := record{Request: request, Mode: mode}
	b := &bag{d: d}
	err := guard(func() error {
		defer b.free()
		r, err := b.prepare(strings.Fields(request))
		if err != nil {
			return err
		}
		rec.FLOP, rec.Bytes = r.flop, r.bytes
		rec.Seconds, rec.Calls, err = p.groupTimes(d, func() error { r.call(); return nil })
		return err
	})
	if err != nil {
		rec.Err = err.Error()
	}
	return rec
}

// guard turns a panic (a kernel that is missing, no memory) into an error: the
// next request is served.
func guard(f func() error) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%v", e)
		}
	}()
	return f()
}

// copies measures what every pass is compared with: bytes a second through
// memory, by the driver's copy and by our kernel, and to and from the host.
func (p *program) copies() error {
	d, err := p.open(cuda.Options{NoGraphs: true})
	if err != nil {
		return err
	}
	defer d.Close()
	sizes := []int{64 << 20, 512 << 20} // elements: 256 MiB, 2 GiB
	if p.tiny {
		sizes = []int{1 << 12}
	}
	for _, n := range sizes {
		b := &bag{d: d}
		x, y := b.in(n), b.in(n)
		host := make([]float32, min(n, sizes[0]))
		for _, c := range []struct {
			name  string
			bytes float64
			call  func() error
		}{
			{"driver", 8 * float64(n), func() error { d.Copy(y, x); return nil }},
			{"kernel", 8 * float64(n), func() error { d.Map(copyArgs(y, x)); return nil }},
			{"read", 4 * float64(n), func() error { d.Reduce(readArgs(y, x)); return nil }},
			{"write", 4 * float64(n), func() error { d.Map(fillArgs(y)); return nil }},
			{"upload", 4 * float64(len(host)), func() error { d.Upload(y.At(0, len(host)), host); return nil }},
			{"download", 4 * float64(len(host)), func() error { return d.Download(host, y.At(0, len(host))) }},
		} {
			rec := record{Request: fmt.Sprintf("copy %s %d", c.name, 4*n), Bytes: c.bytes}
			rec.Seconds, rec.Calls, err = p.groupTimes(d, c.call)
			if err != nil {
				rec.Err = err.Error()
			}
			if err := p.out.put(rec); err != nil {
				return err
			}
		}
		b.free()
	}
	return nil
}

// copySpeed is the best of the copies in records, or what we expect of an H200
// where none are.
func copySpeed(all []record) float64 {
	best := 0.0
	for _, r := range all {
		if strings.HasPrefix(r.Request, "copy driver") || strings.HasPrefix(r.Request, "copy kernel") {
			if r.Median > 0 {
				best = math.Max(best, r.Bytes/r.Median)
			}
		}
	}
	if best == 0 {
		return 4.3e12
	}
	return best
}
