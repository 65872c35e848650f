package methods

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sectile-ml/sectile/nn"
	"github.com/sectile-ml/sectile/tensor"
)

// Run is the folder of a run: config.json, what it was started with, and
// checkpoint.safetensors, the last whole state.
type Run struct{ Dir string }

// CreateRun makes the folder root/METHOD-NNN with the lowest number that is
// free, and writes config, as JSON, into it.
func CreateRun(root, method string, config any) (Run, error) {
	if err := os.MkdirAll(root, 0o777); err != nil {
		return Run{}, fmt.Errorf("run: %w", err)
	}
	for i := 1; ; i++ {
		r := Run{filepath.Join(root, fmt.Sprintf("%s-%03d", method, i))}
		err := os.Mkdir(r.Dir, 0o777)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return Run{}, fmt.Errorf("run: %w", err)
		}
		text, err := json.MarshalIndent(config, "", "\t")
		if err != nil {
			return Run{}, fmt.Errorf("run: configuration: %w", err)
		}
		return r, tensor.WriteFile(r.Config(), func(w io.Writer) error {
			_, err := w.Write(append(text, '\n'))
			return err
		})
	}
}

// Config is the path of the configuration.
func (r Run) Config() string { return filepath.Join(r.Dir, "config.json") }

// Checkpoint is the path of the checkpoint.
func (r Run) Checkpoint() string { return filepath.Join(r.Dir, "checkpoint.safetensors") }

// ReadConfig reads the configuration into config, a pointer. A field that it
// has not is an error.
func (r Run) ReadConfig(config any) error {
	f, err := os.Open(r.Config())
	if err != nil {
		return fmt.Errorf("run: %s is no run: %w", r.Dir, err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(config); err != nil {
		return fmt.Errorf("run: %s: %w", r.Config(), err)
	}
	return nil
}

// Save writes the trainer's checkpoint.
func (r Run) Save(t *Trainer) error { return t.Checkpoint(r.Checkpoint()) }

// Resume takes the trainer to where the checkpoint was written.
func (r Run) Resume(t *Trainer) error { return t.Resume(r.Checkpoint()) }

// position is what a checkpoint holds besides tensors: how far the run is, and
// what its images and views were drawn with.
type position struct {
	Iteration int    `json:"iteration"`
	Seed      uint64 `json:"seed"`
	Batch     int    `json:"batch"`
	Images    int    `json:"images"`
	Epochs    int    `json:"epochs"`
}

func (t *Trainer) position() position {
	return position{t.Iteration, t.Seed, t.Batch, t.Source.Len(), t.Epochs}
}

// Checkpoint writes all that the run needs to go on to the bit to path, which
// holds the old checkpoint or the new one whatever happens. A value that is
// not finite is a *DivergedError, and nothing is written.
func (t *Trainer) Checkpoint(path string) error {
	c := nn.Checkpoint{State: t.Method.State(), Optimizer: t.Optimizer, Trainer: t.position()}
	for _, p := range c.State {
		for i, v := range p.Value.Float32s() {
			if !finite(v) {
				at := max(t.Iteration-1, 0)
				return &DivergedError{Step{at / t.Steps(), at}, fmt.Sprintf("%s[%d] is %v", p.Name, i, v), t.Rate.At(at), t.saved}
			}
		}
	}
	if err := c.Save(path); err != nil {
		return err
	}
	t.saved = t.Iteration
	return nil
}

// Resume reads what Checkpoint wrote. The run must be the same one: its
// tensors, seed, batch, epochs and number of images; else nothing is changed.
func (t *Trainer) Resume(path string) error {
	var at position
	c := nn.Checkpoint{State: t.Method.State(), Optimizer: t.Optimizer, Trainer: &at}
	if err := c.Load(path); err != nil {
		return err
	}
	want := t.position()
	want.Iteration = at.Iteration
	if at != want || at.Iteration < 0 || at.Iteration > t.Iterations() {
		return fmt.Errorf("resume: %s was written by another run: %+v, this one is %+v", path, at, want)
	}
	t.Iteration, t.saved = at.Iteration, at.Iteration
	return t.Method.Loaded()
}
