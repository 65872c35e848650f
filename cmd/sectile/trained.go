package main

import (
	"fmt"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/nn"
)

// trained is the encoder of a run, and images to show it.
type trained struct {
	config
	run     methods.Run
	images  *images
	tape    *autograd.Tape
	views   *data.Views
	encoder methods.Encoder
}

// openEncoder reads the encoder in a run's folder; from and test name other
// images than the run's, to learn from and to judge by, where not empty.
func openEncoder(dir, from, test string, machine machineFlags) (*trained, error) {
	c, err := readRun(dir)
	if err != nil {
		return nil, err
	}
	if from != "" {
		c.Data, c.Test = from, ""
	}
	if test != "" {
		c.Test = test
	}
	if err := c.Run.Validate(); err != nil {
		return nil, err
	}
	if err := machine.apply(); err != nil {
		return nil, err
	}
	b, err := backend()
	if err != nil {
		return nil, err
	}
	t := &trained{config: c, run: methods.Run{Dir: dir}, tape: autograd.NewTape(b)}
	if t.views, err = data.NewViews(c.Run.Views, c.Run.Crops()); err != nil {
		return nil, err
	}
	encoder := c.Run.Untrained(b)
	if c.Run.Method == "moco" || c.Run.Method == "pcl" {
		nn.Prefix(encoder, "encoder_q.")
	}
	if err := t.load(encoder.State()); err != nil {
		return nil, err
	}
	t.encoder = encoder
	t.images, err = openImages(c)
	return t, err
}

// load reads tensors of the run's checkpoint, all of them.
func (t *trained) load(state []*autograd.Param) error {
	loaded, err := nn.LoadWeights(t.run.Checkpoint(), "", state)
	if err != nil {
		return err
	}
	if len(loaded.Missing)+len(loaded.WrongShape) > 0 {
		return fmt.Errorf("%s does not hold the networks of %s: %s", t.run.Checkpoint(), t.run.Config(), loaded)
	}
	return nil
}

func (t *trained) extractor() methods.Extractor { return extractor(t.tape, t.views, t.Run) }
