package main

import (
	"fmt"
	"slices"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/data/fashionmnist"
	"github.com/sectile-ml/sectile/methods"
)

// images are what a run learns from and what it is judged on.
type images struct {
	what    string
	learn   data.Source
	judge   data.Source // nil: there is none
	classes int         // 0: there are no labels to judge by
	names   []string    // of the classes, or nil
	notes   []string
	opened  []*data.Opened
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
		if c.Test != "" {
			return nil, fmt.Errorf("--test %s: the embedded images have their own: --test goes with --data", c.Test)
		}
		if all.C != channels {
			return nil, fmt.Errorf("the embedded images have %d channel(s), preset %s wants %d: choose another --preset or --data", all.C, c.Preset, channels)
		}
		learn, judge := all.Split(fashionmnist.Learn)
		return &images{what: "Fashion-MNIST, embedded", learn: learn, judge: judge, classes: len(fashionmnist.Classes), names: fashionmnist.Classes}, nil
	}
	options := data.OpenOptions{Channels: channels, Short: shortest(c.Run), CacheBytes: cacheBytes()}
	o, err := data.Open(c.Data, options)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	im := &images{what: c.Data + " (" + o.Kind + ")", learn: o.Train, judge: o.Test, names: o.Classes, notes: o.Notes, opened: []*data.Opened{o}}
	if c.Test != "" {
		if err := im.openTest(c.Test, options); err != nil {
			im.Close()
			return nil, fmt.Errorf("--test: %w", err)
		}
	}
	if im.judge != nil && labelled(im.learn) && labelled(im.judge) {
		for _, o := range im.opened {
			im.classes = max(im.classes, o.Labels)
		}
	}
	return im, nil
}

// shortest is the shorter side to which photographs are reduced: enough for
// every crop, and for the middle by which an encoder is judged.
func shortest(c methods.RunConfig) int {
	short, _ := evaluationSize(c)
	return max(c.Crops().Short(), short, c.PCL.Short)
}

// cacheBytes is the memory that decoded images may stay in.
func cacheBytes() int64 { return memoryLimit() / 4 }

// openTest opens the images to judge by: the test images of a path, or all of
// them where there are no others. Classes have the numbers of those that the
// run learns from.
func (im *images) openTest(path string, options data.OpenOptions) error {
	o, err := data.Open(path, options)
	if err != nil {
		return err
	}
	im.opened, im.notes = append(im.opened, o), append(im.notes, o.Notes...)
	if im.judge = o.Test; im.judge == nil {
		im.judge = o.Train
	}
	if !slices.Equal(o.Classes, im.names) {
		return fmt.Errorf("%s has %d classes, the images to learn from %d, or they have other names: want the same folders in both", path, len(o.Classes), len(im.names))
	}
	return nil
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
	for _, o := range im.opened {
		o.Close()
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
