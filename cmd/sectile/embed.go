package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/methods"
	"github.com/sectile-ml/sectile/tensor"
)

const embedUsage = `RUN --out FILE [flags]

Writes the features of images by the encoder in a run's folder: FILE.npy (an
array [images, features]), FILE.safetensors (features, labels, and the names
as metadata) or FILE.csv (name, label, features).`

// shown are the flags of commands that show images to a run's encoder.
type shown struct {
	data, split, out string
	machine          machineFlags
}

// embedImages writes the features of images.
func embedImages(ctx context.Context, args []string, out io.Writer) error {
	f := newFlags("embed")
	var s shown
	f.StringVar(&s.data, "data", "", "other `images` than the run's")
	f.StringVar(&s.split, "split", "train", "`part` of them: train or test")
	f.StringVar(&s.out, "out", "", "`file` to write: .npy, .safetensors or .csv")
	s.machine.define(f)
	pos, err := parse(f, args, 1, "a run's folder", embedUsage, out)
	if err != nil {
		return err
	}
	write, ok := map[string]func(string, *embedding) error{".npy": writeNPY, ".safetensors": writeSafetensors, ".csv": writeCSV}[filepath.Ext(s.out)]
	if !ok {
		return fmt.Errorf("--out %q: name a file that ends in .npy, .safetensors or .csv", s.out)
	}
	t, err := openEncoder(pos[0], s.data, "", s.machine)
	if err != nil {
		return err
	}
	defer t.images.Close()
	e, err := t.embed(ctx, s.split, t.encoder, out)
	if err != nil {
		return err
	}
	if err := write(s.out, e); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d images, %d features each: %s\n", e.N(), e.D, s.out)
	return nil
}

// embedding is the features of images.
type embedding struct {
	methods.Features
	src     data.Source
	labels  []int
	classes []string
}

// embed shows the train or the test images to an encoder.
func (t *trained) embed(ctx context.Context, split string, encoder methods.Encoder, out io.Writer) (*embedding, error) {
	src := t.images.learn
	switch {
	case split == "test" && t.images.judge == nil:
		return nil, fmt.Errorf("%s has no test images: --split train", t.images.what)
	case split == "test":
		src = t.images.judge
	case split != "train":
		return nil, fmt.Errorf("--split %q: train or test", split)
	}
	src, note, err := readable(src, func(int) bool { return true })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.images.what, err)
	}
	for _, n := range append(t.images.notes, note) {
		if n != "" {
			fmt.Fprintln(out, "note:", n)
		}
	}
	f, labels, err := t.extractor().Features(ctx, encoder, src)
	if err != nil && ctx.Err() != nil {
		return nil, errors.New("interrupted: nothing was written")
	}
	return &embedding{f, src, labels, t.images.names}, err
}

// class is the name of the class of image i, its number where it has no name,
// or nothing.
func (e *embedding) class(i int) string {
	l := e.labels[i]
	switch {
	case l < 0:
		return ""
	case l < len(e.classes):
		return e.classes[l]
	}
	return strconv.Itoa(l)
}

func writeNPY(path string, e *embedding) error { return tensor.WriteNPY(path, e.X, e.N(), e.D) }

func writeSafetensors(path string, e *embedding) error {
	labels, names := make([]int64, e.N()), make([]string, e.N())
	for i := range labels {
		labels[i], names[i] = int64(e.labels[i]), data.NameOf(e.src, i)
	}
	return tensor.WriteSafetensors(path, []tensor.Named{
		{Name: "features", Shape: []int{e.N(), e.D}, Data: e.X},
		{Name: "labels", Data: labels},
	}, map[string]string{"names": strings.Join(names, "\n"), "classes": strings.Join(e.classes, "\n")})
}

func writeCSV(path string, e *embedding) error {
	head := []string{"name", "label"}
	for j := range e.D {
		head = append(head, "f"+strconv.Itoa(j))
	}
	return writeTable(path, head, e.N(), func(line []string, i int) []string {
		line = append(line, data.NameOf(e.src, i), e.class(i))
		for _, v := range e.Row(i) {
			line = append(line, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		return line
	})
}

// writeTable writes a CSV file of n lines; fill appends the fields of one.
func writeTable(path string, head []string, n int, fill func(line []string, i int) []string) error {
	return tensor.WriteFile(path, func(w io.Writer) error {
		b := bufio.NewWriter(w)
		c := csv.NewWriter(b)
		c.Write(head)
		var line []string
		for i := range n {
			line = fill(line[:0], i)
			c.Write(line)
		}
		c.Flush()
		return errors.Join(c.Error(), b.Flush())
	})
}
