package autograd

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Trace writes the time of every op in Chrome's trace format (open it with
// chrome://tracing or Perfetto). Ops that know their cost carry GFLOP/s, bytes
// and, once the trace knows the machine's limits, their share of the roofline
// min(peak, bandwidth * flop/byte).
type Trace struct {
	mu    sync.Mutex
	f     *os.File
	w     *bufio.Writer
	start time.Time
	n     int
	peak  float64 // FLOP/s
	band  float64 // bytes/s
	err   error
}

// NewTrace starts a trace in the named file. The error names it.
func NewTrace(path string) (*Trace, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	t := &Trace{f: f, w: bufio.NewWriterSize(f, 1<<16), start: time.Now()}
	t.w.WriteString("[")
	return t, nil
}

var (
	envOnce sync.Once
	envT    *Trace
)

// envTrace is the trace of SECTILE_TRACE, one for the process, nil without it.
func envTrace() *Trace {
	envOnce.Do(func() {
		path := os.Getenv("SECTILE_TRACE")
		if path == "" {
			return
		}
		t, err := NewTrace(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "sectile:", err)
			return
		}
		envT = t
	})
	return envT
}

// SetLimits tells the trace the machine's multiply-add peak in GFLOP/s and its
// memory bandwidth in GB/s, for each op's share of the roofline.
func (t *Trace) SetLimits(gflops, gbs float64) { t.peak, t.band = gflops*1e9, gbs*1e9 }

// Tracing is the trace of SECTILE_TRACE, nil without it.
func Tracing() *Trace { return envTrace() }

// SetTrace makes the tape write to tr; nil stops it.
func (t *Tape) SetTrace(tr *Trace) { t.trace = tr }

// Trace is what the tape writes to, nil without one: whoever drives the tape
// adds spans of its own by Event.
func (t *Tape) Trace() *Trace { return t.trace }

// CloseTrace ends the trace of SECTILE_TRACE, if there is one.
func CloseTrace() error {
	if t := envTrace(); t != nil {
		return t.Close()
	}
	return nil
}

type traceEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat"`
	Phase string         `json:"ph"`
	TS    float64        `json:"ts"`
	Dur   float64        `json:"dur"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Args  map[string]any `json:"args,omitempty"`
}

func (t *Trace) op(op Op, backward bool, from, to time.Time) {
	cat := "forward"
	if backward {
		cat = "backward"
	}
	var args map[string]any
	if c, ok := op.(Coster); ok {
		flop, bytes := c.Cost(backward)
		s := to.Sub(from).Seconds()
		args = map[string]any{"GFLOP/s": flop / s / 1e9, "GB/s": bytes / s / 1e9, "bytes": bytes}
		if t.peak > 0 && bytes > 0 {
			args["roofline"] = max(flop/t.peak, bytes/t.band) / s
		}
	}
	t.Event(op.Name(), cat, from, to, args)
}

// Event adds one span to the trace.
func (t *Trace) Event(name, cat string, from, to time.Time, args map[string]any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return
	}
	e := traceEvent{name, cat, "X", float64(from.Sub(t.start).Nanoseconds()) / 1e3, float64(to.Sub(from).Nanoseconds()) / 1e3, 1, 1, args}
	b, err := json.Marshal(e)
	if err != nil {
		t.err = err
		return
	}
	if t.n++; t.n > 1 {
		t.w.WriteString(",\n")
	}
	if _, err := t.w.Write(b); err != nil {
		t.err = err
	}
}

// Close ends the file and reports the first failure to write it.
func (t *Trace) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return t.err
	}
	t.w.WriteString("]\n")
	if err := t.w.Flush(); t.err == nil {
		t.err = err
	}
	if err := t.f.Close(); t.err == nil {
		t.err = err
	}
	t.f = nil
	return t.err
}
