package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sectile-ml/sectile/data"
	"github.com/sectile-ml/sectile/tensor"
)

// picture is image i of the embedded set as a PNG file, wider by margin.
func picture(t *testing.T, i, margin int) []byte {
	t.Helper()
	set, err := clothes()
	if err != nil {
		t.Fatal(err)
	}
	m := image.NewGray(image.Rect(0, 0, 28+margin, 28))
	for y := range 28 {
		for x := range 28 {
			m.SetGray(x, y, color.Gray{Y: set.Pix[i*784+y*28+x]})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipOf writes a zip of pictures of several sizes in two class folders, train
// and test, one of which is damaged.
func zipOf(t *testing.T, train, test int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pictures.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	add := func(name string, content []byte) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for part, n := range map[string]int{"train": train, "test": test} {
		for i := range n {
			add(fmt.Sprintf("%s/%s/%03d.png", part, []string{"left", "right"}[i%2], i), picture(t, i, i%3))
		}
	}
	if test > 0 {
		add("train/left/bad.png", []byte("no picture"))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestZip: a zip of pictures of different sizes is trained on and judged, and
// the commands that show images to its encoder write what they say.
func TestZip(t *testing.T) {
	dir := t.TempDir()
	for _, method := range []string{"swav", "pcl"} {
		config := filepath.Join(dir, "c.json")
		put(t, config, []byte(`{"run": {"pcl": {"clusters": [3, 6], "queue": 32}}}`))
		code, text, errOut := sectile(t, append(smallOf(method, zipOf(t, 48, 24), dir, 2), "--config", config)...)
		if code != 0 {
			t.Fatal(errOut)
		}
		for _, want := range []string{"49 to learn from", "24 to judge by", "zip of images", "1 of 49 images cannot be read", "bad.png", "24 images judged by the 48", "AMI of 2 clusters", "trained"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		run := filepath.Join(dir, method+"-001")
		table := filepath.Join(dir, "assigned.csv")
		code, text, errOut = sectile(t, "assign", run, "--split", "test", "--out", table)
		if lines := strings.Split(string(get(t, table)), "\n"); code != 0 || len(lines) != 26 || !strings.HasPrefix(lines[1], "test/left/000.png,left,") || !strings.Contains(text, "AMI") {
			t.Errorf("code %d, %q, %q: %q", code, text, errOut, lines)
		}
	}
	other := zipOf(t, 32, 0)
	code, text, errOut := sectile(t, append(smallOf("swav", other, dir, 1), "--test", other)...)
	if code != 0 || !strings.Contains(text, "32 images judged by the 32") {
		t.Errorf("--test: code %d, %q, %q", code, text, errOut)
	}
	code, text, errOut = sectile(t, "eval", "knn", filepath.Join(dir, "swav-002"), "--test", zipOf(t, 20, 0))
	if code != 0 || !strings.Contains(text, "20 images judged by 32") {
		t.Errorf("eval --test: code %d, %q, %q", code, text, errOut)
	}
	run, query := filepath.Join(dir, "swav-001"), filepath.Join(dir, "query.png")
	put(t, query, picture(t, 7, 1))
	code, text, errOut = sectile(t, "search", run, "--query", query, "-k", "3")
	if lines := strings.Split(text, "\n"); code != 0 || len(lines) != 5 || !strings.Contains(lines[1], "1  1.0000  train/right/007.png  (right)") {
		t.Errorf("code %d, %q, %q", code, text, errOut)
	}

	npy, tensors, table := filepath.Join(dir, "f.npy"), filepath.Join(dir, "f.safetensors"), filepath.Join(dir, "f.csv")
	for _, out := range []string{npy, tensors, table} {
		if code, _, errOut := sectile(t, "embed", run, "--split", "test", "--out", out); code != 0 {
			t.Fatal(errOut)
		}
	}
	values, shape, err := tensor.ReadNPY(npy)
	if err != nil || !slices.Equal(shape, []int{24, 256}) {
		t.Fatalf("%v, %v", shape, err)
	}
	f, err := tensor.OpenSafetensors(tensors)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	features, labels := make([]float32, 24*256), make([]int64, 24)
	if err := f.ReadFloat32("features", features); err != nil || !slices.Equal(features, values.([]float32)) {
		t.Errorf("features differ between .npy and .safetensors: %v", err)
	}
	if err := f.ReadInts("labels", labels); err != nil || labels[0] != 0 || labels[23] != 1 {
		t.Errorf("labels %v, %v", labels, err)
	}
	if names := strings.Split(f.Metadata()["names"], "\n"); len(names) != 24 || names[23] != "test/right/023.png" {
		t.Errorf("names %q", names)
	}
	if lines := strings.Split(string(get(t, table)), "\n"); len(lines) != 26 || strings.Count(lines[1], ",") != 257 {
		t.Errorf("%d lines, the second %q", len(lines), lines[1])
	}
}

// TestFeatureMistakes: one line each.
func TestFeatureMistakes(t *testing.T) {
	dir := t.TempDir()
	if code, _, errOut := sectile(t, smallOf("simclr", zipOf(t, 32, 0), dir, 1)...); code != 0 {
		t.Fatal(errOut)
	}
	run, text := filepath.Join(dir, "simclr-001"), filepath.Join(dir, "text.png")
	put(t, text, []byte("no picture"))
	for args, want := range map[string]string{
		"embed " + run:                                 ".npy",
		"embed " + run + " --out x.txt":                "x.txt",
		"embed " + run + " --out x.npy --split test":   "no test images",
		"embed " + run + " --out x.npy --split all":    `"all"`,
		"embed " + dir + " --out x.npy":                "no run's folder",
		"search " + run:                                "--query",
		"search " + run + " --query " + text:           text,
		"search " + run + " --query " + text + " -k 0": "-k 0",
		"assign " + run + " --out x.csv":               "simclr has no prototypes",
		"assign " + run + " --out x.npy":               ".csv",
		"eval knn " + run:                              "no labelled images",
		"pretrain moco --data " + text:                 text,
		"pretrain moco --data " + dir + "/simclr-001":  "no images",
	} {
		code, _, errOut := sectile(t, strings.Fields(args)...)
		if code != 1 || !strings.Contains(errOut, want) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("sectile %s: code %d, no %q in %q", args, code, want, errOut)
		}
	}
}

// TestShortest: photographs are reduced on reading, to what no crop misses;
// images that are small already stay as they are in memory.
func TestShortest(t *testing.T) {
	c, err := presetConfig("swav", "demo")
	if err != nil {
		t.Fatal(err)
	}
	c.Data = idxFolder(t, 20, 10)
	small, err := openImages(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := small.learn.(*data.Set); !ok {
		t.Errorf("small images became a %T", small.learn)
	}
	c.Data = t.TempDir()
	put(t, filepath.Join(c.Data, "wide.png"), picture(t, 0, 1000))
	if c.Run.SwAV.Crops[0].Size = 8; shortest(c.Run) != 17 { // 8 / sqrt(3/4 · 0.3), rounded up
		t.Fatalf("shorter side %d", shortest(c.Run))
	}
	large, err := openImages(c)
	if err != nil {
		t.Fatal(err)
	}
	var m data.Image
	if err := large.learn.Image(0, &m); err != nil || m.H != 17 || m.W != 1028*17/28 {
		t.Errorf("%d x %d, %v", m.H, m.W, err)
	}
}
