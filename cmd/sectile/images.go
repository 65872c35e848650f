package main

import (
	"fmt"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/data/fashionmnist"
)

// images are what a run learns from and what it is judged on.
type images struct {
	what    string
	learn   data.Source
	judge   data.Source // nil: there is none
	classes int         // 0: there are no labels to judge by
	names   []string    // of the classes, or nil
	notes   []string
	opened  *data.Opened // nil: nothing to close
}

// openImages opens the images of a configuration with the channels that its
// views want. A quarter of the memory that tensors may have keeps decoded ones.
func openImages(c config) (*images, error) {
	channels := len(c.Run.Views.Mean)
	if c.Data == embedded {
		all, err := fashionmnist.Load()
		if err != nil {
			return nil, err
		}
		if all.C != channels {
			return nil, fmt.Errorf("the embedded images have %d channel(s), preset %s wants %d: choose another --preset or --data", all.C, c.Preset, channels)
		}
		learn, judge := all.Split(fashionmnist.Learn)
		return &images{what: "Fashion-MNIST, embedded", learn: learn, judge: judge, classes: len(fashionmnist.Classes), names: fashionmnist.Classes}, nil
	}
	o, err := data.Open(c.Data, data.OpenOptions{Channels: channels, CacheBytes: memoryLimit() / 4})
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	im := &images{what: c.Data + " (" + o.Kind + ")", learn: o.Train, judge: o.Test, names: o.Classes, notes: o.Notes, opened: o}
	if o.Test != nil && labelled(o.Train) && labelled(o.Test) {
		im.classes = o.Labels
	}
	return im, nil
}

// labelled says whether the class of some image is known.
func labelled(s data.Source) bool {
	for i := range s.Len() {
		if s.Label(i) >= 0 {
			return true
		}
	}
	return false
}

// Close closes the file that the images are read from.
func (im *images) Close() {
	if im.opened != nil {
		im.opened.Close()
	}
}

// String says how many images there are, and for what.
func (im *images) String() string {
	s := fmt.Sprintf("%s: %d to learn from without labels", im.what, im.learn.Len())
	if im.classes > 0 {
		s += fmt.Sprintf(", %d to judge by", im.judge.Len())
	}
	return s
}
