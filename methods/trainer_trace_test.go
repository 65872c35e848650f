package methods

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/sectile-ml/sectile/autograd"
)

// TestTrainerTrace: a trace holds every step, in each one wait for its views
// before the first op, and all waits together are at least what the loader says
// that it took.
func TestTrainerTrace(t *testing.T) {
	const steps = 3
	run := everything()
	run.Epochs = 1
	tr, err := run.New(backends(t)["cpu"], noise(steps*run.SwAV.Batch))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "trace.json")
	trace, err := autograd.NewTrace(path)
	if err != nil {
		t.Fatal(err)
	}
	tr.Tape.SetTrace(trace)
	if err := tr.Train(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := trace.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	type span struct {
		Name, Cat string
		TS, Dur   float64 // µs
	}
	var all, step, wait []span
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	ops, waited := 0, 0.0
	for _, s := range all {
		switch s.Cat {
		case "wait":
			wait, waited = append(wait, s), waited+s.Dur
			if ops > 0 {
				t.Errorf("wait %d comes after %d ops of its step", len(wait), ops)
			}
		case "step":
			step = append(step, s)
			n := len(step)
			if len(wait) != n || ops == 0 {
				t.Fatalf("step %d: %d waits so far, %d ops in it", n, len(wait), ops)
			}
			ops = 0
			// Nanoseconds are kept to three decimals of a microsecond.
			if w := wait[n-1]; w.TS < s.TS-0.01 || w.TS+w.Dur > s.TS+s.Dur+0.01 {
				t.Errorf("step %d from %v for %v has its wait from %v for %v", n, s.TS, s.Dur, w.TS, w.Dur)
			}
		default:
			ops++
		}
	}
	if len(step) != steps {
		t.Errorf("%d steps, want %d", len(step), steps)
	}
	if want := float64(tr.loader.Stats().Wait.Nanoseconds()) / 1e3; waited < want-0.01 {
		t.Errorf("waits of %v µs together, the loader says %v", waited, want)
	}
}
