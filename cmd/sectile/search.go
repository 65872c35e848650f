package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
)

const searchUsage = `RUN --query IMAGE [flags]

Prints the images most like one, by the cosine of their features.`

// search prints the nearest images to one.
func search(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("search")
	var s shown
	f.StringVar(&s.data, "data", "", "`images` to look among; default the run's")
	f.StringVar(&s.split, "split", "train", "`part` of them: train or test")
	query := f.String("query", "", "`file` of the image: JPEG, PNG or GIF")
	k := f.Int("k", 10, "`number` of images to print")
	s.machine.define(f)
	pos, err := parse(f, args, 1, "a run's folder", searchUsage, out)
	if err != nil {
		return err
	}
	if *query == "" {
		return errors.New("--query names the image to look for")
	}
	if *k < 1 {
		return fmt.Errorf("-k %d: at least 1", *k)
	}
	t, err := openEncoder(pos[0], s.data, "", s.machine)
	if err != nil {
		return err
	}
	defer t.images.Close()
	image, err := readImage(*query, t.views.Channels())
	if err != nil {
		return fmt.Errorf("--query: %w", err)
	}
	q, _, err := t.extractor().Features(ctx, t.encoder, data.Shrink(image, shortest(t.Run)))
	if err != nil {
		return err
	}
	e, err := t.embed(ctx, s.split, t.encoder, out)
	if err != nil {
		return err
	}
	cosines := products(q.Unit().Row(0), e.Unit())
	for rank, i := range largest(cosines, *k) {
		fmt.Fprintf(out, "%4d  %.4f  %s", rank+1, cosines[i], data.NameOf(e.src, i))
		if c := e.class(i); c != "" {
			fmt.Fprintf(out, "  (%s)", c)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// readImage is a source of one image.
func readImage(path string, channels int) (*data.Set, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m data.Image
	if err := data.Decode(&m, file, channels, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &data.Set{Name: path, N: 1, H: m.H, W: m.W, C: m.C, Pix: m.Pix}, nil
}

// products are the inner products of x with the rows of f.
func products(x []float32, f methods.Features) []float64 {
	p := make([]float64, f.N())
	for i := range p {
		for j, v := range f.Row(i) {
			p[i] += float64(v) * float64(x[j])
		}
	}
	return p
}

// largest are the places of the k largest values, the largest first; of equal
// ones the first.
func largest(x []float64, k int) []int {
	at := make([]int, len(x))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		switch {
		case x[a] > x[b]:
			return -1
		case x[a] < x[b]:
			return 1
		}
		return 0
	})
	return at[:min(k, len(at))]
}
