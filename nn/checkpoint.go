package nn

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/tensor"
)

// Checkpoint is what a run needs to go on to the bit: one safetensors file of
// tensors under their names, with the rest as JSON in its header. Weights have
// PyTorch's names, shapes and layout, so that PyTorch loads the same file.
type Checkpoint struct {
	State     []*autograd.Param // weights, running statistics, key encoder, queues
	Optimizer *Optimizer        // its moments and step counts; nil: none
	Trainer   any               // epoch, step, random streams, configuration: whatever JSON holds; in Load a pointer, or nil
}

// header is the JSON in the file's metadata under "sectile".
type header struct {
	Version int             `json:"version"` // 1
	Steps   map[string]int  `json:"steps,omitempty"`
	Trainer json.RawMessage `json:"trainer,omitempty"`
}

// headerKey is where the header lies among a file's metadata.
const headerKey = "sectile"

// Save writes the checkpoint so that path holds the old one or the whole new
// one, whatever stops the program. Convolution weights are stored [OC,C,KH,KW].
// Beside each running_var lies PyTorch's num_batches_tracked, always 0: it has
// no effect where momentum is a constant.
func (c *Checkpoint) Save(path string) error {
	h := header{Version: 1}
	if c.Optimizer != nil {
		h.Steps = c.Optimizer.Steps()
	}
	if c.Trainer != nil {
		b, err := json.Marshal(c.Trainer)
		if err != nil {
			return fmt.Errorf("nn: save %s: %w", path, err)
		}
		h.Trainer = b
	}
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("nn: save %s: %w", path, err)
	}
	var out []tensor.Named
	for _, p := range c.all() {
		data := make([]float32, p.Value.Len())
		if err := p.Value.CopyTo(data); err != nil {
			return fmt.Errorf("nn: save %s: %s: %w", path, p.Name, err)
		}
		shape := p.Value.Shape()
		out = append(out, tensor.Named{Name: p.Name, Shape: torchShape(shape), Data: toTorch(data, shape)})
		if bn, ok := strings.CutSuffix(p.Name, ".running_var"); ok {
			out = append(out, tensor.Named{Name: bn + tracked, Shape: []int{}, Data: []int64{0}})
		}
	}
	if err := tensor.WriteSafetensors(path, out, map[string]string{headerKey: string(text)}); err != nil {
		return fmt.Errorf("nn: save %s: %w", path, err)
	}
	return nil
}

// tracked ends the names of PyTorch's step counts of batch norm.
const tracked = ".num_batches_tracked"

// Load reads what Save wrote. Every tensor of the run must be in the file in
// its shape and none besides; otherwise the error says what differs and
// nothing is changed.
func (c *Checkpoint) Load(path string) error {
	f, err := tensor.OpenSafetensors(path)
	if err != nil {
		return fmt.Errorf("nn: load: %w", err)
	}
	defer f.Close()
	var h header
	if err := json.Unmarshal([]byte(f.Metadata()[headerKey]), &h); err != nil {
		return fmt.Errorf("nn: load %s: no checkpoint of a run (LoadWeights reads weights alone): %w", path, err)
	}
	if h.Version != 1 {
		return fmt.Errorf("nn: load %s: written by a newer Sectile (format %d, this one reads 1)", path, h.Version)
	}
	all := c.all()
	if err := match(f, "", all).Err(); err != nil {
		return fmt.Errorf("nn: load %s: another run's checkpoint: %w", path, err)
	}
	if c.Trainer != nil {
		if err := json.Unmarshal(h.Trainer, c.Trainer); err != nil {
			return fmt.Errorf("nn: load %s: trainer: %w", path, err)
		}
	}
	if err := readAll(f, "", all); err != nil {
		return fmt.Errorf("nn: load: %w", err)
	}
	if c.Optimizer != nil {
		c.Optimizer.SetSteps(h.Steps)
	}
	return nil
}

// all is the state with the optimizer's.
func (c *Checkpoint) all() []*autograd.Param {
	all := append([]*autograd.Param(nil), c.State...)
	if c.Optimizer != nil {
		all = append(all, c.Optimizer.State()...)
	}
	return all
}

// readAll reads the tensors of the list that the file has.
func readAll(f *tensor.File, prefix string, list []*autograd.Param) error {
	for _, p := range list {
		if _, ok := f.Info(prefix + p.Name); !ok {
			continue
		}
		data := make([]float32, p.Value.Len())
		if err := f.ReadFloat32(prefix+p.Name, data); err != nil {
			return err
		}
		p.Value.SetFloat32s(fromTorch(data, p.Value.Shape()))
	}
	return nil
}
