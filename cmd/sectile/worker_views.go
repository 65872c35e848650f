package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/sectile-ml/sectile/data"
)

// decodedViews is how many images are read beforehand where views are to be of
// decoded ones.
const decodedViews = 256

// answerViews measures images a second, from JPEG files in a zip, or from
// decoded images, to views.
func answerViews(r *request) ([]float64, error) {
	name, path, d := r.word(), r.word(), r.seconds()
	if err := r.done(); err != nil {
		return nil, err
	}
	kind, decoded := strings.CutSuffix(name, "-decoded")
	var recipe data.Recipe
	var crops data.MultiCrop
	switch kind {
	case "simclr":
		recipe, crops = data.SimCLR(1)
	case "swav":
		recipe, crops = data.SwAV()
	default:
		return nil, fmt.Errorf("unknown recipe %q: simclr or swav", name)
	}
	v, err := data.NewViews(recipe, crops)
	if err != nil {
		return nil, err
	}
	o, err := data.Open(path, data.OpenOptions{Channels: v.Channels()})
	if err != nil {
		return nil, err
	}
	defer o.Close()
	n := 0
	if decoded {
		n = decodedViews
	}
	rate, err := data.Rate(context.Background(), o.Train, v, threads(), n, d)
	return []float64{rate}, err
}
