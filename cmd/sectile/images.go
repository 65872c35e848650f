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
	learn   *data.Set
	judge   *data.Set // nil: there is none
	classes int       // 0: the labels are not known
}

// openImages opens "embedded" or a folder of IDX files.
func openImages(from string) (images, error) {
	if from == embedded {
		all, err := fashionmnist.Load()
		if err != nil {
			return images{}, err
		}
		learn, judge := all.Split(fashionmnist.Learn)
		return images{what: "Fashion-MNIST, embedded", learn: learn, judge: judge, classes: len(fashionmnist.Classes)}, nil
	}
	learn, judge, err := data.OpenIDX(from)
	if err != nil {
		return images{}, fmt.Errorf("--data: %w", err)
	}
	im := images{what: from, learn: learn, judge: judge}
	if judge != nil && len(learn.Labels) > 0 && len(judge.Labels) > 0 {
		im.classes = 1 + max(slices.Max(learn.Labels), slices.Max(judge.Labels))
	}
	return im, nil
}

// fit says whether a run's network and views can read the images.
func (im images) fit(c config) error {
	if want := len(c.Run.Views.Mean); want != im.learn.C {
		return fmt.Errorf("%s: images with %d channel(s), preset %s wants %d: choose another --preset or --data", im.what, im.learn.C, c.Preset, want)
	}
	return nil
}

// String says how many images there are, and for what.
func (im images) String() string {
	s := fmt.Sprintf("%s: %d to learn from without labels", im.what, im.learn.N)
	if im.classes > 0 {
		s += fmt.Sprintf(", %d to judge by", im.judge.N)
	}
	return s
}

// extractor computes features as a run of configuration c is judged.
func extractor(t *methods.Trainer, c config) methods.Extractor {
	side := c.Run.SwAV.Crops[0].Size
	return methods.Extractor{Tape: t.Tape, Views: t.Views, Short: side, Size: side, Batch: 250}
}
